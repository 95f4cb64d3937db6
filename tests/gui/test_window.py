"""From an empty napari with mouse and keys, with a computing process of its own."""

import time

import numpy as np
import pytest
import tifffile
from benchmarks.heartbeat import Heartbeat
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog
from tests.gui.movies import dish, project_of, write_dish
from tests.gui.window import Window

from napari_semiconv.io.cells.formats import readable
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project
from napari_semiconv.synthetic import SyntheticSettings, simulate

pytestmark = pytest.mark.gui
# Longest time that the window may not answer, in s.
FREEZE = 0.2


@pytest.fixture
def window(make_napari_viewer, qtbot):
    """Open the panel in an empty napari, with a computing process of some mode."""
    opened = []

    def window(mode="quick"):
        viewer = make_napari_viewer(show=True)
        opened.append(Window(viewer, qtbot, mode))
        return opened[-1]

    yield window
    while opened:
        opened.pop().bench.close()


def test_from_a_movie_to_cells_that_are_there_again(window, tmp_path):
    one = window()
    one.open(write_dish(tmp_path / "dish.tif", frames=6))
    assert one.names() == ["dish"]
    one.tab("Find")
    one.press("Preview")
    one.rest()
    assert one.said().startswith("Frame 0: 4 cells in ")
    assert one.names() == ["dish", "Cells"]
    assert set(np.unique(one.shown("Cells"))) == {0, 1, 2, 3, 4}
    one.press("Find and follow")
    one.rest()
    assert one.said().startswith("Done: 4 tracks in 6 frames.")
    assert one.names() == ["dish", "Cells", "Tracks"]
    folder = tmp_path / "dish.semiconv"
    assert one.session.project.folder == folder
    for layer in one.viewer.layers:
        assert tuple(layer.scale) == (300.0, 0.5, 0.5)
    one.viewer.dims.set_current_step(0, 5)
    cells = one.shown("Cells").copy()
    assert set(np.unique(cells)) == {0, 1, 2, 3, 4}
    assert one.shown("Tracks").any()
    one.viewer.close()

    again = window()
    again.open(folder)
    assert again.names() == ["dish", "Cells", "Tracks"]
    again.viewer.dims.set_current_step(0, 5)
    np.testing.assert_array_equal(again.shown("Cells"), cells)
    assert again.panel.title._name.text() == "<b>dish.semiconv</b>"
    assert again.panel.title._saved.text() == "All edits saved"


def test_a_stopped_run_goes_on_in_another_window(window, tmp_path):
    one = window("steady")
    one.open(write_dish(tmp_path / "dish.tif", frames=40))
    one.tab("Find")
    one.press("Find and follow")
    one.wait(lambda: "2 of 40" in one.panel.status._progress.text())
    one.press("Stop")
    one.rest()
    assert one.said().startswith("Stopped: ")
    done = len([t for t in range(40) if one.session.project.lineage.cells(t)])
    assert 2 <= done < 40
    one.viewer.close()

    again = window()
    again.open(tmp_path / "dish.semiconv")
    assert again.said() == (
        "A run stopped before its end; 'Go on' under Find computes the rest."
    )
    again.tab("Find")
    again.panel.find_tab.go_on.click()
    again.rest()
    assert again.said().startswith("Done: 4 tracks in 40 frames.")
    tracks = again.session.project.lineage.tracks
    assert [list(track.frames) for track in tracks.values()] == [list(range(40))] * 4


def test_geff_is_exported_and_opened(window, tmp_path, monkeypatch):
    one = window()
    one.open(write_dish(tmp_path / "dish.tif", frames=3))
    one.tab("Find")
    one.press("Find and follow")
    one.rest()
    one.tab("Share")
    form = one.panel.share_tab.format
    form.setFocus()
    QTest.keyClicks(form, "GEFF")
    form.activated.emit(form.currentIndex())
    target = tmp_path / "shared" / "dish.geff"
    target.parent.mkdir()
    proposed = []
    monkeypatch.setattr(
        QFileDialog,
        "getSaveFileName",
        lambda *a, **_: proposed.append(a[2]) or (str(target), ""),
    )
    one.press("Export…")
    one.rest()
    assert proposed == [str(tmp_path / "dish_cells.geff")]
    assert one.said().startswith(f"Exported to {target}.")
    one.open(target)
    assert "Which movie do they belong to?" in one.said()
    one.press("To dish, open now")
    one.rest()
    assert one.said() == "dish-2.semiconv has 4 tracks."
    assert one.names() == ["dish", "Cells", "Tracks"]
    assert one.session.project.folder == tmp_path / "dish-2.semiconv"


@pytest.mark.parametrize("frames", [3, 12], ids=["at once", "as a job"])
def test_undo_and_redo_say_what_and_are_shown(window, tmp_path, frames):
    one = window()
    one.open(write_dish(tmp_path / "dish.tif", frames=frames))
    one.tab("Find")
    one.press("Find and follow")
    one.rest()
    title = one.panel.title
    while title.undo.isEnabled():
        assert title.undo.text().startswith("Undo: ")
        QTest.mouseClick(title.undo, Qt.MouseButton.LeftButton)
        one.rest()
    assert not one.shown("Cells").any()
    while title.redo.isEnabled():
        QTest.mouseClick(title.redo, Qt.MouseButton.LeftButton)
        one.rest()
    assert set(np.unique(one.shown("Cells"))) == {0, 1, 2, 3, 4}


def test_closing_the_panel_ends_nothing_and_the_menu_brings_it_back(window, tmp_path):
    one = window("steady")
    one.open(write_dish(tmp_path / "dish.tif", frames=30))
    one.panel.find_tab.cell_size.setValue(12.0)
    one.tab("Find")
    one.press("Find and follow")
    one.wait(lambda: "2 of 30" in one.panel.status._progress.text())
    dock = one.panel.parentWidget()
    with one.qtbot.waitSignal(dock.destroyed):
        dock.destroyOnClose()  # what the cross in its title does
    one.rest()
    one.toggle()
    assert one.said().startswith("Done: 4 tracks in 30 frames.")
    assert one.panel.find_tab.cell_size.value() == 12.0
    one.toggle()
    assert not one.panel.isVisible()
    one.toggle()
    assert one.panel.isVisible()


def test_the_panel_works_out_of_its_dock(window, tmp_path):
    one = window()
    one.panel.parentWidget().setFloating(True)
    one.open(write_dish(tmp_path / "dish.tif", frames=2))
    assert one.names() == ["dish"]
    one.panel.parentWidget().setFloating(False)


def test_a_second_movie_is_not_drawn_over_the_first(window, tmp_path):
    one = window()
    one.open(write_dish(tmp_path / "one.tif", frames=4))
    one.tab("Find")
    one.press("Find and follow")
    one.rest()
    one.viewer.dims.set_current_step(0, 3)
    one.panel.find_tab.cell_size.setValue(12.0)
    zoom = one.camera.zoom
    one.open(write_dish(tmp_path / "two.tif", frames=9, size=128))
    assert one.names() == ["two"]
    assert one.viewer.dims.current_step[0] == 0
    assert one.camera.zoom < zoom
    assert one.session.project is None
    assert one.panel.find_tab.cell_size.value() == 0, "that was of the first one"


def test_a_movie_offers_the_project_beside_it(window, tmp_path):
    path = write_dish(tmp_path / "dish.tif", frames=3)
    movie = open_movie(path)
    project_of(tmp_path / "dish.semiconv", movie, (dish(3) > 0).astype(int)).close()
    one = window()
    one.open(path)
    assert one.said() == "There is a project of this movie beside it."
    one.press("Open dish.semiconv")
    one.rest()
    assert one.names() == ["dish", "Cells", "Tracks"]


@pytest.mark.parametrize("form", readable(), ids=lambda form: form.name)
def test_cells_of_every_format_that_can_be_read_are_opened(window, tmp_path, form):
    if not form.writer:
        pytest.skip("a format of earlier releases, which is only read")
    path = write_dish(tmp_path / "dish.tif", frames=3)
    movie, labels = open_movie(path), (dish(3) > 0).astype(int)
    target = tmp_path / f"shared{form.suffix}"
    with project_of(tmp_path / "first.semiconv", movie, labels) as project:
        form.write(project.tracked(movie), target)
    one = window()
    one.open(path)
    one.open(target)
    one.press("To dish, open now")
    one.rest()
    # Told apart from what is found in the movie itself.
    name = "shared_RES" if form.name == "ctc" else "shared"
    assert one.said() == f"{name}.semiconv has 1 track."
    assert one.names() == ["dish", "Cells", "Tracks"]


def test_recent_things_are_opened_from_their_menu(window, tmp_path):
    one = window()
    one.open(write_dish(tmp_path / "one.tif", frames=2))
    one.open(write_dish(tmp_path / "two.tif", frames=2))
    menu = one.panel.movie_tab._menu
    menu.aboutToShow.emit()
    known = [f"{tmp_path.name}/two.tif", f"{tmp_path.name}/one.tif"]
    assert [action.text() for action in menu.actions()] == known
    menu.actions()[1].trigger()
    one.rest()
    assert one.names() == ["one"]


def test_what_is_dropped_on_the_panel_is_opened(window, tmp_path):
    one = window()
    path = write_dish(tmp_path / "dish.tif", frames=2)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    facts = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton)
    key = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(one.panel.rect().center(), *facts, key)
    QApplication.sendEvent(one.panel, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(one.panel.rect().center()), *facts, key)
    QApplication.sendEvent(one.panel, drop)
    one.rest()
    assert one.names() == ["dish"]


def test_layers_that_are_open_become_movie_and_cells(window, tmp_path, monkeypatch):
    one = window()
    one.viewer.add_image(dish(frames=5), name="mine", scale=(1, 0.5, 0.5))
    one.press("Use selected layer")
    assert one.names() == ["mine"]
    one.viewer.add_labels((dish(frames=5) > 0).astype(np.uint16), name="found")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    one.press("Use selected layer")
    one.rest()
    assert one.said() == "mine.semiconv has 1 track."
    assert (tmp_path / "mine.zarr").is_dir()
    assert one.viewer.layers["Cells"].scale[1] == 0.5
    assert set(np.unique(one.shown("Cells"))) == {0, 1}


def test_a_line_on_the_canvas_gives_the_cell_size(window, tmp_path):
    one = window()
    one.open(write_dish(tmp_path / "dish.tif", frames=2))
    one.tab("Find")
    one.press("Draw on a cell")
    QApplication.processEvents()
    canvas = one.viewer.window._qt_viewer.canvas
    native, (y, x) = canvas.native, canvas.size
    middle = QPointF(x / 2, y / 2).toPoint()
    end = middle + QPointF(100, 0).toPoint()
    left = Qt.MouseButton.LeftButton
    before = one.camera.center
    QTest.mousePress(native, left, pos=middle)
    for step in range(1, 6):
        QTest.mouseMove(native, middle + (end - middle) * (step / 5))
        QApplication.processEvents()
    assert one.names() == ["dish", "Cell size"]
    QTest.mouseRelease(native, left, pos=end)
    QApplication.processEvents()
    length = 100 / one.camera.zoom / 0.5
    found = one.panel.find_tab.cell_size.value()
    assert found == pytest.approx(length, rel=0.05)
    assert one.camera.center == before
    assert one.names() == ["dish"]
    assert not one.panel.find_tab.measure.isChecked()
    one.press("Draw on a cell")
    # Keys reach a shortcut of a window in front alone, and here none is.
    one.bench.ruler._escape.activated.emit()
    assert not one.panel.find_tab.measure.isChecked()
    assert one.panel.find_tab.cell_size.value() == found


def test_a_crash_is_said_and_finished_frames_are_kept(window, tmp_path):
    one = window("crash")
    one.open(write_dish(tmp_path / "dish.tif", frames=6))
    one.tab("Find")
    one.press("Find and follow")
    one.rest()
    assert "out of everything" in one.said()
    assert len(one.session.project.lineage.cells(0)) == 4
    assert one.panel.find_tab.go_on.isEnabled()
    one.press("Preview")
    one.rest()
    assert one.said().startswith("Frame 0: 4 cells")


def test_an_error_is_shown_and_nothing_else_happens(window, tmp_path):
    one = window()
    (tmp_path / "notes.txt").write_text("Not a movie.")
    one.open(tmp_path / "notes.txt")
    assert "notes.txt" in one.said()
    assert one.names() == []


def test_two_windows_have_a_session_each(window, tmp_path):
    one, two = window(), window()
    one.open(write_dish(tmp_path / "one.tif", frames=2))
    assert (one.names(), two.names()) == (["one"], [])
    assert two.session.movie is None
    two.open(write_dish(tmp_path / "two.tif", frames=2))
    assert (one.names(), two.names()) == (["one"], ["two"])


def test_closing_napari_during_a_run_loses_nothing(window, tmp_path):
    one = window("steady")
    one.open(write_dish(tmp_path / "dish.tif", frames=100))
    one.tab("Find")
    one.press("Find and follow")
    one.wait(lambda: "3 of 100" in one.panel.status._progress.text())
    main = one.panel.window()
    with one.qtbot.waitSignal(main.destroyed):
        one.viewer.close()
    assert one.session.job is None
    assert one.session.project is None
    with Project.open(tmp_path / "dish.semiconv") as project:
        assert not project.read_only
        assert len(project.lineage.cells(1)) == 4
        assert list(project.faults()) == []


def test_foreign_layers_and_changes_of_the_list_do_no_harm(window, tmp_path):
    one = window()
    one.open(write_dish(tmp_path / "dish.tif", frames=4))
    one.tab("Find")
    one.press("Find and follow")
    one.rest()
    one.viewer.add_points(np.zeros((3, 3)), name="points")
    one.viewer.layers["Cells"].name = "mine"
    one.viewer.layers.remove("Tracks")
    one.viewer.dims.set_current_step(0, 2)
    QTest.mouseClick(one.panel.title.undo, Qt.MouseButton.LeftButton)
    one.viewer.layers.remove("dish")
    one.press("Preview")
    one.rest()
    assert one.names() == ["mine", "points"]


def test_the_window_never_freezes_while_it_runs(window, tmp_path):
    one = window("steady")
    one.open(write_dish(tmp_path / "dish.tif", frames=30, size=512))
    one.tab("Find")
    # Only time that this process was given counts: a busy computer is no freeze.
    heart = Heartbeat(time.thread_time)
    one.press("Find and follow")
    # napari takes most of a second to make the first labels layer of a window; that
    # pause comes once, and `python -m benchmarks responsive` tells of it.
    one.wait(lambda: "3 of 30" in one.panel.status._progress.text())
    heart.start()
    one.wait(lambda: "25 of 30" in one.panel.status._progress.text())
    heart.stop()
    assert len(heart.gaps) > 20
    assert heart.longest < FREEZE


def test_the_panel_fits_into_a_narrow_dock(window):
    one = window()
    hint = one.panel.minimumSizeHint()
    assert hint.width() <= 400
    assert hint.height() <= 600


@pytest.mark.slow
def test_the_network_finds_and_follows_simulated_nuclei(window, tmp_path):
    settings = SyntheticSettings(frames=4, height=128, width=128, cells=6, diameter=28)
    path = tmp_path / "nuclei.tif"
    images = simulate(settings, 1).images
    tifffile.imwrite(path, images, photometric="minisblack", metadata={"axes": "TYX"})
    one = window(None)
    one.open(path)
    one.tab("Find")
    one.press("Preview")
    one.rest()
    assert one.bench.choices.estimate == pytest.approx(28, rel=0.4)
    one.press("Find and follow")
    one.rest()
    assert one.said().startswith("Done: ")
    assert one.names() == ["nuclei", "Cells", "Tracks"]
