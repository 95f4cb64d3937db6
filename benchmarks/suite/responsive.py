"""How fast the window previews, and how long it does not answer while a movie runs."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import tifffile
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication

from napari_semiconv.errors import SemiconvError
from napari_semiconv.gui.assembly import Parts, assemble
from napari_semiconv.gui.heartbeat import Heartbeat

from ..movies import fifty_cells
from ..report import Report, Row

# Seconds after which a step is given up.
PATIENCE = 600.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--frames", type=int, default=20, help="length of the movie")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated movie")


def run(options: argparse.Namespace) -> Report:
    """Measure in a napari window; a display, real or virtual, is needed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "movie.tif"
        images = fifty_cells(options.frames, options.seed)
        tifffile.imwrite(path, images, metadata={"axes": "TYX"})
        viewer = napari.Viewer()
        QApplication.processEvents()
        try:
            rows = _measure(viewer, path)
        finally:
            viewer.close()
    return Report(
        rows=rows,
        settings={
            "frame": "512 x 512 px, about 50 cells, simulated",
            "frames": options.frames,
            "seed": options.seed,
            "model": "default",
        },
        notes=("Pauses are of wall time: other work on the computer lengthens them.",),
    )


def _measure(viewer: Any, path: Path) -> list[Row]:
    begin = time.perf_counter()
    parts = assemble(viewer)
    viewer.window.add_dock_widget(parts.panel)
    heart = Heartbeat()
    heart.start()
    parts.movies.open(path)
    _wait(parts, lambda: parts.workspace.movie is not None)
    parts.controller.preview()
    _wait(parts, lambda: parts.workspace.activity == "idle")
    rows = [_row("widget opened to preview shown", begin, heart)]
    begin = time.perf_counter()
    heart.start()
    parts.controller.run()
    _wait(parts, lambda: parts.workspace.result is not None)
    rows.append(_row("run, tracks layer included", begin, heart))
    heart.stop()
    parts.controller.close()
    return rows


def _row(step: str, begin: float, heart: Heartbeat) -> Row:
    return {
        "step": step,
        "seconds": time.perf_counter() - begin,
        "longest_pause_ms": 1000 * heart.longest,
        "pauses_over_200_ms": sum(gap > 0.2 for gap in heart.gaps),
    }


def _wait(parts: Parts, done: Callable[[], bool]) -> None:
    """Let the window live until something is done."""
    end = time.perf_counter() + PATIENCE
    waiting = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
    while not done():
        # Asleep until something happens: a busy loop would slow the child down.
        QApplication.processEvents(waiting)
        if parts.workspace.error:
            raise SemiconvError(parts.workspace.error)
        if time.perf_counter() > end:
            raise SemiconvError("The window took too long; try fewer frames.")
