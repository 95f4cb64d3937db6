"""The lineage on the screen: paints what is in view, and hears mouse and wheel.

There is no graphics item a track: what is in view is looked up and painted, so that
50,000 tracks cost as much as fifty.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer
from qtpy.QtCore import Signal as QtSignal  # type: ignore[attr-defined]
from qtpy.QtGui import QHelpEvent, QPainter, QWheelEvent
from qtpy.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QScrollBar,
    QToolTip,
    QWidget,
)

from .joins import GRIP, Join, Spot, hint, join_of, paint_join, spot_at
from .scale import AXIS, Scale

if TYPE_CHECKING:
    from qtpy.QtGui import QMouseEvent, QPaintEvent, QResizeEvent

    from .painting import Drawing

# How much a notch of the wheel zooms, and how many rows it scrolls.
FACTOR, NOTCH_ROWS = 1.2, 3
# Rows scroll by themselves while a link is drawn beyond the edge, every so many ms.
SCROLLING = 60
RIGHT, MIDDLE = Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
SHIFT, CONTROL = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class LineageView(QAbstractScrollArea):
    """Paints a drawing and tells what the user does to it.

    Signals: ``frame_wanted(frame)``, ``picked(label, frame, more)``,
    ``joined(Join)``, ``cut(label, frame)``, ``menu_wanted(label, frame, place)``.
    """

    frame_wanted = QtSignal(int)
    picked = QtSignal(int, int, bool)
    joined = QtSignal(object)
    cut = QtSignal(int, int)
    menu_wanted = QtSignal(int, int, QPoint)

    def __init__(self, words_of: Callable[[int], str]) -> None:
        super().__init__()
        self.drawing: Drawing | None = None
        self.scale = Scale()
        self.empty = ""
        # What is drawn from, while a link is; the place of the mouse; the last spot.
        self._from: Spot | None = None
        self._mouse = QPointF()
        self._pressed: QPointF | None = None
        self._panning = self._scrubbing = self._barring = False
        self._words_of = words_of
        self._timer = QTimer(self)
        self._timer.setInterval(SCROLLING)
        self._timer.timeout.connect(self._scroll_on)
        # Keys go on meaning the canvas after a click here.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self._surface.setMouseTracking(True)
        self._surface.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        for bar in self._bars():
            bar.valueChanged.connect(self._on_bar)

    # What is shown

    def show_drawing(self, drawing: "Drawing | None", frames: int = 1) -> None:
        """Show other tracks, or the same ones as they are now.

        Parameters
        ----------
        drawing
            What is drawn; None shows the words of ``empty``.
        frames
            Frames of the movie.
        """
        scale, before, self.drawing = self.scale, self.drawing, drawing
        rows = 0 if drawing is None else len(drawing.rows)
        top = scale.top
        if drawing is not None and before is not None and scale.shown_rows:
            # The row at the top stays there, whatever comes and goes above it.
            first = scale.shown_rows.start
            row = drawing.rows.row(int(before.rows.labels[first]))
            top += 0 if row is None else (row - first) * scale.row_height
        self.set_scale(replace(scale, frames=max(1, frames), rows=rows, top=top))

    def set_frame(self, frame: int) -> None:
        """Move the line to a frame, and show it."""
        drawing = self.drawing
        if drawing is None or drawing.frame == frame:
            return
        moved = replace(drawing, frame=frame)
        scale = self.scale.showing(frame)
        if scale == self.scale:
            # Only the strips of the two frames are painted anew.
            for one in (drawing, moved):
                strip = one.cursor(scale).adjusted(-2, 0, 2, 0)
                self._surface.update(strip.toAlignedRect())
        self.drawing = moved
        if scale != self.scale:
            self.set_scale(scale)

    def show_track(self, label: int) -> None:
        """Bring the row of a track into view."""
        row = None if self.drawing is None else self.drawing.rows.row(label)
        if row is not None:
            self.set_scale(self.scale.showing_row(row))

    def show_all_frames(self) -> None:
        """Show the whole movie."""
        self.set_scale(replace(self.scale, zoom=0.0, first=0.0))

    def set_scale(self, scale: Scale) -> None:
        """Show another part."""
        size = self._surface.size()
        self.scale = scale = replace(
            scale, width=max(1, size.width()), height=max(1, size.height())
        ).within()
        across, down = self._bars()
        left = round(scale.first * scale.frame_width)
        # The area hears of other ranges, we do not of what we do to the bars.
        self._barring = True
        for bar, value, whole, room, step in (
            (across, left, scale.content[0], scale.width, 20),
            (down, scale.top, scale.content[1], scale.height - AXIS, scale.row_height),
        ):
            bar.setRange(0, max(0, whole - room))
            bar.setPageStep(max(1, room))
            bar.setSingleStep(step)
            bar.setValue(value)
        self._barring = False
        self._surface.update()

    def spot_at(self, place: QPointF) -> Spot | None:
        """Give the track at a place, or None."""
        return (
            None if self.drawing is None else spot_at(self.drawing, self.scale, place)
        )

    # Events

    def viewportEvent(self, event: QEvent | None) -> bool:
        """Answer the mouse at rest with words."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            spot = self.spot_at(QPointF(event.pos()))
            text = "" if spot is None else f"{self._words_of(spot.label)}\n{hint(spot)}"
            QToolTip.showText(event.globalPos(), text, self._surface)
            return True
        if event is not None and event.type() == QEvent.Type.Leave:
            self._surface.unsetCursor()
        return bool(super().viewportEvent(event))

    def resizeEvent(self, event: "QResizeEvent | None") -> None:
        """Use the room that there is."""
        super().resizeEvent(event)
        self.set_scale(self.scale)

    def paintEvent(self, event: "QPaintEvent | None") -> None:
        """Paint what is in view."""
        if event is None:
            return
        painter = QPainter(self._surface)
        try:
            if self.drawing is None:
                self._paint_empty(painter)
            else:
                self.drawing.paint(painter, self.scale, QRectF(event.rect()))
                self._paint_join(painter)
        finally:
            # A painter that an error leaves open takes the program down.
            painter.end()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom time around the mouse; with Shift scroll, with Ctrl change the rows."""
        if event is None:
            return
        delta, keys, place = event.angleDelta(), event.modifiers(), event.position()
        # With Shift or Alt some systems turn the wheel to the side.
        notches = (delta.y() or delta.x()) / 120
        if keys & SHIFT:
            scale = self.scale.moved(0, -notches * NOTCH_ROWS * self.scale.row_height)
        elif keys & CONTROL:
            step = 1 if notches > 0 else -1
            scale = self.scale.heightened(step, place.y())
        elif not delta.y():
            scale = self.scale.moved(-delta.x(), 0)
        else:
            scale = self.scale.zoomed(FACTOR**notches, place.x())
        self.set_scale(scale)
        event.accept()

    def mousePressEvent(self, event: "QMouseEvent | None") -> None:
        """Begin to pick, to link, to scroll, or to go through frames on the axis."""
        if event is None:
            return
        place = event.position()
        if event.button() in (RIGHT, MIDDLE):
            self._let_go()
            spot = self.spot_at(place)
            if event.button() == RIGHT and spot is not None:
                where = event.globalPosition().toPoint()
                self.menu_wanted.emit(spot.label, spot.frame, where)
            return
        if self.drawing is None:
            return
        self._pressed = self._mouse = place
        if place.y() < AXIS:
            self._scrubbing = True
            self.frame_wanted.emit(self.scale.frame_at(place.x()))
            return
        spot = self.spot_at(place)
        self._from = spot if spot is not None and spot.end else None

    def mouseMoveEvent(self, event: "QMouseEvent | None") -> None:
        """Draw a line, scroll, or show what a click here means."""
        if event is None:
            return
        place = event.position()
        if self._pressed is None:
            self._point(place)
            return
        moved, self._mouse = place - self._mouse, place
        far = (place - self._pressed).manhattanLength()
        if self._scrubbing:
            self.frame_wanted.emit(self.scale.frame_at(place.x()))
        elif self._from is not None:
            self._timer.start()
            self._surface.update()
        elif self._panning or far >= QApplication.startDragDistance():
            # What was moved so far is made up for once.
            by = moved if self._panning else place - self._pressed
            self._panning = True
            self._surface.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.set_scale(self.scale.moved(-by.x(), -by.y()))

    def mouseReleaseEvent(self, event: "QMouseEvent | None") -> None:
        """End what was begun."""
        if event is None or self._pressed is None:
            return
        place, start = event.position(), self._pressed
        self._mouse = place
        far = (place - start).manhattanLength() >= QApplication.startDragDistance()
        panned, scrubbed = self._panning, self._scrubbing
        join = self._join(bool(event.modifiers() & SHIFT)) if far else None
        drew = far and self._from is not None
        self._let_go()
        self._point(place)
        if join is not None:
            self.joined.emit(join)
        elif not (panned or scrubbed or drew):
            self._pick(place, more=bool(event.modifiers() & SHIFT))

    def mouseDoubleClickEvent(self, event: "QMouseEvent | None") -> None:
        """Cut a bar at a frame."""
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        spot = self.spot_at(event.position())
        if spot is not None:
            self.cut.emit(spot.label, spot.frame)

    # How

    @property
    def _surface(self) -> QWidget:
        surface = self.viewport()
        assert surface is not None, "a scroll area has a viewport"
        return surface

    def _bars(self) -> tuple[QScrollBar, QScrollBar]:
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        assert across is not None, "a scroll area has bars"
        assert down is not None, "a scroll area has bars"
        return across, down

    def _on_bar(self) -> None:
        if self._barring:
            return
        across, down = self._bars()
        first = across.value() / self.scale.frame_width
        self.set_scale(replace(self.scale, first=first, top=down.value()))

    def _pick(self, place: QPointF, *, more: bool) -> None:
        spot = self.spot_at(place)
        if spot is None:
            self.frame_wanted.emit(self.scale.frame_at(place.x()))
        else:
            self.picked.emit(spot.label, spot.frame, more)

    def _point(self, place: QPointF) -> None:
        """Let the mouse look like what it does here."""
        spot = self.spot_at(place)
        if spot is None:
            self._surface.unsetCursor()
        elif spot.end:
            self._surface.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self._surface.setCursor(Qt.CursorShape.PointingHandCursor)

    def _join(self, born: bool) -> Join | None:
        """Tell what the line means that is being drawn."""
        source, drawing = self._from, self.drawing
        if source is None or drawing is None:
            return None
        return join_of(drawing, self.scale, source, self._mouse, born=born)

    def _let_go(self) -> None:
        self._timer.stop()
        self._from = self._pressed = None
        self._panning = self._scrubbing = False
        self._surface.unsetCursor()
        self._surface.update()

    def _scroll_on(self) -> None:
        """Scroll while a line is drawn to a row beyond the edge."""
        y, high = self._mouse.y(), self.scale.row_height
        down = (y > self.scale.height - high) - (y < AXIS + high)
        if down:
            self.set_scale(self.scale.moved(0, down * high))

    def _paint_empty(self, painter: QPainter) -> None:
        palette = self.palette()
        place = self._surface.rect()
        painter.fillRect(place, palette.window())
        painter.setPen(palette.windowText().color())
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(place, int(flags), self.empty)

    def _paint_join(self, painter: QPainter) -> None:
        """Paint the line that is being drawn, and say what it means."""
        source, drawing = self._from, self.drawing
        if source is None or drawing is None:
            return
        if (self._mouse - (self._pressed or self._mouse)).manhattanLength() >= GRIP:
            born = bool(QApplication.keyboardModifiers() & SHIFT)
            join = join_of(drawing, self.scale, source, self._mouse, born=born)
            paint_join(painter, drawing, self.scale, source, self._mouse, join)
