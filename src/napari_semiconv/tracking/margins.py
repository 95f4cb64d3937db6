"""What a lineage would lose if one of its options were forbidden.

In small components of the whole problem every option is forbidden in turn and the rest
is solved again. Elsewhere the best of many alternatives is taken: to leave the option
out, or to take others at its ends instead, with all that these displace. These are
possible lineages, so that the true loss is no larger than what is found.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .deciding import State, begin
from .exchange import Exchange, drops, exchanges, pairs
from .packing import Clock, Effort
from .problem import Booleans, Floats, Integers, Lineages
from .windows import Window, solve_window

# Components of up to so many options are solved again for each option they take.
EXACT_OPTIONS = 30


@dataclass(frozen=True)
class Margins:
    """How much each option matters.

    Parameters
    ----------
    margin
        Loss if the option were forbidden, at least 0; infinite where confirmed, NaN
        where not taken, (V,).
    exact
        Whether that is the loss, or else the most it can be, (V,).
    """

    margin: Floats
    exact: Booleans


def no_margins(count: int) -> Margins:
    """Know nothing of any option.

    Parameters
    ----------
    count
        Number of options, V.
    """
    return Margins(np.full(count, np.nan), np.zeros(count, bool))


def find_margins(lineages: Lineages, state: State, clock: Clock) -> Margins:
    """Find what the lineage would lose without each of its options.

    Parameters
    ----------
    lineages, state
        What was solved, and its solution.
    clock
        When to stop: without time left nothing is solved again.
    """
    margin = np.where(state.taken, np.inf, np.nan)
    exact = lineages.fixed.copy()
    if not len(margin):
        return Margins(margin, exact)
    free = state.taken & ~lineages.fixed
    for found in _alternatives(lineages, state):
        clock.tell(0)
        np.minimum.at(margin, found.removed, -found.change[found.move])
    margin[free] = np.maximum(margin[free], 0)
    margin[lineages.fixed] = np.inf
    if state.lost == 0 and state.certain:
        for rows, loss in _solved_again(lineages, state, clock):
            margin[rows], exact[rows] = loss, True
    return Margins(margin, exact)


def _alternatives(lineages: Lineages, state: State) -> Iterator[Exchange]:
    yield drops(lineages, state)
    best = np.full((2, 2 * len(lineages.frame)), -np.inf)
    yield from exchanges(lineages, state, best)
    # Two exchanges at once may break the rule of rest where each alone does not.
    if lineages.rest <= 0:
        yield from pairs(lineages, state, best)


def _solved_again(
    lineages: Lineages, state: State, clock: Clock
) -> Iterator[tuple[Integers, Floats]]:
    """Forbid the first option of all small components, solve, then the second, ..."""
    start = begin(lineages)
    rows = np.flatnonzero(start.undecided)
    group, of_cell = _components(lineages, start, rows)
    small = np.bincount(group)[group] <= EXACT_OPTIONS if len(rows) else group > 0
    rows, group = rows[small], group[small]
    base = _worth(lineages, state, rows, group, of_cell)
    taken = state.taken[rows]
    # Which of the options taken by its component each one is.
    order = np.lexsort((rows, group))
    turn = np.full(len(rows), -1)
    listed = order[taken[order]]
    first = np.searchsorted(group[listed], group[listed])
    turn[listed] = np.arange(len(listed)) - first
    for number in range(int(turn.max(initial=-1)) + 1):
        forbidden = np.flatnonzero(turn == number)
        active = np.isin(group, group[forbidden])
        active[forbidden] = False
        fresh = _copy(start)
        fresh.undecided[:] = False
        far = np.iinfo(np.int64).max
        none = np.zeros(0, np.int64)
        window = Window(np.sort(rows[active]), none, far, far, far)
        solve_window(lineages, fresh, window, clock, Effort())
        if clock.left <= 0 or fresh.lost:
            return
        clock.tell(0)
        now = _worth(lineages, fresh, rows, group, of_cell)
        loss = (base - now)[group[forbidden]]
        yield rows[forbidden], np.maximum(loss, 0)


def _copy(state: State) -> State:
    return replace(
        state,
        undecided=state.undecided.copy(),
        taken=state.taken.copy(),
        open=state.open.copy(),
        owner=state.owner.copy(),
        linked=state.linked.copy(),
    )


def _components(
    lineages: Lineages, start: State, rows: Integers
) -> tuple[Integers, Integers]:
    """Component of each option and of each cell that may cost something."""
    n, options = len(lineages.frame), lineages.options
    used = rows
    if lineages.rest > 0:
        used = np.concatenate([rows, np.flatnonzero(lineages.fixed)])
    own = options.take(used)
    pair = own.sister >= 0
    coupled = np.flatnonzero((lineages.cost > 0) & ~start.linked)
    if lineages.rest > 0:
        coupled = np.arange(n)
    one = np.concatenate([own.before, own.before[pair], coupled])
    two = np.concatenate([own.after, own.sister[pair], coupled]) + n
    graph = sparse.coo_array((np.ones(len(one), bool), (one, two)), (2 * n, 2 * n))
    _, label = sparse.csgraph.connected_components(graph, directed=False)
    of_cell = np.full(n, -1)
    of_cell[coupled] = label[coupled]
    return label[options.before[rows]], of_cell


def _worth(
    lineages: Lineages,
    state: State,
    rows: Integers,
    group: Integers,
    of_cell: Integers,
) -> Floats:
    """Worth of each component, (C,)."""
    count = 2 * len(lineages.frame)
    taken = state.taken[rows]
    alone = np.flatnonzero(~state.linked & (of_cell >= 0))
    # Without any entries, counts are whole numbers.
    worth: Floats = np.bincount(
        group[taken], lineages.options.gain[rows[taken]], count
    ).astype(np.float64)
    worth -= np.bincount(of_cell[alone], lineages.cost[alone], count)
    return worth
