"""Where frames and rows of the lineage lie on the screen, px; nothing here knows Qt."""

import math
from dataclasses import dataclass, replace

# Height of the time axis above the rows.
AXIS = 18
# Height of a row: least, usual, most.
LOW, USUAL, HIGH = 4, 16, 30
# Widest that a frame is drawn.
WIDE = 160.0
# Ticks of the axis are at least so far apart.
APART = 90
# Units of time, s, and how many parts of the next smaller one they have.
_UNITS = (("d", 86400.0, 24), ("h", 3600.0, 60), ("min", 60.0, 60))


@dataclass(frozen=True)
class Scale:
    """What part of the lineage is in view.

    Parameters
    ----------
    frames
        Frames of the movie.
    rows
        Rows that there are.
    width, height
        Room, the axis included, px.
    zoom
        Width of a frame, px; 0 is that all of them fit.
    first
        Frame at the left edge, with its fraction.
    top
        What is scrolled away of the rows above, px.
    row_height
        Height of a row, px.
    """

    frames: int = 1
    rows: int = 0
    width: int = 100
    height: int = 100
    zoom: float = 0.0
    first: float = 0.0
    top: int = 0
    row_height: int = USUAL

    @property
    def frame_width(self) -> float:
        """Width of a frame, px."""
        return max(self.zoom, self.width / self.frames)

    @property
    def content(self) -> tuple[int, int]:
        """Width and height of all of it without the axis, px."""
        return round(self.frame_width * self.frames), self.rows * self.row_height

    @property
    def last_top(self) -> int:
        """Most that can be scrolled down, px."""
        return max(0, self.content[1] - (self.height - AXIS))

    @property
    def shown_frames(self) -> range:
        """Frames in view, those that are cut off included."""
        return self.frames_between(0, self.width)

    @property
    def shown_rows(self) -> range:
        """Rows in view, those that are cut off included."""
        return self.rows_between(AXIS, self.height)

    def frames_between(self, left: float, right: float) -> range:
        """Frames between two places on the screen, those that are cut off included."""
        first = math.floor(self.first + left / self.frame_width)
        last = math.ceil(self.first + right / self.frame_width)
        return range(max(0, first), max(0, min(last, self.frames)))

    def rows_between(self, top: float, bottom: float) -> range:
        """Rows between two places on the screen, those that are cut off included."""
        first = math.floor((top - AXIS + self.top) / self.row_height)
        last = math.ceil((bottom - AXIS + self.top) / self.row_height)
        return range(max(0, first), max(0, min(last, self.rows)))

    def x(self, frame: float) -> float:
        """Left edge of a frame."""
        return (frame - self.first) * self.frame_width

    def y(self, row: int) -> int:
        """Upper edge of a row."""
        return AXIS + row * self.row_height - self.top

    def frame_at(self, x: float) -> int:
        """Frame at a place, the first or last one beyond them."""
        frame = math.floor(self.first + x / self.frame_width)
        return min(max(frame, 0), self.frames - 1)

    def row_at(self, y: float) -> int | None:
        """Row at a place, or None where there is none."""
        row = math.floor((y - AXIS + self.top) / self.row_height)
        return row if y >= AXIS and 0 <= row < self.rows else None

    def within(self) -> "Scale":
        """Give the nearest one that shows no more empty room than it must."""
        # Wholly zoomed out it stays so when the room or the movie grows.
        zoom = 0.0 if self.zoom <= self.width / self.frames else min(self.zoom, WIDE)
        wide = max(zoom, self.width / self.frames)
        most = max(0.0, self.frames - self.width / wide)
        first = min(max(self.first, 0.0), most)
        return replace(
            self, zoom=zoom, first=first, top=min(max(self.top, 0), self.last_top)
        )

    def zoomed(self, factor: float, x: float) -> "Scale":
        """Give frames another width; what is at a place stays there."""
        wide = min(self.frame_width * factor, max(WIDE, self.width / self.frames))
        first = self.first + x / self.frame_width - x / wide
        return replace(self, zoom=wide, first=first).within()

    def heightened(self, pixels: int, y: float) -> "Scale":
        """Give rows another height; what is at a place stays there."""
        high = min(max(self.row_height + pixels, LOW), HIGH)
        top = (y - AXIS + self.top) * high / self.row_height - (y - AXIS)
        return replace(self, row_height=high, top=round(top)).within()

    def moved(self, right: float, down: float) -> "Scale":
        """Show what lies to the right and below, px."""
        first = self.first + right / self.frame_width
        return replace(self, first=first, top=self.top + round(down)).within()

    def showing(self, frame: int) -> "Scale":
        """Bring a frame into view, a third from the edge that it lay beyond."""
        x = self.x(frame)
        if x >= 0 and x + self.frame_width <= self.width + 1:
            return self
        third = self.width / self.frame_width / 3
        first = frame - 2 * third if x < 0 else frame - third
        return replace(self, first=first).within()

    def showing_row(self, row: int) -> "Scale":
        """Bring a row into view, in the middle if it was not."""
        room = self.height - AXIS
        y = row * self.row_height - self.top
        if 0 <= y <= room - self.row_height:
            return self
        top = row * self.row_height - (room - self.row_height) // 2
        return replace(self, top=top).within()

    def ticks(self) -> list[int]:
        """Frames in view that the axis names."""
        step = tick_step(self.frame_width)
        shown = self.shown_frames
        return list(range(-(-shown.start // step) * step, shown.stop, step))


def tick_step(frame_width: float) -> int:
    """Frames between two ticks of the axis: 1, 2 or 5 with zeros."""
    step = 1
    while step * frame_width < APART:
        # 1, 2, 5, 10 ...: after a 2 comes 2.5 times as much.
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def time_text(seconds: float, whole: float) -> str:
    """Write a time in the unit that suits a whole movie, both in s: 1:30 h."""
    for unit, size, parts in _UNITS:
        if whole >= 2 * size:
            count = round(seconds / size * parts)
            many, few = divmod(count, parts)
            if unit == "d":
                return f"{many} d {few} h" if few else f"{many} d"
            return f"{many}:{few:02d} {unit}"
    return f"{seconds:.3g} s"
