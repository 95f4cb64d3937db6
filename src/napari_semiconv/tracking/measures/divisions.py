"""Precision and recall of divisions, tolerant of a frame or two and of closed gaps.

BC(i) asks that tracks end and begin where the true ones do and that all daughters match
in one given frame. Here a division is found when mother and two daughters are, near the
true time, whatever the tracks do elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from .matching import FrameMatch, Table

Frames = NDArray[np.int64]


@dataclass(frozen=True)
class DivisionCounts:
    """Divisions found, wrongly found and missed.

    Parameters
    ----------
    right
        Divisions of the result that are true.
    wrong
        Divisions of the result that are not.
    missed
        True divisions that the result lacks.
    """

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Share of the found divisions that are true; None when none is found."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float | None:
        """Share of the true divisions that are found; None when there is none."""
        return _share(self.right, self.right + self.missed)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None when neither has any division."""
        return _share(2 * self.right, 2 * self.right + self.wrong + self.missed)


@dataclass(frozen=True)
class _Division:
    mother: int
    daughters: tuple[int, ...]
    birth: int


@dataclass(frozen=True)
class _Family:
    """Cells of one side: tracks joined over gaps, their frames and divisions."""

    cell_of: Mapping[int, int]
    frames: Mapping[int, Frames]
    divisions: Sequence[_Division]


def count_divisions(
    matches: Sequence[FrameMatch], result: Table, truth: Table, tolerance: int = 1
) -> DivisionCounts:
    """Count the divisions found, wrongly found and missed.

    A parent with one child is the same cell after a gap, so both are joined first. A
    found division is a true one when

    - the first daughters of both are born at most ``tolerance`` frames apart,
    - in one of the last ``1 + tolerance`` frames in which both mothers are seen before
      these births, the found mother covers most of the true one and of no other cell,
    - two found daughters do so with two true ones, each in one of the first
      ``1 + tolerance`` frames in which both are seen after these births.

    Each division counts once; pairs are chosen so that as many as possible are right.

    Parameters
    ----------
    matches
        Cells of each frame, matched.
    result
        Tracks found, (N, 4): label, first frame, last frame, parent.
    truth
        True tracks, (M, 4).
    tolerance
        How far apart the births may be, in frames.
    """
    wanted = _family([match.truth for match in matches], truth)
    found = _family([match.result for match in matches], result)
    meetings = _meetings(matches, wanted, found)
    alike = np.zeros((len(wanted.divisions), len(found.divisions)), np.bool_)
    for i, true in enumerate(wanted.divisions):
        for j, other in enumerate(found.divisions):
            if abs(true.birth - other.birth) <= tolerance:
                alike[i, j] = _same(true, other, (wanted, found), meetings, tolerance)
    right = _most_pairs(alike)
    return DivisionCounts(right, alike.shape[1] - right, alike.shape[0] - right)


def _same(
    true: _Division,
    other: _Division,
    families: tuple[_Family, _Family],
    meetings: Mapping[tuple[int, int], set[int]],
    tolerance: int,
) -> bool:
    early, late = sorted((true.birth, other.birth))

    def meet(label: int, found: int, mothers: bool) -> bool:
        seen = np.intersect1d(families[0].frames[label], families[1].frames[found])
        before, after = seen[seen < early], seen[seen >= late]
        near = before[-1 - tolerance :] if mothers else after[: 1 + tolerance]
        return not meetings.get((label, found), set()).isdisjoint(near.tolist())

    if not meet(true.mother, other.mother, mothers=True):
        return False
    daughters = [[meet(a, b, False) for b in other.daughters] for a in true.daughters]
    return _most_pairs(np.array(daughters)) >= 2


def _most_pairs(alike: NDArray[np.bool_]) -> int:
    if not alike.size:
        return 0
    chosen = maximum_bipartite_matching(csr_array(alike), perm_type="column")
    return int((chosen >= 0).sum())


def _family(cells: Sequence[tuple[int, ...]], table: Table) -> _Family:
    daughters: dict[int, list[int]] = {}
    births: dict[int, int] = {}
    for label, begin, _, parent in sorted(table.tolist(), key=lambda row: row[1]):
        births[label] = begin
        if parent:
            daughters.setdefault(parent, []).append(label)
    cell_of = {label: label for label in births}
    for label in births:  # by birth, so that a chain of gaps resolves in one pass
        if len(daughters.get(label, ())) == 1:
            cell_of[daughters[label][0]] = cell_of[label]
    frames: dict[int, list[int]] = {cell: [] for cell in cell_of.values()}
    for frame, painted in enumerate(cells):
        for label in painted:
            frames[cell_of[label]].append(frame)
    divisions = [
        _Division(cell_of[mother], tuple(born), min(births[label] for label in born))
        for mother, born in daughters.items()
        if len(born) > 1
    ]
    return _Family(
        cell_of,
        {cell: np.array(seen, np.int64) for cell, seen in frames.items()},
        divisions,
    )


def _meetings(
    matches: Sequence[FrameMatch], wanted: _Family, found: _Family
) -> dict[tuple[int, int], set[int]]:
    """List the frames in which a found cell stands for a true one."""
    frames: dict[tuple[int, int], set[int]] = {}
    for frame, match in enumerate(matches):
        for true, other in match.sole.items():
            pair = wanted.cell_of[true], found.cell_of[other]
            frames.setdefault(pair, set()).add(frame)
    return frames


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
