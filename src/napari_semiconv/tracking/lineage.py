"""Lineage: which cells are one track through time, and whose daughters they are."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass
class Track:
    """One cell through time, between birth and division, end or loss.

    Parameters
    ----------
    label
        Number painted in the masks, from 1.
    frames
        Frames in which the cell has pixels, ascending; a missing number is a gap.
    parent
        Label of the track it was born from, or 0.
    """

    label: int
    frames: list[int]
    parent: int = 0

    @property
    def begin(self) -> int:
        """First frame."""
        return self.frames[0]

    @property
    def end(self) -> int:
        """Last frame."""
        return self.frames[-1]


@dataclass
class Lineage:
    """All tracks of a movie and their parents."""

    tracks: dict[int, Track] = field(default_factory=dict)

    def observe(self, frame: int, label: int, parent: int = 0) -> None:
        """Record that the cell ``label`` has pixels in ``frame``."""
        track = self.tracks.get(label)
        if track is None:
            self.tracks[label] = Track(label, [frame], parent)
        else:
            track.frames.append(frame)

    def daughters(self) -> dict[int, list[int]]:
        """Labels of the daughters of each parent, ascending."""
        found: dict[int, list[int]] = {}
        for label, track in sorted(self.tracks.items()):
            if track.parent:
                found.setdefault(track.parent, []).append(label)
        return found

    def table(self) -> NDArray[np.int64]:
        """Rows of label, first frame, last frame, parent, (N, 4), by label."""
        rows = [
            (t.label, t.begin, t.end, t.parent) for _, t in sorted(self.tracks.items())
        ]
        return np.array(rows, np.int64).reshape(-1, 4)
