"""How fast large projects open, are stepped through, edited and undone."""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from napari_semiconv.edits.base import Edit
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.divisions import MarkDivision, UnmarkDivision
from napari_semiconv.edits.links import Link, Move, Relabel, Swap, Unlink
from napari_semiconv.edits.masks import CopyMask, Erase, MergeMasks, NewCell, Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell, DeleteTrack
from napari_semiconv.edits.shaping import Interpolate, SplitByLine, SplitByPoints
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.tracking.lineage import Lineage, Track

from ..report import Report, Row

# Frames that a usual track lives; every fiftieth track lives through the whole movie.
LIFE = 50
LONG = 50


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument(
        "--share", type=float, default=1.0, help="of all frames, 0 to 1"
    )
    parser.add_argument("--repeats", type=int, default=7, help="of each edit")


@dataclass(frozen=True)
class World:
    """A grid of square cells whose tracks end and begin anew, each at its own time.

    Parameters
    ----------
    frames, side, cells
        Frames, height and width of a frame in px, cells in a frame.
    """

    frames: int
    side: int
    cells: int

    def tracked(self) -> TrackedMovie:
        """Masks and tracks of it, computed when asked for."""
        places = self._places()
        shape = (self.frames, self.side, self.side)

        def read(frame: int) -> NDArray[np.int32]:
            labels: NDArray[np.int32] = self._labels(frame)[places]
            return labels

        return TrackedMovie("grid", shape, read, self._lineage())

    def _places(self) -> NDArray[np.int32]:
        """Give each pixel the number of its cell, from 1, (Y, X)."""
        columns = int(np.ceil(np.sqrt(self.cells)))
        pitch = self.side // columns
        y, x = np.indices((self.side, self.side)) // pitch
        number = y * columns + x + 1
        inside = np.indices((self.side, self.side)) % pitch < round(0.7 * pitch)
        there = inside.all(0) & (x < columns) & (number <= self.cells)
        return np.where(there, number, 0).astype(np.int32)

    def _labels(self, frame: int) -> NDArray[np.int32]:
        """Label of each cell number in a frame, (cells + 1,)."""
        cell = np.arange(self.cells + 1)
        piece = (frame + cell) // LIFE - cell // LIFE
        piece[cell % LONG == 0] = 0
        labels = (cell - 1) * (self.frames // LIFE + 2) + piece + 1
        labels[0] = 0
        return labels.astype(np.int32)

    def _lineage(self) -> Lineage:
        table = np.stack([self._labels(t)[1:] for t in range(self.frames)])
        found = []
        for column in table.T:
            labels, begins = np.unique(column, return_index=True)
            ends = [*(begins[1:] - 1).tolist(), self.frames - 1]
            runs = zip(labels.tolist(), begins.tolist(), ends, strict=True)
            found += [Track(label, ((a, b),)) for label, a, b in runs]
        return Lineage(found)


def run(options: argparse.Namespace) -> Report:
    """Measure; each project is opened in a process of its own."""
    worlds = {
        "long": World(max(200, int(10_000 * options.share)), 512, 200),
        "crowded": World(max(100, int(1_000 * options.share)), 1024, 1_000),
    }
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, world in worlds.items():
            path = Path(folder) / f"{name}.semiconv"
            _make(path, world)
            rows += _apart(_step_through, path, name)
        rows += _apart(_edit, path, options.repeats)
    return Report(
        rows=rows,
        settings={
            name: f"{w.frames} frames of {w.side} x {w.side} px, {w.cells} cells each"
            for name, w in worlds.items()
        }
        | {"life of a track, frames": LIFE, "repeats": options.repeats},
        notes=(
            "An edit is checked, written to the journal and applied; the slowest of "
            "the repeats includes reading its frame from the disk.",
        ),
    )


def _make(path: Path, world: World) -> None:
    shape = (world.frames, world.side, world.side)
    pixels = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), shape)
    Project.create(path, movie_from_array(pixels, "TYX"), world.tracked()).close()


def _apart(work: Callable[..., list[Row]], *arguments: Any) -> list[Row]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def _step_through(path: Path, name: str) -> list[Row]:
    start = psutil.Process().memory_info().rss
    begin = time.perf_counter()
    project = Project.open(path)
    first = project.document.labels(0)
    opened = time.perf_counter() - begin
    assert first.any()
    most, begin = 0, time.perf_counter()
    frames = project.document.shape[0]
    for frame in range(frames):
        project.document.labels(frame)
        project.lineage.cells(frame)
        if frame % 100 == 0:
            most = max(most, psutil.Process().memory_info().rss)
    stepped = time.perf_counter() - begin
    tracks = len(project.lineage.tracks)
    project.close()
    return [
        {"what": f"{name}: open and show a frame ({tracks} tracks)", "s": opened},
        {
            "what": f"{name}: step to the next frame",
            "median_ms": 1e3 * stepped / frames,
        },
        {"what": f"{name}: memory while stepping", "MB": round(most / 2**20)},
        {"what": f"{name}: memory before opening", "MB": round(start / 2**20)},
    ]


def _edit(path: Path, repeats: int) -> list[Row]:
    rows: list[Row] = []
    with Project.open(path) as project:
        times: dict[str, list[float]] = {}
        for turn in range(repeats):
            for edit in _edits(project, turn):
                _timed(times, edit.kind, partial(project.do, edit))
                _timed(times, f"undo {edit.kind}", project.undo)
                _timed(times, f"redo {edit.kind}", project.redo)
        for kind, found in times.items():
            rows.append(
                {
                    "what": kind,
                    "median_ms": 1e3 * statistics.median(found),
                    "slowest_ms": 1e3 * max(found),
                }
            )
    return sorted(rows, key=lambda row: -float(row["slowest_ms"] or 0))


def _timed(
    times: dict[str, list[float]], kind: str, work: Callable[[], object]
) -> None:
    begin = time.perf_counter()
    work()
    times.setdefault(kind, []).append(time.perf_counter() - begin)


def _edits(project: Project, turn: int) -> Iterator[Edit]:
    yield from _track_edits(project, 60 + 7 * turn)
    yield from _mask_edits(project, 60 + 7 * turn, turn)


def _track_edits(project: Project, frame: int) -> Iterator[Edit]:
    """Edits of tracks, of those that live longest after a frame."""
    one, other = _longest(project, frame)[:2]
    yield Swap(one, other, frame)
    yield Confirm(one)
    yield Unlink(one, frame)
    yield Link(one, frame - 1, max(project.lineage.tracks), frame)
    yield MarkDivision(one, (one, other), frame)
    yield UnmarkDivision(one)
    yield Relabel(_longest(project, frame)[2], project.document.next_number + 5)
    yield Move(_longest(project, frame)[3], frame, None)
    yield DeleteTrack(_longest(project, frame)[4])
    yield Confirm(None, frame, frame)


def _mask_edits(project: Project, frame: int, turn: int) -> Iterator[Edit]:
    """Edits of masks, each turn in other cells."""
    cells = iter(_longest(project, frame)[20 + 10 * turn :])
    label = next(cells)
    region = Region.where(project.document.labels(frame) == label)
    y, x = region.y, region.x
    bottom, right = (n + m - 2 for n, m in zip((y, x), region.mask.shape, strict=True))
    brush = Region(y + 2, x + 2, np.ones((9, 9), bool))
    yield Erase(frame, brush)
    yield Paint(frame, label, brush)
    yield SplitByPoints(frame, label, ((y + 1, x + 1), (bottom, right)))
    yield SplitByLine(frame, label, ((y, x + 4), (bottom + 2, x + 4)))
    yield NewCell(frame, Region(bottom + 3, x, np.ones((3, 8), bool)))
    yield MergeMasks(frame, (next(cells), next(cells)))
    gone = next(cells)
    yield DeleteCell(frame + 1, gone)
    yield Interpolate(gone)
    gone = next(cells)
    yield DeleteCell(frame + 1, gone)
    yield CopyMask(frame, gone, frame + 1)


def _longest(project: Project, frame: int) -> list[int]:
    """Labels of the cells that are there before and after, the longest lives first."""
    tracks = project.lineage.tracks
    cells = [
        label
        for label in project.lineage.cells(frame)
        if tracks[label].begin < frame and tracks[label].has(frame + 2)
    ]
    return sorted(cells, key=lambda n: tracks[n].begin - tracks[n].end)
