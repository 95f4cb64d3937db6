"""A plot in the window, drawn by a thread; a click leads to a frame."""

import threading
from collections.abc import Callable

from qtpy.QtCore import QPointF, QRectF, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from .curves import Chart, Colour
from .figures import Drawn, FigureStyle, draw

# Pixels of an inch on a screen without magnification.
SCREEN_DPI = 96

Post = Callable[[Callable[[], None]], None]


class PlotView(QWidget):
    """Shows a plot, and on its axis of time the frame in view.

    Parameters
    ----------
    post
        Has something done in the thread of the window.
    """

    frame_requested = Signal(int)

    def __init__(self, post: Post) -> None:
        super().__init__()
        self.plot = Chart()
        self.drawn: Drawn | None = None
        self._of: Chart | None = None
        self._post = post
        self._colours: tuple[Colour, Colour] = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        self._image: QImage | None = None
        self._frame = 0
        self._drawing = self._again = self._gone = False
        self.setMinimumSize(160, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_plot(self, plot: Chart, background: Colour, text: Colour) -> None:
        """Draw another plot, in these colours, 0 to 1."""
        self.plot, self._colours = plot, (background, text)
        self._draw()

    def show_frame(self, frame: int) -> None:
        """Mark the frame that is in view."""
        self._frame = frame
        self.update()

    @property
    def up_to_date(self) -> bool:
        """Whether what is seen is what was asked for last."""
        return not self._drawing and self._of is self.plot

    def retire(self) -> None:
        """Draw no longer."""
        self._gone = True

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint what was drawn last, and the mark of the frame over it."""
        painter = QPainter(self)
        background, text = (QColor.fromRgbF(*colour) for colour in self._colours)
        painter.fillRect(self.rect(), background)
        if self._image is None or self.drawn is None:
            return
        painter.drawImage(QPointF(0, 0), self._image)
        x = self._x_of(self._frame)
        if x is not None:
            top, bottom = self._box()[1::2]
            painter.setPen(QPen(text, 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(x, top), QPointF(x, bottom))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Draw as large as there is room."""
        super().resizeEvent(event)
        self._draw()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Go to the frame under the mouse."""
        step = None if self._of is None else self._of.frame_step
        if event is None or self.drawn is None or not self.drawn.box or not step:
            return
        left, top, right, bottom = self._box()
        place = event.position()
        if QRectF(left, top, right - left, bottom - top).contains(place):
            low, high = self.drawn.limits
            x = low + (place.x() - left) / (right - left) * (high - low)
            self.frame_requested.emit(max(0, round(x / step)))

    def _box(self) -> tuple[float, ...]:
        """Sides of the axes in the pixels of the widget."""
        assert self.drawn is not None, "there are axes"
        return tuple(side / self.devicePixelRatioF() for side in self.drawn.box)

    def _x_of(self, frame: int) -> float | None:
        drawn, step = self.drawn, None if self._of is None else self._of.frame_step
        if drawn is None or not drawn.box or not step:
            return None
        low, high = drawn.limits
        share = (frame * step - low) / (high - low)
        left, _, right, _ = self._box()
        return left + share * (right - left) if 0 <= share <= 1 else None

    def _draw(self) -> None:
        """Have the plot drawn; what is asked for meanwhile is drawn after it."""
        if self._drawing:
            self._again = True
            return
        if self._gone or self.width() < 2 or self.height() < 2:
            return
        self._drawing = True
        plot, ratio = self.plot, self.devicePixelRatioF()
        size = round(self.width() * ratio), round(self.height() * ratio)
        look = FigureStyle(*self._colours, SCREEN_DPI * ratio)

        def work() -> None:
            drawn = draw(plot, size, look)
            self._post(lambda: self._take(plot, drawn, ratio))

        threading.Thread(target=work, daemon=True).start()

    def _take(self, plot: Chart, drawn: Drawn, ratio: float) -> None:
        if self._gone:
            return
        self._drawing = False
        self._of, self.drawn = plot, drawn
        height, width = drawn.pixels.shape[:2]
        form, line = QImage.Format.Format_RGBA8888, 4 * width
        self._image = QImage(drawn.pixels.tobytes(), width, height, line, form).copy()
        self._image.setDevicePixelRatio(ratio)
        self.update()
        if self._again:
            self._again = False
            self._draw()
