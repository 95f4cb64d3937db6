"""Read movies, projects and tracked cells into layers, for those who drop them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.layers import Tracks
from napari.types import LayerData
from numpy.typing import NDArray

from ..edits.document import Centroids
from ..errors import SemiconvError
from ..io.cells import formats
from ..io.cells.tracked import TrackedMovie
from ..io.movies.opener import open_movie
from ..movie import Movie, movie_from_array
from ..project.project import Project
from ..tracking.lineage import Lineage
from ..workflows.opening import recognise
from .docking import open_panel
from .frame_array import FrameArray
from .layers import CELLS
from .movie_layer import movie_layer, placement

# Frames of a movie of the Cell Tracking Challenge, whose folders others do not read.
FRAMES = ("t[0-9]*.tif", "t[0-9]*.tiff")


def choose_reader(path: Any) -> Callable[[Any], list[LayerData]] | None:
    """Give the function that reads a folder, or None when it is none of ours."""
    if not isinstance(path, str | Path) or not Path(path).is_dir():
        return None
    try:
        found = recognise(path)
    except SemiconvError:
        return None
    if found.kind == "project":
        return lambda path: read_project(Path(path))
    if found.kind != "movie":
        return lambda path: read_tracked(Path(path))
    if any(next(found.path.glob(name), None) for name in FRAMES):
        return lambda path: read_movie(Path(path))
    return None


def read_movie(path: Path) -> list[LayerData]:
    """Read a movie as an image layer."""
    return [_image_of(open_movie(path))]


def read_project(path: Path) -> list[LayerData]:
    """Open a project in the panel; without a window read it as layers.

    Raises
    ------
    BadInputError
        When the project is damaged or its movie is not found.
    """
    if open_in_panel(path):
        # What napari takes for "read, but nothing to add".
        return [(None,)]
    # The masks can be read when the journal is closed.
    with Project.open(path, write=False) as project:
        movie = project.movie()
        cells = layers_of(project.tracked(movie), movie, project.centroids)
        return [_image_of(movie), *cells]


def read_tracked(path: Path) -> list[LayerData]:
    """Read tracked cells of any format as labels and tracks.

    Raises
    ------
    BadInputError
        When they are damaged.
    """
    found = formats.read(path)
    zeros = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), found.shape)
    units = {"pixel_size": found.pixel_size, "frame_interval": found.frame_interval}
    movie = movie_from_array(zeros, "TYX", found.name, **units)
    return layers_of(found, movie, lambda t: Centroids.of(found.read(t)))


def layers_of(
    found: TrackedMovie, movie: Movie, centroids: Callable[[int], Centroids]
) -> list[LayerData]:
    """Give masks and tracks as layers that lie over a movie.

    Parameters
    ----------
    found
        Masks and tracks.
    movie
        Its units and scale are used.
    centroids
        Gives the middles of the cells of a frame.
    """
    labels = FrameArray(found.shape, np.dtype(np.int32), found.read)
    facts = {"name": f"{found.name} {CELLS.lower()}", **placement(movie)}
    layers: list[LayerData] = [(labels, facts, "labels")]
    rows = rows_of(found.lineage, centroids)
    if len(rows):
        layers.append(tracks_of(rows, found, movie).as_layer_data_tuple())
    return layers


def rows_of(
    lineage: Lineage, centroids: Callable[[int], Centroids]
) -> NDArray[np.float64]:
    """Rows of label, frame, y, x, (N, 4), y and x in px, of all cells."""
    frames = sorted({t for track in lineage.tracks.values() for t in track.frames})
    found = [(t, centroids(t)) for t in frames]
    columns = [
        np.stack([c.labels, np.full(len(c.labels), t), c.y, c.x], 1) for t, c in found
    ]
    rows = np.concatenate([np.zeros((0, 4)), *columns])
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def tracks_of(rows: NDArray[np.float64], found: TrackedMovie, movie: Movie) -> Tracks:
    """Make a tracks layer with the lineage graph; slow for many cells."""
    seen = set(rows[:, 0].astype(int).tolist())
    graph = {
        label: [track.parent]
        for label, track in found.lineage.tracks.items()
        if label in seen and track.parent in seen
    }
    name = f"{found.name} tracks"
    return Tracks(rows, graph=graph, name=name, **placement(movie))


def open_in_panel(path: Path) -> bool:
    """Open a project in the panel of the window in front, if there is a window."""
    viewer = napari.current_viewer()
    if viewer is None or viewer.window is None:
        return False
    open_panel(viewer).bench.open(path)
    return True


def _image_of(movie: Movie) -> LayerData:
    arguments = movie_layer(movie)
    return (arguments.pop("data"), arguments, "image")
