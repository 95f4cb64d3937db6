"""Edits that part a mask and that fill a gap with masks."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import EditError
from ..labels import labels_in
from .base import Edit
from .draft import Draft
from .masks import draw
from .region import Region
from .shapes import Parts, Point, between, part_by_line, part_by_points


@dataclass(frozen=True, eq=False)
class SplitByPoints(Edit):
    """Part a mask around two points or more.

    Parameters
    ----------
    frame
        Index of the frame.
    label
        The cell. It keeps the part that looks most like it one frame before, or after;
        the other parts become new cells.
    points
        Row and column, px, of a point in each part.
    """

    kind: ClassVar[str] = "split"
    frame: int
    label: int
    points: tuple[Point, ...]

    def make(self, draft: Draft) -> None:
        """Part it."""
        region = draft.region(self.label, self.frame)
        if len({(round(y), round(x)) for y, x in self.points}) < 2:
            raise EditError(
                f"Expected two points to split cell {self.label} by, found one. Click "
                f"in both parts."
            )
        inside = [(y - region.y, x - region.x) for y, x in self.points]
        _replace(draft, self.frame, self.label, part_by_points(region.mask, inside))


@dataclass(frozen=True, eq=False)
class SplitByLine(Edit):
    """Part a mask along a line.

    Parameters
    ----------
    frame
        Index of the frame.
    label
        The cell. It keeps the part that looks most like it one frame before, or after;
        the other parts become new cells.
    line
        Row and column, px, of the corners of the line.
    """

    kind: ClassVar[str] = "split along a line"
    frame: int
    label: int
    line: tuple[Point, ...]

    def make(self, draft: Draft) -> None:
        """Part it."""
        region = draft.region(self.label, self.frame)
        inside = [(y - region.y, x - region.x) for y, x in self.line]
        _replace(draft, self.frame, self.label, part_by_line(region.mask, inside))


def _replace(draft: Draft, frame: int, label: int, parts: Parts) -> None:
    found = labels_in(parts)
    if len(found) < 2:
        raise EditError(
            f"Cell {label} in frame {frame} stays in one piece: expected parts on both "
            f"sides, found one. Draw right across the cell, or click in both parts."
        )
    region = draft.region(label, frame)
    kept = _likest(draft, frame, label, region, parts)
    for part in found:
        if part != kept:
            piece = Region(region.y, region.x, parts == part)
            draw(draft, frame, draft.new_label(), piece, over=True)
    draft.confirm(label, ((frame, frame),))


def _likest(draft: Draft, frame: int, label: int, region: Region, parts: Parts) -> int:
    """Part that overlaps most with the cell one frame before or after, or the largest.

    A part needs an overlap to be alike at all.
    """
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    for near in (frame - 1, frame + 1):
        if draft.track(label).has(near):
            there = draft.labels(near, region.box) == label
            overlaps = np.bincount(parts[there & (parts > 0)], minlength=len(sizes))
            if overlaps.any():
                return int(overlaps.argmax())
    return int(sizes.argmax())


@dataclass(frozen=True, eq=False)
class Interpolate(Edit):
    """Fill a gap of a track with masks between those on both sides.

    Parameters
    ----------
    label
        The track.
    frame
        A frame of the gap; all gaps when None.
    """

    kind: ClassVar[str] = "interpolate"
    label: int
    frame: int | None = None

    def make(self, draft: Draft) -> None:
        """Paint them, as far as no other cell has the pixels."""
        gaps = draft.track(self.label).gaps
        if self.frame is not None:
            gaps = tuple(g for g in gaps if g[0] <= self.frame <= g[1])
        if not gaps:
            where = "" if self.frame is None else f" in frame {self.frame}"
            raise EditError(
                f"Cell {self.label} has no gap{where}: expected frames between its "
                f"first and its last in which it has no pixels. Choose one of those."
            )
        for first, last in gaps:
            self._fill(draft, first, last)

    def _fill(self, draft: Draft, first: int, last: int) -> None:
        ends = [draft.region(self.label, t) for t in (first - 1, last + 1)]
        for frame in range(first, last + 1):
            share = (frame - first + 1) / (last - first + 2)
            shape = between(ends[0], ends[1], share)
            if not draw(draft, frame, self.label, shape, over=False).area:
                raise EditError(
                    f"Frame {frame}: expected free pixels for cell {self.label} on its "
                    f"way, found other cells. Draw it there by hand."
                )
