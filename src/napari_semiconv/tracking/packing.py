"""The best choice among disputed options: linear and integer programmes of HiGHS.

Options fall into connected components that share no cell end, cost or rule. Components
are put together into linear programmes of moderate size; where the answer of one is
whole numbers, as it is for most, it is the best choice, since the relaxation bounds it.
In the others, options whose reduced cost exceeds the gap between the relaxation and a
known choice cannot be part of a better one; without them little is left to be solved as
integer programmes.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import optimize

from .problem import Booleans, Floats, Integers
from .programme import Programme, formulate
from .reduction import Part, reduce

# Variables in one linear programme: few calls, yet each soon over.
BATCH = 20_000
# Values nearer to 0 or 1 count as whole, as HiGHS has it.
WHOLE = 1e-6
# Options that lose more than this in the relaxation are tried only if need be.
UNLIKELY = 0.1
# Most variables of an integer programme; rather than solve more, a gap is reported.
LARGEST = 5_000


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
    prices
        What the ends of each cell are worth, futures and pasts, and the saving if
        something links it; NaN where the reduction decided, (3 N,).
    """

    taken: Booleans
    settled: Booleans
    group: Integers
    lost: float
    prices: Floats


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
    prices = np.full(3 * part.cells, np.nan)
    if not len(rows):
        return Packing(taken, settled, group, 0.0, prices)
    programme = formulate(part, reduced)
    count = len(programme.first_row) - 1
    number = np.repeat(np.arange(count), np.diff(programme.first_variable))
    group[programme.option[programme.option >= 0]] = number[programme.option >= 0]
    held, forced = np.zeros(count, bool), np.zeros(count, bool)
    held[group[rows[part.held[rows]]]] = True
    forced[group[rows[part.forced[rows]]]] = True
    sizes = np.bincount(group[rows], minlength=count)
    lost = 0.0
    for begin, end in _batches(np.flatnonzero(forced | ~held), programme):
        batch = programme.cut(begin, end)
        found = _solve(batch, clock, effort)
        taken[batch.option[(found.x > 0.5) & (batch.option >= 0)]] = True
        named = batch.source >= 0
        prices[batch.source[named]] = found.prices[named]
        lost += found.lost
        effort.components += end - begin
        effort.largest = max(effort.largest, int(sizes[begin:end].max()))
        clock.tell(0)
    settled[rows] = ~held[group[rows]]
    return Packing(taken, settled, group, lost, prices)


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


@dataclass(frozen=True)
class _Found:
    """Values of a programme, (X,), prices of its rows, (R,), and what may be missed."""

    x: Floats
    prices: Floats
    lost: float


def _solve(batch: Programme, clock: Clock, effort: Effort) -> _Found:
    """Solve components together."""
    relaxed = _relax(batch, clock, effort)
    if relaxed is None:
        top = float(np.maximum(batch.worth, 0).sum())
        return _Found(*_greedy(batch, top))
    x, prices = relaxed
    lost = 0.0
    count = len(batch.first_row) - 1
    for number in _broken(batch, x, np.arange(count)):
        place = slice(*batch.first_variable[number : number + 2])
        rows = slice(*batch.first_row[number : number + 2])
        one = batch.cut(number, number + 1)
        x[place], missed = _round(one, x[place], prices[rows], clock, effort)
        lost += missed
    return _Found(np.round(x), prices, lost)


def _relax(
    programme: Programme, clock: Clock, effort: Effort
) -> tuple[Floats, Floats] | None:
    """Solve without whole numbers: values, and prices of the rows."""
    if clock.left <= 0:
        return None
    effort.programmes += 1
    if not programme.matrix.shape[0]:
        return (programme.worth > 0).astype(float), np.zeros(0)
    limit = {"time_limit": max(clock.left, 1e-3)} if np.isfinite(clock.left) else {}
    found = optimize.linprog(
        -programme.worth,
        A_ub=programme.matrix,
        b_ub=programme.limit,
        bounds=(0, 1),
        method="highs-ds",
        options=limit,
    )
    # Choosing nothing is always possible, so that only time can have run out.
    if found.status != 0:
        return None
    return found.x, np.maximum(-found.ineqlin.marginals, 0)


def _broken(programme: Programme, x: Floats, components: Integers) -> list[int]:
    """Components in which values are not whole."""
    at = np.flatnonzero(np.abs(x - np.round(x)) > WHOLE)
    number = np.searchsorted(programme.first_variable, at, side="right") - 1
    found: list[int] = np.intersect1d(number, components).tolist()
    return found


def _round(
    one: Programme, relaxed: Floats, prices: Floats, clock: Clock, effort: Effort
) -> tuple[Floats, float]:
    """Find the best whole values of one component, and what may be missed."""
    top = float(one.worth @ relaxed)
    reduced = one.worth - one.matrix.T @ prices
    x, lost, within = np.zeros(0), np.inf, UNLIKELY
    while True:
        keep = (relaxed > WHOLE) | (reduced >= -within) | (one.option < 0)
        less = one.restrict(keep)
        broken = _broken(less, relaxed[less.option], np.arange(len(less.first_row) - 1))
        widest = max(np.diff(less.first_variable)[broken], default=0)
        if widest > LARGEST:
            if len(x):
                return x, lost
            if within > WHOLE:
                within /= 4
                continue
        x = relaxed.copy()
        for number in broken:
            small = less.cut(number, number + 1)
            x[small.option] = _whole(small, one, clock, effort)
            clock.tell(0)
        x = np.round(x)
        lost = max(0.0, top - float(one.worth @ x))
        if clock.left <= 0:
            return x, lost
        # Whatever is better loses less than this, so that it was not left out.
        if lost <= within or keep.all():
            return x, 0.0
        within = lost + WHOLE


def _whole(small: Programme, one: Programme, clock: Clock, effort: Effort) -> Floats:
    """Solve with whole numbers, or greedily where time is too short."""
    if clock.left > 0:
        effort.programmes += 1
        effort.integer += 1
        settings = {"mip_rel_gap": 0.0}
        if np.isfinite(clock.left):
            settings["time_limit"] = max(clock.left, 1e-3)
        found = optimize.milp(
            -small.worth,
            integrality=np.ones(len(small.worth)),
            bounds=optimize.Bounds(0, 1),
            constraints=optimize.LinearConstraint(small.matrix, -np.inf, small.limit),
            options=settings,
        )
        if found.x is not None:
            best: Floats = np.round(found.x)
            return best
    cells = one.option[small.option] < 0
    return _greedy(replace(small, option=np.where(cells, -1, small.option)), 0.0)[0]


def _greedy(programme: Programme, bound: float) -> tuple[Floats, Floats, float]:
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
    lost = max(0.0, bound - float(programme.worth @ x))
    return x, np.zeros(len(programme.limit)), lost
