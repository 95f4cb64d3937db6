"""What lies under the mouse in the lineage, and lines from one bar to another."""

from dataclasses import dataclass

from qtpy.QtCore import QLineF, QPointF, QRect, Qt
from qtpy.QtGui import QColor, QPainter, QPen

from .painting import Drawing
from .scale import Scale

# How near to a bar a click means it, and how near to its end a drag begins a link, px.
NEAR, GRIP = 4, 6


@dataclass(frozen=True)
class Spot:
    """What lies under the mouse: a track, a frame of it, and whether its end is meant.

    Parameters
    ----------
    label
        The track.
    frame
        The frame there, one between the first and the last of the track.
    end
        Whether it is the grip at the right end of the bar.
    start
        Whether it is at its left end.
    """

    label: int
    frame: int
    end: bool = False
    start: bool = False


@dataclass(frozen=True)
class Join:
    """What a line that is drawn from the end of one bar to another means.

    Parameters
    ----------
    before
        Track whose end the line begins at.
    after
        Track it was drawn to.
    frame
        Frame of that one.
    born
        Whether it is a daughter of the other, not the same cell.
    """

    before: int
    after: int
    frame: int
    born: bool


def spot_at(drawing: Drawing, scale: Scale, place: QPointF) -> Spot | None:
    """Give the track at a place of the screen, or None."""
    row = scale.row_at(place.y())
    if row is None:
        return None
    begin, last = int(drawing.rows.begins[row]), int(drawing.rows.ends[row])
    left, right = scale.x(begin), scale.x(last + 1)
    x = place.x()
    if not left - NEAR <= x <= max(right, left + 2) + GRIP:
        return None
    frame = min(max(scale.frame_at(x), begin), last)
    # A short bar has an end, too, and a part that is only clicked on.
    grip = max(right - GRIP, (left + right) / 2)
    start = x <= min(left + GRIP, (left + right) / 2)
    return Spot(int(drawing.rows.labels[row]), frame, x >= grip, start)


def hint(spot: Spot) -> str:
    """Say what the mouse can do at a spot."""
    if spot.end:
        return "Drag to another bar: it goes on as that one; with Shift: a daughter."
    return f"Double click: cut before frame {spot.frame}. Right click: more."


def join_of(
    drawing: Drawing, scale: Scale, source: Spot, place: QPointF, *, born: bool
) -> Join | None:
    """Tell what a line from the end of a bar to a place means; None is nothing.

    Parameters
    ----------
    drawing, scale
        What is on the screen.
    source
        Where the line begins.
    place
        Where it ends, px.
    born
        Whether it names a daughter.
    """
    target = spot_at(drawing, scale, place)
    if target is None or target.label == source.label:
        return None
    row = drawing.rows.row(target.label)
    if row is None:
        return None
    # The start is meant unless it is clearly another place.
    frame = int(drawing.rows.begins[row]) if target.start else target.frame
    return Join(source.label, target.label, frame, born)


def paint_join(
    painter: QPainter,
    drawing: Drawing,
    scale: Scale,
    source: Spot,
    mouse: QPointF,
    join: Join | None,
) -> None:
    """Paint a line from the end of a bar to the mouse, and beside it what it means."""
    row = drawing.rows.row(source.label)
    if row is None:
        return
    x = scale.x(int(drawing.rows.ends[row]) + 1)
    end = QPointF(x, scale.y(row) + scale.row_height / 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(drawing.palette.text, 2))
    painter.drawLine(QLineF(end, mouse))
    words = f"Cell {source.label}: to the bar that it goes on as"
    if join is not None and join.born:
        words = f"Cell {join.after} is a daughter of {join.before}"
    elif join is not None:
        words = f"Cell {join.before} goes on as {join.after}, frame {join.frame}"
    size = painter.fontMetrics().size(0, words)
    place = QRect(0, 0, size.width() + 10, size.height() + 6)
    place.moveTo(
        min(round(mouse.x()) + 12, scale.width - place.width()),
        min(round(mouse.y()) + 12, scale.height - place.height()),
    )
    painter.fillRect(place, QColor(0, 0, 0, 220))
    painter.setPen(Qt.GlobalColor.white)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), words)
