"""A movie as a napari layer: read frame by frame, in its own units."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Image, Layer

from ..movie import Movie, movie_from_array
from ..project.project import Project
from .frame_array import FrameArray


class MovieArray(FrameArray):
    """A movie as the array, (T, Y, X), that an image layer shows frame by frame.

    Parameters
    ----------
    movie
        Read when napari asks for a frame, never before.
    refuses
        As in `FrameArray`.
    """

    def __init__(
        self, movie: Movie, refuses: Callable[[], bool] = lambda: False
    ) -> None:
        shape = (len(movie), *movie.frame_shape)
        super().__init__(shape, movie.dtype, movie.frame, refuses)
        self.movie = movie


def placement(movie: Movie) -> dict[str, Any]:
    """Where a layer of (T, Y, X) lies: scale, units and axis labels of the movie."""
    pixel = movie.pixel_size or (1.0, 1.0)
    return {
        "scale": (movie.frame_interval or 1.0, *pixel),
        "units": (
            "s" if movie.frame_interval else "pixel",
            *(("um", "um") if movie.pixel_size else ("pixel", "pixel")),
        ),
        "axis_labels": ("t", "y", "x"),
    }


def movie_layer(
    movie: Movie, refuses: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Arguments of the image layer of a movie, its contrast taken from frame 0.

    Parameters
    ----------
    movie
        The movie.
    refuses
        As in `FrameArray`.
    """
    data = MovieArray(movie, refuses)
    first = data[0]
    finite = first[np.isfinite(first)].astype(float)
    low, high = np.percentile(finite, [0.1, 99.9]) if finite.size else (0.0, 1.0)
    return {
        "data": data,
        "name": movie.name,
        "contrast_limits": (low, max(high, low + 1e-3)),
        "colormap": "gray",
        **placement(movie),
    }


def blank_movie(project: Project) -> Movie:
    """Make a movie of zeros as a project knows it, where its own is not found."""
    facts, shape = project.info.movie, project.document.shape
    zeros = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), shape)
    return movie_from_array(
        zeros,
        "TYX",
        facts.name,
        pixel_size=facts.pixel_size,
        frame_interval=facts.frame_interval,
    )


def is_ours(layer: Layer | None) -> bool:
    """Tell whether a layer shows a movie that was opened here."""
    return isinstance(layer, Image) and isinstance(layer.data, MovieArray)


def is_sample(layer: Layer) -> bool:
    """Tell whether it is a movie that is no file, which the menu simulates again."""
    return is_ours(layer) and layer.data.movie.path is None


def place_layer(layer: Layer, movie: Movie) -> None:
    """Let a layer lie as a movie does; what lay at a pixel or frame stays there."""
    where = placement(movie)
    axes = slice(3 - layer.ndim, 3)
    scale = np.array(where["scale"][axes])
    layer.translate = layer.translate / layer.scale * scale
    layer.scale = scale
    layer.units = where["units"][axes]
    layer.axis_labels = where["axis_labels"][axes]
