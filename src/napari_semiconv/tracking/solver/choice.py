"""The best choice among options that compete for ends of cells.

The relaxation, a linear programme, is whole nearly everywhere, since links alone are an
assignment; only where it is not, integers are needed. Its prices tell how sure each
option is: whatever is chosen instead loses the slack of all that it takes and the price
of all ends that it leaves unused (Lagrangian duality).
"""

from dataclasses import dataclass

import numpy as np
import scipy
from scipy import sparse

from ...errors import SemiconvError
from .problem import Booleans, Ends, Floats, Integers

# Values nearer to 0 or 1 count as whole, as HiGHS has it.
WHOLE = 1e-6
# Options with more slack than this are tried only if need be.
UNLIKELY = 0.1
# Presolving finds nothing to leave out here, and costs a third of the memory.
PLAIN = {"presolve": False, "simplex_dual_edge_weight_strategy": "devex"}
# Longest time for integers, s; the best choice found by then is taken.
LONGEST = 60.0


@dataclass(frozen=True)
class ChosenOptions:
    """Options of largest total gain.

    Parameters
    ----------
    taken
        Options chosen, (V,).
    margin
        What the total would lose at least without each that is taken, 0 for others,
        (V,). Where integers were needed that is an estimate.
    gap
        What a better choice could gain at most; 0 unless time ran out.
    """

    taken: Booleans
    margin: Floats
    gap: float


def choose(gain: Floats, ends: Ends) -> ChosenOptions:
    """Choose the options of largest total gain that use no end twice.

    Parameters
    ----------
    gain
        Of each option, (V,).
    ends
        Numbers of the ends that each uses, -1 for none, (V, 3).

    Raises
    ------
    SemiconvError
        If HiGHS fails.
    """
    if not len(gain):
        return ChosenOptions(np.zeros(0, bool), np.zeros(0), 0.0)
    row, column = np.nonzero(ends >= 0)
    number, end = np.unique(ends[row, column], return_inverse=True)
    uses = sparse.csc_array((np.ones(len(row)), (end, row)), (len(number), len(gain)))
    own = np.full(ends.shape, -1)
    own[row, column] = end
    found = scipy.optimize.linprog(
        -gain, A_ub=uses, b_ub=np.ones(len(number)), method="highs-ds", options=PLAIN
    )
    _check(found)
    x, price = found.x, np.maximum(-found.ineqlin.marginals, 0)
    slack = np.maximum(uses.T @ price - gain, 0)
    x, missed, gap = _whole(gain, uses, x, slack)
    taken = x > 0.5
    margin = np.where(taken, _margins(taken, own, price, slack), 0)
    return ChosenOptions(taken, np.maximum(margin - missed, 0), gap)


def _check(found: "scipy.optimize.OptimizeResult") -> None:
    if found.x is None:
        raise SemiconvError(
            f"Tracks: expected HiGHS to solve them, found: {found.message} Report this."
        )


def _whole(
    gain: Floats, uses: sparse.csc_array, x: Floats, slack: Floats
) -> tuple[Floats, Floats, float]:
    """Find whole values, what the relaxation has over them by option, and the gap."""
    broken = np.abs(x - np.round(x)) > WHOLE
    missed = np.zeros(len(x))
    if not broken.any():
        return x, missed, 0.0
    near = (x > WHOLE) | (slack <= UNLIKELY)
    while True:
        rows, group = _components_of(uses, near, broken)
        found = scipy.optimize.milp(
            -gain[rows],
            integrality=np.ones(len(rows)),
            bounds=scipy.optimize.Bounds(0, 1),
            constraints=scipy.optimize.LinearConstraint(uses[:, rows], -np.inf, 1),
            options={"mip_rel_gap": 0.0, "time_limit": LONGEST},
        )
        _check(found)
        best = x.copy()
        best[rows] = np.round(found.x)
        loss = np.bincount(group, gain[rows] * (x[rows] - best[rows]))
        gap = max(0.0, found.fun - found.mip_dual_bound) if found.status else 0.0
        # What is better loses less in all, so that it has no option of more slack.
        wider = near | (slack <= loss.sum())
        if gap or (wider == near).all():
            missed[rows] = np.maximum(loss, 0)[group]
            return best, missed, gap
        near = wider


def _components_of(
    uses: sparse.csc_array, near: Booleans, broken: Booleans
) -> tuple[Integers, Integers]:
    """Options of components that are not whole, and the component of each."""
    rows = np.flatnonzero(near)
    # Ends and options are the two sides of a graph.
    sides = sparse.block_array([[None, uses[:, rows]], [uses[:, rows].T, None]])
    _, label = sparse.csgraph.connected_components(sides, directed=False)
    label = label[uses.shape[0] :]
    keep = np.isin(label, label[broken[rows]])
    _, group = np.unique(label[keep], return_inverse=True)
    return rows[keep], group


def _margins(taken: Booleans, ends: Ends, price: Floats, slack: Floats) -> Floats:
    """Bound from below what the total loses without each option that is taken, (V,)."""
    none = len(price)
    ends = np.where(ends < 0, none, ends)
    owner = np.full(none + 1, -1)
    owner[ends[taken]] = np.flatnonzero(taken)[:, None]
    owner[none] = -1
    rivals, slack = ends[~taken], slack[~taken, None]
    theirs = owner[rivals]
    same = theirs[:, :, None] == theirs[:, None, :]
    # Each end has to stay unused, or be used by a rival, which is paid for once though
    # it uses several ends of the option.
    least = np.append(price, 0.0)
    np.minimum.at(least, rivals, slack / same.sum(2))
    least[none] = 0
    total = np.append(least[ends].sum(1), 0.0)
    # What a rival displaces besides loses as much at the ends that it does not take.
    inside = (same * least[rivals][:, None]).sum(2)
    besides = np.where(theirs < 0, 0, total[theirs] - inside)
    further = np.append(price, 0.0)
    np.minimum.at(further, rivals, slack + np.where(same, 0, besides[:, None]).max(2))
    further[none] = 0
    margins: Floats = np.maximum(total[:-1], further[ends].max(1))
    return margins
