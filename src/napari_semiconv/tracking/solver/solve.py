"""The best lineage of a movie, solved in windows.

Links, gaps and divisions of many frames are weighed against one another at once, as an
integer programme (Jug et al. 2014, "Optimal joint segmentation and tracking of
Escherichia coli in the mother machine"). Small movies are solved as a whole. In longer
ones a window decides all but its last frames, which the next looks at again, so that
memory depends on the window alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .choice import choose
from .problem import Booleans, Ends, Floats, Integers, Problem

# Options that are solved together, and frames that two windows share: with 8 crowds
# have the optimum of the whole even in the shortest windows, with 6 not always.
WINDOW, OVERLAP = 70_000, 8


@dataclass(frozen=True)
class Solution:
    """A lineage and how sure it is.

    Parameters
    ----------
    taken
        Options that make it up, (V,).
    value
        Sum of their gains.
    margin
        What the sum would lose at least without this option, (V,); infinite for what
        was confirmed, NaN for options that are not taken.
    gap
        What windows that ran out of time may have missed; 0 if none did.
    """

    taken: Booleans
    value: float
    margin: Floats
    gap: float


def solve(
    problem: Problem,
    *,
    window: int = WINDOW,
    overlap: int = OVERLAP,
    tell: Callable[[int, int], None] | None = None,
) -> Solution:
    """Find the lineage that is worth most.

    The same problem has the same solution, in whatever order its options are.

    Parameters
    ----------
    problem
        Cells and options.
    window
        Options that are solved together, about.
    overlap
        Frames at the end of a window that the next one decides, at least; at least
        twice as many as any option spans.
    tell
        Called with options decided and in all before each window and at the end; what
        it raises stops the work.

    Raises
    ------
    SemiconvError
        If HiGHS fails.
    """
    options, n, total = problem.options, len(problem.frame), len(problem.options.gain)
    ends, order = options.ends(n), _order(problem)
    taken, margin = problem.taken.copy(), np.where(problem.taken, np.inf, np.nan)
    spent = np.append(problem.closed, False)
    _spend(spent, ends[taken])
    start = problem.frame[options.before[order]]
    last = np.maximum(options.after[order], options.sister[order])
    span = int((problem.frame[last] - start).max(initial=1))
    gap = 0.0
    for begin, decided, end in windows(start, window, max(overlap, 2 * span)):
        if tell is not None:
            tell(total - len(order) + begin, total)
        inside = np.arange(begin, end)
        inside = inside[~spent[ends[order[inside]]].any(1)]
        rows = order[inside]
        found = choose(options.gain[rows], ends[rows])
        final = found.taken & (inside < decided)
        chosen = rows[final]
        taken[chosen], margin[chosen] = True, found.margin[final]
        _spend(spent, ends[chosen])
        gap += found.gap
    if tell is not None:
        tell(total, total)
    return Solution(taken, float(options.gain[taken].sum()), margin, gap)


def _order(problem: Problem) -> Integers:
    """Options that may be taken, by cells, so that these decide between equal ones."""
    options, fixed = problem.options, problem.taken
    able = np.flatnonzero(~fixed & (options.gain > 0))
    after, sister, gain = options.after[able], options.sister[able], options.gain[able]
    pair = sister >= 0
    first = np.where(pair, np.minimum(after, sister), after)
    last = np.where(pair, np.maximum(after, sister), -1)
    order: Integers = able[np.lexsort((gain, last, first, options.before[able]))]
    return order


def _spend(spent: Booleans, ends: Ends) -> None:
    """Mark ends that are used; the last one stands for none."""
    spent[ends] = True
    spent[-1] = False


def windows(start: Integers, most: int, overlap: int) -> Iterator[tuple[int, int, int]]:
    """Part options into windows that overlap.

    Parameters
    ----------
    start
        First frame of each option, ascending, (V,).
    most
        Options of a window, about; in any case it has twice the frames of the overlap.
    overlap
        Frames at the end of a window that the next one decides.

    Yields
    ------
    tuple of int
        The first option of a window, the first that it does not decide, and the first
        that it does not see.
    """
    begin, count = 0, len(start)
    while begin < count:
        end = count
        if begin + most < count:
            last = max(int(start[begin + most]), int(start[begin]) + 2 * overlap)
            end = int(np.searchsorted(start, last))
        decided = count
        if end < count:
            decided = int(np.searchsorted(start, last - overlap))
        yield begin, decided, end
        begin = decided
