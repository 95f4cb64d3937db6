"""Edits of tracks: move, link, unlink, swap, relabel. No pixel is written.

The two cells on both sides of a link that the user made are confirmed, and with them
the link.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..errors import EditError
from ..labels import LARGEST_LABEL
from ..tracking.intervals import (
    Intervals,
    difference,
    frames_in,
    intersection,
    intervals_of,
    since,
    until,
)
from ..tracking.lineage import Track
from .base import Edit
from .draft import Draft


def cut(draft: Draft, label: int, frame: int) -> int:
    """Give the part of a track from a frame on a new label; return that, or 0.

    The daughters stay with the later part; the earlier one keeps the parent.
    """
    track = draft.track(label)
    if frame <= track.begin:
        raise EditError(
            f"Cell {label} begins in frame {track.begin}: expected a later frame to "
            f"part it at, found {frame}. Choose a frame after its first."
        )
    if frame > track.end:
        return 0
    new = draft.new_label()
    give(draft, label, new, since(track.intervals, frame))
    return new


def give(draft: Draft, source: int, target: int, intervals: Intervals) -> None:
    """Let another track have the cells of some frames, in which it has none itself.

    Daughters go along when the last cell does, and the parent when all cells do.
    """
    track = draft.track(source)
    part = track.reshaped(intervals)
    assert part is not None
    part = replace(part, label=target)
    if intervals != track.intervals:
        part = replace(part, parent=0, parent_confirmed=False)
    family = _family(draft, track, target, intervals)
    for daughter in family:
        draft.set_parent(daughter.label, 0)
    draft.rename(frames_in(intervals), {source: target})
    draft.reshape(source, difference(track.intervals, intervals))
    there = draft.find(target)
    draft.put(part if there is None else _merged(there, part))
    for daughter in family:
        sure = daughter.parent_confirmed
        draft.set_parent(daughter.label, target, confirmed=sure)


def _family(
    draft: Draft, track: Track, target: int, intervals: Intervals
) -> list[Track]:
    """Daughters that go along."""
    there = draft.find(target)
    if intervals[-1][1] < track.end or (there is not None and there.end > track.end):
        return []
    daughters = draft.daughters(track.label)
    # A daughter that gets cells of her mother begins earlier; she is no other's.
    return [] if target in daughters else [draft.track(d) for d in daughters]


def _merged(there: Track, part: Track) -> Track:
    merged = there.merged(part)
    if part.begin < there.begin and not there.parent:
        sure = part.parent_confirmed
        return replace(merged, parent=part.parent, parent_confirmed=sure)
    return merged


def confirm_link(draft: Draft, label: int, frame: int) -> None:
    """Confirm the first cell of a track from a frame on, and the last before it."""
    track = draft.find(label)
    if track is None:
        return
    later = since(track.intervals, frame)
    if later:
        earlier = until(track.intervals, frame)
        ends = [t for interval in earlier[-1:] for t in interval[1:]] + [later[0][0]]
        draft.confirm(label, intervals_of(ends))


def confirm_end(draft: Draft, label: int) -> None:
    """Confirm the last cell of a track."""
    last = draft.track(label).end
    draft.confirm(label, ((last, last),))


@dataclass(frozen=True, eq=False)
class Move(Edit):
    """Move a cell, or all from a frame on, to another track.

    Parameters
    ----------
    label
        Track that the cell is in.
    frame
        Index of the frame.
    target
        Track to move to; a new one when None.
    onward
        Move all later cells of the track as well.
    """

    kind: ClassVar[str] = "move to track"
    label: int
    frame: int
    target: int | None = None
    onward: bool = True

    def make(self, draft: Draft) -> None:
        """Give the cells the label of the other track."""
        track = draft.cell(self.label, self.frame)
        intervals = since(track.intervals, self.frame)
        if not self.onward:
            intervals = ((self.frame, self.frame),)
        if self.target is None:
            give(draft, self.label, draft.new_label(), intervals)
            return
        target = draft.track(self.target)
        _other(self.label, self.target)
        common = intersection(target.intervals, intervals)
        if common:
            raise EditError(
                f"Cell {self.target} is in frame {common[0][0]} already: expected a "
                f"track without cells where {self.label} is moved to. Swap the two, or "
                f"merge their masks."
            )
        give(draft, self.label, self.target, intervals)
        confirm_link(draft, self.target, self.frame)
        if not self.onward:
            confirm_link(draft, self.target, self.frame + 1)


@dataclass(frozen=True, eq=False)
class Link(Edit):
    """Say that two cells of different frames are the same cell.

    Parameters
    ----------
    before, frame_before
        The earlier cell. If its track goes on, the rest of it gets a new label.
    after, frame_after
        The later cell. What its track was before stays as it is.
    """

    kind: ClassVar[str] = "link"
    before: int
    frame_before: int
    after: int
    frame_after: int

    def make(self, draft: Draft) -> None:
        """Make one track of both."""
        _other(self.before, self.after)
        earlier = draft.cell(self.before, self.frame_before)
        later = draft.cell(self.after, self.frame_after)
        if self.frame_before >= self.frame_after:
            raise EditError(
                f"Expected the later cell in a frame after {self.frame_before}, found "
                f"frame {self.frame_after}. Choose cells of different frames, the "
                f"earlier one first."
            )
        if earlier.end > self.frame_before:
            cut(draft, self.before, self.frame_before + 1)
        for daughter in draft.daughters(self.before):
            draft.set_parent(daughter, 0)
        give(draft, self.after, self.before, since(later.intervals, self.frame_after))
        confirm_link(draft, self.before, self.frame_after)


@dataclass(frozen=True, eq=False)
class Unlink(Edit):
    """Part a track in two. The cells on both sides are confirmed.

    Parameters
    ----------
    label
        The track.
    frame
        First frame of the later part, which gets a new label.
    """

    kind: ClassVar[str] = "unlink"
    label: int
    frame: int

    def make(self, draft: Draft) -> None:
        """Part it; the later part confirmedly has no parent."""
        new = cut(draft, self.label, self.frame)
        if not new:
            raise EditError(
                f"Cell {self.label} ends before frame {self.frame}: expected a frame "
                f"of it. Choose an earlier frame."
            )
        draft.put(replace(draft.track(new), parent_confirmed=True))
        confirm_link(draft, new, self.frame)
        confirm_end(draft, self.label)


@dataclass(frozen=True, eq=False)
class Swap(Edit):
    """Exchange two tracks from a frame on.

    Parameters
    ----------
    one, other
        The tracks.
    frame
        First frame in which they are exchanged.
    """

    kind: ClassVar[str] = "swap"
    one: int
    other: int
    frame: int

    def make(self, draft: Draft) -> None:
        """Exchange labels and daughters."""
        _other(self.one, self.other)
        pair = draft.track(self.one), draft.track(self.other)
        parts = [since(track.intervals, self.frame) for track in pair]
        if not any(parts):
            raise EditError(
                f"Cells {self.one} and {self.other} end before frame {self.frame}: "
                f"expected a frame in which one of them is. Choose an earlier frame."
            )
        spare = draft.new_label()
        for source, target, intervals in (
            (self.one, spare, parts[0]),
            (self.other, self.one, parts[1]),
            (spare, self.other, parts[0]),
        ):
            if intervals:
                give(draft, source, target, intervals)
        for label in (self.one, self.other):
            confirm_link(draft, label, self.frame)


@dataclass(frozen=True, eq=False)
class Relabel(Edit):
    """Give a track another label that no track has.

    Parameters
    ----------
    label
        The track.
    to
        Its label from now on.
    """

    kind: ClassVar[str] = "relabel"
    label: int
    to: int

    def make(self, draft: Draft) -> None:
        """Rename it in all frames."""
        track = draft.track(self.label)
        if not 1 <= self.to <= LARGEST_LABEL or draft.find(self.to) is not None:
            raise EditError(
                f"Label {self.to} cannot be given to cell {self.label}: expected a "
                f"label from 1 to {LARGEST_LABEL} that no track has. Choose another, "
                f"or move the cell to that track."
            )
        draft.reserve(self.to)
        give(draft, self.label, self.to, track.intervals)


def _other(one: int, other: int) -> None:
    if one == other:
        raise EditError(
            f"Expected two different tracks, found {one} twice. Choose another one."
        )
