"""Whatever ends the window, the project keeps every edit."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from tests.gui.movies import dish, project_of, write_dish
from tests.gui.window import Window

from napari_semiconv.edits.removing import DeleteCell
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project
from napari_semiconv.workflows.going_back import go_back

pytestmark = pytest.mark.gui
FRAMES = 40
# A window of its own in which a cell is deleted, a stroke begun and a tool armed.
SCRIPT = """
import sys
from pathlib import Path
import napari
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from napari_semiconv.gui.benches import workbench_of
viewer = napari.Viewer(show=True)
bench = workbench_of(viewer)
bench.open(Path(sys.argv[1]))
while not bench.resting or bench.layers.tracks is None:
    QApplication.processEvents()
    QTest.qWait(10)
bench.corrector.select(1)
from napari_semiconv.gui.correct import acts
bench.corrector.run(lambda c: acts.delete(c, "here"))
cells = bench.layers.cells
cells.paint((0, 30, 30), 2)
bench.corrector.arm("split")
print("ready", flush=True)
napari.run()
"""


@pytest.fixture
def folder(tmp_path):
    movie = open_movie(write_dish(tmp_path / "dish.tif", frames=FRAMES))
    labels = np.where(dish(FRAMES) > 0, 1, 0).astype(np.int32)
    labels[:, 32:] *= 2
    project_of(tmp_path / "dish.semiconv", movie, labels).close()
    return tmp_path / "dish.semiconv"


def sound(folder):
    """Open what was left; it can be written to, and is sound."""
    project = Project.open(folder)
    assert not project.read_only
    assert [*project.faults()] == []
    return project


@pytest.mark.skipif(sys.platform == "win32", reason="signals of other systems")
@pytest.mark.parametrize("kind", ["SIGTERM", "SIGKILL"])
def test_a_window_that_is_killed_keeps_its_edits(folder, kind):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert any(line.startswith("ready") for line in process.stdout)
        process.send_signal(getattr(signal, kind))
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with sound(folder) as project:
        assert not (project.document.labels(0) == 1).any()
        assert (project.document.labels(1) == 1).any()
        while project.history.undoable is not None:
            project.undo()
        assert (project.document.labels(0) == 1).any()


@pytest.mark.parametrize("work", ["export", "go back", "tool"])
def test_a_window_that_is_closed_at_work_loses_nothing(
    make_napari_viewer, qtbot, folder, work
):
    one = Window(make_napari_viewer(show=True), qtbot)
    one.bench.open(folder)
    one.rest()
    session = one.session
    for frame in range(FRAMES):
        session.do(DeleteCell(frame, 1))
    one.tab("Correct")
    if work == "export":
        session.export("ctc", folder.with_name("out"))
    elif work == "go back":
        go_back(session, 0)
    else:
        one.click_at(40, 8)
        one.key(Qt.Key.Key_T)
        one.key(Qt.Key.Key_D)
        QTest.mouseClick(
            one.panel.correct_tab.buttons["split"], Qt.MouseButton.LeftButton
        )
    main = one.panel.window()
    with one.qtbot.waitSignal(main.destroyed):
        one.viewer.close()
    assert session.project is None
    assert session.job is None
    vars(one).clear()
    with sound(folder) as project:
        left = [bool((project.document.labels(t) == 1).any()) for t in range(FRAMES)]
        # Whole or not at all.
        assert left == [left[0]] * FRAMES
        assert work == "go back" or not left[0]
    out = folder.with_name("out")
    assert not out.exists() or [*out.rglob("*track.txt")]
