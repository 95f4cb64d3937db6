"""Options whose fate needs no solver: undisputed ones, and those never worth it."""

from dataclasses import dataclass

import numpy as np

from .problem import Booleans, Floats, Integers, Options

# Rounds that decide a smaller share of many options cost more than they save.
LITTLE = 0.01


@dataclass(frozen=True)
class Part:
    """Part of a problem that is solved at once; its cells have rows of their own.

    Parameters
    ----------
    options
        Options that may be taken: the ends they use are open, (V,).
    cost
        Cost of each cell if nothing links it, 0 if something does already, (N,).
    continued
        Whether a plain link into the cell is taken already, so that others may merge
        into it, (N,).
    held
        Options with rivals that are not part of this, so that nothing is sure, (V,).
    forced
        Options that have to be decided nevertheless, (V,).
    rules
        Sets of options, as rows, of which one at least is left out.
    """

    options: Options
    cost: Floats
    continued: Booleans
    held: Booleans
    forced: Booleans
    rules: tuple[tuple[Integers, int], ...] = ()

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.cost)


@dataclass(frozen=True)
class Reduced:
    """What is decided without a solver, and what the rest depends on.

    Parameters
    ----------
    sure
        Options that are taken, (V,).
    live
        Options that are left to be solved, (V,).
    cost, continued
        As in `Part`, now that these options are taken, (N,).
    """

    sure: Booleans
    live: Booleans
    cost: Floats
    continued: Booleans


def reduce(part: Part) -> Reduced:
    """Take undisputed options and drop worthless ones until nothing changes.

    An option is undisputed if it gains more than all that the best of its rivals at
    every end could, together, even if their other cells had to stay alone then; every
    best choice contains it.

    Parameters
    ----------
    part
        What is to be solved.
    """
    options = part.options
    sure = np.zeros(len(options.gain), bool)
    live = np.ones(len(options.gain), bool)
    cost, continued = part.cost.copy(), part.continued.copy()
    barred = part.held.copy()
    for rows, _ in part.rules:
        barred[rows] = True
    while live.any():
        rows = np.flatnonzero(live)
        left = options.take(rows)
        taken, worthless = _decide(left, cost, continued, barred[rows])
        if not (taken | worthless).any():
            break
        sure[rows[taken]] = True
        chosen = left.take(taken)
        cost[chosen.touches()[1]] = 0
        continued[chosen.after[~chosen.merge & (chosen.sister < 0)]] = True
        gone = taken | worthless | rivals(left, taken, part.cells)
        live[rows[gone]] = False
        if gone.sum() < LITTLE * len(rows) - 10:
            break
    return Reduced(sure, live, cost, continued)


def rivals(options: Options, taken: Booleans, cells: int) -> Booleans:
    """Find options that use an end which a taken option uses, (V,)."""
    row, end = options.uses(cells)
    used = np.zeros(2 * cells, bool)
    used[end[taken[row]]] = True
    hit = np.zeros(len(taken), bool)
    hit[row[used[end]]] = True
    return hit & ~taken


def _decide(
    options: Options, cost: Floats, continued: Booleans, barred: Booleans
) -> tuple[Booleans, Booleans]:
    """Find options that every best choice takes, and such that some best leaves out."""
    cells, n = len(cost), len(options.gain)
    opens_merge, possible = _merging(options, continued)
    touch_row, touch_cell = options.touches()
    most = options.gain + np.bincount(touch_row, cost[touch_cell], n)
    worthless = ~possible | (~barred & ~opens_merge & (most <= 0))
    only = np.bincount(touch_cell, minlength=cells) == 1
    captive = np.where(only, cost, 0)
    least = options.gain + np.bincount(touch_row, captive[touch_cell], n)
    row, end = options.uses(cells)
    # What a rival loses when it is displaced; the shared cell stays linked.
    loss = np.maximum(most[row] - cost[end % cells], 0)
    loss[opens_merge[row]] = np.inf
    against = np.bincount(row, _strongest_rival(end, loss, 2 * cells), n)
    waits = options.merge & ~continued[options.after]
    sure = ~barred & ~waits & ~worthless & (least > against)
    return sure, worthless


def _merging(options: Options, continued: Booleans) -> tuple[Booleans, Booleans]:
    """Tell which options other merges need, and which are possible at all."""
    merge = options.merge
    plain = ~merge & (options.sister < 0)
    target = np.zeros(len(continued), bool)
    target[options.after[merge]] = True
    fed = continued.copy()
    fed[options.after[plain]] = True
    return plain & target[options.after], ~merge | fed[options.after]


def _strongest_rival(end: Integers, loss: Floats, ends: int) -> Floats:
    """Loss of the strongest other option at the same end, 0 if there is none, (E,)."""
    order = np.lexsort((-loss, end))
    best, second = np.zeros(ends), np.zeros(ends)
    end_, loss_ = end[order], loss[order]
    begin = np.flatnonzero(np.diff(end_, prepend=-1))
    best[end_[begin]] = loss_[begin]
    follows = begin + 1
    follows = follows[follows < len(end_)]
    follows = follows[end_[follows] == end_[follows - 1]]
    second[end_[follows]] = loss_[follows]
    is_best = np.zeros(len(end), bool)
    is_best[order[begin]] = True
    rival: Floats = np.where(is_best, second[end], best[end])
    return rival
