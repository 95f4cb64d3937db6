"""A user's new constraints on the cells of a frame, beside those from before."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..edits.document import Document
from ..edits.resegment import Resegment
from ..errors import BadInputError, counted
from ..inference.constraints.check import violations
from ..inference.constraints.model import Constraints, Count, is_among
from ..labels import labels_in, pieces_in
from .constraints import constraints_of

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Correction:
    """All constraints on a frame once the user has added some.

    Parameters
    ----------
    frame
        Index of the frame.
    labels
        Its cells as they are now, (Y, X).
    added
        Those that the user added just now.
    constraints
        These, and all from before that still hold.
    freed
        Labels of confirmed cells that the new ones are about: these may change.
    """

    frame: int
    labels: Labels
    added: Constraints
    constraints: Constraints
    freed: tuple[int, ...] = ()

    def edit(self, window: Window, found: Labels) -> Resegment:
        """Turn cells that were found anew into one edit.

        Parameters
        ----------
        window
            Rows and columns that changed; empty when none.
        found
            Cells there, (height, width).
        """
        labels = self.labels.copy()
        labels[window] = found
        claimed = _claimed(self.added)
        for count in self.added.counts:
            claimed |= count.mask
        # Cells to be confirmed lie in the edit's window, also those that stay as is.
        inside = (claimed & (labels > 0)) | (labels != self.labels)
        rows, columns = (_extent(inside.any(axis)) for axis in (1, 0))
        return Resegment(
            self.frame,
            rows.start,
            columns.start,
            labels[rows, columns],
            tuple(labels_in(labels[claimed])),
            tuple((int(y), int(x)) for y, x in self.added.absent),
            self.freed,
            f"{_what(self.added)}, frame {self.frame}",
        )


def correction_of(document: Document, frame: int, added: Constraints) -> Correction:
    """Add the user's new constraints on a frame to those that the document has.

    The new ones go first: confirmed cells that they are about, and that do not meet
    them as they are, are no longer fixed, and places that they give to a cell are no
    longer marked as empty, nor kept free of a cell that was taken away.

    Parameters
    ----------
    document
        Masks and tracks as they are now.
    frame
        Index of the frame.
    added
        What the user adds now.

    Raises
    ------
    BadInputError
        When they do not fit the frame or contradict themselves. What else they may
        contradict is found when the cells are resegmented.
    """
    if added.shape != document.shape[1:]:
        raise BadInputError(
            f"The constraints on frame {frame}: expected them for frames of "
            f"{document.shape[1:]} px, found {added.shape}. Use pixels of this movie."
        )
    added.check()
    labels, before = document.labels(frame), constraints_of(document, frame)
    freed = _freed(labels, before.confirmed, added)
    fixed = np.where(is_among(before.confirmed, freed), 0, before.confirmed)
    claimed = _claimed(added)
    free = before.absent[~claimed[tuple(before.absent.T)]]
    gone = _still_gone(before.gone, claimed)
    before = replace(before, fixed=fixed.astype(np.int32), absent=free, gone=gone)
    constraints = before.and_also(added)
    return Correction(frame, labels, added, constraints, tuple(freed.tolist()))


def _still_gone(gone: Mask | None, claimed: Mask) -> Mask | None:
    """Leave out the cells taken away in whose place the user wants one again."""
    if gone is None:
        return None
    pieces, _ = pieces_in(gone)
    return gone & ~is_among(pieces, np.unique(pieces[claimed & gone]))


def region_around(labels: Labels, y: int, x: int) -> Mask:
    """Find the pixels of the cell at a place and of those that touch it, (Y, X).

    Raises
    ------
    BadInputError
        When no cell is there.
    """
    inside = 0 <= y < labels.shape[0] and 0 <= x < labels.shape[1]
    if not (inside and labels[y, x]):
        raise BadInputError(
            f"The pixel (y {y}, x {x}): expected a cell there, found none. Choose a "
            f"pixel of a cell."
        )
    near = ndimage.binary_dilation(labels == labels[y, x], np.ones((3, 3), bool))
    return is_among(labels, np.unique(labels[near]))


def _freed(labels: Labels, confirmed: Labels, added: Constraints) -> NDArray[np.int64]:
    """Labels of confirmed cells that do not meet the new constraints."""
    numbers: set[int] = set()
    for one in violations(labels, added):
        if one.count:
            numbers |= _freed_in(added.counts[one.count - 1], labels, confirmed)
        else:
            numbers |= {*confirmed[tuple(one.pixels.T)].tolist()}
    return np.array(sorted(numbers - {0}), np.int64)


def _freed_in(count: Count, labels: Labels, confirmed: Labels) -> set[int]:
    """List confirmed cells that keep a region from having its number of cells.

    They stay as long as cells that are not confirmed can make up the number.
    """
    here = {*labels_in(confirmed[count.mask])}
    out = {*labels_in(confirmed[~count.mask])} & here
    others = {*labels_in(labels[count.mask])} - here
    if others and len(here - out) < count.cells:
        return out
    return here


def _what(added: Constraints) -> str:
    """Name constraints as a user calls what they do."""
    if added.counts:
        return f"find {counted(sum(c.cells for c in added.counts), 'cell')}"
    if added.cannot_link:
        return "split cell"
    if added.must_link:
        pixels = sum(len(group) for group in added.must_link)
        return "add cell" if pixels == 1 else "make one cell"
    return "no cell here"


def _claimed(added: Constraints) -> Mask:
    """Pixels that some cell has by the new constraints, (Y, X)."""
    mask = np.zeros(added.shape, bool)
    for claim in added.claims:
        mask[tuple(claim.pixels.T)] = True
    return mask


def _extent(line: Mask) -> slice:
    there = np.flatnonzero(line)
    return slice(int(there[0]), int(there[-1]) + 1) if len(there) else slice(0, 0)
