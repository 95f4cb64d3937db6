"""Lineage: which cells are one track through time, and whose daughters they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .intervals import (
    Interval,
    Intervals,
    difference,
    frames_in,
    holds,
    intersection,
    intervals_of,
    since,
    union,
    until,
)

# A frame's cells are looked up among the tracks that live in its block of frames.
BLOCK = 64
_NAN = np.float32(np.nan).tobytes()


@dataclass(frozen=True, slots=True)
class Track:
    """One cell through time, between birth and division, end or loss.

    Parameters
    ----------
    label
        Number painted in the masks, from 1.
    intervals
        First and last frame of each stretch in which the cell has pixels; between two
        intervals is a gap.
    parent
        Label of the track it was born from, or 0.
    confirmed
        Frames in which the user confirmed the cell, as intervals. Between two confirmed
        cells that follow one another the link is confirmed too.
    parent_confirmed
        Whether the user confirmed the parent, or that there is none.
    scores
        float32 values of each frame from the first to the last, gaps included, one row
        of ``Lineage.score_names`` a frame; empty when there are none.
    """

    label: int
    intervals: Intervals
    parent: int = 0
    confirmed: Intervals = ()
    parent_confirmed: bool = False
    scores: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, label: int, frames: Iterable[int], parent: int = 0) -> "Track":
        """Make a track of the frames it has, in any order."""
        return cls(label, intervals_of(frames), parent)

    @property
    def begin(self) -> int:
        """First frame."""
        return self.intervals[0][0]

    @property
    def end(self) -> int:
        """Last frame."""
        return self.intervals[-1][1]

    @property
    def frames(self) -> list[int]:
        """Frames in which the cell has pixels, ascending; a missing number is a gap."""
        return list(frames_in(self.intervals))

    @property
    def gaps(self) -> Intervals:
        """Frames between first and last in which it has no pixels, as intervals."""
        ends = zip(self.intervals, self.intervals[1:], strict=False)
        return tuple((before[1] + 1, after[0] - 1) for before, after in ends)

    def has(self, frame: int) -> bool:
        """Tell whether the cell has pixels in a frame."""
        return holds(self.intervals, frame)

    def is_confirmed(self, frame: int) -> bool:
        """Tell whether the user confirmed the cell in a frame."""
        return holds(self.confirmed, frame)

    def onward(self, frame: int) -> "Track | None":
        """Part from a frame on; None when there is none."""
        return self.reshaped(since(self.intervals, frame))

    def reshaped(self, intervals: Intervals) -> "Track | None":
        """Give it other frames; confirmations and scores of lost ones go."""
        if not intervals:
            return None
        if intervals == self.intervals:
            return self
        confirmed = intersection(self.confirmed, intervals) if self.confirmed else ()
        scores = self._scores_of(intervals) if self.scores else b""
        # Not `replace`, which takes three times as long, for a frame of 1,000 cells.
        return Track(
            self.label, intervals, self.parent, confirmed, self.parent_confirmed, scores
        )

    def moved(self, frames: int, keep_parent: bool = True) -> "Track":
        """Shift it by frames, with its parent or without."""
        intervals, confirmed = (
            tuple((first + frames, last + frames) for first, last in some)
            for some in (self.intervals, self.confirmed)
        )
        parent = self.parent if keep_parent else 0
        sure = self.parent_confirmed and keep_parent
        return Track(self.label, intervals, parent, confirmed, sure, self.scores)

    def merged(self, other: "Track") -> "Track":
        """Take over the cells of another track, which lie in other frames."""
        intervals = union(self.intervals, other.intervals)
        begin, end = intervals[0][0], intervals[-1][1]
        mine, theirs = (t._scores_over(begin, end) for t in (self, other))
        for first, last in other.intervals if mine and theirs else ():
            head, tail = (first - begin) * self._row, (last + 1 - begin) * self._row
            mine = mine[:head] + theirs[head:tail] + mine[tail:]
        confirmed = union(self.confirmed, other.confirmed)
        return replace(
            self, intervals=intervals, confirmed=confirmed, scores=mine or theirs
        )

    def unscored(self, frame: int) -> "Track":
        """Forget the scores of a frame."""
        if not self.scores or not self.begin <= frame <= self.end:
            return self
        row, place = self._row, frame - self.begin
        head, tail = self.scores[: place * row], self.scores[(place + 1) * row :]
        return replace(self, scores=head + _NAN * (row // 4) + tail)

    @property
    def _row(self) -> int:
        return len(self.scores) // (self.end - self.begin + 1)

    def _scores_of(self, intervals: Intervals) -> bytes:
        """Scores of other frames, without those of frames that became gaps."""
        begin, end = intervals[0][0], intervals[-1][1]
        scores, row = self._scores_over(begin, end), self._row
        if len(intervals) == 1:
            return scores
        for first, last in until(
            since(difference(self.intervals, intervals), begin), end
        ):
            head, tail = (first - begin) * row, (last + 1 - begin) * row
            scores = scores[:head] + _NAN * ((tail - head) // 4) + scores[tail:]
        return scores

    def _scores_over(self, begin: int, end: int) -> bytes:
        """Scores of other frames, NaN where there are none."""
        row = self._row
        nothing = _NAN * (row // 4)
        head, tail = nothing * (self.begin - begin), nothing * (end - self.end)
        first, last = max(begin - self.begin, 0), max(end - self.begin + 1, 0)
        if end < self.begin or begin > self.end:
            return nothing * (end - begin + 1)
        return head + self.scores[first * row : last * row] + tail


class Lineage:
    """All tracks of a movie and their parents.

    Parameters
    ----------
    tracks
        The tracks to begin with, by label.
    score_names
        What the scores of the tracks mean, in the order of their rows.
    """

    def __init__(
        self,
        tracks: Mapping[int, Track] | Iterable[Track] = (),
        score_names: tuple[str, ...] = (),
    ) -> None:
        values = tracks.values() if isinstance(tracks, Mapping) else tracks
        self._tracks = {track.label: track for track in values}
        self._index: _Index | None = None
        self.score_names = score_names

    @property
    def tracks(self) -> Mapping[int, Track]:
        """Tracks by label, in no order; changed by `put` and `drop` alone."""
        return self._tracks

    def __eq__(self, other: object) -> bool:
        """Tell whether both have the same tracks."""
        if not isinstance(other, Lineage):
            return NotImplemented
        return (self._tracks, self.score_names) == (other._tracks, other.score_names)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Say how many tracks there are."""
        return f"<Lineage of {len(self._tracks)} tracks>"

    def put(self, track: Track) -> None:
        """Add a track, or replace the one of its label."""
        before = self._tracks.get(track.label)
        index, self._index = self._index, None
        self._tracks[track.label] = track
        self._keep(index, before, track)

    def drop(self, label: int) -> None:
        """Take a track away.

        Raises
        ------
        KeyError
            When there is none.
        """
        index, self._index = self._index, None
        before = self._tracks.pop(label)
        self._keep(index, before, None)

    def observe(self, frame: int, label: int, parent: int = 0) -> None:
        """Record that the cell ``label`` has pixels in ``frame``, the last so far."""
        track = self._tracks.get(label)
        if track is None:
            self.put(Track(label, ((frame, frame),), parent))
            return
        *earlier, (first, last) = track.intervals
        more: list[Interval] = [(first, last), (frame, frame)]
        if frame == last + 1:
            more = [(first, frame)]
        self.put(replace(track, intervals=(*earlier, *more)))

    def cells(self, frame: int) -> list[int]:
        """Labels of the cells of a frame, ascending."""
        living = self._indexed().blocks.get(frame // BLOCK, ())
        return sorted(label for label in living if self._tracks[label].has(frame))

    def living(self, first: int, last: int) -> set[int]:
        """Labels of the tracks that may have cells in some frames, both included."""
        blocks = range(first // BLOCK, last // BLOCK + 1)
        known = self._indexed().blocks
        if len(blocks) >= len(known):
            return set(self._tracks)
        return set().union(*(known.get(block, ()) for block in blocks))

    def daughters_of(self, label: int) -> list[int]:
        """Labels of the daughters of a track, ascending."""
        found = self._indexed().daughters.get(label)
        return sorted(found) if found else []

    def daughters(self) -> dict[int, list[int]]:
        """Labels of the daughters of each parent, ascending."""
        found: dict[int, list[int]] = {}
        for label, track in sorted(self._tracks.items()):
            if track.parent:
                found.setdefault(track.parent, []).append(label)
        return found

    def table(self) -> NDArray[np.int64]:
        """Rows of label, first frame, last frame, parent, (N, 4), by label."""
        rows = [
            (t.label, t.begin, t.end, t.parent) for _, t in sorted(self._tracks.items())
        ]
        return np.array(rows, np.int64).reshape(-1, 4)

    def scores(self, label: int) -> NDArray[np.float32]:
        """Scores of a track, (frames from first to last, score names); NaN is none."""
        values = np.frombuffer(self._tracks[label].scores, np.float32)
        return values.reshape(-1, len(self.score_names)) if len(values) else _NONE

    def _indexed(self) -> "_Index":
        if self._index is None:
            index = _Index()
            for track in self._tracks.values():
                index.replace(None, track)
            self._index = index
        return self._index

    def _keep(
        self, index: "_Index | None", before: Track | None, after: Track | None
    ) -> None:
        """Keep the index up to date; what interrupts leaves none, not a wrong one."""
        if index is not None:
            index.replace(before, after)
            self._index = index


_NONE = np.zeros((0, 0), np.float32)


class _Index:
    """Which tracks live in each block of frames, and who has which daughters."""

    def __init__(self) -> None:
        self.blocks: dict[int, set[int]] = {}
        self.daughters: dict[int, set[int]] = {}

    def replace(self, before: Track | None, after: Track | None) -> None:
        """Note that a track has come, gone or changed."""
        old, new = _blocks(before), _blocks(after)
        for track, blocks in ((before, old), (after, new)):
            for block in set(blocks).difference(new if track is before else old):
                self._mark(self.blocks, block, track, there=track is after)
        if before is None or after is None or before.parent != after.parent:
            for track in (before, after):
                if track is not None and track.parent:
                    there = track is after
                    self._mark(self.daughters, track.parent, track, there=there)

    @staticmethod
    def _mark(
        places: dict[int, set[int]], key: int, track: Track | None, *, there: bool
    ) -> None:
        if track is None:
            return
        if there:
            places.setdefault(key, set()).add(track.label)
        else:
            places[key].discard(track.label)


def _blocks(track: Track | None) -> range:
    if track is None:
        return range(0)
    return range(track.begin // BLOCK, track.end // BLOCK + 1)
