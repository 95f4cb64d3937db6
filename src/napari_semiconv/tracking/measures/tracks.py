"""CT, TF, BC(i) and CCA: the biologically inspired measures on whole tracks.

V. Ulman et al., "An objective comparison of cell-tracking algorithms", Nature Methods
14 (2017), doi 10.1038/nmeth.4473.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from .matching import FrameMatch, Table

# Found label of each frame of a true track: None where the track has no pixels, 0 where
# it is missed or lies under a cell that covers others too.
Course = list[int | None]


def complete_tracks(
    matches: Sequence[FrameMatch], result: Table, truth: Table
) -> float | None:
    """Score how many tracks are right from the first frame to the last (CT).

    Parameters
    ----------
    matches
        Cells of each frame, matched.
    result
        Tracks found, (N, 4): label, first frame, last frame, parent.
    truth
        True tracks, (M, 4).

    Returns
    -------
    float or None
        F1 score of the tracks; None when there are none at all.
    """
    if not len(result) + len(truth):
        return None
    found, wanted = _spans(result), _spans(truth)
    complete = 0
    for label, course in _courses(matches).items():
        seen = {other for other in course if other is not None}
        other = seen.pop()
        complete += not seen and other > 0 and found[other] == wanted[label]
    return 2 * complete / (len(result) + len(truth))


def track_fractions(matches: Sequence[FrameMatch], truth: Table) -> float | None:
    """Score the longest stretch in which each track is followed by one label (TF).

    Parameters
    ----------
    matches
        Cells of each frame, matched.
    truth
        True tracks, (M, 4): label, first frame, last frame, parent.

    Returns
    -------
    float or None
        Mean over the tracks found at all, 0 when none is; None without true tracks.
    """
    if not len(truth):
        return None
    spans = _spans(truth)
    followed: dict[int, dict[int, float]] = {}
    for label, course in sorted(_courses(matches).items()):
        begin, end = spans[label]
        for found, length in _longest_runs(course[begin : end + 1]).items():
            followed.setdefault(found, {})[label] = length / (end - begin + 1)
    best = _best_fractions(followed)
    return float(np.mean(list(best.values()))) if best else 0.0


def _best_fractions(followed: Mapping[int, Mapping[int, float]]) -> dict[int, float]:
    best: dict[int, float] = {}
    for _, fractions in sorted(followed.items()):
        for label, fraction in sorted(fractions.items()):
            if best.get(label) == 1:
                continue
            best[label] = max(best.get(label, 0.0), fraction)
            # The challenge's own program leaves a found track at the first true track
            # that it follows fully; scores are to be comparable with it.
            if fraction == 1:
                break
    return best


def branching_counts(
    matches: Sequence[FrameMatch], result: Table, truth: Table, tolerance: int
) -> tuple[int, int, int]:
    """Count divisions found right, wrongly found and missed, for BC(i).

    Parameters
    ----------
    matches
        Cells of each frame, matched.
    result
        Tracks found, (N, 4): label, first frame, last frame, parent.
    truth
        True tracks, (M, 4).
    tolerance
        How far the end of the parent and the begin of the daughters may be off, in
        frames (the i of BC(i)).
    """
    wanted, found = _divisions(truth), _divisions(result)
    true_spans, found_spans = _spans(truth), _spans(result)
    right = 0
    for mother, daughters in wanted.items():
        for other, others in found.items():
            last = true_spans[mother][1], found_spans[other][1]
            right += (
                len(daughters) == len(others)
                and abs(last[0] - last[1]) <= tolerance
                and matches[min(last)].sole.get(mother) == other
                and _all_daughters_found(
                    matches,
                    {label: true_spans[label][0] for label in daughters},
                    {label: found_spans[label][0] for label in others},
                    tolerance,
                )
            )
    return right, len(found) - right, len(wanted) - right


def branching_correctness(counts: tuple[int, int, int]) -> float | None:
    """Score divisions (BC): F1 of right, wrong and missed; None without true ones."""
    right, wrong, missed = counts
    if not right + missed:
        return None
    return 2 * right / (2 * right + wrong + missed)


def cell_cycle_accuracy(result: Table, truth: Table) -> float | None:
    """Compare the lengths of the cell cycles from division to division (CCA).

    Parameters
    ----------
    result
        Tracks found, (N, 4): label, first frame, last frame, parent.
    truth
        True tracks, (M, 4).

    Returns
    -------
    float or None
        1 minus the largest gap between the two distributions of lengths; None when the
        truth has no track that begins and ends with a division.
    """
    wanted, found = _cycles(truth), _cycles(result)
    if not len(wanted):
        return None
    if not len(found):
        return 0.0
    lengths = np.union1d(wanted, found)
    gap = _distribution(wanted, lengths) - _distribution(found, lengths)
    return float(1 - np.abs(gap).max())


def _distribution(
    values: NDArray[np.int64], points: NDArray[np.int64]
) -> NDArray[np.float64]:
    below = np.searchsorted(np.sort(values), points, side="right")
    return np.asarray(below / len(values), np.float64)


def _cycles(table: Table) -> NDArray[np.int64]:
    """Lengths of the tracks between two divisions, in frames."""
    mothers = list(_divisions(table))
    whole = np.isin(table[:, 0], mothers) & np.isin(table[:, 3], mothers)
    return np.asarray(table[whole, 2] - table[whole, 1], np.int64)


def _all_daughters_found(
    matches: Sequence[FrameMatch],
    births: Mapping[int, int],
    found_births: Mapping[int, int],
    tolerance: int,
) -> bool:
    seen = set()
    for label, birth in births.items():
        for other, other_birth in found_births.items():
            late = matches[max(birth, other_birth)]
            if abs(birth - other_birth) <= tolerance and late.sole.get(label) == other:
                seen.add(other)
                break
    return len(seen) == len(births)


def _spans(table: Table) -> dict[int, tuple[int, int]]:
    return {label: (begin, end) for label, begin, end, _ in table.tolist()}


def _divisions(table: Table) -> dict[int, list[int]]:
    """Daughters of each parent that has two or more."""
    daughters: dict[int, list[int]] = {}
    for label, _, _, parent in table.tolist():
        if parent:
            daughters.setdefault(parent, []).append(label)
    return {mother: born for mother, born in daughters.items() if len(born) > 1}


def _courses(matches: Sequence[FrameMatch]) -> dict[int, Course]:
    """Follow every true track through all frames."""
    courses: dict[int, Course] = {}
    for frame, match in enumerate(matches):
        for label in match.truth:
            course = courses.setdefault(label, [None] * len(matches))
            course[frame] = match.sole.get(label, 0)
    return courses


def _longest_runs(course: Course) -> dict[int, int]:
    """Longest unbroken stretch of each found label, in frames."""
    longest: dict[int, int] = {}
    for found, run in groupby(course):
        if found:
            longest[found] = max(longest.get(found, 0), len(list(run)))
    return longest
