"""Measure a cell: drag a line across it on the canvas."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Vectors
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget

NAME = "Cell size"
# Shorter lines are clicks, px of the movie.
SHORTEST = 2.0


class Ruler:
    """Lets the user drag one line on the canvas and tells its length.

    Parameters
    ----------
    viewer
        The viewer to drag in.
    scale
        Gives height and width of a pixel of the movie in the units of the viewer.
    unit
        Gives that unit.
    """

    measured = Signal(float)
    ended = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        scale: Callable[[], tuple[float, float]],
        unit: Callable[[], str],
    ) -> None:
        self._viewer = viewer
        self._scale, self._unit = scale, unit
        # Where the camera is since napari 0.9.
        self._camera = getattr(viewer, "scene", viewer).camera
        self._line: Vectors | None = None
        self._escape: QShortcut | None = None

    @property
    def active(self) -> bool:
        """Whether a line is waited for."""
        return self._escape is not None

    def start(self, window: QWidget) -> None:
        """Wait for a line; Esc ends that.

        Parameters
        ----------
        window
            Any widget of the window, which hears the key.
        """
        if self.active:
            return
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
        self._escape.setContext(Qt.ShortcutContext.ApplicationShortcut)
        self._escape.activated.connect(self.stop)
        self._viewer.mouse_drag_callbacks.append(self._drag)
        # Before the mouse is pressed: with a first layer of its kind napari may make
        # the canvas narrower, and nothing is to move under the mouse.
        self._show(np.zeros((0, 2, 2)))
        # The same drag would move the picture under the line.
        self._camera.mouse_pan = False

    def stop(self) -> None:
        """Wait no longer; the line goes."""
        if self._escape is None:
            return
        self._escape.setEnabled(False)
        self._escape.deleteLater()
        self._escape = None
        self._viewer.mouse_drag_callbacks.remove(self._drag)
        self._camera.mouse_pan = True
        if self._line is not None and self._line in self._viewer.layers:
            self._viewer.layers.remove(self._line)
        self._line = None
        self.ended.emit()

    def _drag(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        start = np.array(event.position[-2:], float)
        yield
        length = 0.0
        while event.type == "mouse_move":
            way = np.array(event.position[-2:], float) - start
            length = float(np.hypot(*(way / self._scale())))
            if self.active and length >= SHORTEST:
                self._show(np.array([[start, way]]))
                self._viewer.status = f"Cell size: {length:.1f} px"
            yield
        if self.active and length >= SHORTEST:
            self.measured.emit(length)
            self.stop()

    def _show(self, data: NDArray[np.float64]) -> None:
        """Show a line, (1, 2, 2): where it starts and where it goes; or none."""
        if self._line is None:
            pixel = max(self._scale())
            self._line = Vectors(
                data,
                name=NAME,
                edge_color="yellow",
                edge_width=pixel,
                vector_style="line",
                units=(self._unit(),) * 2,
            )
            active = self._viewer.layers.selection.active
            self._viewer.add_layer(self._line)
            self._viewer.layers.selection.active = active
        else:
            self._line.data = data
