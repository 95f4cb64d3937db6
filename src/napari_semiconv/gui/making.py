"""Make a project of layers that are open, whatever program found the cells."""

from functools import partial
from pathlib import Path

import numpy as np
from magicgui import magic_factory
from napari.layers import Image, Labels
from napari.utils.notifications import show_error, show_info
from numpy.typing import NDArray

from ..errors import BadInputError, counted
from ..io.cells.tracked import TrackedMovie, lineage_of_labels
from ..io.movies.opener import open_movie
from ..labels import as_labels
from ..movie import Movie
from ..project.facts import SUFFIX
from ..project.project import Project
from .background import Background
from .layers import movie_of_layer

_BACKGROUND = Background()


def project_of_layers(movie: Image, cells: Labels, folder: Path) -> None:
    """Make a project of a movie and of cells that any program found, to correct them.

    Parameters
    ----------
    movie
        The layer of the movie.
    cells
        Labels, (T, Y, X); a number is one cell through time.
    folder
        Where to make it: a new or empty folder.
    """
    if movie is None or cells is None or not folder.name:
        show_error("Choose the movie, the labels and a name for the project first.")
        return
    if folder.suffix != SUFFIX:
        folder = folder.with_name(f"{folder.name}{SUFFIX}")
    show_info(f"Making {folder.name} ...")
    # Reading and writing all frames takes long: the window must go on.
    _BACKGROUND.run(
        partial(make, file_of(movie), cells.data, cells.name, folder),
        lambda count: show_info(f"{folder} has {counted(count, 'track')}."),
        show_error,
    )


make_project = magic_factory(
    project_of_layers,
    call_button="Make project",
    movie={"label": "Movie"},
    cells={"label": "Labels"},
    folder={"label": "Project", "mode": "w"},
)


def make(movie: Movie, data: NDArray[np.integer], name: str, folder: Path) -> int:
    """Make a project and close it; return how many tracks it has.

    Parameters
    ----------
    movie
        The movie.
    data
        Labels, (T, Y, X), or (Y, X) of a single frame.
    name
        What the user calls them.
    folder
        Where to make it.

    Raises
    ------
    BadInputError
        When the labels do not fit the movie.
    SaveError
        When the folder has files in it or cannot be written.
    """
    stack = data if data.ndim > 2 else data[np.newaxis]
    shape = (len(movie), *movie.frame_shape)
    if stack.shape != shape:
        raise BadInputError(
            f"{name}: expected labels of shape {shape}, as the movie {movie.name}, "
            f"found {tuple(stack.shape)}. Choose the labels that belong to it."
        )

    def read(frame: int) -> NDArray[np.int32]:
        return as_labels(np.asarray(stack[frame]), f"{name}, frame {frame}")

    lineage = lineage_of_labels(read, range(shape[0]))
    found = TrackedMovie(
        name, shape, read, lineage, movie.pixel_size, movie.frame_interval, movie
    )
    with Project.create(folder, movie, found) as project:
        return len(project.lineage.tracks)


def file_of(layer: Image) -> Movie:
    """Give the movie of a layer, from its file if it shows that as it is.

    A project finds its movie again only if it is a file.
    """
    shown = movie_of_layer(layer)
    if shown.path is not None or layer.source.path is None:
        return shown
    try:
        stored = open_movie(layer.source.path)
    except BadInputError:
        return shown
    same = stored.axes == shown.axes and stored.source.shape == shown.source.shape
    if not same or not np.array_equal(stored.frame(0), shown.frame(0)):
        return shown
    units = {
        "pixel_size": shown.pixel_size or stored.pixel_size,
        "frame_interval": shown.frame_interval or stored.frame_interval,
    }
    return stored.with_choices(**units)
