"""What no lineage can be worth more than, from the prices of the windows' programmes.

Whatever prices cell ends have, a lineage is worth at most the sum of all prices and of
what options gain over the ends that they use (Lagrangian duality). Prices come from the
windows; a few passes of coordinate descent make them agree at the seams.
"""

import numpy as np

from .deciding import State, begin
from .problem import Booleans, Floats, Integers, Lineages, Options

PASSES = 12


def crude_bound(lineages: Lineages) -> float:
    """Sum the best future of each cell; no lineage is worth more than that.

    Parameters
    ----------
    lineages
        What was solved.
    """
    options, cost = lineages.options, lineages.cost
    row, cell = options.touches()
    most = options.gain + np.bincount(row, cost[cell], len(options.gain))
    best = np.zeros(len(cost))
    np.maximum.at(best, options.before, most)
    fixed = options.before[lineages.fixed]
    best[fixed] = most[lineages.fixed]
    return float(best.sum() - cost.sum())


def priced_bound(lineages: Lineages, state: State) -> float:
    """Bound all lineages by the prices that were found.

    Parameters
    ----------
    lineages, state
        What was solved, and its solution with prices.
    """
    start, n = begin(lineages), len(lineages.frame)
    options = lineages.options.take(start.undecided)
    price = np.nan_to_num(state.prices[: 2 * n])
    saving = state.prices[2 * n :]
    default = np.where(state.linked, 0, lineages.cost)
    saving = np.where(np.isnan(saving), default, saving)
    saving = np.where(start.linked, 0, np.clip(saving, 0, lineages.cost))
    # A cell that nothing could link pays in any case.
    touch_row, touch_cell = options.touches()
    able = np.zeros(n, bool)
    able[touch_cell] = True
    saving[~able & ~start.linked] = lineages.cost[~able & ~start.linked]
    worth = options.gain + np.bincount(touch_row, saving[touch_cell], len(options.gain))
    row, end = options.uses(n)
    fixed = float(lineages.options.gain[lineages.fixed].sum() - saving.sum())
    used = np.zeros(2 * n, bool)
    used[end] = True
    price = np.where(used, price, 0)
    bound = np.inf
    for number in range(PASSES):
        for group in _groups(options, n, number):
            _agree(price, worth, row, end, group)
        left = worth - np.bincount(row, price[end], len(worth))
        bound = min(bound, float(price.sum() + np.maximum(left, 0).sum()))
    return fixed + bound


def _groups(options: Options, n: int, number: int) -> list[Booleans]:
    """Part the ends so that no option uses two of one part: futures, and pasts."""
    future = np.arange(2 * n) < n
    groups = [future]
    pair = options.sister >= 0
    first, second = options.after[pair] + n, options.sister[pair] + n
    for parity in (0, 1):
        part = ~future & ((np.arange(2 * n) + number) % 2 == parity)
        both = part[first] & part[second]
        part[first[both]] = False
        groups.append(part)
    return groups


def _agree(
    price: Floats, worth: Floats, row: Integers, end: Integers, group: Booleans
) -> None:
    """Give each end of a group the price that bounds best, the others as they are."""
    left = worth - np.bincount(row, price[end], len(worth))
    mine = group[end]
    row, end = row[mine], end[mine]
    over = left[row] + price[end]
    best = np.zeros(len(price))
    np.maximum.at(best, end, over)
    is_best = np.flatnonzero(over >= best[end])
    _, once = np.unique(end[is_best], return_index=True)
    others = np.ones(len(over), bool)
    others[is_best[once]] = False
    second = np.zeros(len(price))
    np.maximum.at(second, end[others], over[others])
    price[group] = (best[group] + second[group]) / 2
