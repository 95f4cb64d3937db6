"""The best lineage of a whole movie, with the user's word as constraint.

Links, gaps and divisions of all frames are weighed against one another at once, as an
integer programme (Jug et al. 2014, "Optimal joint segmentation and tracking of
Escherichia coli in the mother machine"), rather than frame by frame. What is undisputed
is decided without a solver; the rest falls into components that HiGHS solves exactly.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import deciding
from .bounds import crude_bound, priced_bound
from .deciding import State
from .margins import Margins, find_margins, no_margins
from .packing import Clock, Effort
from .problem import Booleans, Floats, Lineages, Problem, check
from .reasons import LeftOut, find_left_out
from .windows import choose_window, solve_window, windows


@dataclass(frozen=True)
class Statistics:
    """What solving took.

    Parameters
    ----------
    components, largest
        Components of disputed options, and options in the largest of them.
    variables
        Options left after undisputed and worthless ones were decided.
    programmes, integer
        Programmes that HiGHS solved, and those of them with whole numbers.
    windows
        Windows that were solved.
    seconds
        Time for the solution, s.
    margin_seconds
        Time for the margins, s.
    """

    components: int
    largest: int
    variables: int
    programmes: int
    integer: int
    windows: int
    seconds: float
    margin_seconds: float


@dataclass(frozen=True)
class Solution:
    """A lineage and how sure it is.

    Parameters
    ----------
    taken
        Options that make it up, (V,).
    value
        Sum of their gains less the costs of cells that are linked to nothing.
    bound
        No lineage is worth more.
    margin
        What the total would lose if this taken option were forbidden, at least 0, (V,);
        infinite for what was confirmed, NaN for options that are not taken.
    margin_exact
        Whether that is exact, (V,); if not, the loss is at most the margin.
    left_out
        Cells that are left out, each with its reason.
    statistics
        What it took.
    """

    taken: Booleans
    value: float
    bound: float
    margin: Floats
    margin_exact: Booleans
    left_out: tuple[LeftOut, ...]
    statistics: Statistics

    @property
    def gap(self) -> float:
        """What a better lineage could gain at most; 0 if this one is the best."""
        return self.bound - self.value


def solve(
    problem: Problem,
    *,
    window: int | None = None,
    overlap: int | None = None,
    seconds: float | None = None,
    margins: bool = True,
    tell: Callable[[int, int], None] | None = None,
) -> Solution:
    """Find the lineage that is worth most.

    The same problem has the same solution, in whatever order its options are; among
    solutions of equal worth the order of the cells decides.

    Parameters
    ----------
    problem
        Cells and options.
    window
        Frames that are solved together. If left, as many as have a moderate number of
        options: the whole of many movies.
    overlap
        Frames for which an option may wait for what comes after its window.
    seconds
        Time after which the best lineage found by then is returned, with its gap; with
        such a limit solutions may differ from one time to the next.
    margins
        Whether to find out how much each option matters; all are NaN if not.
    tell
        Called with options decided so far and in all, also between long steps; what it
        raises stops the work.

    Raises
    ------
    BadInputError
        If arrays do not fit together, or confirmed options contradict one another.
    """
    start = time.monotonic()
    lineages = check(problem)
    state = deciding.begin(lineages)
    total = len(lineages.order)

    def report(_: int) -> None:
        if tell is not None:
            tell(total - int(state.undecided.sum()), total)

    until = np.inf if seconds is None else start + seconds
    clock, effort, count = Clock(until, report), Effort(), 0
    if total:
        size, shared = choose_window(lineages, window, overlap)
        for part in windows(lineages, state, size, shared):
            solve_window(lineages, state, part, clock, effort)
            clock.tell(0)
            count += 1
    solved = time.monotonic()
    known = find_margins(lineages, state, clock) if margins else no_margins(total)
    return _solution(
        lineages,
        state,
        known,
        Statistics(
            effort.components,
            effort.largest,
            effort.variables,
            effort.programmes,
            effort.integer,
            count,
            solved - start,
            time.monotonic() - solved,
        ),
    )


def _solution(
    lineages: Lineages, state: State, margins: Margins, statistics: Statistics
) -> Solution:
    value = deciding.value(lineages, state)
    bound = value + state.lost
    if state.lost or not state.certain:
        others = (crude_bound(lineages), priced_bound(lineages, state))
        bound = max(value, min(*others, bound if state.certain else np.inf))
    # Back to the order in which the options were given.
    back = np.empty(len(lineages.order), np.int64)
    back[lineages.order] = np.arange(len(back))
    return Solution(
        state.taken[back],
        value,
        bound,
        margins.margin[back],
        margins.exact[back],
        find_left_out(lineages, state),
        statistics,
    )
