"""The dock widget in a real window, with a computing child of its own."""

import time

import numpy as np
import pytest
import tifffile
from napari_semiconv.io.results import ResultStore
from qtpy.QtWidgets import QPushButton
from tests.gui.movies import dish, write_dish
from tests.stand_in_child import command

from napari_semiconv.gui.assembly import assemble
from napari_semiconv.gui.heartbeat import Heartbeat
from napari_semiconv.synthetic import SyntheticSettings, simulate

pytestmark = pytest.mark.gui
PATIENCE = 60_000  # ms, for a busy computer
# Longest time that the window may not answer, in s.
FREEZE = 0.2


@pytest.fixture
def window(make_napari_viewer_proxy, qtbot):
    """Open the panel in a viewer, with a child of some mode."""

    def window(mode="quick"):
        viewer = make_napari_viewer_proxy(show=False)
        parts = assemble(viewer, command(mode))
        viewer.window.add_dock_widget(parts.panel, name="Segment and track cells")
        opened.append(parts)
        return viewer, parts

    opened = []
    yield window
    for parts in opened:
        parts.controller.close()


@pytest.fixture
def wait(qtbot):
    def wait(condition):
        qtbot.waitUntil(condition, timeout=PATIENCE)

    return wait


def open_movie(parts, path, wait):
    parts.movies.open(path)
    wait(lambda: parts.workspace.movie is not None)


def idle(parts):
    return parts.workspace.activity == "idle"


def button(parts, text):
    return next(b for b in parts.panel.findChildren(QPushButton) if b.text() == text)


def test_from_a_file_to_cells_and_tracks(window, wait, tmp_path):
    viewer, parts = window()
    open_movie(parts, write_dish(tmp_path / "dish.tif", frames=6), wait)
    button(parts, "Preview this frame").click()
    wait(lambda: idle(parts))
    assert parts.workspace.error == ""
    assert [layer.name for layer in viewer.layers] == ["dish", "dish preview"]
    button(parts, "Segment and track").click()
    wait(lambda: parts.workspace.result is not None)
    names = [layer.name for layer in viewer.layers]
    assert names == ["dish", "dish cells", "dish tracks"]
    assert parts.workspace.result == tmp_path / "dish.semiconv"
    for layer in viewer.layers:
        assert tuple(layer.scale) == (300.0, 0.5, 0.5)
        assert [str(u) for u in layer.units] == ["second", "micrometer", "micrometer"]
        assert layer.axis_labels == ("t", "y", "x")
    tracks = viewer.layers["dish tracks"]
    assert tracks.data.shape == (24, 4)
    cells = viewer.layers["dish cells"]
    assert set(np.unique(np.asarray(cells.data[5]))) == {0, 1, 2, 3, 4}


def test_a_preset_reaches_the_child(window, wait, tmp_path):
    _, parts = window()
    open_movie(parts, write_dish(tmp_path / "dish.tif", frames=3), wait)
    parts.panel.choices.preset_requested.emit("payer2018-hela")
    assert parts.panel.choices._engine.currentText() == "Published 2018"
    button(parts, "Segment and track").click()
    wait(lambda: parts.workspace.result is not None)
    used = ResultStore.open(parts.workspace.result).info.settings
    assert (used["engine"], used["resize"]) == ("payer2018", "256x256")
    assert used["payer"]["smallest"] == 25


def test_cancel_keeps_the_finished_frames(window, wait, tmp_path):
    viewer, parts = window("steady")
    open_movie(parts, write_dish(tmp_path / "dish.tif", frames=200), wait)
    button(parts, "Segment and track").click()
    wait(lambda: parts.workspace.done >= 2)
    button(parts, "Cancel").click()
    wait(lambda: idle(parts))
    assert parts.workspace.message.startswith("Cancelled: ")
    done = ResultStore.open(tmp_path / "dish.semiconv").done
    assert 2 <= len(done) < 200
    assert len(viewer.layers["dish tracks"].data) == 4 * len(done)


def test_a_crash_of_the_child_is_said_and_another_is_started(window, wait, tmp_path):
    viewer, parts = window("crash")
    open_movie(parts, write_dish(tmp_path / "dish.tif", frames=6), wait)
    button(parts, "Segment and track").click()
    wait(lambda: parts.workspace.result is not None)
    assert "out of everything" in parts.workspace.error
    assert len(viewer.layers["dish tracks"].data) == 4
    button(parts, "Preview this frame").click()
    wait(lambda: idle(parts))
    assert parts.workspace.error == ""


def test_a_layer_that_is_open_already_can_be_tracked(
    window, wait, tmp_path, monkeypatch
):
    viewer, parts = window()
    viewer.add_image(dish(frames=5), name="mine", scale=(1, 0.5, 0.5))
    assert parts.workspace.layers == ("mine",)
    parts.movies.use_layer("mine")
    parts.controller.set_folder(tmp_path)
    button(parts, "Segment and track").click()
    wait(lambda: parts.workspace.result is not None)
    assert parts.workspace.result == tmp_path / "mine.semiconv"
    cells = viewer.layers["mine cells"]
    assert tuple(cells.scale) == (1.0, 0.5, 0.5)
    assert str(cells.units[1]) == "micrometer"


def test_an_error_is_shown_and_nothing_else_happens(window, wait, tmp_path):
    viewer, parts = window()
    (tmp_path / "notes.txt").write_text("Not a movie.")
    parts.movies.open(tmp_path / "notes.txt")
    wait(lambda: parts.workspace.error != "")
    assert "notes.txt" in parts.panel.run._error.text()
    assert len(viewer.layers) == 0


def test_the_result_is_saved_as_masks_and_as_tiff(window, wait, tmp_path):
    _, parts = window()
    open_movie(parts, write_dish(tmp_path / "dish.tif", frames=6), wait)
    button(parts, "Segment and track").click()
    wait(lambda: parts.workspace.result is not None)
    parts.panel.run.save_requested.emit("ctc", tmp_path)
    wait(lambda: parts.workspace.message.startswith("Saved"))
    assert (tmp_path / "dish_RES" / "mask005.tif").is_file()
    table = (tmp_path / "dish_RES" / "res_track.txt").read_text().splitlines()
    assert table == ["1 0 5 0", "2 0 5 0", "3 0 5 0", "4 0 5 0"]
    parts.panel.run.save_requested.emit("tiff", tmp_path / "cells.tif")
    wait(lambda: "cells.tif" in parts.workspace.message and idle(parts))
    assert (tmp_path / "cells.tif").is_file()


def test_the_window_never_freezes_while_it_runs(window, wait, qtbot, tmp_path):
    _, parts = window("steady")
    open_movie(parts, write_dish(tmp_path / "dish.tif", frames=30, size=512), wait)
    wait(lambda: parts.workspace.ready)
    # Only time that this process was given counts: a busy computer is no freeze.
    heart = Heartbeat(time.thread_time)
    button(parts, "Segment and track").click()
    # napari takes most of a second to make the first labels layer of a window; that
    # pause comes once, and `python -m benchmarks responsive` tells of it.
    wait(lambda: parts.workspace.done >= 2)
    heart.start()
    wait(lambda: parts.workspace.done >= 25)
    heart.stop()
    assert len(heart.gaps) > 100
    assert heart.longest < FREEZE


@pytest.mark.slow
def test_the_network_finds_and_follows_simulated_nuclei(
    make_napari_viewer_proxy, wait, tmp_path
):
    settings = SyntheticSettings(frames=4, height=128, width=128, cells=6, diameter=28)
    path = tmp_path / "nuclei.tif"
    images = simulate(settings, 1).images
    tifffile.imwrite(path, images, photometric="minisblack", metadata={"axes": "TYX"})
    viewer = make_napari_viewer_proxy(show=False)
    parts = assemble(viewer)
    open_movie(parts, path, wait)
    parts.controller.preview()
    wait(lambda: idle(parts))
    assert parts.workspace.error == ""
    assert parts.workspace.estimate == pytest.approx(28, rel=0.4)
    parts.controller.run()
    wait(lambda: parts.workspace.result is not None)
    names = [layer.name for layer in viewer.layers]
    assert names == ["nuclei", "nuclei cells", "nuclei tracks"]
    parts.controller.close()


def test_the_panel_fits_into_a_narrow_dock(window):
    _, parts = window()
    width = parts.panel.minimumSizeHint().width()
    assert width <= 420
    parts.panel.resize(width, 300)
    assert parts.panel.horizontalScrollBar().maximum() == 0


def test_the_child_ends_with_the_panel(window, qtbot, wait):
    viewer, parts = window()
    wait(lambda: parts.workspace.ready)
    process = parts.child._process
    with qtbot.waitSignal(parts.panel.destroyed, timeout=PATIENCE):
        viewer.window.remove_dock_widget(parts.panel)
        parts.panel.deleteLater()
    assert parts.child._process is None
    viewer.add_image(np.zeros((2, 4, 4)))  # nobody is left to be told
    assert process.state() == process.ProcessState.NotRunning
