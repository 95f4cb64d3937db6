"""Edits of masks in one frame: brush and eraser, new, fill, merge, redraw, copy.

What the user drew is confirmed.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import EditError
from ..labels import LARGEST_LABEL, labels_in, pieces_in
from .base import Edit
from .draft import Draft
from .region import Region


def draw(draft: Draft, frame: int, label: int, region: Region, *, over: bool) -> Region:
    """Paint a region, confirm the cell, and give the pixels that were its to take.

    Marks that say that there is no cell are taken off these pixels.

    Parameters
    ----------
    draft
        Drawn into.
    frame
        Index of the frame.
    label
        Label to paint.
    region
        Which pixels; what lies outside the frame is left out.
    over
        Whether other cells lose the pixels; else they keep them.
    """
    draft.check_frame(frame)
    inside = region.within(draft.document.shape[1:])
    before = draft.labels(frame, inside.box)
    free = inside.mask if over else inside.mask & ((before == 0) | (before == label))
    draft.paint(frame, inside.box, np.where(free, label, before).astype(np.int32))
    if free.any():
        draft.confirm(label, ((frame, frame),))
    painted = Region(inside.y, inside.x, free)
    for place in draft.absences(frame):
        if painted.has(*place[1:]):
            draft.mark(place, absent=False)
    return painted


@dataclass(frozen=True, eq=False)
class Paint(Edit):
    """A stroke of the brush, or a cell drawn anew when no track has the label.

    Parameters
    ----------
    frame
        Index of the frame.
    label
        Label to paint.
    region
        Pixels of the stroke.
    over
        Whether other cells lose the pixels; else they keep them.
    """

    kind: ClassVar[str] = "paint"
    frame: int
    label: int
    region: Region
    over: bool = True

    def make(self, draft: Draft) -> None:
        """Paint."""
        if not 1 <= self.label <= LARGEST_LABEL:
            raise EditError(
                f"Expected a label from 1 to {LARGEST_LABEL} to paint with, found "
                f"{self.label}. Choose a cell, or erase."
            )
        if not draw(draft, self.frame, self.label, self.region, over=self.over).area:
            raise EditError(
                f"Nothing to paint in frame {self.frame}: expected pixels that no "
                f"other cell has, found none. Paint elsewhere, or over other cells."
            )


@dataclass(frozen=True, eq=False)
class NewCell(Edit):
    """A new cell, with a label that none has had.

    Parameters
    ----------
    frame
        Index of the frame.
    region
        Its pixels.
    over
        Whether other cells lose the pixels; else they keep them.
    """

    kind: ClassVar[str] = "new cell"
    frame: int
    region: Region
    over: bool = False

    def make(self, draft: Draft) -> None:
        """Paint it with a new label."""
        Paint(self.frame, draft.new_label(), self.region, self.over).make(draft)


@dataclass(frozen=True, eq=False)
class Erase(Edit):
    """A stroke of the eraser.

    Parameters
    ----------
    frame
        Index of the frame.
    region
        Pixels of the stroke.
    label
        Cell that loses them; all when None.
    """

    kind: ClassVar[str] = "erase"
    frame: int
    region: Region
    label: int | None = None

    def make(self, draft: Draft) -> None:
        """Erase; what is left of a cell is confirmed."""
        draft.check_frame(self.frame)
        inside = self.region.within(draft.document.shape[1:])
        before = draft.labels(self.frame, inside.box)
        gone = inside.mask & (before > 0)
        if self.label is not None:
            gone &= before == self.label
        touched = labels_in(before[gone])
        after = np.where(gone, 0, before).astype(np.int32)
        draft.paint(self.frame, inside.box, after)
        for label in touched:
            track = draft.find(label)
            if track is not None and track.has(self.frame):
                draft.confirm(label, ((self.frame, self.frame),))


@dataclass(frozen=True, eq=False)
class Fill(Edit):
    """Fill the area of one label around a point, as a bucket of paint does.

    Parameters
    ----------
    frame
        Index of the frame.
    y, x
        The point, px.
    label
        Label to fill with; 0 takes the area away.
    """

    kind: ClassVar[str] = "fill"
    frame: int
    y: int
    x: int
    label: int

    def make(self, draft: Draft) -> None:
        """Fill."""
        labels = draft.labels(self.frame)
        found = label_at(draft, self.frame, self.y, self.x)
        pieces, _ = pieces_in(labels == found)
        region = Region.where(pieces == pieces[self.y, self.x])
        if self.label == 0:
            Erase(self.frame, region, found or None).make(draft)
        else:
            Paint(self.frame, self.label, region).make(draft)


@dataclass(frozen=True, eq=False)
class FillHoles(Edit):
    """Fill the holes of a cell, as far as no other cell lies in them.

    Parameters
    ----------
    frame
        Index of the frame.
    label
        The cell.
    """

    kind: ClassVar[str] = "fill holes"
    frame: int
    label: int

    def make(self, draft: Draft) -> None:
        """Fill them."""
        from scipy import ndimage

        mask = draft.region(self.label, self.frame)
        filled = Region(mask.y, mask.x, ndimage.binary_fill_holes(mask.mask))
        draw(draft, self.frame, self.label, filled, over=False)


@dataclass(frozen=True, eq=False)
class MergeMasks(Edit):
    """Make several cells of a frame one.

    Parameters
    ----------
    frame
        Index of the frame.
    labels
        The cells; the first one takes the others over.
    """

    kind: ClassVar[str] = "merge masks"
    frame: int
    labels: tuple[int, ...]

    def make(self, draft: Draft) -> None:
        """Paint all with the first label."""
        if len(set(self.labels)) < 2:
            raise EditError(
                f"Expected two cells or more to merge in frame {self.frame}, found "
                f"{len(set(self.labels))}. Choose another one as well."
            )
        for label in self.labels:
            draft.cell(label, self.frame)
        both = np.isin(draft.labels(self.frame), self.labels)
        region = Region.where(both)
        draw(draft, self.frame, self.labels[0], region, over=True)


@dataclass(frozen=True, eq=False)
class Redraw(Edit):
    """Replace the mask of a cell.

    Parameters
    ----------
    frame
        Index of the frame.
    label
        The cell.
    region
        Its pixels from now on.
    over
        Whether other cells lose the pixels; else they keep them.
    """

    kind: ClassVar[str] = "redraw"
    frame: int
    label: int
    region: Region
    over: bool = False

    def make(self, draft: Draft) -> None:
        """Paint the new mask and erase the rest of the old one."""
        old = draft.region(self.label, self.frame)
        region = self.region.within(draft.document.shape[1:])
        Paint(self.frame, self.label, region, self.over).make(draft)
        rest = draft.labels(self.frame, old.box) == self.label
        kept = np.zeros(draft.document.shape[1:], bool)
        kept[region.box.slices] = region.mask
        gone = Region(old.y, old.x, rest & ~kept[old.box.slices])
        Erase(self.frame, gone, self.label).make(draft)


@dataclass(frozen=True, eq=False)
class CopyMask(Edit):
    """Copy the mask of a cell to another frame, where the cell is missing.

    Parameters
    ----------
    frame
        Frame to copy from.
    label
        The cell.
    to
        Frame to copy to, such as the next or the previous one.
    """

    kind: ClassVar[str] = "copy mask"
    frame: int
    label: int
    to: int

    def make(self, draft: Draft) -> None:
        """Paint it there, as far as no other cell has the pixels."""
        region = draft.region(self.label, self.frame)
        draft.check_frame(self.to)
        if draft.track(self.label).has(self.to):
            raise EditError(
                f"Cell {self.label} is in frame {self.to} already: expected a frame "
                f"without it. Redraw it there instead."
            )
        Paint(self.to, self.label, region, over=False).make(draft)


def label_at(draft: Draft, frame: int, y: int, x: int) -> int:
    """Label of a pixel.

    Raises
    ------
    EditError
        When it lies outside the frame.
    """
    draft.check_frame(frame)
    height, width = draft.document.shape[1:]
    if not (0 <= y < height and 0 <= x < width):
        raise EditError(
            f"The point (y {y}, x {x}) lies outside the frame: expected 0 to "
            f"{height - 1} and 0 to {width - 1}. Choose a point inside."
        )
    return int(draft.labels(frame)[y, x])
