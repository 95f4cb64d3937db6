"""A sentence on the canvas, beside the cell that it is about."""

from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QLabel, QMainWindow, QWidget

from ..parts import STYLES

# Widest that a sentence is, and how far from the cell it stands, px of the screen.
WIDTH, AWAY = 320, 14


class Notice:
    """Shows one sentence at a place of the movie, until it is taken back.

    Parameters
    ----------
    viewer
        On whose canvas.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._camera = getattr(viewer, "scene", viewer).camera
        self._label: QLabel | None = None
        self._place: tuple[float, float] | None = None
        self._camera.events.center.connect(self._move)
        self._camera.events.zoom.connect(self._move)

    @property
    def text(self) -> str:
        """What can be read on the canvas now."""
        label = self._label
        return label.text() if label is not None and label.isVisible() else ""

    def show_in(self, window: QMainWindow) -> None:
        """Learn which window has the canvas."""
        canvas = _canvas_of(window)
        self.take_out()
        label = QLabel(canvas)
        label.setWordWrap(True)
        label.setStyleSheet(STYLES["error"])
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        label.hide()
        # The window may go first, and takes the label with it.
        label.destroyed.connect(self._forget)
        self._label = label

    def take_out(self) -> None:
        """Leave the window."""
        label, self._label = self._label, None
        if label is not None:
            label.hide()
            label.deleteLater()

    def close(self) -> None:
        """Follow the camera no longer."""
        self.take_out()
        self._camera.events.center.disconnect(self._move)
        self._camera.events.zoom.disconnect(self._move)

    def say(self, text: str, place: tuple[float, float] | None) -> None:
        """Show a sentence at a place, y and x of the viewer, or in the middle."""
        label = self._label
        if label is None:
            return
        self._place = place
        label.setText(text)
        label.setFixedWidth(WIDTH)
        label.setFixedHeight(label.heightForWidth(WIDTH) + 8)
        label.show()
        label.raise_()
        self._move()

    def hide(self) -> None:
        """Take the sentence back."""
        if self._label is not None:
            self._label.hide()

    def _forget(self) -> None:
        self._label = None

    def _move(self, _: Any = None) -> None:
        """Stay beside the cell, and within the canvas."""
        label = self._label
        canvas = label.parentWidget() if label is not None else None
        if label is None or canvas is None or not label.isVisible():
            return
        middle = QPoint(canvas.width() // 2, canvas.height() // 2)
        if self._place is not None:
            y, x = self._camera.center[-2:]
            zoom = self._camera.zoom
            right, down = (self._place[1] - x) * zoom, (self._place[0] - y) * zoom
            middle += QPoint(round(right) + AWAY, round(down) + AWAY)
        most = canvas.width() - label.width(), canvas.height() - label.height()
        x, y = max(min(middle.x(), most[0]), 0), max(min(middle.y(), most[1]), 0)
        label.move(x, y)


def _canvas_of(window: QMainWindow) -> QWidget:
    """Find the canvas in a window of napari, or what stands in its middle."""
    middle = window.centralWidget()
    assert middle is not None, "a window of napari has a canvas"
    for widget in middle.findChildren(QWidget):
        meta = widget.metaObject()
        if meta is not None and meta.className().startswith("CanvasBackend"):
            return widget
    return middle
