"""Drive a napari window with real mouse and key events, and time what they lead to."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import napari
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_semiconv.errors import SemiconvError

from .heartbeat import Heartbeat

Keys = Qt.KeyboardModifier
NONE, SHIFT = Keys.NoModifier, Keys.ShiftModifier
CTRL, ALT = Keys.ControlModifier, Keys.AltModifier
LEFT = Qt.MouseButton.LeftButton
# Row and column of the movie, px.
Spot = tuple[float, float]
# Places between two ends of a line at which the mouse is seen.
PLACES = 4
# ms between two moves of the mouse: the canvas leaves out what comes faster.
APART = 11
# Seconds that the window lives after something was done, for what comes late.
AFTER = 0.3
# Seconds after which a step is given up.
PATIENCE = 600.0


class Timing(NamedTuple):
    """Seconds until something is seen.

    Parameters
    ----------
    shown
        By the clock.
    busy
        Of them, those that the thread of the window computed.
    pause
        The longest time in which the window did not answer.
    """

    shown: float
    busy: float
    pause: float


class Hands:
    """Mouse and keys on the canvas of a viewer, over a layer "Cells".

    Parameters
    ----------
    viewer
        Its window is shown.
    quiet
        Whether all that was asked for has been taken up.
    after
        Seconds that the window lives after something was done, for what comes late.
    """

    def __init__(
        self,
        viewer: napari.Viewer,
        quiet: Callable[[], bool] = lambda: True,
        after: float = AFTER,
    ) -> None:
        self._viewer, self._quiet, self._after = viewer, quiet, after
        self.heart = Heartbeat()
        # Where the camera is since napari 0.9.
        self._camera = getattr(viewer, "scene", viewer).camera
        self._canvas = _canvas_of(viewer)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas, px."""
        return self._canvas.width(), self._canvas.height()

    def spot(self, place: Spot) -> QPoint:
        """Where a pixel of the movie lies on the canvas."""
        layer = self._viewer.layers["Cells"]
        down, right = layer.data_to_world((0, *place))[-2:]
        middle, zoom = self._camera.center[-2:], self._camera.zoom
        return QPoint(
            round((right - middle[1]) * zoom + self._canvas.width() / 2),
            round((down - middle[0]) * zoom + self._canvas.height() / 2),
        )

    def click(self, place: Spot, keys: Keys = NONE) -> None:
        """Click on a pixel of the movie."""
        QTest.mouseMove(self._canvas, self.spot(place))
        QTest.mouseClick(self._canvas, LEFT, keys, self.spot(place))

    def press(self, *places: Spot) -> None:
        """Press the button at the first pixel, and drag over the others."""
        QTest.mouseMove(self._canvas, self.spot(places[0]))
        QTest.mousePress(self._canvas, LEFT, NONE, self.spot(places[0]))
        for place in _along(places):
            self.move(place)
            QTest.qWait(APART)

    def move(self, place: Spot) -> None:
        """Drag to a pixel, the button held down."""
        where = self.spot(place)
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(where),
            QPointF(self._canvas.mapToGlobal(where)),
            LEFT,
            LEFT,
            NONE,
        )
        QApplication.sendEvent(self._canvas, event)

    def release(self, place: Spot) -> None:
        """Let the button go."""
        QTest.mouseRelease(self._canvas, LEFT, NONE, self.spot(place))

    def key(self, key: Qt.Key, keys: Keys = NONE) -> None:
        """Press a key while the canvas has the focus."""
        QTest.keyClick(self._canvas, key, keys)

    def settle(self) -> None:
        """Let all that was asked for be taken up and drawn."""
        wait(self._quiet)
        QApplication.processEvents()

    def time(self, act: Callable[[], object], after: float | None = None) -> Timing:
        """Do something and let it be drawn; then let the window live for a while."""
        begin, busy = time.perf_counter(), time.thread_time()
        self.heart.start()
        act()
        self.settle()
        shown, busy = time.perf_counter() - begin, time.thread_time() - busy
        rest(self._after if after is None else after)
        self.heart.stop()
        return Timing(shown, busy, self.heart.longest)


def wait(done: Callable[[], bool]) -> None:
    """Let the window live until something is done, and at least for a turn.

    Raises
    ------
    SemiconvError
        When it takes too long.
    """
    end = time.perf_counter() + PATIENCE
    QApplication.processEvents()
    while not done():
        QApplication.processEvents()
        time.sleep(0.001)
        if time.perf_counter() > end:
            raise SemiconvError("The window took too long; try fewer frames.")


def rest(seconds: float) -> None:
    """Let the window live for some time."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.001)


def _along(places: Sequence[Spot]) -> Iterable[Spot]:
    for one, other in pairwise(places):
        for n in range(1, PLACES + 1):
            share = n / PLACES
            yield (
                one[0] + (other[0] - one[0]) * share,
                one[1] + (other[1] - one[1]) * share,
            )


def _canvas_of(viewer: napari.Viewer) -> QWidget:
    """Give what the layers of a viewer are drawn on."""
    middle: Any = viewer.window._qt_window.centralWidget()
    for widget in middle.findChildren(QWidget):
        if widget.metaObject().className().startswith("CanvasBackend"):
            assert isinstance(widget, QWidget)
            return widget
    raise SemiconvError("The window has no canvas: expected one of napari's.")
