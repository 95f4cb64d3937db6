"""Show movies, cells and tracks as napari layers, each with the movie's units."""

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Tracks
from napari.utils.notifications import show_warning
from numpy.typing import NDArray

from ..errors import BadInputError, UnreadableFrameError
from ..movie import Movie, movie_from_array
from .frame_array import FrameArray

# Letters of an axis by the name that an image layer gives it.
AXIS_LETTERS = {"time": "T", "channel": "C", **{a.lower(): a for a in "TCZYX"}}
# How the axes of a layer are read when it does not name them.
USUAL_AXES = {2: "YX", 3: "TYX", 4: "TZYX", 5: "TCZYX"}
# What a list of layers tells when its names may have changed.
LIST_EVENTS = ("inserted", "removed", "reordered", "renamed")
MICROMETRES = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3}
SECONDS = {"second": 1.0, "millisecond": 1e-3, "minute": 60.0, "hour": 3600.0}


class MovieArray(FrameArray):
    """A movie as the array, (T, Y, X), that an image layer shows frame by frame.

    Parameters
    ----------
    movie
        Read when napari asks for a frame, never before.
    """

    def __init__(self, movie: Movie) -> None:
        super().__init__((len(movie), *movie.frame_shape), movie.dtype, self._frame)
        self.movie = movie
        self._missed: set[int] = set()

    def _frame(self, t: int) -> NDArray[Any]:
        try:
            return self.movie.frame(t)
        except UnreadableFrameError as error:
            # The other frames can be looked at; this one is said once and shown black.
            if t not in self._missed:
                self._missed.add(t)
                show_warning(str(error))
            return np.zeros(self.movie.frame_shape, self.dtype)


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


def movie_layer(movie: Movie) -> dict[str, Any]:
    """Arguments of the image layer of a movie, its contrast taken from frame 0."""
    data = MovieArray(movie)
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


class LayerBoard:
    """The layers of one movie in a viewer: image, preview, cells and tracks.

    Parameters
    ----------
    viewer
        The viewer to show them in.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._movie: Movie | None = None
        self._image: Layer | None = None
        self._preview: Labels | None = None
        self._cells: Labels | None = None
        self._tracks: Tracks | None = None
        self._listeners: list[Callable[[Any], None]] = []

    def on_change(self, hear: Callable[[], None]) -> None:
        """Call ``hear`` when image layers come, go or change their name."""

        def tell(_: Any) -> None:
            hear()

        self._listeners.append(tell)
        for event in LIST_EVENTS:
            getattr(self._viewer.layers.events, event).connect(tell)

    def close(self) -> None:
        """Listen to the viewer no longer; its layers stay."""
        for event in LIST_EVENTS:
            for tell in self._listeners:
                getattr(self._viewer.layers.events, event).disconnect(tell)
        self._listeners.clear()

    def image_names(self) -> tuple[str, ...]:
        """Names of the image layers that a movie can be taken from."""
        return tuple(
            layer.name
            for layer in self._viewer.layers
            if isinstance(layer, Image) and layer is not self._image
        )

    def open_layer(self, name: str) -> Movie:
        """Take the movie from an image layer."""
        layer = self._viewer.layers[name]
        movie = movie_of_layer(layer)
        self._forget()
        # Other layers cannot be laid under labels of (T, Y, X): the movie gets its own.
        if movie.axes in ("TYX", "YX"):
            self._movie, self._image = movie, layer
        return movie

    def show_movie(self, movie: Movie) -> None:
        """Show a movie, or the same movie with other axes, units, channel or slice."""
        known = self._movie
        self._movie = movie
        if known is not None and same_pixels(known, movie):
            self._place(movie)
            return
        if known is not None and known.source is not movie.source:
            self._forget()
            self._movie = movie
        self._remove(self._image if _is_ours(self._image) else None)
        self._image = self._viewer.add_image(**movie_layer(movie))
        if known is None or len(known) != len(movie):
            # napari starts in the middle; a movie starts at its beginning.
            self._viewer.dims.set_point(self._viewer.dims.ndim - 3, 0)

    def current_frame(self) -> int:
        """Index of the frame that the viewer shows."""
        if self._movie is None:
            return 0
        where = self._where(self._movie)
        point = self._viewer.dims.point[-3] if self._viewer.dims.ndim > 2 else 0.0
        frame = round((point - where["translate"][0]) / where["scale"][0])
        return int(min(max(frame, 0), len(self._movie) - 1))

    def show_preview(self, frame: int, labels: NDArray[np.int32]) -> None:
        """Show the cells, (Y, X), of one frame, on that frame only."""
        movie = self._need_movie()
        where = self._where(movie)
        start, *corner = where["translate"]
        where["translate"] = (start + frame * where["scale"][0], *corner)
        if self._preview is None or self._preview not in self._viewer.layers:
            self._preview = self._add_labels(
                labels[np.newaxis], f"{movie.name} preview", where
            )
            return
        _fill(self._preview, labels[np.newaxis], where)

    def show_cells(self, labels: Any) -> None:
        """Show track labels, (T, Y, X), that are read from the result folder."""
        movie = self._need_movie()
        for earlier in (self._cells, self._tracks):
            if earlier is not None and earlier in self._viewer.layers:
                earlier.visible = False
        name, where = f"{movie.name} cells", self._where(movie)
        preview, self._preview = self._preview, None
        if preview is None or preview not in self._viewer.layers:
            self._cells = self._add_labels(labels, name, where)
            return
        # napari takes long to make a layer, and hardly any time to fill it anew.
        _fill(preview, labels, where)
        preview.name = name
        self._cells = preview

    def _add_labels(self, labels: Any, name: str, where: dict[str, Any]) -> Labels:
        layer = self._viewer.add_labels(labels, name=name, **where)
        _lock(layer)
        return layer

    def drop_cells(self) -> None:
        """Take away the cells of a run that finished no frame."""
        self._remove(self._cells)
        self._cells = None

    def show_frame(self, frame: int) -> None:
        """Show the cells of a frame that has just been finished, if it is in view."""
        if self._cells is not None and frame == self.current_frame():
            self._cells.refresh(thumbnail=False, highlight=False, extent=False)

    def show_tracks(self, tracks: Tracks) -> None:
        """Show tracks that were made of the result."""
        self._tracks = tracks
        self._viewer.add_layer(tracks)

    def _place(self, movie: Movie) -> None:
        where = placement(movie)
        for layer in (self._image, self._preview, self._cells):
            if layer is None:
                continue
            axes = slice(3 - layer.ndim, 3)
            scale = np.array(where["scale"][axes])
            # What lay at a pixel or frame stays there.
            layer.translate = layer.translate / layer.scale * scale
            layer.scale = scale
            layer.units = where["units"][axes]
            layer.axis_labels = where["axis_labels"][axes]
        self._viewer.reset_view()

    def _where(self, movie: Movie) -> dict[str, Any]:
        corner = () if self._image is None else tuple(self._image.translate)
        return {
            **placement(movie),
            "translate": ((0.0,) * (3 - len(corner)) + corner)[-3:],
        }

    def _need_movie(self) -> Movie:
        assert self._movie is not None, "cells are shown after their movie"
        return self._movie

    def _remove(self, layer: Layer | None) -> None:
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _forget(self) -> None:
        """Leave the layers of the last movie to the user."""
        self._remove(self._preview)
        self._movie = self._image = self._preview = self._cells = self._tracks = None


def _fill(layer: Labels, labels: Any, where: dict[str, Any]) -> None:
    layer.data = labels
    layer.translate = where["translate"]
    # New data unlocks a layer.
    _lock(layer)


def _lock(layer: Labels) -> None:
    # Masks are mended by tools that know the lineage, not by the brush.
    layer.editable = False


def make_tracks(
    rows: NDArray[np.float64], parents: dict[int, int], movie: Movie
) -> Tracks:
    """Make a tracks layer with the lineage graph; slow for many cells.

    Parameters
    ----------
    rows
        Rows of label, frame, y, x, (N, 4), y and x in px.
    parents
        Label of the parent of each daughter.
    movie
        Its name, units and scale are taken over.
    """
    graph = {child: [parent] for child, parent in parents.items()}
    name = f"{movie.name} tracks"
    return Tracks(rows, graph=graph, name=name, **placement(movie))


def same_pixels(one: Movie, other: Movie) -> bool:
    """Tell whether two movies show the same pixels, if perhaps in other units."""
    readings = [(m.axes, m.channel, m.z) for m in (one, other)]
    return one.source is other.source and readings[0] == readings[1]


def _is_ours(layer: Layer | None) -> bool:
    return layer is not None and isinstance(layer.data, MovieArray)
