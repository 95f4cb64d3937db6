"""Columns with names and units, and the tables that they make up."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table.

    Parameters
    ----------
    name
        In files: words and unit, as in ``area_um2``.
    title
        For people, without the unit.
    unit
        Unit as people write it; may be empty.
    values
        (N,); whole numbers are int64, of others NaN is nothing.
    """

    name: str
    title: str
    unit: str
    values: NDArray[Any]

    @property
    def header(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length, the names of which differ.

    Parameters
    ----------
    columns
        From left to right.
    """

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.columns[0].values)

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a column."""
        return any(column.name == name for column in self.columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Give the values of a column, (N,)."""
        return next(c.values for c in self.columns if c.name == name)

    def rows(self, chosen: NDArray[Any]) -> "Table":
        """Keep some rows, (n,), in that order."""
        return Table(
            tuple(
                Column(c.name, c.title, c.unit, c.values[chosen]) for c in self.columns
            )
        )


@dataclass(frozen=True)
class Units:
    """In what lengths and times are told.

    Parameters
    ----------
    pixel_size
        Height and width of a pixel, in um; None when unknown.
    frame_interval
        Time between frames, in s; None when unknown.
    """

    pixel_size: tuple[float, float] | None = None
    frame_interval: float | None = None

    @property
    def length(self) -> tuple[str, str]:
        """Unit of length in names and for people."""
        return ("um", "µm") if self.pixel_size else ("px", "px")

    @property
    def speed(self) -> tuple[str, str]:
        """Unit of speed in names and for people."""
        if self.pixel_size and self.frame_interval:
            return "um_per_min", "µm/min"
        return "px_per_frame", "px/frame"

    def scaled(self, places: Values) -> Values:
        """Places, (N, 2), in px, in the unit of length."""
        return np.asarray(places * np.array(self.pixel_size or (1.0, 1.0)))


def table_of(columns: Iterable[Column], units: Units) -> Table:
    """Make a table of those columns that can be told in um, s and h."""

    def is_known(name: str) -> bool:
        if name.endswith(("_um", "_um2")):
            return units.pixel_size is not None
        return not name.endswith(("_s", "_h")) or bool(units.frame_interval)

    return Table(tuple(column for column in columns if is_known(column.name)))
