"""The ranked suspects of a project at one moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .reasons import KINDS, LASTING, Kind
from .suspect import Suspect

Integers = NDArray[np.int64]
# Suspects more likely than this to be wrong are marked where cells are shown; marking
# every one would mark most cells of a hard movie.
MARKED = 0.25
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Suspects in columns, (n,) each.

    Parameters
    ----------
    frame, last
        First and last frame.
    number
        Label of the cell, or stored number of one that was left out.
    kind
        Place of the kind in `KINDS`; the number of kinds for what was left out.
    chance
        Probability that something is wrong.
    later
        Cells in later frames that would be wrong with it.
    """

    frame: Integers
    last: Integers
    number: Integers
    kind: Integers
    chance: Floats
    later: Integers

    @property
    def cost(self) -> Floats:
        """How much each spoils: 1 for itself, 1 more for every ten times as many."""
        return 1 + np.log10(1 + self.later)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Rows":
        """Choose rows."""
        return Rows(
            self.frame[rows],
            self.last[rows],
            self.number[rows],
            self.kind[rows],
            self.chance[rows],
            self.later[rows],
        )

    @property
    def code(self) -> Integers:
        """Frame and number in one whole number, (n,)."""
        return self.frame << 32 | self.number


def gathered(rows: Rows) -> Rows:
    """Make one suspect of a doubt that a cell raises in frames one after the other."""
    if not len(rows.frame):
        return rows
    rows = rows.take(np.lexsort((rows.frame, rows.number)))
    same = (np.diff(rows.number) == 0) & (np.diff(rows.kind) == 0)
    goes_on = same & (np.diff(rows.frame) == 1) & LASTING[rows.kind[1:]]
    starts = np.flatnonzero(np.r_[True, ~goes_on])
    ends = np.r_[starts[1:], len(rows.frame)] - 1
    return Rows(
        rows.frame[starts],
        rows.last[ends],
        rows.number[starts],
        rows.kind[starts],
        np.maximum.reduceat(rows.chance, starts),
        np.maximum.reduceat(rows.later, starts) + rows.frame[ends] - rows.frame[starts],
    )


class Queue:
    """The suspects of a project at one moment, the one most worth a look first.

    Parameters
    ----------
    rows
        The suspects, in any order.
    looked
        Which of them the user has looked at, (n,).
    gone
        How many suspects were looked at and are none any more.
    left
        Errors that are left by estimate.
    describe
        Gives a suspect by its rows (one), and whether it was looked at.
    """

    def __init__(
        self,
        rows: Rows,
        looked: NDArray[np.bool_],
        gone: int,
        left: float,
        describe: Callable[[Rows, bool], Suspect],
    ) -> None:
        order = np.lexsort((rows.number, rows.frame, -rows.chance * rows.cost))
        self.rows, self.looked = rows.take(order), looked[order]
        self.errors_left = left
        self._gone = gone
        self._describe = describe
        self._known: dict[int, Suspect] = {}

    def __len__(self) -> int:
        return len(self.looked)

    def __getitem__(self, row: int) -> Suspect:
        if row not in self._known:
            only = self.rows.take(np.array([row]))
            self._known[row] = self._describe(only, bool(self.looked[row]))
        return self._known[row]

    def __iter__(self) -> Iterator[Suspect]:
        return (self[row] for row in range(len(self)))

    @property
    def looked_at(self) -> int:
        """Suspects that the user looked at, those that are none any more included."""
        return int(self.looked.sum()) + self._gone

    @property
    def total(self) -> int:
        """All suspects, those that were looked at included."""
        return len(self) + self._gone

    def kind(self, row: int) -> Kind:
        """Kind of a suspect."""
        place = int(self.rows.kind[row])
        return KINDS[place] if place < len(KINDS) else "left out"

    def row_of(self, key: tuple[int, int]) -> int | None:
        """Row of a suspect by its frame and number; None when it is none any more."""
        order, codes = self._codes
        code = key[0] << 32 | key[1]
        place = int(np.searchsorted(codes, code))
        found = place < len(codes) and codes[place] == code
        return int(order[place]) if found else None

    def rows_of(self, kind: Kind | None) -> Integers:
        """Rows of the suspects of a kind, or of all."""
        if kind is None:
            return np.arange(len(self))
        place = len(KINDS) if kind == "left out" else KINDS.index(kind)
        return np.flatnonzero(self.rows.kind == place)

    def open_after(
        self, row: int, *, before: bool = False, kind: Kind | None = None
    ) -> int | None:
        """Row of the next suspect that was not looked at; None when there is none.

        Parameters
        ----------
        row
            Where to begin; this row is not given. After the last one comes the first.
        before
            Go the other way, also to those that were looked at.
        kind
            Only suspects of this kind; of any when None.
        """
        rows = self.rows_of(kind)
        rows = rows if before else rows[~self.looked[rows]]
        if not len(rows):
            return None
        beyond = rows[rows < row] if before else rows[rows > row]
        if len(beyond):
            return int(beyond[-1] if before else beyond[0])
        return int(rows[-1] if before else rows[0])

    def by_label(self) -> dict[int, list[int]]:
        """Frames of the likely suspects that were not looked at, by label."""
        found: dict[int, list[int]] = {}
        seen = self.rows.take(self._marked)
        for frame, label in zip(seen.frame.tolist(), seen.number.tolist(), strict=True):
            found.setdefault(label, []).append(frame)
        return found

    def labels_in(self, frame: int) -> list[int]:
        """Labels of the likely suspects of a frame that were not looked at."""
        rows = self.rows
        here = (rows.frame <= frame) & (frame <= rows.last) & self._marked
        found = np.unique(rows.number[here])
        labels: list[int] = found.tolist()
        return labels

    @property
    def _marked(self) -> NDArray[np.bool_]:
        likely = (self.rows.chance >= MARKED) & (self.rows.kind < len(KINDS))
        return np.asarray(likely & ~self.looked)

    @cached_property
    def _codes(self) -> tuple[Integers, Integers]:
        codes = self.rows.code
        order = np.argsort(codes)
        return order, codes[order]
