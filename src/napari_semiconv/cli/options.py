"""Options that several commands have."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ..errors import BadInputError, SaveError
from ..safe import named
from ..settings import DeviceName
from .progress import tell
from .words import frame_span, index, positive, z_choice

if TYPE_CHECKING:
    from ..movie import Movie
    from ..project.project import Project


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], None],
    summary: str,
) -> argparse.ArgumentParser:
    """Add a command, its summary being its help as well."""
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    command.set_defaults(run=run)
    return command


def add_project(command: argparse.ArgumentParser) -> None:
    """Add the project that a command works on."""
    command.add_argument("project", type=named, metavar="PROJECT")


def add_moved_movie(command: argparse.ArgumentParser) -> None:
    """Add where the movie of a project is now."""
    command.add_argument(
        "--movie", type=named, metavar="MOVIE", help="where the movie is, if it moved"
    )


def add_frames(command: argparse.ArgumentParser, text: str) -> None:
    """Add a choice of successive frames."""
    command.add_argument("--frames", type=frame_span, metavar="A:B", help=text)


def add_device(command: argparse.ArgumentParser) -> None:
    """Add the computing device."""
    command.add_argument("--device", choices=get_args(DeviceName), default="auto")


def add_movie_choice(command: argparse.ArgumentParser) -> None:
    """Add how the axes and units of a movie are understood."""
    command.add_argument(
        "--axes",
        type=str.upper,
        metavar="TYX",
        help="what the axes of the file mean, out of T, C, Z, Y, X; read from it when "
        "left out",
    )
    command.add_argument("--channel", type=index, metavar="N", help="counted from 0")
    command.add_argument(
        "--z",
        type=z_choice,
        metavar="N|max",
        help="slice, counted from 0, or the maximum over all slices",
    )
    command.add_argument(
        "--pixel-size", type=positive, metavar="UM", help="height and width, in um"
    )
    command.add_argument(
        "--frame-interval", type=positive, metavar="S", help="time between frames, in s"
    )


def chosen_movie(path: Path, arguments: argparse.Namespace) -> "Movie":
    """Open a movie and apply the options on axes, channel, z and units."""
    from ..io.movies.opener import open_movie

    movie = open_movie(path)
    names = ("axes", "channel", "z", "frame_interval")
    choices = {name: getattr(arguments, name) for name in names}
    if arguments.pixel_size is not None:
        choices["pixel_size"] = (arguments.pixel_size, arguments.pixel_size)
    chosen = {name: value for name, value in choices.items() if value is not None}
    if "axes" in chosen:
        chosen["notes"] = ()  # the guesses they tell of are overruled
    return movie.with_choices(**chosen)


def open_project(
    arguments: argparse.Namespace, *, write: bool = True, notes: bool = True
) -> "Project":
    """Open the project of a command, and tell what the user should know of it.

    Parameters
    ----------
    arguments
        Words of the command.
    write
        Whether the project is to be changed.
    notes
        Whether to tell at once what is to be known of it.

    Raises
    ------
    BadInputError
        When it is none.
    SaveError
        When it is to be written to, and another program has it open.
    """
    from ..io.movies.opener import open_movie
    from ..project.project import Project

    _refuse_cells(arguments.project)
    moved = getattr(arguments, "movie", None)
    named = None if moved is None else open_movie(moved)
    project = Project.open(arguments.project, movie=named, write=write)
    for note in project.notes if notes else ():
        tell(note)
    if write and project.read_only:
        project.close()
        raise SaveError(
            f"{project.folder.name}: opened to be read only, so nothing can be "
            f"changed. Close it where it is open, and try again."
        )
    return project


def _refuse_cells(path: Path) -> None:
    """Tell how a project is made of cells that are none yet, such as an old result."""
    from ..io.cells import formats

    form = formats.cells_in(path) if path.exists() else None
    if form is not None:
        form.check_readable(path)
        raise BadInputError(
            f"{path}: expected a project, found cells in the format '{form.title}'. "
            f"Make a project of them: napari-semiconv import {path} --movie MOVIE "
            f"--output NEW.semiconv"
        )
