"""How long exports and imports of tracked cells take, and how large they are."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_semiconv.io.cells.formats import format_of, names, writable
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array

from ..report import Report, Row
from .document import LIFE, World

PIXEL_SIZE, FRAME_INTERVAL = (0.5, 0.5), 300.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--frames", type=int, default=1_000)
    parser.add_argument("--side", type=int, default=512, help="of a frame, px")
    parser.add_argument("--cells", type=int, default=200, help="in a frame")
    parser.add_argument("--only", choices=names(writable()), help="one format alone")


class Drifting(World):
    """Round cells with rough edges that drift through the frame together."""

    def tracked(self) -> TrackedMovie:
        """Masks, tracks and a movie of grey values, computed when asked for."""
        places, base = self._places(), super().tracked()

        def read(frame: int) -> NDArray[np.int32]:
            labels = self._labels(frame)[places]
            return np.roll(labels, frame % self.side, axis=1)

        pixels = np.broadcast_to(np.ones((1, 1, 1), np.uint16), base.shape)
        return TrackedMovie(
            base.name,
            base.shape,
            read,
            base.lineage,
            PIXEL_SIZE,
            FRAME_INTERVAL,
            movie_from_array(pixels, "TYX"),
        )

    def _places(self) -> NDArray[np.int32]:
        columns = int(np.ceil(np.sqrt(self.cells)))
        pitch = self.side // columns
        y, x = np.indices((self.side, self.side))
        number = y // pitch * columns + x // pitch + 1
        away = np.hypot(y % pitch - pitch / 2, x % pitch - pitch / 2)
        rough = np.random.default_rng(0).normal(0, 0.5, away.shape)
        inside = away + rough < 0.38 * pitch
        there = inside & (x // pitch < columns) & (number <= self.cells)
        return np.where(there, number, 0).astype(np.int32)


def run(options: argparse.Namespace) -> Report:
    """Write and read each format once."""
    world = Drifting(options.frames, options.side, options.cells)
    tracked = world.tracked()
    chosen = (options.only,) if options.only else names(writable())
    with tempfile.TemporaryDirectory() as folder:
        rows = [_measure(tracked, name, Path(folder)) for name in chosen]
    return Report(
        rows=rows,
        settings={
            "frames": f"{options.frames} of {options.side} x {options.side} px",
            "cells in a frame": options.cells,
            "tracks": len(tracked.lineage.tracks),
            "life of a track, frames": LIFE,
        },
        notes=(
            "Making the masks is part of the time to write. To read is to look at "
            "every frame once. Processor time is what it takes on a computer that is "
            "not busy.",
        ),
    )


def _measure(tracked: TrackedMovie, name: str, folder: Path) -> Row:
    form = format_of(name)
    target = folder / f"cells{form.suffix}"
    begin, used = time.perf_counter(), time.process_time()
    form.write(tracked, target, None)
    written, used = time.perf_counter() - begin, time.process_time() - used
    files = [path for path in folder.rglob("*") if path.is_file()]
    row: Row = {
        "format": name,
        "write_s": written,
        "write_cpu_s": used,
        "MB": sum(path.stat().st_size for path in files) / 1e6,
    }
    if form.reader:
        begin, used = time.perf_counter(), time.process_time()
        found = form.read(target)
        row["read_s"] = time.perf_counter() - begin
        row["read_cpu_s"] = time.process_time() - used
        assert found.shape == tracked.shape
    for path in files:
        path.unlink()
    return row
