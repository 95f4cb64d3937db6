"""The table of tracks of a Cell Tracking Challenge folder: read, checked, written."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....errors import BadInputError
from ....safe import write_text_safely
from ...guard import brief, read_text

RESULT_TABLE = "res_track.txt"
TRUTH_TABLE = "man_track.txt"
Table = NDArray[np.int64]


def read_table(path: Path) -> Table:
    """Read a table of tracks and check it against the rules of the format.

    Parameters
    ----------
    path
        ``res_track.txt`` or ``man_track.txt``.

    Returns
    -------
    Table
        Rows of label, first frame, last frame, parent or 0, (N, 4).

    Raises
    ------
    BadInputError
        When a row is malformed or breaks a rule.
    """
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 4 or not all(re.fullmatch(r"-?\d{1,9}", f) for f in fields):
            raise BadInputError(
                f"{path}: expected four whole numbers in line {number} (label, first "
                f"frame, last frame, parent), found '{brief(line)}'. Correct the line."
            )
        rows.append([int(field) for field in fields])
    table = np.array(rows, np.int64).reshape(-1, 4)
    for rule in _broken_rules(table):
        raise BadInputError(f"{path}: {rule}. Correct the table.")
    return table


def write_table(path: Path, table: Table) -> None:
    """Write rows of label, first frame, last frame, parent, (N, 4)."""
    rows = [" ".join(str(number) for number in row) for row in table.tolist()]
    write_text_safely(path, "".join(f"{row}\n" for row in rows))


def _broken_rules(table: Table) -> Iterator[str]:
    ends: dict[int, int] = {}
    for label, begin, end, _ in table.tolist():
        if label < 1:
            yield f"expected labels from 1, found {label}"
        if label in ends:
            yield f"expected each track once, found {label} twice"
        if not 0 <= begin <= end:
            yield (
                f"expected track {label} to begin at frame 0 or later and not after it "
                f"ends, found frames {begin} to {end}"
            )
        ends[label] = end
    for label, begin, _, parent in table.tolist():
        if parent and parent not in ends:
            yield f"expected {parent}, parent of track {label}, found no such track"
        elif parent and ends[parent] >= begin:
            yield (
                f"expected track {parent} to end before its daughter {label} begins in "
                f"frame {begin}, found that it ends in frame {ends[parent]}"
            )
