"""Tables for spreadsheets: one line a cell and frame, and one line a track."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...safe import saving
from .cell_columns import cell_table
from .columns import Column, Table, Units
from .measuring import Measures, channels_of, measured_frame
from .staging import new_target
from .track_columns import track_table
from .tracked import TrackedMovie

CELLS = "cells.csv"
TRACKS = "tracks.csv"
# Lines that are made text at a time.
CHUNK = 10_000


def is_csv(path: Path) -> bool:
    """Tell whether a folder holds both tables, or a file is one of them."""
    folder = path if path.is_dir() else path.parent
    there = (folder / CELLS).is_file() and (folder / TRACKS).is_file()
    return there and (path.is_dir() or path.name in (CELLS, TRACKS))


def write_csv(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write ``cells.csv`` and ``tracks.csv`` into a new folder.

    One frame is in memory at a time, and the numbers of all cells. Columns name their
    units. Those in um, s or h are there when pixel size or frame interval are known,
    those of intensity when the movie is at hand, those of certainty when the network
    told it. A value that does not exist, such as the speed of a cell that has just
    appeared, is left empty.

    Parameters
    ----------
    tracked
        What to write.
    target
        The folder; it may not exist.
    progress
        Told the number of frames done and of all.

    Raises
    ------
    SaveError
        When the folder exists, or the disk fails.
    BadInputError
        When a frame cannot be read, or the movie is not that of the cells.
    """
    with new_target(target) as draft:
        draft.mkdir()
        movies = channels_of(tracked)
        frames: dict[int, Measures] = {}
        for frame in range(len(tracked)):
            frames[frame] = measured_frame(tracked, movies, frame)
            if progress is not None:
                progress(frame + 1, len(tracked))
        units = Units(tracked.pixel_size, tracked.frame_interval)
        cells = cell_table(frames, tracked.lineage, units, len(movies), tracked.name)
        _write(draft / CELLS, cells)
        _write(draft / TRACKS, track_table(cells, tracked.lineage, units))


def write_table(table: Table, target: Path) -> None:
    """Write a table as a new CSV file, with the names that exports have.

    Raises
    ------
    SaveError
        When there is something already, or the disk fails.
    """
    with new_target(target) as draft, saving(target):
        _write(draft, table)


def _write(path: Path, table: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([column.name for column in table.columns])
        for first in range(0, len(table), CHUNK):
            rows = slice(first, first + CHUNK)
            texts = (_texts(column, rows) for column in table.columns)
            writer.writerows(zip(*texts, strict=True))


def _texts(column: Column, rows: slice) -> list[str]:
    values = column.values[rows].tolist()
    if np.issubdtype(column.values.dtype, np.integer):
        return [str(value) for value in values]
    return ["" if math.isnan(value) else f"{value:.7g}" for value in values]
