"""`napari-semiconv undo` and `redo`: the last step of a project, back and forth."""

import argparse

from ..errors import SaveError, counted
from ..project.project import Project
from .progress import tell


def undo(arguments: argparse.Namespace) -> None:
    """Take the last step back: an edit, a run, or tracks that were solved."""
    _turn(arguments, "undo")


def redo(arguments: argparse.Namespace) -> None:
    """Make the step that was undone last again."""
    _turn(arguments, "redo")


def _turn(arguments: argparse.Namespace, way: str) -> None:
    with Project.open(arguments.project) as project:
        for note in project.notes:
            tell(note)
        if project.read_only:
            raise SaveError(
                f"{project.folder.name}: opened to be read only, so nothing can be "
                f"changed. Close it where it is open, and try again."
            )
        history = project.history
        what = history.undoable if way == "undo" else history.redoable
        changes = project.undo() if way == "undo" else project.redo()
        done = "Undone" if way == "undo" else "Redone"
        print(f"{done}: {counted(len(changes), 'edit')}, the last of them '{what}'.")
