"""Edits that take cells away, and places that the user marks as empty.

A cell that is taken away keeps its pixels, hidden: it comes back bit by bit, and a new
run of the network does not put a cell there again.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..errors import EditError
from ..tracking.intervals import since
from .base import Edit
from .draft import Draft
from .masks import label_at


@dataclass(frozen=True, eq=False)
class DeleteCell(Edit):
    """Take a cell away in one frame.

    Parameters
    ----------
    frame
        Index of the frame.
    label
        The cell.
    """

    kind: ClassVar[str] = "delete cell"
    frame: int
    label: int

    def make(self, draft: Draft) -> None:
        """Hide it."""
        draft.cell(self.label, self.frame)
        draft.hide(self.label, ((self.frame, self.frame),))


@dataclass(frozen=True, eq=False)
class DeleteTrack(Edit):
    """Take a track away from a frame on.

    Parameters
    ----------
    label
        The track.
    frame
        First frame in which it is gone; all of it when None.
    """

    kind: ClassVar[str] = "delete track"
    label: int
    frame: int | None = None

    def make(self, draft: Draft) -> None:
        """Hide it; its daughters stay, without a parent."""
        track = draft.track(self.label)
        begin = track.begin if self.frame is None else self.frame
        if begin > track.end:
            raise EditError(
                f"Cell {self.label} ends in frame {track.end}: expected a frame up to "
                f"that, found {begin}. Choose an earlier frame."
            )
        for daughter in draft.daughters(self.label):
            draft.set_parent(daughter, 0)
        draft.hide(self.label, since(track.intervals, begin))


@dataclass(frozen=True, eq=False)
class MarkEmpty(Edit):
    """Say that there is no cell at a place; one that is there is taken away.

    Parameters
    ----------
    frame
        Index of the frame.
    y, x
        The place, px.
    """

    kind: ClassVar[str] = "no cell here"
    frame: int
    y: int
    x: int

    def make(self, draft: Draft) -> None:
        """Mark the place."""
        label = label_at(draft, self.frame, self.y, self.x)
        place = (self.frame, self.y, self.x)
        if draft.is_absent(place):
            raise EditError(
                f"The place (y {self.y}, x {self.x}) in frame {self.frame} is marked "
                f"as empty already. Unmark it to have a cell there."
            )
        if label:
            DeleteCell(self.frame, label).make(draft)
        draft.mark(place, absent=True)


@dataclass(frozen=True, eq=False)
class UnmarkEmpty(Edit):
    """Take back that there is no cell at a place.

    Parameters
    ----------
    frame
        Index of the frame.
    y, x
        The place, px, as it was marked.
    """

    kind: ClassVar[str] = "unmark no cell"
    frame: int
    y: int
    x: int

    def make(self, draft: Draft) -> None:
        """Take the mark away."""
        place = (self.frame, self.y, self.x)
        if not draft.is_absent(place):
            raise EditError(
                f"The place (y {self.y}, x {self.x}) in frame {self.frame} is not "
                f"marked as empty. Choose one that is."
            )
        draft.mark(place, absent=False)
