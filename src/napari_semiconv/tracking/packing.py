"""The best choice among disputed options: linear and integer programmes of HiGHS.

Options fall into connected components that share no cell end, cost or rule. Components
are put together into linear programmes of moderate size; where the answer of one is
whole numbers, as it is for most, it is the best choice (the relaxation bounds it). The
others are solved as integer programmes, one each.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize, sparse

from .problem import Booleans, Floats, Integers, Options
from .reduction import Part, Reduced, reduce

# Variables in one linear programme: few calls, yet each soon over.
BATCH = 20_000
# Values nearer to 0 or 1 count as whole, as HiGHS has it.
WHOLE = 1e-6


@dataclass
class Effort:
    """What solving took.

    Parameters
    ----------
    components, largest
        Number of components that were solved, and options in the largest.
    variables
        Options that were left after the reduction.
    programmes
        Linear and integer programmes solved.
    integer
        Those of them with integer variables.
    """

    components: int = 0
    largest: int = 0
    variables: int = 0
    programmes: int = 0
    integer: int = 0


@dataclass
class Clock:
    """How much time is left and whom to tell what is done.

    Parameters
    ----------
    until
        Moment of `time.monotonic` at which to stop, s.
    tell
        Called with the number of options decided; may raise to stop.
    """

    until: float = np.inf
    tell: Callable[[int], None] = field(default=lambda done: None)

    @property
    def left(self) -> float:
        """Time left, s."""
        return self.until - time.monotonic()


@dataclass(frozen=True)
class Packing:
    """A choice of options.

    Parameters
    ----------
    taken
        Options chosen, (V,).
    settled
        Options whose fate is final: none beyond this part can change it, (V,).
    group
        Component of each option, -1 where the reduction decided, (V,).
    lost
        At most so much more could have been gained.
    """

    taken: Booleans
    settled: Booleans
    group: Integers
    lost: float


@dataclass(frozen=True)
class Programme:
    """Linear programme of disputed options, ordered by component.

    Parameters
    ----------
    worth
        Objective, (X,): options first, then cells that may stay alone.
    matrix, limit
        matrix @ x <= limit, (R, X) and (R,).
    option
        Option of each variable, -1 for a cell, (X,).
    first_variable, first_row
        Where each component begins, (C + 1,).
    """

    worth: Floats
    matrix: sparse.csr_array
    limit: Floats
    option: Integers
    first_variable: Integers
    first_row: Integers

    def cut(self, begin: int, end: int) -> "Programme":
        """Restrict to components from begin to before end."""
        x = slice(self.first_variable[begin], self.first_variable[end])
        r = slice(self.first_row[begin], self.first_row[end])
        return Programme(
            self.worth[x],
            self.matrix[r, x],
            self.limit[r],
            self.option[x],
            self.first_variable[begin : end + 1] - x.start,
            self.first_row[begin : end + 1] - r.start,
        )


def pack(part: Part, clock: Clock, effort: Effort) -> Packing:
    """Choose the options of largest total worth.

    Parameters
    ----------
    part
        What is to be solved.
    clock
        When to stop.
    effort
        Counts what is done.

    Returns
    -------
    Packing
        The best choice, or a possible one if time was short. Components in which
        nothing is forced and something is held are left undecided.
    """
    reduced = reduce(part)
    taken, live = reduced.sure.copy(), reduced.live
    rows = np.flatnonzero(live)
    settled, group = ~live, np.full(len(live), -1, np.int64)
    clock.tell(int(settled.sum()))
    effort.variables += len(rows)
    if not len(rows):
        return Packing(taken, settled, group, 0.0)
    programme, group[rows] = _formulate(part, reduced)
    count = len(programme.first_row) - 1
    held, forced = np.zeros(count, bool), np.zeros(count, bool)
    held[group[rows[part.held[rows]]]] = True
    forced[group[rows[part.forced[rows]]]] = True
    sizes = np.bincount(group[rows], minlength=count)
    lost = 0.0
    for components in _batches(np.flatnonzero(forced | ~held), programme):
        begin, end = components
        x, missed = _solve(programme.cut(begin, end), clock, effort)
        option = programme.option[
            programme.first_variable[begin] : programme.first_variable[end]
        ]
        taken[option[(x > 0.5) & (option >= 0)]] = True
        lost += missed
        effort.components += end - begin
        effort.largest = max(effort.largest, int(sizes[begin:end].max()))
        clock.tell(int(sizes[begin:end].sum()))
    settled[rows] = ~held[group[rows]]
    return Packing(taken, settled, group, lost)


def _batches(components: Integers, programme: Programme) -> Iterator[tuple[int, int]]:
    """Put successive components together, up to some number of variables."""
    if not len(components):
        return
    begin = int(components[0])
    size, last = 0, begin - 1
    for component in components.tolist():
        here = int(np.diff(programme.first_variable[component : component + 2])[0])
        if component != last + 1 or (size and size + here > BATCH):
            yield begin, last + 1
            begin, size = component, 0
        size, last = size + here, component
    yield begin, last + 1


def _formulate(part: Part, reduced: Reduced) -> tuple[Programme, Integers]:
    """Write the programme of live options; also tell the component of each."""
    rows, cost = np.flatnonzero(reduced.live), reduced.cost
    options = part.options.take(rows)
    n = len(rows)
    touch_row, touch_cell = options.touches()
    priced = np.unique(touch_cell[cost[touch_cell] > 0])
    blocks = [
        _ends(options, part.cells),
        _alone(touch_row, touch_cell, priced, part.cells, n),
        _merges(options, reduced.continued),
        _rules(part, reduced.sure, rows),
    ]
    width, row0 = n + len(priced), 0
    entry, column, value, limit = [], [], [], []
    for block_row, block_column, block_value, block_limit in blocks:
        entry.append(block_row + row0)
        column.append(block_column)
        value.append(block_value)
        limit.append(block_limit)
        row0 += len(block_limit)
    places = np.concatenate(entry), np.concatenate(column)
    matrix = sparse.csr_array((np.concatenate(value), places), shape=(row0, width))
    worth = np.concatenate([options.gain, -cost[priced]])
    which = np.concatenate([rows, np.full(len(priced), -1)])
    return _by_component(worth, matrix, np.concatenate(limit), which, n)


Block = tuple[Integers, Integers, Floats, Floats]


def _ends(options: Options, cells: int) -> Block:
    """Allow at most one option at every end."""
    row, end = options.uses(cells)
    _, place, count = np.unique(end, return_inverse=True, return_counts=True)
    shared = count > 1
    number = np.cumsum(shared) - 1
    keep = shared[place]
    return number[place[keep]], row[keep], np.ones(keep.sum()), np.ones(shared.sum())


def _alone(
    row: Integers, cell: Integers, priced: Integers, cells: int, n: int
) -> Block:
    """Let a cell be alone unless something links it."""
    place = np.full(cells, -1)
    place[priced] = np.arange(len(priced))
    keep = place[cell] >= 0
    every = np.arange(len(priced))
    rows = np.concatenate([place[cell[keep]], every])
    columns = np.concatenate([row[keep], n + every])
    return rows, columns, -np.ones(len(rows)), -np.ones(len(priced))


def _merges(options: Options, continued: Booleans) -> Block:
    """Let a merge need a plain link into its cell."""
    waits = np.flatnonzero(options.merge & ~continued[options.after])
    plain = np.flatnonzero(~options.merge & (options.sister < 0))
    order = plain[np.argsort(options.after[plain], kind="stable")]
    target = options.after[order]
    begin = np.searchsorted(target, options.after[waits])
    count = np.searchsorted(target, options.after[waits], side="right") - begin
    number = np.repeat(np.arange(len(waits)), count)
    inside = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count)
    support = order[np.repeat(begin, count) + inside]
    rows = np.concatenate([np.arange(len(waits)), number])
    value = np.concatenate([np.ones(len(waits)), -np.ones(len(number))])
    return rows, np.concatenate([waits, support]), value, np.zeros(len(waits))


def _rules(part: Part, sure: Booleans, rows: Integers) -> Block:
    place = np.full(len(sure), -1)
    place[rows] = np.arange(len(rows))
    entry: list[Integers] = []
    column: list[Integers] = []
    limit: list[float] = []
    for members, most in part.rules:
        left = place[members]
        left = left[left >= 0]
        entry.append(np.full(len(left), len(limit)))
        column.append(left)
        limit.append(float(most - sure[members].sum()))
    none = np.zeros(0, np.int64)
    columns = np.concatenate([none, *column])
    return (
        np.concatenate([none, *entry]),
        columns,
        np.ones(len(columns)),
        np.array(limit),
    )


def _by_component(
    worth: Floats, matrix: sparse.csr_array, limit: Floats, option: Integers, n: int
) -> tuple[Programme, Integers]:
    rows = matrix.shape[0]
    graph = sparse.block_array([[None, abs(matrix)], [abs(matrix).T, None]])
    _, label = sparse.csgraph.connected_components(graph, directed=False)
    # Numbered by their first option, not by how the graph was walked.
    used = label[rows:]
    _, first, group = np.unique(used, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    number = np.full(label.max(initial=-1) + 1, -1)
    number[used] = rank[group]
    of_variable, of_row = number[used], number[label[:rows]]
    live = np.flatnonzero(of_row >= 0)
    row_order = live[np.argsort(of_row[live], kind="stable")]
    column_order = np.argsort(of_variable, kind="stable")
    count = len(first)
    edges = np.arange(count + 1)
    programme = Programme(
        worth[column_order],
        matrix[row_order][:, column_order],
        limit[row_order],
        option[column_order],
        np.searchsorted(of_variable[column_order], edges),
        np.searchsorted(of_row[row_order], edges),
    )
    return programme, of_variable[:n]


def _solve(batch: Programme, clock: Clock, effort: Effort) -> tuple[Floats, float]:
    """Solve components together; (X,) values and what may have been missed."""
    relaxed, bound = _highs(batch, False, clock, effort)
    if relaxed is None:
        return _greedy(batch, bound)
    x = relaxed
    broken = np.abs(x - np.round(x)) > WHOLE
    component = np.searchsorted(
        batch.first_variable, np.flatnonzero(broken), side="right"
    )
    lost = 0.0
    for number in np.unique(component - 1).tolist():
        one = batch.cut(number, number + 1)
        place = slice(*batch.first_variable[number : number + 2])
        best, bound = _highs(one, True, clock, effort)
        most = min(bound, float(one.worth @ relaxed[place]))
        if best is None:
            best, _ = _greedy(one, most)
        x[place] = np.round(best)
        lost += max(0.0, most - float(one.worth @ x[place]))
        clock.tell(0)
    return np.round(x), lost if lost > WHOLE else 0.0


def _highs(
    programme: Programme, whole: bool, clock: Clock, effort: Effort
) -> tuple[Floats | None, float]:
    """Solve one programme; none where time was too short, and an upper bound."""
    top = _crude_bound(programme)
    if clock.left <= 0:
        return None, top
    effort.programmes += 1
    effort.integer += whole
    limits = optimize.LinearConstraint(programme.matrix, -np.inf, programme.limit)
    settings = {"mip_rel_gap": 0.0}
    if np.isfinite(clock.left):
        settings["time_limit"] = max(clock.left, 1e-3)
    found = optimize.milp(
        -programme.worth,
        integrality=np.full(len(programme.worth), int(whole)),
        bounds=optimize.Bounds(0, 1),
        constraints=limits if programme.matrix.shape[0] else (),
        options=settings,
    )
    if found.status == 0:
        exact = -float(found.fun)
        return found.x, exact if not whole else min(top, exact)
    # Choosing nothing is always possible, so only time can have run out.
    bound = found.get("mip_dual_bound") if whole else None
    if bound is not None and np.isfinite(bound):
        top = min(top, -float(bound))
    return (found.x if whole else None), top


def _crude_bound(programme: Programme) -> float:
    """All that gains, as if nothing disputed it."""
    return float(np.maximum(programme.worth, 0).sum())


def _greedy(programme: Programme, bound: float) -> tuple[Floats, float]:
    """Take the best option that is still possible, again and again."""
    x = (programme.option < 0).astype(float)
    columns = programme.matrix.tocsc()
    slack = programme.limit - programme.matrix @ x
    option = np.flatnonzero(programme.option >= 0)
    for row in option[np.argsort(-programme.worth[option], kind="stable")].tolist():
        place = slice(*columns.indptr[row : row + 2])
        rows, value = columns.indices[place], columns.data[place]
        if programme.worth[row] > 0 and (slack[rows] >= value - WHOLE).all():
            x[row] = 1
            slack[rows] -= value
    # A cell is alone only where that is needed.
    for row in np.flatnonzero(programme.option < 0).tolist():
        place = slice(*columns.indptr[row : row + 2])
        rows, value = columns.indices[place], columns.data[place]
        if (slack[rows] >= -value - WHOLE).all():
            x[row] = 0
            slack[rows] += value
    return x, max(0.0, bound - float(programme.worth @ x))
