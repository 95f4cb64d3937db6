"""Random real events for seconds, or an hour: nothing breaks, nothing is lost."""

import gc
import logging
import os
import shutil
import sys
import time
import traceback

import numpy as np
import psutil
import pytest
import tifffile
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QFileDialog
from tests.gui.monkey import Monkey
from tests.gui.movies import project_of
from tests.gui.window import Window

from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project

pytestmark = pytest.mark.gui
log = logging.getLogger(__name__)
# What Qt says where there is no window manager, no sound, and no icon.
HARMLESS = ("propagateSizeHints", "This plugin does not support", "QFont", "XKeysym")
# Where napari itself breaks: at outlines whose points lie one on the other.
NAPARIS = ("labels_polygon.py", "interaction_box.py")
# Events between two looks at all that has to hold, and at the files.
OFTEN, SELDOM = 10, 200
# Growth of the memory in MB that an hour may bring once all is warm.
GROWTH = 150


def write_movie(path, frames=8, size=72):
    """Cells of which some move, divide, touch each other and the border."""
    labels = np.zeros((frames, size, size), np.int32)
    y, x = np.indices((size, size))
    for t in range(frames):
        for n in range(9):
            row, column = divmod(n, 3)
            at = 8 + 24 * row + t, 4 + 24 * column + (t if n % 2 else 0)
            near = np.hypot(y - at[0], x - at[1]) < 7
            labels[t][near & (labels[t] == 0)] = n + 1
    labels[frames // 2 :][labels[frames // 2 :] == 5] = 2_147_483_000
    image = np.where(labels, 200, 10).astype(np.uint8)
    tifffile.imwrite(
        path,
        image,
        imagej=True,
        resolution=(2.0, 2.0),
        metadata={"axes": "TYX", "finterval": 300.0, "unit": "um"},
    )
    return labels


class Watch:
    """Listens to everything that tells of something wrong."""

    def __init__(self, qtlog):
        self.told, self._log = [], qtlog
        notification_manager.notification_ready.connect(self._hear)
        self._hook, sys.excepthook = sys.excepthook, self._caught

    def _caught(self, kind, error, trace):
        text = "".join(traceback.format_exception(error))
        if not any(place in text for place in NAPARIS):
            self.told.append(text)
            self._hook(kind, error, trace)

    def _hear(self, event):
        if str(event.severity) in ("error", "critical"):
            self.told.append(f"{event.severity}: {event.message}")

    def close(self):
        notification_manager.notification_ready.disconnect(self._hear)
        sys.excepthook = self._hook

    def faults(self):
        qt = [
            record.message
            for record in self._log.records
            if not any(word in record.message for word in HARMLESS)
        ]
        return [*self.told, *qt]


def answer():
    """Put away any dialog or menu that waits for a person."""
    for widget in (QApplication.activePopupWidget(), QApplication.activeModalWidget()):
        if widget is not None:
            widget.close()


def check(window, watch):
    """What is shown is what the project has; nobody told of an error."""
    window.rest()
    assert watch.faults() == []
    project = window.session.project
    layers = window.bench.layers
    assert project is not None
    frame = layers.frame()
    if layers.cells is not None and layers.cells.visible:
        assert window.session.frame == frame
        stroke = layers.cells._overlays.get("brush_stroke")
        if stroke is not None and stroke.active:
            # It is no edit before its outline is closed.
            return
        shown = layers.cells._slice.image.raw
        np.testing.assert_array_equal(shown, project.document.labels(frame))


def state(project):
    """All that an edit can change."""
    frames = range(project.document.shape[0])
    masks = [project.document.labels(t).copy() for t in frames]
    return masks, dict(project.lineage.tracks), set(project.document.absences)


def same(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1:] == other[1:]


def replays(project, folder):
    """A copy made while it is open, as after a loss of power, is the same."""
    copy = folder.with_name("copy.semiconv")
    shutil.copytree(folder, copy)
    with Project.open(copy) as again:
        assert not again.read_only
        assert [*again.faults()] == []
        same(state(project), state(again))
    shutil.rmtree(copy)


@pytest.fixture
def window(make_napari_viewer, qtbot, tmp_path, monkeypatch):
    labels = write_movie(tmp_path / "dish.tif")
    folder = tmp_path / "dish.semiconv"
    project_of(folder, open_movie(tmp_path / "dish.tif"), labels).close()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("", ""))
    one = Window(make_napari_viewer(show=True), qtbot)
    one.bench.open(folder)
    one.rest()
    one.tab("Correct")
    yield one
    one.bench.close()
    vars(one).clear()


def rage(window, qtlog, seed, goes_on):
    """Do random things as long as asked; check all along, and after the end."""
    timer = QTimer()
    timer.timeout.connect(answer)
    timer.start(50)
    watch, monkey = Watch(qtlog), Monkey(window, seed)
    memory = []
    try:
        while goes_on(sum(monkey.done.values())):
            monkey.step_once()
            count = sum(monkey.done.values())
            if count % OFTEN == 0:
                check(window, watch)
            if count % SELDOM == 0:
                memory.append(look_closer(window))
        check(window, watch)
    except Exception as error:
        error.add_note(
            "\n".join((f"Seed {seed}, the last of {monkey.done}:", *monkey.last[-25:]))
        )
        raise
    finally:
        timer.stop()
        watch.close()
    entries = window.session.project.history.journal.last
    log.info("%s, %d entries, MB: %s", monkey.done, entries, memory)
    finish(window)
    return memory


def look_closer(window):
    """The project is sound on the disk, too; give the memory in use, MB."""
    project = window.session.project
    assert [*project.faults()] == []
    replays(project, project.folder)
    gc.collect()
    return round(psutil.Process().memory_info().rss / 2**20)


def finish(window):
    """Closed, opened, undone to the beginning and done again it is the same."""
    project = window.session.project
    replays(project, project.folder)
    last = state(project)
    window.bench.close()
    with Project.open(project.folder) as again:
        assert [*again.faults()] == []
        same(last, state(again))
        # What was undone at last is not done again.
        steps = 0
        while again.history.undoable is not None:
            again.undo()
            steps += 1
        assert [*again.faults()] == []
        for _ in range(steps):
            again.redo()
        same(last, state(again))


def test_some_random_events(window, qtlog):
    rage(window, qtlog, 1, lambda count: count < 150)


@pytest.mark.slow
def test_an_hour_of_random_events(window, qtlog):
    seconds = float(os.environ.get("SEMICONV_RANDOM_SECONDS", "3600"))
    seed = int(os.environ.get("SEMICONV_RANDOM_SEED", "2"))
    end = time.monotonic() + seconds
    memory = rage(window, qtlog, seed, lambda _: time.monotonic() < end)
    half = memory[len(memory) // 2 :]
    assert len(half) < 2 or half[-1] - half[0] < GROWTH
