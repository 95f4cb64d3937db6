"""Sets of frames as intervals: pairs of first and last frame, both included."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Interval = tuple[int, int]
Intervals = tuple[Interval, ...]

_END = float("inf")


def intervals_of(frames: Iterable[int]) -> Intervals:
    """Gather frames, in any order, into intervals."""
    return joined((t, t) for t in frames)


def joined(intervals: Iterable[Interval]) -> Intervals:
    """Bring intervals into order; those that overlap or touch become one."""
    found: list[Interval] = []
    for first, last in sorted(intervals):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return tuple(found)


def frames_in(intervals: Intervals) -> Iterator[int]:
    """Go through all frames, ascending."""
    for first, last in intervals:
        yield from range(first, last + 1)


def count_frames(intervals: Intervals) -> int:
    """Count the frames."""
    return sum(last - first + 1 for first, last in intervals)


def holds(intervals: Intervals, frame: int) -> bool:
    """Tell whether a frame is among them."""
    place = bisect_right(intervals, (frame, _END)) - 1
    return place >= 0 and intervals[place][1] >= frame


def union(one: Intervals, other: Intervals) -> Intervals:
    """Frames that are in one or the other."""
    return joined((*one, *other)) if one and other else one or other


def intersection(one: Intervals, other: Intervals) -> Intervals:
    """Frames that are in both."""
    found: list[Interval] = []
    if not one or not other:
        return ()
    i, j = 0, 0
    while i < len(one) and j < len(other):
        (a, b), (c, d) = one[i], other[j]
        if a <= d and c <= b:
            found.append((a if a > c else c, b if b < d else d))
        if b < d:
            i += 1
        else:
            j += 1
    return tuple(found)


def difference(one: Intervals, other: Intervals) -> Intervals:
    """Frames that are in the first alone."""
    if not one or not other:
        return one
    found, place = [], 0
    for first, last in one:
        while place < len(other) and other[place][1] < first:
            place += 1
        for begin, end in other[place:]:
            if begin > last:
                break
            if begin > first:
                found.append((first, begin - 1))
            first = end + 1
        if first <= last:
            found.append((first, last))
    return tuple(found)


def until(intervals: Intervals, frame: int) -> Intervals:
    """Frames before ``frame``."""
    return tuple((a, min(b, frame - 1)) for a, b in intervals if a < frame)


def since(intervals: Intervals, frame: int) -> Intervals:
    """Frames from ``frame`` on, itself included."""
    return tuple((max(a, frame), b) for a, b in intervals if b >= frame)
