"""Make the pictures of the documentation: the panel at work on a simulated movie."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import tifffile
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication

from napari_semiconv.gui.assembly import Parts
from napari_semiconv.gui.plugin import open_panel
from napari_semiconv.synthetic import SyntheticSettings, simulate

IMAGES = Path(__file__).parent / "images"
SIZE = (1400, 900)
MOVIE = SyntheticSettings(
    kind="nuclei", frames=16, height=320, width=320, cells=22, diameter=30, cycle=14
)
SEED = 3
# Seconds after which a step is given up.
PATIENCE = 900.0


def main() -> int:
    """Run the panel and take a picture at each stage."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="microscope-") as folder:
        movie = write_movie(Path(folder) / "nuclei.tif")
        viewer = napari.Viewer(title="napari")
        viewer.window.resize(*SIZE)
        parts = open_panel(viewer).parts
        try:
            take_pictures(viewer, parts, movie)
        finally:
            parts.controller.close()
            viewer.close()
    return 0


def write_movie(path: Path) -> Path:
    """Simulate the movie and write it as a TIFF with units."""
    tifffile.imwrite(
        path,
        simulate(MOVIE, SEED).images,
        imagej=True,
        resolution=(1 / 0.65, 1 / 0.65),
        metadata={"axes": "TYX", "finterval": 600.0, "unit": "um"},
    )
    return path


def take_pictures(viewer: napari.Viewer, parts: Parts, movie: Path) -> None:
    """Go the way of a user: open, preview, run, look at the result."""
    workspace = parts.workspace
    parts.movies.open(movie)
    wait(parts, lambda: workspace.movie is not None)
    parts.controller.preview()
    wait(parts, lambda: workspace.activity == "idle")
    picture(viewer, "preview")
    parts.controller.run()
    wait(parts, lambda: workspace.done >= MOVIE.frames // 2)
    show_frame(viewer, workspace.done - 1)
    picture(viewer, "running")
    wait(parts, lambda: workspace.result is not None)
    show_frame(viewer, MOVIE.frames - 1)
    picture(viewer, "widget")


def show_frame(viewer: napari.Viewer, frame: int) -> None:
    """Move to a frame."""
    viewer.dims.set_point(0, frame * viewer.layers[0].scale[0])


def picture(viewer: napari.Viewer, name: str) -> None:
    """Write a picture of the whole window."""
    for _ in range(10):
        QApplication.processEvents()
    path = IMAGES / f"{name}.png"
    viewer.screenshot(str(path), canvas_only=False, flash=False)


def wait(parts: Parts, done: Callable[[], bool]) -> None:
    """Let the window live until something is done."""
    end = time.monotonic() + PATIENCE
    while not done():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        if parts.workspace.error or time.monotonic() > end:
            raise SystemExit(parts.workspace.error or "The window took too long.")


if __name__ == "__main__":
    sys.exit(main())
