"""Sets of frames as runs: pairs of first and last frame, both included, ascending."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Run = tuple[int, int]
Runs = tuple[Run, ...]

_END = float("inf")


def runs_of(frames: Iterable[int]) -> Runs:
    """Gather frames, in any order, into runs."""
    return joined((t, t) for t in frames)


def joined(runs: Iterable[Run]) -> Runs:
    """Bring runs into order; those that overlap or touch become one."""
    found: list[Run] = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return tuple(found)


def frames_in(runs: Runs) -> Iterator[int]:
    """Go through all frames, ascending."""
    for first, last in runs:
        yield from range(first, last + 1)


def count_frames(runs: Runs) -> int:
    """Count the frames."""
    return sum(last - first + 1 for first, last in runs)


def holds(runs: Runs, frame: int) -> bool:
    """Tell whether a frame is among them."""
    place = bisect_right(runs, (frame, _END)) - 1
    return place >= 0 and runs[place][1] >= frame


def union(one: Runs, other: Runs) -> Runs:
    """Frames that are in one or the other."""
    return joined((*one, *other)) if one and other else one or other


def intersection(one: Runs, other: Runs) -> Runs:
    """Frames that are in both."""
    found: list[Run] = []
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


def difference(one: Runs, other: Runs) -> Runs:
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


def until(runs: Runs, frame: int) -> Runs:
    """Frames before ``frame``."""
    return tuple((a, min(b, frame - 1)) for a, b in runs if a < frame)


def since(runs: Runs, frame: int) -> Runs:
    """Frames from ``frame`` on, itself included."""
    return tuple((max(a, frame), b) for a, b in runs if b >= frame)
