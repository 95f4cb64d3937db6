"""What a lineage is solved from: cells, options of linking them, what is confirmed."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Ends = NDArray[np.int32]


@dataclass(frozen=True)
class Options:
    """Possible links and divisions.

    A link uses the future of one cell and the past of another; a division also uses the
    past of the second daughter. Each end of a cell is used once at most.

    Parameters
    ----------
    before, after
        Rows of the cells that each links, the earlier and the later, (V,).
    sister
        Row of the second daughter, -1 for a plain link, (V,).
    gain
        What each is worth over leaving its ends open, (V,).
    """

    before: Integers
    after: Integers
    sister: Integers
    gain: Floats

    @classmethod
    def joined(cls, parts: Iterable["Options"] = ()) -> "Options":
        """Put options one after another; none when there are no parts."""
        none = np.zeros(0, np.int64)
        parts = [cls(none, none, none, np.zeros(0)), *parts]
        names = [field.name for field in fields(cls)]
        return cls(
            *(np.concatenate([getattr(p, name) for p in parts]) for name in names)
        )

    @classmethod
    def links(cls, before: Integers, after: Integers, gain: Floats) -> "Options":
        """Plain links of cells."""
        return cls(before, after, np.full(len(gain), -1), gain)

    def take(self, rows: Integers | Booleans) -> "Options":
        """Choose options by row."""
        return Options(*(getattr(self, field.name)[rows] for field in fields(self)))

    def shifted(self, before: int, after: int) -> "Options":
        """Count the rows of earlier and later cells from other numbers than 0."""
        sister = np.where(self.sister < 0, -1, self.sister + after)
        return Options(self.before + before, self.after + after, sister, self.gain)

    def ends(self, cells: int) -> Ends:
        """List the ends that each option uses.

        Parameters
        ----------
        cells
            Number of cells, N.

        Returns
        -------
        Ends
            The row of a cell for its future, N more for its past, -1 for none, (V, 3).
        """
        second = np.where(self.sister < 0, -1, self.sister + cells)
        ends = np.empty((len(second), 3), np.int32)
        ends[:, 0], ends[:, 1], ends[:, 2] = self.before, self.after + cells, second
        return ends


@dataclass(frozen=True)
class Problem:
    """Cells of a movie, the options of linking them, and what the user confirmed.

    The best lineage has the largest sum of gains.

    Parameters
    ----------
    frame
        Frame of each cell, ascending, (N,).
    options
        Possible links and divisions, V of them.
    fixed
        Options that the user confirmed: they are taken, (V,); none if left.
    closed_before, closed_after
        The user confirmed that nothing comes before or after a cell, (N,).

    Raises
    ------
    BadInputError
        If arrays do not fit together, an option does not go forward in time, or what
        was confirmed contradicts itself.
    """

    frame: Integers
    options: Options
    fixed: Booleans | None = None
    closed_before: Booleans | None = None
    closed_after: Booleans | None = None

    def __post_init__(self) -> None:
        """Bring all arrays to their types and check them."""
        n, v = len(self.frame), len(self.options.gain)
        self._set("frame", n, np.int64)
        for name, length in (("fixed", v), ("closed_before", n), ("closed_after", n)):
            self._set(name, length, np.bool_)
        if (np.diff(self.frame) < 0).any():
            raise BadInputError(
                "Cells: expected them in order of frame, found a later frame before an "
                "earlier one. Sort the cells by frame."
            )
        _check_options(self.options, self.frame)
        confirmed = self.options.take(np.flatnonzero(self.taken))
        _check_confirmed(confirmed, self.frame, self.closed)

    @property
    def taken(self) -> Booleans:
        """Options that the user confirmed, (V,)."""
        assert self.fixed is not None
        return self.fixed

    @property
    def closed(self) -> Booleans:
        """Ends that stay open by the user's wish, futures and then pasts, (2 N,)."""
        assert self.closed_after is not None
        assert self.closed_before is not None
        return np.concatenate([self.closed_after, self.closed_before])

    def _set(self, name: str, length: int, kind: Any) -> None:
        given = getattr(self, name)
        values = np.asarray(np.zeros(length) if given is None else given).astype(kind)
        if values.shape != (length,):
            raise BadInputError(
                f"Array '{name}': expected {length} values, found shape "
                f"{values.shape}. Give one value for each cell or option."
            )
        object.__setattr__(self, name, values)


def _check_options(options: Options, frame: Integers) -> None:
    n, v = len(frame), len(options.gain)
    before, after, sister = options.before, options.after, options.sister
    if {before.shape, after.shape, sister.shape} != {(v,)}:
        raise BadInputError(
            f"Options: expected {v} rows of cells each, found others. Give one of each "
            "for every option."
        )
    lowest = min(x.min(initial=0) for x in (before, after, sister + 1))
    highest = max(x.max(initial=-1) for x in (before, after, sister))
    if lowest < 0 or highest >= n:
        raise BadInputError(
            f"Options: expected rows of cells from 0 to {n - 1}, found others. Number "
            "the cells in the order of their frames."
        )
    if not np.isfinite(options.gain).all():
        raise BadInputError(
            "Gains: expected finite numbers, found others. Leave impossible options "
            "out, and mark confirmed ones as fixed."
        )
    pair = sister >= 0
    wrong = frame[after] <= frame[before]
    wrong |= pair & ((frame[sister] <= frame[before]) | (sister == after))
    for row in np.flatnonzero(wrong)[:1].tolist():
        raise BadInputError(
            f"Option of a cell in frame {frame[before[row]]}: expected a later cell, "
            f"or two different later daughters, found frame {frame[after[row]]}. "
            "Correct or leave out this option."
        )


def _check_confirmed(options: Options, frame: Integers, closed: Booleans) -> None:
    """Refuse confirmed options that use an end twice, or a closed one."""
    n = max(len(frame), 1)
    ends = options.ends(n)
    row, column = np.nonzero(ends >= 0)
    end = ends[row, column]
    other = np.where(end < n, options.after[row], options.before[row])
    order = np.lexsort((other, end))
    end, other = end[order], other[order]

    def place(at: int) -> tuple[str, int, int]:
        """Side and frame of an end, and frame of the cell at its other end."""
        past, cell = divmod(int(end[at]), n)
        side = "before" if past else "after"
        return side, int(frame[cell]), int(frame[other[at]])

    for at in np.flatnonzero(end[1:] == end[:-1])[:1].tolist():
        side, here, one = place(at)
        raise BadInputError(
            f"Confirmed links: expected one {side} the cell in frame {here}, found "
            f"two, to cells in frames {one} and {place(at + 1)[2]}. Withdraw one of "
            "the two confirmations."
        )
    for at in np.flatnonzero(closed[end])[:1].tolist():
        side, here, there = place(at)
        raise BadInputError(
            f"Confirmed links: expected nothing {side} the cell in frame {here}, "
            f"as was confirmed, found a confirmed link to a cell in frame {there}. "
            "Withdraw one of the two confirmations."
        )
