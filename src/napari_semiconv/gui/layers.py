"""Show movie, cells and tracks as napari layers, each with the movie's units."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.notifications import show_info
from numpy.typing import NDArray
from psygnal import Signal

from ..movie import Movie
from ..project.project import Project
from ..workflows.copying import same_pixels
from .frame_array import FrameArray, PaintedFrames
from .movie_layer import is_ours, is_sample, movie_layer, place_layer, placement
from .preferences import preference
from .redrawing import Redrawing
from .tails import Tails

Later = Callable[[Callable[[], None]], None]
# What a list of layers tells when it may be another one.
LIST_EVENTS = ("inserted", "removed", "reordered")
CELLS, TRACKS = "Cells", "Tracks"
# Pixels of a movie that napari may load whole to show frames as depth.
MOST_IN_3D = 1 << 24


class CellLayers:
    """The layers of what is open in a viewer: the movie, "Cells" and "Tracks".

    Parameters
    ----------
    viewer
        The viewer to show them in.
    later
        Does something in the next turn of the event loop: napari takes a while to make
        a layer, and the window answers between two of them.
    last
        Does something when nothing else waits.
    """

    # A new layer of cells, for those who draw on it.
    cells_made = Signal(Labels)
    project_shown = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        later: Later = lambda act: act(),
        last: Later = lambda act: act(),
    ) -> None:
        self._viewer = viewer
        self._later = later
        self._movie: Movie | None = None
        self._image: Layer | None = None
        self._cells: Labels | None = None
        self._tracks: Image | None = None
        self._project: Project | None = None
        self._tails: Tails | None = None
        self._preview: dict[int, NDArray[np.int32]] = {}
        self._listeners: list[tuple[Any, Callable[[Any], None]]] = []
        self._redrawing = Redrawing(viewer, last)
        self._mark: Callable[[int, NDArray[np.uint8]], None] = lambda *_: None
        viewer.dims.events.ndisplay.connect(self._guard)
        self._listeners.append((viewer.dims.events.ndisplay, self._guard))

    def on_list_change(self, hear: Callable[[], None]) -> None:
        """Call ``hear`` when layers come, go, change name or are selected."""
        layers = self._viewer.layers

        def watch(event: Any) -> None:
            self._listen(event.value.events.name, hear)

        for event in LIST_EVENTS:
            self._listen(getattr(layers.events, event), hear)
        self._listen(layers.selection.events.active, hear)
        for layer in layers:
            self._listen(layer.events.name, hear)
        layers.events.inserted.connect(watch)
        self._listeners.append((layers.events.inserted, watch))

    def on_step(self, hear: Callable[[], None]) -> None:
        """Call ``hear`` when the viewer moves to another frame."""
        self._listen(self._viewer.dims.events.current_step, hear)

    def close(self) -> None:
        """Listen to the viewer no longer; its layers stay."""
        for event, tell in self._listeners:
            event.disconnect(tell)
        self._listeners.clear()

    @property
    def cells(self) -> Labels | None:
        """The layer "Cells", if it is shown."""
        shown = self._cells is not None and self._cells in self._viewer.layers
        return self._cells if shown else None

    @property
    def tracks(self) -> Image | None:
        """The layer "Tracks", if it is shown."""
        shown = self._tracks is not None and self._tracks in self._viewer.layers
        return self._tracks if shown else None

    @property
    def mode(self) -> str:
        """What the mouse does to the cells, as napari calls it; empty without them."""
        return "" if self.cells is None else str(self.cells.mode)

    def mark_by(self, mark: Callable[[int, NDArray[np.uint8]], None]) -> None:
        """Let somebody draw on what "Tracks" shows of a frame, (Y, X, 4)."""
        self._mark = mark

    def selected(self) -> Layer | None:
        """Layer that is selected, unless it is one of these."""
        layer = self._viewer.layers.selection.active
        ours = (self._image, self._cells, self._tracks)
        return None if layer is None or layer in ours else layer

    def drawn_on(self) -> Layer | None:
        """Layer of somebody else that is selected, and drawn on with the mouse."""
        layer = self.selected()
        mode = str(getattr(layer, "mode", "pan_zoom"))
        return None if mode in ("pan_zoom", "transform") else layer

    def show_again(self, frame: int) -> bool:
        """Show cells that were removed from the list of layers; tell whether they were.

        Parameters
        ----------
        frame
            The frame to show.
        """
        project, movie = self._project, self._movie
        if project is None or movie is None or self._cells in (None, self.cells):
            return False
        if is_ours(self._image) and self._image not in self._viewer.layers:
            self._viewer.layers.insert(0, self._image)
        self._show_layers(project)
        self.go_to(frame)
        return True

    def show_movie(
        self,
        movie: Movie | None,
        layer: Layer | None = None,
        *,
        without_image: bool = False,
    ) -> None:
        """Show a movie, or the same movie with other axes, units, channel or slice.

        Parameters
        ----------
        movie
            The movie; None puts the layers away.
        layer
            An image layer of the user that shows it already.
        without_image
            Whether only where it lies is known.
        """
        if movie is self._movie:
            return
        frame = self.frame()
        known, self._movie = self._movie, movie
        if movie is not None and known is not None and same_pixels(known, movie):
            self._place(movie)
            self.go_to(frame)
            self._viewer.reset_view()
            return
        if known is not None:
            self._put_away()
        if movie is None:
            return
        samples = [one for one in self._viewer.layers if is_sample(one)]
        self._remove(*(one for one in samples if one is not layer))
        if not without_image:
            self._image = layer or self._viewer.add_image(
                **movie_layer(movie, self._too_deep)
            )
        if (
            known is None
            or known.source is not movie.source
            or len(known) != len(movie)
        ):
            # napari starts in the middle; a movie starts at its beginning.
            self.go_to(0)
        self._viewer.reset_view()

    def show_project(self, project: Project | None) -> None:
        """Show masks and tracks of a project; None puts them away."""
        if project is self._project:
            return
        self._project, self._tails = project, None
        if project is None:
            self._preview.clear()
            self._remove(self._cells, self._tracks)
            self._cells = self._tracks = None
            return
        # A run begins: what was found to look at stays until it is found for good.
        for frame in [t for t in self._preview if project.lineage.cells(t)]:
            del self._preview[frame]
        shape = project.document.shape[1:]
        self._tails = Tails(
            shape,
            project.centroids,
            lambda: project.lineage,
            lambda: int(preference("tail")),
        )
        self._later(lambda: self._show_layers(project))

    def show_preview(self, frame: int, labels: NDArray[np.int32]) -> None:
        """Show the cells, (Y, X), of one frame until something is kept there."""
        self._preview = {frame: labels}
        self._show_cells()

    def end_preview(self) -> None:
        """Show no longer what was found only to be looked at."""
        self.touch(frozenset(self._preview))

    def touch(self, frames: frozenset[int]) -> None:
        """Show what became other in some frames, if it is in view."""
        for frame in frames & self._preview.keys():
            del self._preview[frame]
        if self._tails is None:
            return
        self._tails.forget(frames)
        frame = self.frame()
        if self._cells is not None:
            self._cells.data.rebase(frames)
        if frame in frames:
            self._redrawing.ask(self._cells)
        if any(frame - self._tails.length() <= t <= frame for t in frames):
            self._redrawing.ask(self._tracks)

    def frame(self) -> int:
        """Index of the frame that the viewer shows."""
        movie, dims = self._movie, self._viewer.dims
        if movie is None or dims.ndim < 3:
            return 0
        where = self._where(movie)
        frame = round((dims.point[-3] - where["translate"][0]) / where["scale"][0])
        return int(min(max(frame, 0), len(movie) - 1))

    def go_to(self, frame: int) -> None:
        """Show a frame."""
        movie, dims = self._movie, self._viewer.dims
        if movie is None or dims.ndim < 3 or frame == self.frame():
            return
        where = self._where(movie)
        point = where["translate"][0] + frame * where["scale"][0]
        dims.set_point(dims.ndim - 3, point)

    def pixel(self) -> tuple[float, float]:
        """Height and width of a pixel of the movie in the units of the viewer."""
        if self._movie is None:
            return (1.0, 1.0)
        _, height, width = self._where(self._movie)["scale"]
        return float(height), float(width)

    def unit(self) -> str:
        """Give the unit of height and width in the viewer."""
        return "pixel" if self._movie is None else placement(self._movie)["units"][-1]

    def _listen(self, event: Any, hear: Callable[[], None]) -> None:
        def tell(_: Any) -> None:
            hear()

        event.connect(tell)
        self._listeners.append((event, tell))

    def _too_deep(self) -> bool:
        """Whether napari is about to load all frames of a long movie as depth."""
        movie = self._movie
        return (
            self._viewer.dims.ndisplay == 3
            and movie is not None
            and len(movie) * math.prod(movie.frame_shape) > MOST_IN_3D
        )

    def _guard(self, _: Any = None) -> None:
        """Go back to 2D with a long movie."""
        movie = self._movie
        shown = any(
            layer in self._viewer.layers
            for layer in (self._image, self._cells, self._tracks)
            if layer is not None
        )
        if movie is not None and shown and self._too_deep():
            self._viewer.dims.ndisplay = 2
            show_info(
                f"{movie.name} stays in 2D: the 3D view would load all {len(movie)} "
                f"frames and show time as depth. Remove its layers to use it."
            )

    def _show_layers(self, project: Project) -> None:
        if project is self._project:
            self._show_cells()
            self._later(lambda: self._show_tracks(project))

    def _show_cells(self) -> None:
        movie = self._movie
        assert movie is not None, "cells are shown after their movie"
        shape = (len(movie), *movie.frame_shape)
        data = PaintedFrames(
            shape, np.dtype(np.int32), self._read_cells, self._too_deep
        )
        if self._cells is not None and self._cells in self._viewer.layers:
            # napari takes long to make a layer, and hardly any time to fill it anew.
            self._cells.data = data
        else:
            self._cells = self._viewer.add_labels(
                data, name=CELLS, **self._where(movie)
            )
            self._cells.events.colormap.connect(self._recolour)
            self.cells_made.emit(self._cells)
            if self.tracks is not None:
                # Marks are drawn above the cells.
                self._viewer.layers.move(self._viewer.layers.index(self.tracks), -1)
        project = self._project
        self._cells.editable = project is not None and not project.read_only
        # napari's help of a locked layer names tools that do nothing.
        self._cells.help = "" if not self._cells.editable else self._cells.help

    def _show_tracks(self, project: Project) -> None:
        movie, tails, cells = self._movie, self._tails, self._cells
        if project is not self._project or movie is None or tails is None:
            return
        shape = (len(movie), *movie.frame_shape, 4)
        data = FrameArray(shape, np.dtype(np.uint8), self._paint, self._too_deep)
        if self._tracks is not None and self._tracks in self._viewer.layers:
            self._tracks.data = data
            self.project_shown.emit()
            return
        # Not labels: those cost napari twice as much, and have no border.
        self._tracks = self._viewer.add_image(
            data, rgb=True, name=TRACKS, blending="translucent", **self._where(movie)
        )
        if cells is not None and cells in self._viewer.layers:
            # A click and the status line mean the cells.
            self._viewer.layers.selection.active = cells
        self.project_shown.emit()

    def _paint(self, frame: int) -> NDArray[np.uint8]:
        assert self._tails is not None, "tracks are shown of a project"
        assert self._cells is not None, "tracks are shown after cells"
        image = self._tails.paint(frame, self._cells.colormap.map)
        self._mark(frame, image)
        return image

    def _recolour(self, _: Any = None) -> None:
        if self._tails is not None:
            self._tails.forget(())
        self.remark()

    def remark(self) -> None:
        """Draw tails and marks of the frame in view anew."""
        self._redrawing.ask(self._tracks)

    def refill(self) -> None:
        """Show the cells of the frame in view as they are."""
        self._redrawing.ask(self._cells)

    def _read_cells(self, frame: int) -> NDArray[np.int32]:
        if frame in self._preview:
            return self._preview[frame]
        if self._project is None:
            assert self._movie is not None, "cells are shown after their movie"
            return np.zeros(self._movie.frame_shape, np.int32)
        return self._project.document.labels(frame)

    def _place(self, movie: Movie) -> None:
        for layer in (self._image, self._cells, self._tracks):
            if layer is not None:
                place_layer(layer, movie)

    def _where(self, movie: Movie) -> dict[str, Any]:
        corner = () if self._image is None else tuple(self._image.translate)
        return {
            **placement(movie),
            "translate": ((0.0,) * (3 - len(corner)) + corner)[-3:],
        }

    def _put_away(self) -> None:
        """Take our layers out; what the user brought is only hidden."""
        self._remove(self._cells, self._tracks)
        if is_ours(self._image):
            self._remove(self._image)
        elif self._image is not None:
            self._image.visible = False
        self._image = self._cells = self._tracks = None
        self._project = self._tails = None
        self._preview.clear()

    def _remove(self, *layers: Layer | None) -> None:
        for layer in layers:
            if layer is not None and layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
