"""Lineages next to a given one: an option left out, others taken in its place."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .deciding import State
from .problem import Booleans, Floats, Integers, Lineages

# Options looked at together, so that memory stays small.
CHUNK = 200_000


@dataclass(frozen=True)
class Exchange:
    """Changes of a lineage, each possible on its own.

    Parameters
    ----------
    change
        What each gains, (M,).
    move, removed
        Which change removes which option, (R,).
    """

    change: Floats
    move: Integers
    removed: Integers


def drops(lineages: Lineages, state: State) -> Exchange:
    """Leave out each option that is taken and not confirmed.

    Parameters
    ----------
    lineages, state
        What was solved, and its solution.
    """
    options = lineages.options
    rows = np.flatnonzero(state.taken & ~lineages.fixed)
    every = np.arange(len(rows))
    # Merges go along with the only link into their cell.
    merges = rows[options.merge[rows]]
    link = state.owner[1, options.after[merges]]
    place = np.full(len(options.gain) + 1, -1)
    place[rows] = every
    with_link = place[link] * (link >= 0) - (link < 0)
    keep = with_link >= 0
    move = np.concatenate([every, with_link[keep]])
    removed = np.concatenate([rows, merges[keep]])
    none = np.zeros(0, np.int64)
    change = _change(lineages, state, len(rows), (move, removed), (none, none))
    return Exchange(change, every, rows)


def exchanges(lineages: Lineages, state: State, best: Floats) -> Iterator[Exchange]:
    """Take each other option instead of those that use its ends.

    Parameters
    ----------
    lineages, state
        What was solved, and its solution.
    best
        Is filled with the change and the row of the best option at each end,
        (2, 2 N).
    """
    possible = _Possible(lineages, state)
    others = np.flatnonzero(~state.taken)
    for begin in range(0, len(others), CHUNK):
        rows = others[begin : begin + CHUNK]
        rows = rows[possible.mask(rows)]
        move, removed, end = _displaced(lineages, state, rows)
        every = np.arange(len(rows))
        change = _change(lineages, state, len(rows), (move, removed), (every, rows))
        order = np.argsort(change[move], kind="stable")
        better = order[change[move[order]] > best[0, end[order]]]
        best[0, end[better]] = change[move[better]]
        best[1, end[better]] = rows[move[better]]
        yield Exchange(change, move, removed)


def pairs(lineages: Lineages, state: State, best: Floats) -> Iterator[Exchange]:
    """Take the best other options at two ends of an option instead of it.

    Parameters
    ----------
    lineages, state
        What was solved, and its solution.
    best
        As `exchanges` filled it.
    """
    n, options = len(lineages.frame), lineages.options
    all_rows = np.flatnonzero(state.taken & ~lineages.fixed & ~options.merge)
    for begin in range(0, len(all_rows), CHUNK):
        rows = all_rows[begin : begin + CHUNK]
        ends = [options.before[rows], options.after[rows] + n]
        second = np.where(options.sister[rows] >= 0, options.sister[rows] + n, -1)
        for one, two in ((ends[0], ends[1]), (ends[0], second), (ends[1], second)):
            known = (two >= 0) & np.isfinite(best[0, one])
            known &= np.isfinite(best[0, two])
            first = best[1, one[known]].astype(np.int64)
            other = best[1, two[known]].astype(np.int64)
            apart = ~_share_end(lineages, first, other)
            yield _both(lineages, state, first[apart], other[apart])


def _both(
    lineages: Lineages, state: State, first: Integers, other: Integers
) -> Exchange:
    every = np.arange(len(first))
    move, removed = np.concatenate([every, every]), np.concatenate([first, other])
    at, out, _ = _displaced(lineages, state, removed)
    # An option displaced by both is left out once.
    key = np.unique(move[at] * len(lineages.order) + out)
    at, out = np.divmod(key, max(len(lineages.order), 1))
    change = _change(lineages, state, len(first), (at, out), (move, removed))
    return Exchange(change, at, out)


def _share_end(lineages: Lineages, one: Integers, two: Integers) -> Booleans:
    """Whether two options use the same end of a cell, or a merge is among them."""
    options = lineages.options
    same = options.before[one] == options.before[two]
    share: Booleans = same | (one == two)
    share |= options.merge[one] | options.merge[two]
    for mine in (options.after, options.sister):
        for its in (options.after, options.sister):
            share |= (mine[one] == its[two]) & (mine[one] >= 0)
    return share


def _displaced(
    lineages: Lineages, state: State, rows: Integers
) -> tuple[Integers, Integers, Integers]:
    """Taken options whose ends others would use: (place in rows, option, end)."""
    move, end = lineages.options.take(rows).uses(len(lineages.frame))
    owner = state.owner.reshape(-1)[end]
    keep = owner >= 0
    move, owner, end = move[keep], owner[keep], end[keep]
    # Two ends of one option count once for its gain.
    _, first = np.unique(move * len(lineages.order) + owner, return_index=True)
    return move[first], owner[first], end[first]


def _change(
    lineages: Lineages,
    state: State,
    moves: int,
    out: tuple[Integers, Integers],
    new: tuple[Integers, Integers],
) -> Floats:
    """Find what changes gain, with cells that come to be alone or linked, (M,)."""
    options, n = lineages.options, max(len(lineages.frame), 1)
    change = np.bincount(new[0], options.gain[new[1]], moves)
    change = change - np.bincount(out[0], options.gain[out[1]], moves)
    keys, steps = [], []
    for (move, rows), step in ((out, -1), (new, 1)):
        row, cell = options.take(rows).touches()
        priced = lineages.cost[cell] > 0
        keys.append(move[row[priced]] * n + cell[priced])
        steps.append(np.full(priced.sum(), step))
    key, place = np.unique(np.concatenate(keys), return_inverse=True)
    total = np.bincount(place, np.concatenate(steps), len(key))
    move, cell = np.divmod(key, n)
    degree = _degrees(lineages, state)[cell]
    cost = lineages.cost[cell]
    cost = np.where((degree == 0) & (total > 0), cost, 0) - np.where(
        (degree > 0) & (degree + total <= 0), cost, 0
    )
    return np.asarray(change + np.bincount(move, cost, moves), np.float64)


def _degrees(lineages: Lineages, state: State) -> Integers:
    """Count the taken options that link each cell, (N,)."""
    _, cell = lineages.options.take(state.taken).touches()
    return np.bincount(cell, minlength=len(lineages.frame)).astype(np.int64)


class _Possible:
    """Which options could be taken if those in their way were not."""

    def __init__(self, lineages: Lineages, state: State) -> None:
        self.lineages, self.state = lineages, state
        n, options = len(lineages.frame), lineages.options
        owner = state.owner.reshape(-1)
        self.closed = ~lineages.open.reshape(-1)
        self.closed |= (owner >= 0) & lineages.fixed[owner]
        merged = options.after[state.taken & options.merge & ~lineages.fixed]
        self.target = np.zeros(n, bool)
        self.target[merged] = True
        self.born, self.divides = _nearest_divisions(lineages, state)

    def mask(self, rows: Integers) -> Booleans:
        """Tell which options are possible, (K,)."""
        lineages, state = self.lineages, self.state
        options, n = lineages.options.take(rows), len(lineages.frame)
        row, end = options.uses(n)
        good = np.ones(len(rows), bool)
        good[row[self.closed[end]]] = False
        good &= ~options.merge | self._continued(rows)
        # Nothing displaces a link that merges need, but another link to the same cell.
        owner = state.owner.reshape(-1)[end]
        needed = (owner >= 0) & self.target[lineages.options.after[owner]]
        needed &= (lineages.options.sister[owner] < 0) & ~lineages.options.merge[owner]
        plain = ~options.merge[row] & (options.sister[row] < 0)
        same = plain & (lineages.options.after[owner] == options.after[row])
        good[row[needed & ~same]] = False
        return good & self._rested(rows)

    def _continued(self, rows: Integers) -> Booleans:
        options = self.lineages.options
        owner = self.state.owner[1, options.after[rows]]
        plain = (owner >= 0) & (options.sister[owner] < 0)
        apart: Booleans = plain & (options.before[owner] != options.before[rows])
        return apart

    def _rested(self, rows: Integers) -> Booleans:
        options, rest = self.lineages.options.take(rows), self.lineages.rest
        frame = self.lineages.frame
        pair = options.sister >= 0
        age = frame[options.before] - self.born[options.before]
        ahead = self.divides - frame
        through = self.divides[options.after] - self.born[options.before] >= rest
        parts = (age >= rest) & (ahead[options.after] >= rest)
        parts &= ahead[options.sister] >= rest
        rested: Booleans = options.merge | np.where(pair, parts, through)
        return rested


def _nearest_divisions(lineages: Lineages, state: State) -> tuple[Floats, Floats]:
    """First frame of a daughter, last of a mother, where near: for each cell, (N,)."""
    options, frame = lineages.options, lineages.frame.astype(float)
    born, divides = np.full(len(frame), -np.inf), np.full(len(frame), np.inf)
    if lineages.rest <= 0:
        return born, divides
    rows = np.flatnonzero(state.taken & ~options.merge)
    pair = options.sister[rows] >= 0
    links, pairs_ = options.take(rows[~pair]), options.take(rows[pair])
    born[pairs_.after] = frame[pairs_.after]
    born[pairs_.sister] = frame[pairs_.sister]
    divides[pairs_.before] = frame[pairs_.before]
    for _ in range(lineages.rest):
        born[links.after] = born[links.before]
        divides[links.before] = divides[links.after]
    return born, divides
