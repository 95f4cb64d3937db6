"""Open anything: what a path holds, and the project beside a movie."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import BadInputError, SaveError
from ..io.cells import formats
from ..io.cells.old_result import movie_of_result
from ..io.movies.opener import open_movie
from ..movie import Movie
from ..project.facts import INFO
from ..project.mask_array import LABELS
from ..project.project import SUFFIX, Project, is_project
from ..project.recovery import JOURNAL
from ..project.runs.run import RUNS
from ..safe import named

OLD = "result"
# Folders whose names end like those of files.
WHOLE = (SUFFIX, ".zarr", ".geff")
PARTS = (INFO, JOURNAL, LABELS, RUNS)

Kind = Literal["project", "old result", "tracked", "movie"]


@dataclass(frozen=True)
class Found:
    """What a path holds.

    Parameters
    ----------
    kind
        A project, a result of the first releases, masks of any program, or a movie.
    path
        Where it lies.
    """

    kind: Kind
    path: Path


def recognise(path: str | Path) -> Found:
    """Tell what a path holds; only its beginning is read.

    Raises
    ------
    BadInputError
        When nothing is there, or what is there cannot be opened as cells again.
    """
    path = named(path)
    if not path.exists():
        raise BadInputError(
            f"{path}: expected a movie, a project or a result, found nothing there. "
            f"Check the path."
        )
    if path.is_dir() and is_project(path):
        return Found("project", path)
    if project := _project_around(path):
        raise BadInputError(
            f"{path}: expected a movie, a project or a result, found what a project "
            f"keeps for itself. Open the project: {project}"
        )
    form = formats.cells_in(path)
    if form is None:
        return Found("movie", path)
    form.check_readable(path)
    return Found("old result" if form.name == OLD else "tracked", path)


def _project_around(path: Path) -> Path | None:
    """Find the project of which a path is a part; what users put there is theirs."""
    path = path.resolve()
    for folder in path.parents:
        if is_project(folder):
            return folder if path.relative_to(folder).parts[0] in PARTS else None
    return None


def project_beside(movie: Movie) -> Path | None:
    """Find the project of a movie that lies beside it, ``NAME.semiconv``."""
    if movie.path is None:
        return None
    folder = movie.path.absolute().parent / f"{movie.name}{SUFFIX}"
    return folder if is_project(folder) else None


def name_of_cells(path: Path) -> str:
    """Name a project of cells that were found before after where they lie.

    Of one movie there may be truth and several results: ``01_GT`` is told apart from
    ``01_RES``, and both from what is found here in ``01``.
    """
    if path.name == "TRA":
        # Tracking truth of the challenge: the folder above says of which movie.
        path = path.parent
    if path.is_dir() and path.suffix not in WHOLE:
        return path.name
    return path.stem.removesuffix(".ome")


def movie_beside(result: Path) -> Movie | None:
    """Open the movie of a result of the first releases, if it is where it was.

    Raises
    ------
    BadInputError
        When the result is damaged, or its movie cannot be read.
    """
    path = movie_of_result(result)
    return None if path is None or not path.exists() else open_movie(path)


def open_project(path: str | Path, movie: Movie | None = None) -> Project:
    """Open a project to be changed, or to be read when it is open elsewhere.

    Parameters
    ----------
    path
        The project folder.
    movie
        Its movie, when that was moved.

    Raises
    ------
    BadInputError
        When it is no project, or damaged.
    """
    return Project.open(path, movie=movie)


def place_for(movie: Movie) -> Path | None:
    """Folder in which a project of a movie is made; None when the user must choose.

    A movie from memory has no place, and some places may not be written.
    """
    if movie.path is None:
        return None
    parent = movie.path.absolute().parent
    return parent if os.access(parent, os.W_OK) else None


def folder_for(movie: Movie) -> Path:
    """Name a folder for a project of a movie, beside it.

    Raises
    ------
    BadInputError
        When there is no place: the user must choose one.
    """
    parent = place_for(movie)
    if parent is None:
        raise BadInputError(
            f"{movie.name}: expected a folder for its project, found none beside "
            f"the movie that may be written. Choose one."
        )
    return free_folder(parent, movie.name)


def free_folder(parent: Path, name: str) -> Path:
    """Next name for a project that nothing else has, so that nothing is overwritten.

    Raises
    ------
    SaveError
        When the parent is not a folder.
    BadInputError
        When the name is too long.
    """
    if not parent.is_dir():
        raise SaveError(
            f"{parent}: expected a folder to keep projects in, found none. Choose an "
            f"existing folder."
        )
    count, folder = 1, named(parent / f"{name}{SUFFIX}")
    while folder.exists():
        count += 1
        folder = parent / f"{name}-{count}{SUFFIX}"
    return folder


def check_writable(project: Project) -> None:
    """Refuse a project that cannot be changed.

    Raises
    ------
    SaveError
        When it was opened to be read only.
    """
    if project.read_only:
        raise SaveError(
            f"{project.folder.name}: opened to be read only, so nothing can be "
            f"changed. Close it where it is open, and open it again."
        )
