"""`napari-semiconv export`, `import`, `check`, `history`: projects without a window."""

import argparse
from typing import Any

from ..errors import BadInputError, counted
from ..io.cells import formats
from ..io.images import open_movie
from ..movie import Movie
from ..project.project import Project
from ..project.telling import as_csv, as_json, as_lines
from .progress import progress_bar, tell

# What `check` tells before it says how many faults there are besides.
MOST_FAULTS = 20


def export(arguments: argparse.Namespace) -> None:
    """Write masks and tracks of a project in a format of the field."""
    form = formats.format_of(arguments.to)
    named = None if arguments.movie is None else open_movie(arguments.movie)
    with Project.open(arguments.project, movie=named, write=False) as project:
        tracked = project.tracked(_pixels(project) if form.uses_movie else None)
        for sentence in form.lost(tracked):
            tell(sentence)
        with progress_bar(tracked.shape[0], "frame") as bar:
            form.write(tracked, arguments.output, lambda done, _: _advance(bar, done))
    print(f"{arguments.project.name} as {arguments.to}: {arguments.output}")


def import_(arguments: argparse.Namespace) -> None:
    """Make a project of masks and tracks that another program found."""
    movie = open_movie(arguments.movie)
    found = formats.read(arguments.result)
    with progress_bar(len(movie), "frame") as bar:
        project = Project.create(
            arguments.output, movie, found, lambda done, _: _advance(bar, done)
        )
    with project:
        tracks = counted(len(project.lineage.tracks), "track")
    print(f"{tracks} in {counted(len(movie), 'frame')}: {arguments.output}")


def check(arguments: argparse.Namespace) -> None:
    """Read all of a project and tell what is wrong with it."""
    with Project.open(arguments.project, write=False) as project:
        for note in project.notes:
            tell(note)
        with progress_bar(project.document.shape[0], "frame") as bar:
            faults = list(project.faults(lambda done, _: _advance(bar, done)))
        frames = project.document.shape[0]
        tracks = len(project.lineage.tracks)
        edits = project.history.journal.last
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


def history(arguments: argparse.Namespace) -> None:
    """Print who did what to a project, and when."""
    with Project.open(arguments.project, write=False) as project:
        if arguments.json:
            print(as_json(project.history))
        elif arguments.csv:
            print(as_csv(project.history), end="")
        else:
            for line in as_lines(project.history):
                print(line)
            if not project.history.journal.last:
                tell(f"{arguments.project.name}: nothing was edited yet.")


def _pixels(project: Project) -> Movie | None:
    """Find the movie; without it less is written, which is told."""
    try:
        return project.movie()
    except BadInputError as error:
        tell(f"{error} What is measured of its pixels is left out.")
        return None


def _advance(bar: Any, done: int) -> None:
    bar.update(done - bar.n)
