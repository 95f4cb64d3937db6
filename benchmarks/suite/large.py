"""How fast a large project opens in the window, and what stepping through it costs."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
import tifffile
from numpy.typing import NDArray
from qtpy.QtWidgets import QApplication

from napari_semiconv.errors import SemiconvError
from napari_semiconv.gui.benches import workbench_of
from napari_semiconv.gui.docking import open_panel
from napari_semiconv.gui.layers import TRACKS
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project

from ..heartbeat import Heartbeat
from ..report import Report, Row
from .document import World

# Seconds after which a step is given up.
PATIENCE = 300.0
# Columns that all cells move from frame to frame, px.
DRIFT = 2


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--frames", type=int, default=1000, help="of the project")
    parser.add_argument("--side", type=int, default=512, help="of a frame, px")
    parser.add_argument("--cells", type=int, default=200, help="in each frame")
    parser.add_argument("--steps", type=int, default=60, help="that are timed")


def run(options: argparse.Namespace) -> Report:
    """Measure in a napari window; a display, real or virtual, is needed."""
    world = World(options.frames, options.side, options.cells)
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder), world)
        rows = measure(path, options.steps)
    return Report(
        rows=rows,
        settings={
            "project": f"{world.frames} frames of {world.side} x {world.side} px, "
            f"{world.cells} cells each",
            "steps": options.steps,
        },
        notes=(
            "Processor time of this process alone, so that other work on the computer "
            "counts little; without a graphics card it holds the drawing too.",
        ),
    )


def make(folder: Path, world: World) -> Path:
    """Write the movie and the project of a grid of cells that drifts."""
    still = world.tracked()

    def read(frame: int) -> NDArray[np.int32]:
        labels: NDArray[np.int32] = np.roll(still.read(frame), DRIFT * (frame % 8), 1)
        return labels

    movie_path = folder / "grid.tif"
    with tifffile.TiffWriter(movie_path, bigtiff=True) as stream:
        frames = (np.uint8(120) * (read(t) > 0) for t in range(world.frames))
        stream.write(
            frames,
            shape=still.shape,
            dtype=np.uint8,
            photometric="minisblack",
            metadata={"axes": "TYX"},
        )
    found = TrackedMovie("grid", still.shape, read, still.lineage)
    Project.create(folder / "grid.semiconv", open_movie(movie_path), found).close()
    return folder / "grid.semiconv"


def measure(path: Path, steps: int) -> list[Row]:
    """Open the project in the panel; step with tracks, without, and with napari's."""
    viewer = napari.Viewer()
    bench = workbench_of(viewer)
    open_panel(viewer)
    # napari takes a while for the first labels layer of a window, whoever makes it.
    viewer.add_labels(np.zeros((2, 8, 8), np.int32))
    viewer.layers.clear()
    wait(lambda: bench.session.job is None)
    try:
        heart = Heartbeat()
        heart.start()
        begin = time.perf_counter()
        bench.open(path)
        wait(lambda: bench.session.job is None and TRACKS in viewer.layers)
        opened = time.perf_counter() - begin
        heart.stop()
        rows: list[Row] = [
            {"what": "open until masks are shown", "s": opened},
            {"what": "longest pause of the window meanwhile", "s": heart.longest},
        ]
        tails = viewer.layers[TRACKS]
        shown = step_through(viewer, steps)
        tails.visible = False
        hidden = step_through(viewer, steps)
        graph = tracks_layer(bench.session.project)
        viewer.add_tracks(graph, tail_length=15)
        napari_own = step_through(viewer, steps)
        for what, cost in (
            ("step without tracks", hidden),
            ("step with tracks", shown),
            ("step with a tracks layer of napari", napari_own),
        ):
            rows.append({"what": what, "ms": 1e3 * cost, "ratio": cost / hidden})
        return rows
    finally:
        bench.close()
        viewer.close()


def step_through(viewer: Any, steps: int) -> float:
    """Median processor time of a step to the next frame, drawn, in s."""
    costs = []
    for frame in range(20, 20 + steps + 5):
        begin = time.process_time()
        viewer.dims.set_current_step(0, frame)
        QApplication.processEvents()
        QApplication.processEvents()
        costs.append(time.process_time() - begin)
    return statistics.median(costs[5:])


def tracks_layer(project: Project) -> NDArray[np.float64]:
    """Rows of label, frame, y, x, (N, 4), as a tracks layer of napari wants them."""
    rows = []
    for frame in range(project.document.shape[0]):
        found = project.centroids(frame)
        at = np.full(len(found.labels), frame)
        rows.append(np.stack([found.labels, at, found.y, found.x], 1))
    table = np.concatenate(rows)
    return table[np.lexsort((table[:, 1], table[:, 0]))]


def wait(done: Callable[[], bool]) -> None:
    """Let the window live until something is done."""
    end = time.perf_counter() + PATIENCE
    while not done():
        QApplication.processEvents()
        if time.perf_counter() > end:
            raise SemiconvError("The window took too long; try fewer frames.")
