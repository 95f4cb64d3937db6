"""How fast the window previews, and how long it does not answer while a movie runs."""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import napari
import tifffile
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication

from napari_semiconv.errors import SemiconvError
from napari_semiconv.gui.benches import workbench_of
from napari_semiconv.gui.panel import CellPanel
from napari_semiconv.gui.workbench import Workbench

from ..heartbeat import Heartbeat
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
    bench = workbench_of(viewer)
    viewer.window.add_dock_widget(CellPanel(viewer))
    heart = Heartbeat()
    heart.start()
    bench.open(path)
    _rest(bench)
    bench.preview()
    _rest(bench)
    rows = [_row("widget opened to preview shown", begin, heart)]
    begin = time.perf_counter()
    heart.start()
    bench.run()
    _rest(bench)
    rows.append(_row("run, tracks shown", begin, heart))
    heart.stop()
    bench.close()
    return rows


def _row(step: str, begin: float, heart: Heartbeat) -> Row:
    return {
        "step": step,
        "seconds": time.perf_counter() - begin,
        "longest_pause_ms": 1000 * heart.longest,
        "pauses_over_200_ms": sum(gap > 0.2 for gap in heart.gaps),
    }


def _rest(bench: Workbench) -> None:
    """Let the window live until the job that was begun has ended."""
    end = time.perf_counter() + PATIENCE
    waiting = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
    while bench.session.job is not None:
        # Asleep until something happens: a busy loop would slow the child down.
        QApplication.processEvents(waiting)
        if time.perf_counter() > end:
            raise SemiconvError("The window took too long; try fewer frames.")
    QApplication.processEvents()
    if bench.said.kind == "error":
        raise SemiconvError(bench.said.text)
