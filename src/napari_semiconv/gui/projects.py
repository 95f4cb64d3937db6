"""Show a project in napari: movie, masks and tracks, read one frame at a time."""

from pathlib import Path

import numpy as np
from napari.types import LayerData

from ..movie import Movie
from ..project.project import Project
from .frame_array import FrameArray
from .layers import movie_layer, placement
from .results import count_rows, tracks_of


def read_project(folder: Path) -> list[LayerData]:
    """Read a project as image, labels and tracks; it is not changed.

    Raises
    ------
    BadInputError
        When the project is damaged or its movie is not found.
    """
    movie, layers = read_over_movie(folder)
    arguments = movie_layer(movie)
    return [(arguments.pop("data"), arguments, "image"), *layers]


def read_over_movie(folder: Path) -> tuple[Movie, list[LayerData]]:
    """Read a project as its movie and the layers that lie over it; it is not changed.

    Raises
    ------
    BadInputError
        When the project is damaged or its movie is not found.
    """
    # The masks can be read when the journal is closed.
    with Project.open(folder, write=False) as project:
        movie = project.movie()
        return movie, layers_of(project, movie)


def layers_of(project: Project, movie: Movie) -> list[LayerData]:
    """Give masks and tracks of a project as layers that lie over the movie."""
    document = project.document
    labels = FrameArray(document.shape, np.dtype(np.int32), document.labels)
    facts = {"name": f"{movie.name} cells", **placement(movie)}
    frames = {t for track in project.lineage.tracks.values() for t in track.frames}
    tracks = tracks_of(count_rows(labels, frames), project.lineage, movie)
    found: list[LayerData] = [(labels, facts, "labels")]
    return found if tracks is None else [*found, tracks.as_layer_data_tuple()]
