"""What a global lineage is solved from: cells, their possible fates and the worth."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Problem:
    """Cells of a movie and the options of linking them.

    Every cell takes part in at most one option in its past and one in its future. A
    plain link uses the future of `before` and the past of `after`; a division also uses
    the past of `sister`. A merge uses the future of `before` alone and needs a plain
    link, another option, into `after`. The best lineage has the largest sum of gains,
    less the costs of cells that are linked to nothing.

    Parameters
    ----------
    frame
        Frame of each cell, ascending, (N,).
    before, after
        Rows of the cells that an option links, (V,).
    sister
        Row of the second daughter, or -1 for a plain link or merge, (V,).
    gain
        Worth of an option over leaving both its ends open, (V,).
    alone
        Cost of keeping a cell that is linked to nothing on either side, at least 0,
        (N,); 0 if left.
    spare
        Cost of leaving such a cell out altogether, at least 0, (N,); infinite if left,
        so that every cell is kept. A cell whose end is confirmed is always kept.
    fixed
        Options that the user confirmed: they are taken, (V,). A confirmed merge needs
        no other link.
    closed_before, closed_after
        The user confirmed that nothing comes before or after a cell, (N,).
    merge
        Which options are merges, (V,); none if left.
    rest
        A daughter may be the mother of a division only if she is still seen this many
        frames after the first frame she is seen in. What is confirmed in all its parts
        is exempt.

    Raises
    ------
    BadInputError
        If arrays do not fit together, or confirmed options contradict one another.
    """

    frame: Integers
    before: Integers
    after: Integers
    sister: Integers
    gain: Floats
    alone: Floats | None = None
    spare: Floats | None = None
    fixed: Booleans | None = None
    closed_before: Booleans | None = None
    closed_after: Booleans | None = None
    merge: Booleans | None = None
    rest: int = 0


@dataclass(frozen=True)
class Options:
    """Options of a problem in an order of their own, (V,) each.

    Parameters
    ----------
    before, after, sister, gain, merge
        As in `Problem`.
    """

    before: Integers
    after: Integers
    sister: Integers
    gain: Floats
    merge: Booleans

    def take(self, rows: Integers | Booleans) -> "Options":
        """Choose options by row."""
        return Options(*(getattr(self, field.name)[rows] for field in fields(self)))

    def uses(self, cells: int) -> tuple[Integers, Integers]:
        """List which option uses which end of a cell.

        Parameters
        ----------
        cells
            Number of cells, N.

        Returns
        -------
        tuple of Integers
            Rows of options, and ends: the row of a cell for its future, N more for its
            past, (E,) each.
        """
        every, pairs = np.arange(len(self.gain)), np.flatnonzero(self.sister >= 0)
        links = np.flatnonzero(~self.merge)
        ends = [self.before, self.after[links] + cells, self.sister[pairs] + cells]
        return np.concatenate([every, links, pairs]), np.concatenate(ends)

    def touches(self) -> tuple[Integers, Integers]:
        """List which option links which cell: rows of options and of cells."""
        every, pairs = np.arange(len(self.gain)), np.flatnonzero(self.sister >= 0)
        cells = [self.before, self.after, self.sister[pairs]]
        return np.concatenate([every, every, pairs]), np.concatenate(cells)


@dataclass(frozen=True)
class Lineages:
    """A checked problem in which the order of the options does not matter any more.

    Parameters
    ----------
    frame
        Frame of each cell, (N,).
    cost
        Cost of a cell that is linked to nothing, kept or left out, (N,).
    omitted
        Whether such a cell is left out, (N,).
    options
        In order of their cells.
    order
        Row of each option in the problem as given, (V,).
    fixed
        Options that are taken, (V,).
    open
        Whether the future (0) and the past (1) of each cell may be linked, (2, N).
    rest
        As in `Problem`.
    """

    frame: Integers
    cost: Floats
    omitted: Booleans
    options: Options
    order: Integers
    fixed: Booleans
    open: Booleans
    rest: int


def check(problem: Problem) -> Lineages:
    """Check a problem and put its options in order.

    Parameters
    ----------
    problem
        As the caller has it.

    Raises
    ------
    BadInputError
        If arrays do not fit together, or confirmed options contradict one another.
    """
    n, v = len(problem.frame), len(problem.gain)
    frame = _array(problem, "frame", n, np.int64, 0)
    if (np.diff(frame) < 0).any():
        raise BadInputError(
            "Cells: expected them in order of frame, found a later frame before an "
            "earlier one. Sort the cells by frame."
        )
    alone = _array(problem, "alone", n, np.float64, 0)
    spare = _array(problem, "spare", n, np.float64, np.inf)
    for name, cost in (("alone", alone), ("spare", spare)):
        if not (cost >= 0).all():
            raise BadInputError(
                f"Costs '{name}': expected numbers from 0, found {cost.min()}. "
                "Give what a cell costs, not what it gains."
            )
    closed = np.stack(
        [
            _array(problem, f"closed_{e}", n, np.bool_, False)
            for e in ("after", "before")
        ]
    )
    spare = np.where(closed.any(0), np.inf, spare)
    fixed = _array(problem, "fixed", v, np.bool_, False)
    options = _options(problem, n, v)
    order = _order(options, fixed)
    options, fixed = options.take(order), fixed[order]
    _check_options(options, frame)
    _check_fixed(options.take(fixed), frame, closed)
    cost = np.minimum(alone, spare)
    if not np.isfinite(cost).all():
        raise BadInputError(
            "Costs: expected that a cell without links may stay alone or be left out, "
            " found one with infinite costs of both. Make one of them finite."
        )
    return Lineages(
        frame, cost, spare < alone, options, order, fixed, ~closed, problem.rest
    )


def _array(problem: Problem, name: str, length: int, kind: Any, default: Any) -> Any:
    values = getattr(problem, name)
    if values is None:
        return np.full(length, default, kind)
    values = np.asarray(values).astype(kind)
    if values.shape != (length,):
        raise BadInputError(
            f"Array '{name}': expected {length} values, found shape {values.shape}. "
            "Give one value for each cell or option."
        )
    return values


def _options(problem: Problem, n: int, v: int) -> Options:
    rows = [_array(problem, k, v, np.int64, -1) for k in ("before", "after", "sister")]
    before, after, sister = rows
    gain = _array(problem, "gain", v, np.float64, 0)
    merge = _array(problem, "merge", v, np.bool_, False)
    lowest = min((x.min(initial=0) for x in (before, after)), default=0)
    highest = max(x.max(initial=-1) for x in rows)
    if lowest < 0 or sister.min(initial=-1) < -1 or highest >= n:
        raise BadInputError(
            f"Options: expected rows of cells from 0 to {n - 1}, found others. "
            "Number the cells in the order of 'frame'."
        )
    if not np.isfinite(gain).all():
        raise BadInputError(
            "Gains: expected finite numbers, found others. "
            "Leave impossible options out, and mark confirmed ones as fixed."
        )
    # Which daughter is named first does not matter.
    pair = sister >= 0
    first = np.where(pair, np.minimum(after, sister), after)
    second = np.where(pair, np.maximum(after, sister), sister)
    return Options(before, first, second, gain, merge)


def _order(options: Options, fixed: Booleans) -> Integers:
    keys = (-options.gain, ~fixed, options.merge, options.sister)
    order: Integers = np.lexsort((*keys, options.after, options.before))
    return order


def _check_options(options: Options, frame: Integers) -> None:
    pair = options.sister >= 0
    mother = frame[options.before]
    wrong = frame[options.after] <= mother
    wrong[pair] |= frame[options.sister[pair]] <= mother[pair]
    wrong |= pair & (options.sister == options.after)
    wrong |= pair & options.merge
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BadInputError(
            f"Option of a cell in frame {mother[row]}: expected a later cell, two "
            "different later daughters, or a merge into one later cell, found frame "
            f"{frame[options.after[row]]}. Correct or leave out this option."
        )


def _check_fixed(fixed: Options, frame: Integers, closed: Booleans) -> None:
    """Refuse confirmed options that use an end twice, or one confirmed to be closed."""
    row, end = fixed.uses(len(frame))
    order = np.argsort(end, kind="stable")
    row, end = row[order], end[order]
    past, cell = np.divmod(end, max(len(frame), 1))
    again = np.flatnonzero(end[1:] == end[:-1])
    shut = np.flatnonzero(closed[past, cell]) if len(end) else again
    for at in again[:1]:
        side = "before" if past[at] else "after"
        others = [_partner(fixed, int(row[at + i]), bool(past[at])) for i in (0, 1)]
        raise BadInputError(
            f"Confirmed links: expected one {side} the cell in frame "
            f"{frame[cell[at]]}, found two, to cells in frames {frame[others[0]]} and "
            f"{frame[others[1]]}. Withdraw one of the two confirmations."
        )
    for at in shut[:1]:
        side = "before" if past[at] else "after"
        other = _partner(fixed, int(row[at]), bool(past[at]))
        raise BadInputError(
            f"Confirmed links: expected nothing {side} the cell in frame "
            f"{frame[cell[at]]}, as was confirmed, found a confirmed link to a cell in "
            f"frame {frame[other]}. Withdraw one of the two confirmations."
        )


def _partner(options: Options, row: int, past: bool) -> int:
    """Cell at the other end of an option."""
    return int(options.before[row] if past else options.after[row])
