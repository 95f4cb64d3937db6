"""The curve of how a model learns: its loss, and that on what was held out."""

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from .points import CurvePoint

# Seen on the dark and on the light theme alike.
LOSS, HELD_OUT = QColor(64, 140, 220), QColor(230, 120, 20)
# Share of the new value in the running mean that is drawn.
FRESH = 0.15
SIDE = 4
EMPTY = "How it learns is drawn here."


class LossCurve(QWidget):
    """Draws the curve; the lower it gets, the better."""

    def __init__(self) -> None:
        super().__init__()
        self.points: Sequence[CurvePoint] = ()
        self.total = 0
        self.setMinimumHeight(60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setToolTip(
            "<qt>Blue: the loss on what it learns from. Orange: on cells held out, "
            "which it never learns from; when that rises again, more steps do not "
            "help. Lower is better.</qt>"
        )

    def show_points(self, points: Sequence[CurvePoint], total: int) -> None:
        """Draw other points, of so many steps in all."""
        self.points, self.total = points, total
        self.update()

    def lines(self) -> dict[str, list[tuple[float, float]]]:
        """Give step and value of each line: the loss as a running mean."""
        loss: list[tuple[float, float]] = []
        for point in self.points:
            if point.loss is not None:
                before = loss[-1][1] if loss else point.loss
                mean = FRESH * point.loss + (1 - FRESH) * before
                loss.append((float(point.step), mean))
        held = [
            (float(p.step), p.held_out) for p in self.points if p.held_out is not None
        ]
        return {"loss": loss, "held out": held}

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint both lines, and what they are."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(text)
        lines = self.lines()
        high = max((y for line in lines.values() for _, y in line), default=0.0)
        if not high > 0:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, EMPTY)
            return
        line_height = self.fontMetrics().lineSpacing()
        room = QRectF(self.rect()).adjusted(SIDE, line_height + 2, -SIDE, -SIDE)
        painter.setPen(QPen(text, 1))
        painter.drawLine(room.bottomLeft(), room.bottomRight())
        place = QRectF(room.left(), 0, room.width(), line_height)
        sides = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        for (name, line), colour, side in zip(
            lines.items(), (LOSS, HELD_OUT), sides, strict=True
        ):
            if not line:
                continue
            painter.setPen(QPen(colour, 2))
            painter.drawText(place, side, f"{name} {line[-1][1]:.3g}")
            painter.drawPolyline(
                QPolygonF([self._spot(room, step, y / high) for step, y in line])
            )
            painter.setBrush(colour)
            painter.drawEllipse(self._spot(room, line[-1][0], line[-1][1] / high), 2, 2)

    def _spot(self, room: QRectF, step: float, share: float) -> QPointF:
        x = room.left() + room.width() * min(1.0, step / max(self.total, 1))
        return QPointF(x, room.bottom() - room.height() * share)
