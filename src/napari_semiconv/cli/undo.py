"""`napari-semiconv undo` and `redo`: the last step of a project, back and forth."""

import argparse
from typing import Any

from ..errors import counted
from .options import add_command, add_project, open_project
from .words import index


def add(commands: Any) -> None:
    """Add the commands."""
    summary = "take the last step of a project back: an edit, a run, solved tracks"
    command = add_command(commands, "undo", undo, summary)
    add_project(command)
    command.add_argument(
        "--to",
        type=index,
        metavar="N",
        help="go back, or on, until this step of `history` is the last one done; 0 is "
        "before the first one",
    )
    summary = "make the step of a project that was undone last again"
    add_project(add_command(commands, "redo", redo, summary))


def undo(arguments: argparse.Namespace) -> None:
    """Take the last step back: an edit, a run, or tracks that were solved."""
    from ..project.going_back import go_back_to

    with open_project(arguments) as project:
        if arguments.to is not None:
            steps = go_back_to(project, arguments.to)
            last = project.history.undoable
            now = f"'{last}'" if last else "none"
            text = f"Went {counted(steps, 'step')} through the history"
            print(f"{text}; the last one done is now {now}.")
            return
        what = project.history.undoable
        changes = project.undo()
        print(f"Undone: {counted(len(changes), 'edit')}, the last of them '{what}'.")


def redo(arguments: argparse.Namespace) -> None:
    """Make the step that was undone last again."""
    with open_project(arguments) as project:
        what = project.history.redoable
        changes = project.redo()
        print(f"Redone: {counted(len(changes), 'edit')}, the last of them '{what}'.")
