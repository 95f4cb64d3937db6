"""What always holds of a lineage, in one place.

1. Every track has frames, inside the movie, as ordered intervals that do not touch.
2. Labels are whole numbers from 1 to 2**31 - 1.
3. A parent exists and ends before its daughter begins.
4. Only frames with pixels are confirmed.
5. Scores, where there are any, have a row of values for each frame from first to last.
6. A track has exactly the frames in which its label has pixels, and each pixel belongs
   to a track (`faults_of_frame`).
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..labels import LARGEST_LABEL
from .intervals import Intervals, difference
from .lineage import Lineage, Track

Find = Callable[[int], Track | None]


def faults_of_track(
    track: Track, find: Find, frames: int, score_count: int = 0
) -> Iterator[str]:
    """Go through all that is wrong with one track.

    Parameters
    ----------
    track
        The track.
    find
        Gives another track by its label, or None.
    frames
        Number of frames of the movie.
    score_count
        Number of scores of each frame.
    """
    name = f"Cell {track.label}"
    if not 1 <= track.label <= LARGEST_LABEL:
        yield f"{name}: labels go from 1 to {LARGEST_LABEL}."
    if (
        not track.intervals
        or not in_order(track.intervals)
        or not in_order(track.confirmed)
    ):
        yield f"{name}: its frames are out of order."
        return
    if track.begin < 0 or track.end >= frames:
        yield f"{name}: it has frames outside of 0 to {frames - 1}."
    if track.confirmed and difference(track.confirmed, track.intervals):
        yield f"{name}: frames are confirmed in which it has no pixels."
    rows = track.end - track.begin + 1
    if track.scores and len(track.scores) != 4 * score_count * rows:
        yield f"{name}: its scores do not fit its frames."
    yield from _faults_of_parent(track, find)


def in_order(intervals: Intervals) -> bool:
    """Tell whether intervals ascend and do not touch."""
    if len(intervals) == 1:
        return intervals[0][0] <= intervals[0][1]
    return all(a <= b for a, b in intervals) and all(
        one[1] + 1 < other[0] for one, other in pairwise(intervals)
    )


def _faults_of_parent(track: Track, find: Find) -> Iterator[str]:
    if not track.parent:
        return
    parent = find(track.parent)
    if parent is None:
        yield f"Cell {track.label}: its parent {track.parent} does not exist."
    elif parent.end >= track.begin:
        yield (
            f"Cell {track.label} begins in frame {track.begin}, but its parent "
            f"{parent.label} has pixels until frame {parent.end}."
        )


def faults_of_lineage(lineage: Lineage, frames: int) -> Iterator[str]:
    """Go through all that is wrong with the tracks of a movie of ``frames`` frames."""
    count = len(lineage.score_names)
    for _, track in sorted(lineage.tracks.items()):
        yield from faults_of_track(track, lineage.tracks.get, frames, count)


def faults_of_frame(
    lineage: Lineage, frame: int, labels: NDArray[np.integer[Any]]
) -> Iterator[str]:
    """Go through all labels, (Y, X), of a frame that do not agree with the tracks."""
    painted = set(np.unique(labels[labels > 0]).tolist())
    known = set(lineage.cells(frame))
    for label in sorted(painted - known):
        yield f"Frame {frame}: label {label} has pixels, but its track is not there."
    for label in sorted(known - painted):
        yield f"Frame {frame}: cell {label} should be there, but has no pixels."
