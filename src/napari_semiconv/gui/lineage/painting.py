"""Paint a lineage: bars of tracks in their rows, lines to daughters, the time axis."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QLineF, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from ...tracking.family_rows import FamilyRows
from ...tracking.intervals import Intervals
from ...tracking.lineage import Track
from .scale import AXIS, Scale, time_text

# Orange, as on the canvas, seen on dark and light alike.
ORANGE = QColor(255, 140, 0)
# Height of a row from which numbers and ticks are written in it, px.
READABLE = 11
# Least width of a bar or mark, px.
THIN = 2.0
# Width of a bar from which a tick fits in, px.
TICK = 14.0
# Brightness, 0 to 1, from which black is read better than white.
BRIGHT = 0.55
# Difference in brightness from which a bar is seen without an outline.
FAINT = 0.1

# Gives red, green, blue and opacity, (N, 4), 0 to 1, of labels, (N,).
Colours = Callable[[NDArray[np.int32]], NDArray[np.floating]]


@dataclass(frozen=True)
class Palette:
    """Colours of a theme."""

    background: QColor
    text: QColor
    line: QColor
    highlight: QColor


@dataclass(frozen=True, eq=False)
class Drawing:
    """What is drawn.

    Parameters
    ----------
    rows
        Which track is in which row.
    tracks
        The tracks, by label.
    colours
        Gives the colours of labels.
    palette
        Colours of the theme.
    suspects
        Frames of each suspect cell, by label.
    selection
        Labels that are selected.
    frame
        The frame in view; None where there is none.
    interval
        Time between frames, s; None if it is not known.
    """

    rows: FamilyRows
    tracks: Mapping[int, Track]
    colours: Colours
    palette: Palette
    suspects: Mapping[int, Intervals] = field(default_factory=dict)
    selection: frozenset[int] = frozenset()
    frame: int | None = None
    interval: float | None = None

    def paint(self, painter: QPainter, scale: Scale, area: QRectF) -> None:
        """Paint what lies in an area of the screen; the rest is not looked at."""
        painter.fillRect(area, self.palette.background)
        painter.save()
        painter.setClipRect(area.intersected(_below_axis(scale)))
        if self.frame is not None:
            painter.fillRect(self.cursor(scale), _faint(self.palette.highlight, 90))
        rows = scale.rows_between(max(area.top(), AXIS), area.bottom() + 1)
        self.paint_rows(painter, scale, rows, area)
        painter.restore()
        if area.top() <= AXIS:
            self.paint_axis(painter, scale, area)
        if self.frame is not None:
            x = round(self.cursor(scale).center().x())
            painter.setPen(QPen(self.palette.text, 1))
            painter.drawLine(QLineF(x, AXIS - 5, x, scale.height))

    def paint_paper(self, painter: QPainter, scale: Scale) -> None:
        """Paint the background of all of it."""
        painter.fillRect(_whole(scale), self.palette.background)

    def paint_rows(
        self,
        painter: QPainter,
        scale: Scale,
        rows: range,
        area: QRectF | None = None,
    ) -> None:
        """Paint some rows: bars, lines to daughters, marks and numbers.

        Parameters
        ----------
        painter
            Paints on the screen or into a file.
        scale
            Where they lie.
        rows
            Which.
        area
            The part of the screen that is painted; all of it when None.
        """
        area = _whole(scale) if area is None else area
        frames = scale.frames_between(area.left() - 1, area.right() + 1)
        font = QFont(painter.font())
        font.setPixelSize(max(7, min(scale.row_height - 5, 12)))
        painter.setFont(font)
        seen = self.rows.bars(rows, self._with_numbers(scale, frames))
        self._paint_selection(painter, scale, rows, area)
        self._paint_borders(painter, scale, rows, area)
        self._paint_lines(painter, scale, rows)
        self._paint_bars(painter, scale, seen, frames)

    def cursor(self, scale: Scale) -> QRectF:
        """Give the place of the frame in view."""
        frame = self.frame or 0
        wide = max(scale.frame_width, 3.0)
        middle = scale.x(frame + 0.5)
        return QRectF(middle - wide / 2, 0, wide, scale.height)

    def _with_numbers(self, scale: Scale, frames: range) -> range:
        """Frames with those before them whose bars' numbers stand in them."""
        before = 60 if scale.row_height >= READABLE else 4
        reach = int(before / scale.frame_width) + 1
        return range(frames.start - reach, frames.stop + 1)

    def _paint_selection(
        self, painter: QPainter, scale: Scale, rows: range, area: QRectF
    ) -> None:
        for row in rows if self.selection else ():
            if int(self.rows.labels[row]) in self.selection:
                place = QRectF(
                    area.left(), scale.y(row), area.width(), scale.row_height
                )
                painter.fillRect(place, _faint(self.palette.highlight, 130))

    def _paint_borders(
        self, painter: QPainter, scale: Scale, rows: range, area: QRectF
    ) -> None:
        """Paint hairs between families; of very low rows they would be too many."""
        if scale.row_height < READABLE:
            return
        keys = self.rows.keys[max(rows.start - 1, 0) : rows.stop]
        painter.setPen(QPen(_faint(self.palette.line, 120), 1))
        for above in np.flatnonzero(np.diff(keys)).tolist():
            y = scale.y(max(rows.start - 1, 0) + above + 1)
            painter.drawLine(QLineF(area.left(), y, area.right() + 1, y))

    def _paint_lines(self, painter: QPainter, scale: Scale, rows: range) -> None:
        """Paint the lines from mothers, at their ends, down and up to daughters."""
        table = self.rows
        painter.setPen(QPen(self.palette.line, 1))
        for row in table.mothers_across(rows).tolist():
            x = scale.x(int(table.ends[row]) + 1)
            ends = (row + int(table.uppermost[row]), row + int(table.lowest[row]))
            top, bottom = (self._middle(scale, r) for r in ends)
            # Qt is slow on lines that end far outside.
            top, bottom = max(top, 0.0), min(bottom, scale.height + 1.0)
            painter.drawLine(QLineF(x, top, x, bottom))
        part = np.arange(rows.start, min(rows.stop, len(table)))
        born = part[table.mothers[part] != 0]
        late = table.begins[born] - table.ends[born + table.mothers[born]] - 1
        painter.setPen(QPen(self.palette.line, 1, Qt.PenStyle.DashLine))
        for row, gap in zip(born[late > 0].tolist(), late[late > 0], strict=True):
            begin, y = int(table.begins[row]), self._middle(scale, row)
            left = max(scale.x(begin - int(gap)), -1.0)
            painter.drawLine(QLineF(left, y, min(scale.x(begin), scale.width), y))

    def _paint_bars(
        self,
        painter: QPainter,
        scale: Scale,
        seen: NDArray[np.int64],
        frames: range,
    ) -> None:
        labels = self.rows.labels[seen]
        colours = self.colours(labels.astype(np.int32)) if len(seen) else np.zeros(0)
        for row, label, rgba in zip(
            seen.tolist(), labels.tolist(), colours, strict=True
        ):
            track = self.tracks.get(label)
            if track is None:
                # It has just been taken away by another thread.
                continue
            bar = _Bar(painter, scale, scale.y(row), _colour(rgba), frames)
            bar.paint(track, self.palette)
            if label in self.suspects:
                bar.mark(self.suspects[label])
            if scale.row_height >= READABLE:
                bar.number(track, self.palette)

    def _middle(self, scale: Scale, row: int) -> float:
        return scale.y(row) + scale.row_height / 2

    def paint_axis(
        self, painter: QPainter, scale: Scale, area: QRectF | None = None
    ) -> None:
        """Paint the numbers of frames, with the time where it is known."""
        area = _whole(scale) if area is None else area
        palette = self.palette
        band = QRectF(area.left(), 0, area.width(), AXIS)
        painter.fillRect(band, palette.background)
        painter.save()
        painter.setClipRect(band)
        font = QFont(painter.font())
        font.setPixelSize(10)
        painter.setFont(font)
        whole = scale.frames * (self.interval or 0.0)
        for frame in scale.ticks():
            x = scale.x(frame + 0.5)
            text = f"{frame}"
            if self.interval:
                text += f" · {time_text(frame * self.interval, whole)}"
            painter.setPen(palette.line)
            painter.drawLine(QLineF(x, AXIS - 4, x, AXIS))
            painter.setPen(palette.text)
            painter.drawText(QPointF(x + 3, AXIS - 6), text)
        painter.setPen(palette.line)
        painter.drawLine(QLineF(area.left(), AXIS, area.right() + 1, AXIS))
        painter.restore()


@dataclass(frozen=True, eq=False)
class _Bar:
    """One track in its row.

    Parameters
    ----------
    painter, scale
        How.
    top
        Upper edge of the row, px.
    colour
        Colour of the cell.
    frames
        Frames that are painted.
    """

    painter: QPainter
    scale: Scale
    top: int
    colour: QColor
    frames: range

    def paint(self, track: Track, palette: Palette) -> None:
        """Paint its frames: thick with a tick where confirmed, dashed where missing."""
        high = self.scale.row_height
        thick, slim = max(2, high - 2), max(2, round(high * 0.66))
        middle = self.top + high / 2
        if track.gaps:
            dashes = QPen(self.colour, 2, Qt.PenStyle.CustomDashLine)
            dashes.setDashPattern([2, 2])
            dashes.setCapStyle(Qt.PenCapStyle.FlatCap)
            self.painter.setPen(dashes)
            for first, last in self._seen(track.gaps):
                ends = (self.scale.x(first), self.scale.x(last + 1))
                self.painter.drawLine(QLineF(ends[0], middle, ends[1], middle))
        for some, height in ((track.intervals, slim), (track.confirmed, thick)):
            for interval in self._seen(some):
                self.painter.fillRect(self._place(interval, height), self.colour)
        if abs(_brightness(self.colour) - _brightness(palette.background)) < FAINT:
            self.painter.setPen(QPen(palette.line, 1))
            for interval in self._seen(track.intervals):
                self.painter.drawRect(
                    self._place(interval, slim).adjusted(0, 0, -1, -1)
                )
        if high >= READABLE:
            self._tick(track, thick)

    def _tick(self, track: Track, thick: int) -> None:
        """Tick what is confirmed."""
        middle = self.top + self.scale.row_height / 2
        self.painter.setPen(QPen(_upon(self.colour), 1.5))
        for interval in self._seen(track.confirmed):
            place = self._place(interval, thick)
            if place.width() >= TICK:
                x = place.right() - 9
                tick = [(0.0, 0.0), (2.5, 2.5), (6.5, -3.0)]
                points = [QPointF(x + a, middle + b) for a, b in tick]
                self.painter.drawPolyline(QPolygonF(points))

    def mark(self, frames: Intervals) -> None:
        """Frame the suspect frames in orange."""
        self.painter.setPen(QPen(ORANGE, 2))
        for interval in self._seen(frames):
            place = self._place(interval, self.scale.row_height - 2)
            if place.width() < 5:
                place.adjust(-2, 0, 2, 0)
            self.painter.drawRect(place)

    def number(self, track: Track, palette: Palette) -> None:
        """Write the label in the bar, or behind it where the bar is too short."""
        text = str(track.label)
        wide = self.painter.fontMetrics().horizontalAdvance(text)
        left = max(self.scale.x(track.begin), 0.0)
        first = self.scale.x(track.intervals[0][1] + 1) if left > 0 else None
        end = self.scale.x(track.end + 1)
        inside = (end if first is None else first) - left >= wide + 6
        if inside:
            self.painter.setPen(_upon(self.colour))
            x = left + 3
        elif end > 0:
            self.painter.setPen(palette.text)
            x = end + 5
        else:
            return
        high = self.scale.row_height
        place = QRectF(x, self.top, wide + 2, high)
        self.painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), text)

    def _place(self, interval: tuple[int, int], height: int) -> QRectF:
        left = max(self.scale.x(interval[0]), -5.0)
        right = min(self.scale.x(interval[1] + 1), self.scale.width + 5.0)
        # Between two cells of wide frames a hair of room is left.
        wide = max(right - left, THIN)
        top = self.top + (self.scale.row_height - height) / 2
        return QRectF(left, top, wide, height)

    def _seen(self, intervals: Intervals) -> Intervals:
        return seen_intervals(intervals, self.frames, 0.5 / self.scale.frame_width)


def seen_intervals(intervals: Intervals, frames: range, least: float) -> Intervals:
    """Give those that are in view; what is nearer than can be seen becomes one.

    Parameters
    ----------
    intervals
        Some frames.
    frames
        Frames in view.
    least
        Frames between two intervals that are not told apart.
    """
    found: list[tuple[int, int]] = []
    for first, last in intervals:
        if last < frames.start:
            continue
        if first >= frames.stop:
            break
        if found and first - found[-1][1] - 1 < least:
            found[-1] = found[-1][0], last
        else:
            found.append((first, last))
    return tuple(found)


def _whole(scale: Scale) -> QRectF:
    return QRectF(0, 0, scale.width, scale.height)


def _below_axis(scale: Scale) -> QRectF:
    return QRectF(0, AXIS + 1, scale.width, max(0, scale.height - AXIS - 1))


def _faint(colour: QColor, opacity: int) -> QColor:
    faint = QColor(colour)
    faint.setAlpha(opacity)
    return faint


def _colour(rgba: NDArray[np.floating]) -> QColor:
    # Opaque also where the layer shows the selected label alone.
    return QColor.fromRgbF(*(float(min(max(v, 0.0), 1.0)) for v in rgba[:3]))


def _upon(colour: QColor) -> QColor:
    """Black or white, whichever is read better on a colour."""
    bright = _brightness(colour) > BRIGHT
    return QColor(Qt.GlobalColor.black if bright else Qt.GlobalColor.white)


def _brightness(colour: QColor) -> float:
    return 0.299 * colour.redF() + 0.587 * colour.greenF() + 0.114 * colour.blueF()
