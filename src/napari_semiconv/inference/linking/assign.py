"""Labels of the tracks that were found: as many cells as possible keep theirs."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from ...tracking.solver.problem import Booleans, Integers, Options, Problem


def assign_labels(
    problem: Problem, taken: Booleans, label: Integers, beyond: int = 0
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
    chosen = problem.options.take(taken)
    track = _chains(len(problem.frame), chosen)
    labels = _labels_of(track, label, beyond)[track]
    pairs = chosen.take(chosen.sister >= 0)
    daughters = np.concatenate([pairs.after, pairs.sister])
    mothers = np.concatenate([pairs.before, pairs.before])
    of_daughters = labels[daughters].tolist()
    return labels, dict(zip(of_daughters, labels[mothers].tolist(), strict=True))


def _chains(count: int, chosen: Options) -> Integers:
    """Give tracks numbers in order of their first cells, (N,)."""
    plain = chosen.take(chosen.sister < 0)
    before = np.full(count, -1)
    before[plain.after] = plain.before
    track, tracks = np.zeros(count, np.int64), 0
    # Cells are in order of frame, so what comes before has its number.
    for cell, earlier in enumerate(before.tolist()):
        if earlier < 0:
            track[cell], tracks = tracks, tracks + 1
        else:
            track[cell] = track[earlier]
    return track


def _labels_of(track: Integers, label: Integers, beyond: int) -> Integers:
    """Label of each track, (tracks,): so that most cells keep theirs, or a new one."""
    if not len(track):
        return np.zeros(0, np.int64)
    pairs, shared = np.unique(np.stack([track, label]), axis=1, return_counts=True)
    _, place = np.unique(pairs[1], return_inverse=True)
    count, labels = int(track.max()) + 1, int(place.max()) + 1
    # Each track may also stay without. Of tracks as good the first is labelled.
    rows = np.concatenate([pairs[0], np.arange(count)])
    columns = np.concatenate([place, labels + np.arange(count)])
    first = (1 - pairs[0] / count) / (count + 1)
    most = shared.max() + 2.0
    cost = np.concatenate([most - shared - first, np.full(count, most)])
    weights = sparse.csr_array((cost, (rows, columns)), (count, labels + count))
    _, chosen = min_weight_full_bipartite_matching(weights)
    numbers = np.zeros(labels + count, np.int64)
    numbers[place] = pairs[1]
    found: Integers = numbers[chosen]
    fresh = np.flatnonzero(found == 0)
    found[fresh] = max(int(label.max()), beyond) + 1 + np.arange(len(fresh))
    return found
