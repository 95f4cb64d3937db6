"""Movies and cells out of layers, with axes and units as the layers have them."""

import numpy as np
from napari.layers import Image, Layer
from numpy.typing import NDArray

from ..errors import BadInputError
from ..io.cells.tracked import TrackedMovie, lineage_of_labels
from ..io.movies.opener import open_movie
from ..labels import as_labels
from ..movie import Movie, movie_from_array
from .movie_layer import MovieArray

# Letters of an axis by the name that an image layer gives it.
AXIS_LETTERS = {"time": "T", "channel": "C", **{a.lower(): a for a in "TCZYX"}}
# How the axes of a layer are read when it does not name them.
USUAL_AXES = {2: "YX", 3: "TYX", 4: "TZYX", 5: "TCZYX"}
MICROMETRES = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3}
SECONDS = {"second": 1.0, "millisecond": 1e-3, "minute": 60.0, "hour": 3600.0}


def movie_of_layer(layer: Image) -> Movie:
    """Make a movie of an open image layer.

    Raises
    ------
    BadInputError
        When the layer is in colour, or its axes cannot be understood.
    """
    if isinstance(layer.data, MovieArray):
        return layer.data.movie
    if layer.rgb:
        raise BadInputError(
            f"Layer {layer.name}: expected grey values, found a colour image. Split it "
            f"with 'Split RGB' of the layer's menu and choose one of the three."
        )
    data = layer.data[0] if layer.multiscale else layer.data
    axes, notes = layer_axes(layer), []
    if axes.lower() != "".join(layer.axis_labels).lower():
        notes.append(f"The layer does not name its axes; they were taken as {axes}.")
    height, width = (_size(layer, axis, MICROMETRES) for axis in (-2, -1))
    interval = _size(layer, 0, SECONDS) if axes[0] == "T" else None
    if str(layer.units[-1]) == "pixel" and (width or interval):
        notes.append("The layer's scale has no unit; it was taken as um and s.")
    return movie_from_array(
        data,
        axes,
        layer.name,
        pixel_size=(height, width) if height and width else None,
        frame_interval=interval,
        notes=tuple(notes),
    )


def layer_axes(layer: Image) -> str:
    """Read the axis letters of a layer from their names, or else their number."""
    named = [AXIS_LETTERS.get(name.lower(), "?") for name in layer.axis_labels]
    axes = "".join(named)
    if "?" not in axes and len(set(axes)) == len(axes) and axes.endswith("YX"):
        return axes
    if layer.ndim not in USUAL_AXES:
        raise BadInputError(
            f"Layer {layer.name}: expected 2 to 5 axes, found {layer.ndim}. Choose a "
            f"layer with frames, channels, slices, height and width at most."
        )
    return USUAL_AXES[layer.ndim]


def _size(layer: Layer, axis: int, units: dict[str, float]) -> float | None:
    unit, scale = str(layer.units[axis]), float(layer.scale[axis])
    if unit == "pixel":
        # A scale of 1 means that nobody has set one.
        return scale if scale != 1 else None
    return scale * units[unit] if unit in units else None


def file_of(layer: Image) -> Movie:
    """Give the movie of a layer, from its file if it shows that as it is.

    A project finds its movie again only if it is a file; then nothing is copied.

    Raises
    ------
    BadInputError
        When the layer is in colour, or its axes cannot be understood.
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


def tracked_of_layer(
    data: NDArray[np.integer], name: str, movie: Movie
) -> TrackedMovie:
    """Take the cells of a labels layer; slow, since every frame is looked at.

    Parameters
    ----------
    data
        Labels, (T, Y, X), or (Y, X) of a single frame; a number is one cell.
    name
        What the user calls them.
    movie
        The movie they belong to.

    Raises
    ------
    BadInputError
        When the labels do not fit the movie.
    """
    stack = data if data.ndim > 2 else data[np.newaxis]
    shape = (len(movie), *movie.frame_shape)
    if tuple(stack.shape) != shape:
        raise BadInputError(
            f"{name}: expected labels of shape {shape}, as the movie {movie.name}, "
            f"found {tuple(stack.shape)}. Choose the labels that belong to it."
        )

    def read(frame: int) -> NDArray[np.int32]:
        return as_labels(np.asarray(stack[frame]), f"{name}, frame {frame}")

    lineage = lineage_of_labels((t, read(t)) for t in range(shape[0]))
    return TrackedMovie(
        name, shape, read, lineage, movie.pixel_size, movie.frame_interval, movie
    )
