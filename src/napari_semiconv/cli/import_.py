"""`napari-semiconv import`: masks and tracks of any program as a project."""

import argparse
from typing import Any

from ..errors import counted
from ..safe import named
from .options import add_command, add_movie_choice, chosen_movie
from .progress import follow, tell


def add(commands: Any) -> None:
    """Add the command."""
    summary = "make a project of masks and tracks that another program found"
    command = add_command(commands, "import", import_, summary)
    command.add_argument("result", type=named, metavar="RESULT", help="file or folder")
    command.add_argument("--movie", type=named, required=True, metavar="MOVIE")
    command.add_argument("--output", type=named, required=True, metavar="PROJECT")
    add_movie_choice(command)


def import_(arguments: argparse.Namespace) -> None:
    """Make a project of masks and tracks that another program found."""
    from ..workflows.importing import import_tracked

    movie = chosen_movie(arguments.movie, arguments)
    for note in movie.notes:
        tell(note)
    project = follow(
        lambda stop: import_tracked(
            arguments.result, movie, arguments.output, stop=stop
        )
    )
    with project:
        tracks = counted(len(project.lineage.tracks), "track")
    print(f"{tracks} in {counted(len(movie), 'frame')}: {arguments.output}")
