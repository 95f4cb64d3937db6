"""`napari-semiconv check`: whether a project is sound."""

import argparse
from typing import Any

from ..errors import BadInputError, counted
from .options import add_command, add_project, open_project
from .progress import progress_bar

# What is told before it is said how many faults there are besides.
MOST_FAULTS = 20


def add(commands: Any) -> None:
    """Add the command."""
    summary = "read all of a project and tell faults"
    add_project(add_command(commands, "check", check, summary))


def check(arguments: argparse.Namespace) -> None:
    """Read all of a project and tell what is wrong with it.

    Raises
    ------
    BadInputError
        When there are faults.
    """
    from ..project.runs.faults import faults_of_runs

    with open_project(arguments, write=False, notes=False) as project:
        frames = project.document.shape[0]
        with progress_bar(frames, "frame") as bar:
            faults = list(project.notes)
            faults += project.faults(lambda done, _: bar.update(done - bar.n))
        faults += faults_of_runs(project)
        tracks = len(project.lineage.tracks)
        entries = project.history.journal.entries
        edits = sum(entry.head["do"] != "note" for entry in entries)
    if not faults:
        print(
            f"{arguments.project.name} is sound: {counted(frames, 'frame')}, "
            f"{counted(tracks, 'track')}, {counted(edits, 'edit')} in the journal."
        )
        return
    for fault in faults[:MOST_FAULTS]:
        print(fault)
    raise BadInputError(
        f"{arguments.project.name}: expected masks, tracks and journal to agree, found "
        f"{counted(len(faults), 'fault')}. Restore the project from a copy, or segment "
        f"the frames named again."
    )
