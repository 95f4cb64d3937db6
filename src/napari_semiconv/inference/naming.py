"""Labels for the tracks that a solver found: as many cells as possible keep theirs."""

import numpy as np
from numpy.typing import NDArray

from ..tracking.problem import Problem

Integers = NDArray[np.int64]


def name_tracks(
    problem: Problem, taken: NDArray[np.bool_], label: Integers, beyond: int = 0
) -> tuple[Integers, dict[int, int]]:
    """Give every track one label, the one that most of its cells had if it is free.

    Parameters
    ----------
    problem
        Cells and options.
    taken
        Options that make up the lineage, (V,).
    label
        Label that each cell has, (N,).
    beyond
        New labels are larger than this.

    Returns
    -------
    tuple
        Label of each cell now, (N,), and the parent of each track that has one.
    """
    track, mothers = _chains(problem, taken)
    names = _names(track, label, beyond)
    parents = {
        int(names[track[daughter]]): int(names[track[mother]])
        for daughter, mother in mothers
    }
    return names[track], parents


def _chains(
    problem: Problem, taken: NDArray[np.bool_]
) -> tuple[Integers, list[tuple[int, int]]]:
    """Give tracks numbers, (N,); list first cells of daughters with their mothers."""
    rows = np.flatnonzero(taken)
    divides = problem.sister[rows] >= 0
    merge = problem.merge
    merges = np.zeros(len(rows), bool) if merge is None else merge[rows]
    plain = rows[~divides & ~merges]
    before = np.full(len(problem.frame), -1)
    before[problem.after[plain]] = problem.before[plain]
    track, count = np.zeros(len(before), np.int64), 0
    # Cells are in order of frame, so what comes before has its number.
    for cell, earlier in enumerate(before.tolist()):
        if earlier < 0:
            track[cell], count = count, count + 1
        else:
            track[cell] = track[earlier]
    pairs = rows[divides]
    mothers = np.concatenate([problem.before[pairs]] * 2)
    daughters = np.concatenate([problem.after[pairs], problem.sister[pairs]])
    return track, list(zip(daughters.tolist(), mothers.tolist(), strict=True))


def _names(track: Integers, label: Integers, beyond: int) -> Integers:
    """Label of each track, (tracks,): the most cells first, new ones to the rest."""
    if not len(track):
        return np.zeros(0, np.int64)
    pairs, shared = np.unique(np.stack([track, label]), axis=1, return_counts=True)
    count = int(track.max()) + 1
    names, used = np.zeros(count, np.int64), set()
    for at in np.lexsort((pairs[1], pairs[0], -shared)).tolist():
        one, name = int(pairs[0, at]), int(pairs[1, at])
        if not names[one] and name not in used:
            names[one] = name
            used.add(name)
    fresh = np.flatnonzero(names == 0)
    names[fresh] = max(int(label.max()), beyond) + 1 + np.arange(len(fresh))
    return names
