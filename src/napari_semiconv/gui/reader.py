"""Read folders of cell movies and of tracking results into layers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Tracks
from napari.types import LayerData

from ..io.cells.ctc.folder import CtcFolder, read_ctc
from ..io.movies.opener import open_movie
from ..movie import Movie, movie_from_array
from ..project.project import is_project
from ..project.runs.info import INFO
from ..project.runs.store import RunStore
from ..tracking.lineage import Lineage, Track
from .frame_array import FrameArray
from .layers import movie_layer, placement
from .projects import read_over_movie, read_project
from .results import count_rows, load_tracks, tracks_of

# What tells a folder of ours: a file of this name pattern.
TRACKED = ("res_track.txt", "man_track.txt")
FRAMES = ("t[0-9]*.tif", "t[0-9]*.tiff")


def choose_reader(path: Any) -> Callable[[Any], list[LayerData]] | None:
    """Give the function that reads a folder, or None when it is none of ours."""
    if not isinstance(path, str | Path) or not Path(path).is_dir():
        return None
    folder = Path(path)
    if is_project(folder):
        return lambda path: read_project(Path(path))
    if (folder / INFO).is_file():
        return lambda path: read_result(Path(path))
    for truth in (folder, folder / "TRA"):  # 01_GT keeps its tracks one folder down
        if any((truth / name).is_file() for name in TRACKED):
            return lambda _: read_masks(truth)
    if any(next(folder.glob(name), None) for name in FRAMES):
        return lambda path: read_movie(Path(path))
    return None


def read_movie(folder: Path) -> list[LayerData]:
    """Read the frames of a Cell Tracking Challenge movie as an image layer."""
    arguments = movie_layer(open_movie(folder))
    return [(arguments.pop("data"), arguments, "image")]


def read_result(folder: Path) -> list[LayerData]:
    """Read a result folder of the plugin as labels and tracks."""
    result = RunStore.open(folder)
    facts = result.info.movie
    movie = movie_from_array(
        result.labels,
        "TYX",
        facts.name,
        pixel_size=facts.pixel_size,
        frame_interval=facts.frame_interval,
    )
    return _layers(result.labels, load_tracks(folder, movie), movie)


def read_masks(folder: Path) -> list[LayerData]:
    """Read masks and table of a Cell Tracking Challenge folder as labels and tracks."""
    found = read_ctc(folder)
    shape = (len(found.masks), *found.labels(0).shape)
    labels = FrameArray(shape, np.dtype(np.int32), found.labels)
    # Truth lies in 01_GT/TRA: the folder above tells more.
    name = folder.parent.name if folder.name == "TRA" else folder.name
    movie = movie_from_array(labels, "TYX", name)
    tracks = tracks_of(count_rows(labels, found.masks), lineage_of(found), movie)
    return _layers(labels, tracks, movie)


def read_over(folder: Path, movie: Movie) -> list[LayerData]:
    """Read any result folder as layers that lie over the movie.

    Parameters
    ----------
    folder
        Result folder of the plugin, or of the Cell Tracking Challenge.
    movie
        Its units and scale are taken over.

    Raises
    ------
    BadInputError
        When it is no result.
    """
    read = read_result if (folder / INFO).is_file() else read_masks
    where = placement(movie)
    return [(data, facts | where, kind) for data, facts, kind in read(folder)]


def read_shown(path: Path, result: Path | None) -> tuple[Movie, list[LayerData]]:
    """Open what a window is to show: the movie, and the layers that lie over it.

    Parameters
    ----------
    path
        File or folder of the movie, or a project.
    result
        Result folder to show over a movie.

    Raises
    ------
    BadInputError
        When one of them cannot be read.
    """
    if is_project(path):
        return read_over_movie(path)
    movie = open_movie(path)
    return movie, [] if result is None else read_over(result, movie)


def lineage_of(folder: CtcFolder) -> Lineage:
    """Make a lineage of the table of a Cell Tracking Challenge folder."""
    tracks = {
        label: Track.of(label, range(begin, end + 1), parent)
        for label, begin, end, parent in folder.table.tolist()
    }
    return Lineage(tracks)


def _layers(labels: Any, tracks: Tracks | None, movie: Movie) -> list[LayerData]:
    facts = {"name": f"{movie.name} cells", **placement(movie)}
    layers: list[LayerData] = [(labels, facts, "labels")]
    if tracks is not None:
        layers.append(tracks.as_layer_data_tuple())
    return layers
