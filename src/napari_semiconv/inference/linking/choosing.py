"""The best options of one frame, decided for good: the greedy way."""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from .cells import Floats
from .options import Options


def choose(options: Options) -> Options:
    """Choose the options of largest total gain in which nothing is used twice.

    Parameters
    ----------
    options
        Possible fates, each gaining more than 0.
    """
    if not len(options.gain):
        return options
    uses = _uses(options)
    open_ = np.ones(len(options.gain), bool)
    taken = np.zeros(len(options.gain), bool)
    while len(rows := np.flatnonzero(open_)):
        sure = rows[_undisputed(uses[:, rows], options.gain[rows])]
        if not len(sure):
            taken[rows] = _best_packing(uses[:, rows], options.gain[rows])
            break
        taken[sure] = True
        spent = uses[:, sure].sum(1)
        open_ &= uses.T @ spent == 0
    return options.take(taken)


def _uses(options: Options) -> sparse.csr_array:
    """Tell which tracks and cells each option uses, (m + n, V), 0 or 1."""
    pairs = np.flatnonzero(options.sister >= 0)
    tracks = int(options.track.max()) + 1
    places = [options.track, tracks + options.cell, tracks + options.sister[pairs]]
    every = np.arange(len(options.gain))
    column = np.concatenate([every, every, pairs])
    row = np.concatenate(places)
    return sparse.csr_array((np.ones(len(row)), (row, column)))


def _undisputed(uses: sparse.csr_array, gain: Floats) -> NDArray[np.bool_]:
    """Find options that gain more than all their best rivals together, (V,).

    They belong to the best choice: whatever they displace gains less.
    """
    row, column = uses.nonzero()
    order = np.lexsort((-gain[column], row))
    row, column = row[order], column[order]
    begin = np.searchsorted(row, row)
    after = np.minimum(begin + 1, len(row) - 1)
    has_second = row[after] == row
    second = np.where(has_second & (after > begin), gain[column[after]], 0)
    is_best = np.arange(len(row)) == begin
    rival = np.where(is_best, second, gain[column[begin]])
    sure: NDArray[np.bool_] = gain > np.bincount(column, rival, len(gain))
    return sure


def _best_packing(uses: sparse.csr_array, gain: Floats) -> NDArray[np.bool_]:
    found = optimize.milp(
        -gain,
        integrality=np.ones(len(gain)),
        bounds=optimize.Bounds(0, 1),
        constraints=optimize.LinearConstraint(uses, -np.inf, 1),
    )
    assert found.x is not None, found.message  # choosing nothing is always possible
    taken: NDArray[np.bool_] = found.x > 0.5
    return taken
