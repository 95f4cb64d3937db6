"""`napari-semiconv undo` and `redo`: the last step of a project, back and forth."""

import argparse
from typing import Any

from ..errors import counted
from .options import add_command, add_project, open_project


def add(commands: Any) -> None:
    """Add the commands."""
    summary = "take the last step of a project back: an edit, a run, solved tracks"
    add_project(add_command(commands, "undo", undo, summary))
    summary = "make the step of a project that was undone last again"
    add_project(add_command(commands, "redo", redo, summary))


def undo(arguments: argparse.Namespace) -> None:
    """Take the last step back: an edit, a run, or tracks that were solved."""
    with open_project(arguments) as project:
        what = project.history.undoable
        changes = project.undo()
        print(f"Undone: {counted(len(changes), 'edit')}, the last of them '{what}'.")


def redo(arguments: argparse.Namespace) -> None:
    """Make the step that was undone last again."""
    with open_project(arguments) as project:
        what = project.history.redoable
        changes = project.redo()
        print(f"Redone: {counted(len(changes), 'edit')}, the last of them '{what}'.")
