"""What an edit does, as a value: pixels, names and tracks before and after."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tracking.lineage import Track

Labels = NDArray[np.int32]
Numbers = NDArray[np.int32]
# Frame, y and x of a place that the user marked as empty.
Absence = tuple[int, int, int]
TrackPair = tuple[Track | None, Track | None]


def no_names() -> NDArray[np.int64]:
    """Rows of no change of names, (0, 4)."""
    return np.zeros((0, 4), np.int64)


@dataclass(frozen=True, eq=False)
class Patch:
    """Pixels of a box of one frame, before and after.

    Parameters
    ----------
    frame
        Index of the frame.
    y, x
        First row and column of the box.
    before, after
        Stored numbers, (height, width), int32.
    """

    frame: int
    y: int
    x: int
    before: Numbers
    after: Numbers

    def __eq__(self, other: object) -> bool:
        """Tell whether both do the same."""
        if not isinstance(other, Patch):
            return NotImplemented
        return (self.frame, self.y, self.x) == (other.frame, other.y, other.x) and all(
            np.array_equal(*pair)
            for pair in ((self.before, other.before), (self.after, other.after))
        )

    def inverse(self) -> "Patch":
        """Exchange before and after."""
        return Patch(self.frame, self.y, self.x, self.after, self.before)


@dataclass(frozen=True, eq=False)
class Change:
    """All that one edit changes; its inverse restores every bit.

    Parameters
    ----------
    patches
        Pixels.
    names
        Rows of frame, stored number, label before, label after, (N, 4), int64: which
        label the pixels of a stored number show. A negative label shows nothing: a cell
        that the user took away.
    tracks
        Tracks before and after, None for one that is not there.
    added, removed
        Places that the user marked as empty.
    numbers
        The next unused number, before and after.
    """

    patches: tuple[Patch, ...] = ()
    names: NDArray[np.int64] = field(default_factory=no_names)
    tracks: tuple[TrackPair, ...] = ()
    added: frozenset[Absence] = frozenset()
    removed: frozenset[Absence] = frozenset()
    numbers: tuple[int, int] = (1, 1)

    def __eq__(self, other: object) -> bool:
        """Tell whether both do the same."""
        if not isinstance(other, Change):
            return NotImplemented
        return self._values() == other._values() and np.array_equal(
            self.names, other.names
        )

    def _values(self) -> tuple[Any, ...]:
        return self.patches, self.tracks, self.added, self.removed, self.numbers

    def __bool__(self) -> bool:
        """Tell whether it changes anything."""
        return bool(
            self.patches or len(self.names) or self.tracks or self.added or self.removed
        )

    def without_pixels(self) -> "Change":
        """Give what tells frames and tracks, without the pixels, which may be many."""
        none = np.zeros((0, 0), np.int32)
        bare = (Patch(p.frame, p.y, p.x, none, none) for p in self.patches)
        return replace(self, patches=tuple(bare))

    def inverse(self) -> "Change":
        """Give the change that takes this one back."""
        return Change(
            tuple(patch.inverse() for patch in reversed(self.patches)),
            self.names[:, [0, 1, 3, 2]],
            tuple((after, before) for before, after in self.tracks),
            self.removed,
            self.added,
            (self.numbers[1], self.numbers[0]),
        )

    @property
    def labels(self) -> set[int]:
        """Tracks that became different, came or went, by label."""
        found = (a if b is None else b for a, b in self.tracks)
        return {track.label for track in found if track is not None}

    @property
    def frames(self) -> set[int]:
        """Frames in which pixels look different."""
        return {p.frame for p in self.patches} | set(self.names[:, 0].tolist())


@dataclass(frozen=True)
class Touched:
    """What an edit, an undo or a redo made different.

    Parameters
    ----------
    frames
        Frames whose masks or labels changed.
    labels
        Tracks that changed, came or went.
    """

    frames: frozenset[int]
    labels: frozenset[int]

    @classmethod
    def by(cls, changes: Iterable[Change]) -> "Touched":
        """Gather what changes made different."""
        known = list(changes)
        return cls(
            frozenset().union(*(change.frames for change in known)),
            frozenset().union(*(change.labels for change in known)),
        )
