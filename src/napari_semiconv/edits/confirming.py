"""Edits that lock what is right, so that no run changes it, and unlock it."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..errors import EditError
from ..tracking.intervals import Intervals, difference, intersection, union
from ..tracking.lineage import Track
from .base import Edit
from .draft import Draft


@dataclass(frozen=True, eq=False)
class _Range(Edit):
    label: int | None = None
    first: int | None = None
    last: int | None = None

    def _frames(self, draft: Draft) -> Intervals:
        end = draft.document.shape[0] - 1
        first = 0 if self.first is None else self.first
        last = end if self.last is None else self.last
        if not 0 <= first <= last <= end:
            raise EditError(
                f"Expected frames within 0 to {end}, first before last, found {first} "
                f"to {last}. Choose others."
            )
        return ((first, last),)

    def _tracks(self, draft: Draft) -> list[tuple[Track, Intervals]]:
        """Tracks that have cells there, and the frames of those."""
        frames = self._frames(draft)
        tracks = (
            draft.tracks(*frames[0])
            if self.label is None
            else iter([draft.track(self.label)])
        )
        pairs = ((track, intersection(track.intervals, frames)) for track in tracks)
        found = [pair for pair in pairs if pair[1]]
        if not found:
            who = "any cell" if self.label is None else f"cell {self.label}"
            raise EditError(
                f"Frames {frames[0][0]} to {frames[0][1]}: expected {who} there, found "
                f"none. Choose other frames."
            )
        return found


@dataclass(frozen=True, eq=False)
class Confirm(_Range):
    """Confirm a cell, a track or all cells of some frames.

    Parameters
    ----------
    label
        The track; all when None.
    first, last
        Frames, both included; None is the first and the last of the movie. Of a track
        that begins there the parent, or that it has none, is confirmed too, unless it
        begins in frame ``first``, which says nothing of what was before.
    """

    kind: ClassVar[str] = "confirm"

    def make(self, draft: Draft) -> None:
        """Lock them."""
        for track, intervals in self._tracks(draft):
            born = self.first is None or track.begin > self.first
            parent = track.parent_confirmed or (born and intervals[0][0] == track.begin)
            confirmed = union(track.confirmed, intervals)
            draft.put(replace(track, confirmed=confirmed, parent_confirmed=parent))


@dataclass(frozen=True, eq=False)
class Unconfirm(_Range):
    """Take back that a cell, a track or all cells of some frames are confirmed.

    Parameters
    ----------
    label
        The track; all when None.
    first, last
        Frames, both included; None is the first and the last of the movie.
    """

    kind: ClassVar[str] = "unconfirm"

    def make(self, draft: Draft) -> None:
        """Unlock them."""
        for track, intervals in self._tracks(draft):
            confirmed = difference(track.confirmed, intervals)
            parent = track.parent_confirmed and intervals[0][0] != track.begin
            draft.put(replace(track, confirmed=confirmed, parent_confirmed=parent))
