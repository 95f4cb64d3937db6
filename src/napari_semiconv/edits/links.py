"""Edits of tracks: move, link, unlink, swap, relabel. No pixel is written.

The two cells on both sides of a link that the user made are confirmed, and with them
the link.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..errors import EditError
from ..tracking.invariants import LARGEST_LABEL
from ..tracking.lineage import Track
from ..tracking.runs import Runs, difference, frames_in, intersection, since
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
    give(draft, label, new, since(track.runs, frame))
    return new


def give(draft: Draft, source: int, target: int, runs: Runs) -> None:
    """Let another track have the cells of some frames, in which it has none itself.

    Daughters go along when the last cell does.
    """
    track = draft.track(source)
    part = track.reshaped(runs)
    assert part is not None
    families = draft.daughters(source) if runs[-1][1] == track.end else []
    part = replace(part, label=target, parent=0, parent_confirmed=False)
    there = draft.find(target)
    for daughter in families:
        draft.set_parent(daughter, 0)
    draft.rename(frames_in(runs), {source: target})
    draft.reshape(source, difference(track.runs, runs))
    draft.put(part if there is None else there.merged(part))
    for daughter in families:
        draft.set_parent(daughter, target)


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
        runs = since(track.runs, self.frame)
        if not self.onward:
            runs = ((self.frame, self.frame),)
        if self.target is None:
            give(draft, self.label, draft.new_label(), runs)
            return
        target = draft.track(self.target)
        _other(self.label, self.target)
        common = intersection(target.runs, runs)
        if common:
            raise EditError(
                f"Cell {self.target} is in frame {common[0][0]} already: expected a "
                f"track without cells where {self.label} is moved to. Swap the two, or "
                f"merge their masks."
            )
        give(draft, self.label, self.target, runs)
        draft.confirm(self.target, ((self.frame, self.frame),))


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
        give(draft, self.after, self.before, since(later.runs, self.frame_after))
        ends = ((t, t) for t in (self.frame_before, self.frame_after))
        for end in ends:
            draft.confirm(self.before, (end,))


@dataclass(frozen=True, eq=False)
class Unlink(Edit):
    """Part a track in two.

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
        parts = [since(track.runs, self.frame) for track in pair]
        if not any(parts):
            raise EditError(
                f"Cells {self.one} and {self.other} end before frame {self.frame}: "
                f"expected a frame in which one of them is. Choose an earlier frame."
            )
        spare = draft.new_label()
        for source, target, runs in (
            (self.one, spare, parts[0]),
            (self.other, self.one, parts[1]),
            (spare, self.other, parts[0]),
        ):
            if runs:
                self._give(draft, source, target, runs)
        for label in (self.one, self.other):
            track = draft.find(label)
            if track is not None and track.has(self.frame):
                draft.confirm(label, ((self.frame, self.frame),))

    def _give(self, draft: Draft, source: int, target: int, runs: Runs) -> None:
        # A track that begins later is exchanged whole, and its parent goes along.
        whole = draft.track(source)
        give(draft, source, target, runs)
        if runs == whole.runs and draft.track(target).begin == whole.begin:
            known = draft.track(target)
            parent = 0 if whole.parent == target else whole.parent
            confirmed = whole.parent_confirmed and parent == whole.parent
            draft.put(replace(known, parent=parent, parent_confirmed=confirmed))


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
        give(draft, self.label, self.to, track.runs)
        draft.put(_named(track, self.to))


def _named(track: Track, label: int) -> Track:
    return replace(track, label=label)


def _other(one: int, other: int) -> None:
    if one == other:
        raise EditError(
            f"Expected two different tracks, found {one} twice. Choose another one."
        )
