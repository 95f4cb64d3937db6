"""Make the pictures of the documentation: the panel at work on a simulated movie."""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import napari
import tifffile
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.gui.correct.actions import BY_NAME
from napari_semiconv.gui.docking import open_lineage, open_measurements, open_panel
from napari_semiconv.gui.panel import CellPanel
from napari_semiconv.synthetic import SyntheticSettings, simulate

IMAGES = Path(__file__).parent / "images"
SIZE = (1280, 780)
MOVIE = SyntheticSettings(
    kind="nuclei", frames=16, height=320, width=320, cells=22, diameter=30, cycle=14
)
SEED = 3
# Seconds after which a step is given up.
PATIENCE = 900.0


def main() -> int:
    """Run the panel and take a picture at each stage, then of the other theme."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="microscope-") as folder:
        movie = write_movie(Path(folder) / "nuclei.tif")
        viewer = napari.Viewer(title="napari")
        viewer.window.resize(*SIZE)
        panel = open_panel(viewer)
        try:
            take_pictures(viewer, panel, movie)
        finally:
            panel.bench.close()
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


def take_pictures(viewer: napari.Viewer, panel: CellPanel, movie: Path) -> None:
    """Go the way of a user: open, preview, run, look at the result, share it."""
    bench = panel.bench
    viewer.theme = "dark"
    bench.open(movie)
    rest(panel)
    picture(viewer, "movie")
    panel.tabs.setCurrentIndex(1)
    bench.preview()
    rest(panel)
    picture(viewer, "preview")
    bench.run()
    wait(panel, lambda: done(panel) >= MOVIE.frames // 2)
    bench.layers.go_to(done(panel) - 1)
    picture(viewer, "running")
    rest(panel)
    bench.layers.go_to(MOVIE.frames - 1)
    picture(viewer, "widget")
    picture_correcting(viewer, panel)
    picture_looking(viewer, panel)
    picture_lineage(viewer, panel)
    picture_teaching(viewer, panel)
    panel.tabs.setCurrentIndex(4)
    picture(viewer, "share")
    viewer.theme = "light"
    picture(viewer, "share-light")
    panel.tabs.setCurrentIndex(1)
    picture(viewer, "widget-light")


def picture_correcting(viewer: napari.Viewer, panel: CellPanel) -> None:
    """Show the review, tools that wait, a refusal, what the network sees, and plots."""
    corrector = panel.bench.corrector
    panel.tabs.setCurrentIndex(2)
    corrector.review.next()
    rest(panel)
    picture(viewer, "review")
    project, frame = corrector.project, 4
    cells = project.centroids(frame)
    corrector.look_at(frame, int(cells.labels[cells.areas.argmax()]))
    rest(panel)
    corrector.run(BY_NAME["swap"].do)
    picture(viewer, "refusal")
    corrector.run(BY_NAME["split"].do)
    place = corrector.middle(frame, corrector.one())
    corrector.click(replace(place, x=place.x - 6))
    picture(viewer, "split")
    corrector.click(replace(place, x=place.x + 6))
    rest(panel)
    panel.correct_tab.lists.setCurrentWidget(panel.history)
    picture(viewer, "history")
    panel.correct_tab.lists.setCurrentWidget(panel.review)


def picture_looking(viewer: napari.Viewer, panel: CellPanel) -> None:
    """Show what the network sees, and curves of some cells."""
    corrector = panel.bench.corrector
    viewer.reset_view()
    panel.why.choose("embeddings")
    wait(panel, lambda: any(layer.name == "Why: Embeddings" for layer in viewer.layers))
    picture(viewer, "why")
    panel.why.choose("")
    panel.bench.undo()
    rest(panel)
    dock = open_measurements(viewer)
    dock.tabs.setCurrentIndex(2)
    cells = corrector.project.lineage.cells(corrector.frame)
    corrector.select(*cells[:4])
    rest(panel)
    wait(panel, lambda: dock.up_to_date)
    picture(viewer, "plots")
    viewer.window.remove_dock_widget(dock)
    corrector.select(0)
    viewer.reset_view()


def picture_lineage(viewer: napari.Viewer, panel: CellPanel) -> None:
    """Select a cell that divides, confirm one of its daughters and show the lineage."""
    session = panel.bench.session
    project = session.project
    assert project is not None, "cells were found"
    mother, daughters = max(
        project.lineage.daughters().items(),
        key=lambda family: len(project.lineage.tracks[family[0]].frames),
    )
    session.do(Confirm(daughters[0]))
    session.select(frozenset({mother}))
    panel.bench.layers.go_to(project.lineage.tracks[mother].end)
    panel.tabs.setCurrentIndex(2)
    lineage = open_lineage(viewer)
    wait(panel, lambda: lineage.view.drawing is not None and panel.bench.resting)
    picture(viewer, "lineage")
    viewer.window.remove_dock_widget(lineage)
    session.undo()
    session.select(frozenset())


def picture_teaching(viewer: napari.Viewer, panel: CellPanel) -> None:
    """Confirm what is right in some frames, teach the model with it, and compare."""
    bench = panel.bench
    project = bench.session.project
    assert project is not None, "cells were found"
    for frame in (2, 8):
        doubtful = bench.corrector.review.in_frame(frame)
        for label in project.lineage.cells(frame):
            if label not in doubtful:
                bench.session.do(Confirm(label, frame, frame))
    panel.tabs.setCurrentIndex(3)
    bench.layers.go_to(8)
    picture(viewer, "teach")
    bench.teaching.set_depth("heads")
    bench.teaching.teach()
    rest(panel)
    wait(panel, lambda: bool(bench.teaching.pictures))
    picture(viewer, "taught")
    bench.teaching.discard()
    rest(panel)


def done(panel: CellPanel) -> int:
    """Count the frames that are there."""
    job = panel.bench.session.job
    step = None if job is None else job.progress
    return 0 if step is None or step.stage != "frames" else step.done


def picture(viewer: napari.Viewer, name: str) -> None:
    """Write a picture of the whole window."""
    for _ in range(10):
        QApplication.processEvents()
    path = IMAGES / f"{name}.png"
    viewer.screenshot(str(path), canvas_only=False, flash=False)


def rest(panel: CellPanel) -> None:
    """Let the window live until nothing is going on."""
    wait(panel, lambda: panel.bench.resting)


def wait(panel: CellPanel, done: Callable[[], bool]) -> None:
    """Let the window live until something is done."""
    end = time.monotonic() + PATIENCE
    while not done():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        if panel.bench.sentence.kind == "error" or time.monotonic() > end:
            raise SystemExit(panel.bench.sentence.text or "The window took too long.")


if __name__ == "__main__":
    sys.exit(main())
