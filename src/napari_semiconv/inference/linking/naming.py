"""Labels for the tracks that a solver found: as many cells as possible keep theirs."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from ...tracking.problem import Problem

Integers = NDArray[np.int64]


def name_tracks(
    problem: Problem, taken: NDArray[np.bool_], label: Integers, beyond: int = 0
) -> tuple[Integers, dict[int, int]]:
    """Give every track one label, so that as many cells as possible keep theirs.

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
    """Label of each track, (tracks,): so that most cells keep theirs, or a new one."""
    if not len(track):
        return np.zeros(0, np.int64)
    pairs, shared = np.unique(np.stack([track, label]), axis=1, return_counts=True)
    _, place = np.unique(pairs[1], return_inverse=True)
    count, labels = int(track.max()) + 1, int(place.max()) + 1
    # Each track may also stay without. Of tracks that are as good the first is named.
    rows = np.concatenate([pairs[0], np.arange(count)])
    columns = np.concatenate([place, labels + np.arange(count)])
    first = (1 - pairs[0] / count) / (count + 1)
    most = shared.max() + 2.0
    cost = np.concatenate([most - shared - first, np.full(count, most)])
    weights = sparse.csr_array((cost, (rows, columns)), (count, labels + count))
    _, chosen = min_weight_full_bipartite_matching(weights)
    numbers = np.zeros(labels + count, np.int64)
    numbers[place] = pairs[1]
    names: Integers = numbers[chosen]
    fresh = np.flatnonzero(names == 0)
    names[fresh] = max(int(label.max()), beyond) + 1 + np.arange(len(fresh))
    return names
