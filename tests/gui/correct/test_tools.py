"""Cells and tracks are corrected with mouse and keys on the canvas."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QInputDialog
from tests.gui.movies import dish, project_of, write_dish
from tests.gui.window import Window

from napari_semiconv.errors import ComputeError
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project
from napari_semiconv.tracking.invariants import faults_of_lineage
from napari_semiconv.workflows.progress import Progress

pytestmark = pytest.mark.gui
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
CTRL = Qt.KeyboardModifier.ControlModifier
FRAMES = 6


def numbered():
    """Label the four cells of the dish: 1 and 2 above, 3 and 4 below."""
    labels = np.zeros((FRAMES, 64, 64), np.int32)
    bright = dish(FRAMES) > 0
    for label, (rows, columns) in enumerate(((0, 0), (0, 32), (32, 0), (32, 32)), 1):
        part = (slice(None), slice(rows, rows + 32), slice(columns, columns + 32))
        labels[part][bright[part]] = label
    return labels


@pytest.fixture
def window(make_napari_viewer, qtbot, tmp_path):
    """A window with a project of four cells, the tab "Correct" in front."""
    movie = open_movie(write_dish(tmp_path / "dish.tif", frames=FRAMES))
    folder = tmp_path / "dish.semiconv"
    project_of(folder, movie, numbered()).close()
    one = Window(make_napari_viewer(show=True), qtbot)
    one.open(folder)
    one.tab("Correct")
    yield one
    one.bench.close()
    # napari looks for viewers that somebody still knows.
    vars(one).clear()


def labels(window, frame=None):
    frame = window.session.frame if frame is None else frame
    return window.session.project.document.labels(frame)


def selected(window):
    return set(window.session.selection)


def same(window, frames=FRAMES):
    """What is shown is what the project has, and it is sound."""
    window.rest()
    np.testing.assert_array_equal(window.shown("Cells"), labels(window))
    project = window.session.project
    assert [*faults_of_lineage(project.lineage, frames)] == []


def undone(window, act):
    """Do something, take it back, do it again: the same as before and after."""
    project = window.session.project
    before = [labels(window, t).copy() for t in range(FRAMES)]
    last = project.history.journal.last
    act()
    same(window)
    after = [labels(window, t).copy() for t in range(FRAMES)]
    tracks = dict(project.lineage.tracks)
    assert project.history.journal.last == last + 1
    window.key(Qt.Key.Key_Z, CTRL)
    same(window)
    for t in range(FRAMES):
        np.testing.assert_array_equal(labels(window, t), before[t])
    window.key(Qt.Key.Key_Z, CTRL | SHIFT)
    same(window)
    for t in range(FRAMES):
        np.testing.assert_array_equal(labels(window, t), after[t])
    assert dict(project.lineage.tracks) == tracks


def test_a_click_selects_and_shift_adds(window):
    window.click_at(8, 8)
    assert selected(window) == {1}
    assert window.viewer.layers["Cells"].selected_label == 1
    assert window.panel.correct_tab.words.text().startswith("Cell 1, frame 0")
    window.click_at(8, 40, SHIFT)
    assert selected(window) == {1, 2}
    window.click_at(8, 8, SHIFT)
    assert selected(window) == {2}
    window.click_at(20, 28)
    assert selected(window) == set()


def test_a_cell_is_split_by_two_clicks(window):
    def act():
        window.key(Qt.Key.Key_S)
        window.click_at(8, 5)
        assert "other half" in window.panel.correct_tab.words.text()
        window.click_at(8, 12)

    undone(window, act)
    assert len(np.unique(labels(window))) == 6
    assert window.panel.title.undo.text() == "Undo: split cell 1, frame 0"
    assert window.bench.corrector.tool is None


def test_a_cell_is_split_by_two_quick_clicks(window):
    window.key(Qt.Key.Key_S)
    zoom = window.camera.zoom
    button = Qt.MouseButton.LeftButton
    QTest.mouseClick(window.canvas, button, pos=window.spot(8, 5))
    QTest.mouseDClick(window.canvas, button, pos=window.spot(8, 12))
    same(window)
    assert len(np.unique(labels(window))) == 6
    assert window.camera.zoom == zoom


def test_why_the_network_could_not_split_is_said(window, monkeypatch):
    def fails(stop):
        yield Progress("preparing")
        raise ComputeError("The computing process ended.")

    session = window.session
    monkeypatch.setattr(session, "can_constrain", lambda _: True)
    monkeypatch.setattr(
        session, "constrain", lambda *_: session.start("correct", "Splitting", fails)
    )
    window.key(Qt.Key.Key_S)
    window.click_at(8, 5)
    window.click_at(8, 12)
    same(window)
    assert len(np.unique(labels(window))) == 6
    assert window.said() == (
        "Cell 1 was split by its shape, not by the network: The computing process "
        "ended."
    )


def test_a_cell_is_split_by_a_line(window):
    def act():
        window.key(Qt.Key.Key_S, SHIFT)
        window.drag_over((2, 9), (18, 9))

    undone(window, act)
    assert len(np.unique(labels(window))) == 6
    assert window.camera.mouse_pan


def test_cells_are_merged_by_selection_clicks_or_a_loop(window):
    def by_selection():
        window.click_at(8, 8)
        window.click_at(8, 40, SHIFT)
        window.key(Qt.Key.Key_J)

    undone(window, by_selection)
    assert labels(window)[8, 40] == 1
    window.key(Qt.Key.Key_Z, CTRL)
    window.click_at(20, 28)
    window.key(Qt.Key.Key_J)
    window.click_at(8, 8)
    window.click_at(40, 8)
    assert labels(window)[40, 8] == 1
    window.key(Qt.Key.Key_Z, CTRL)
    window.click_at(20, 28)
    window.key(Qt.Key.Key_J)
    window.drag_over((1, 1), (1, 60), (60, 60), (60, 30), (20, 30), (20, 1), (1, 1))
    assert labels(window)[8, 40] == labels(window)[8, 8] == labels(window)[40, 40] == 1
    assert labels(window)[40, 8] == 3


def test_a_stroke_of_the_brush_is_one_edit(window):
    def act():
        window.click_at(8, 8)
        window.key(Qt.Key.Key_2)
        window.drag_over((20, 4), (20, 20))
        window.key(Qt.Key.Key_6)

    undone(window, act)
    assert labels(window)[20, 12] == 1
    assert window.session.project.lineage.tracks[1].is_confirmed(0)


def test_the_eraser_and_a_new_cell(window):
    def erase():
        window.key(Qt.Key.Key_1)
        window.drag_over((8, 4), (8, 14))
        window.key(Qt.Key.Key_6)

    undone(window, erase)
    assert labels(window)[8, 8] == 0

    def new():
        window.key(Qt.Key.Key_M)
        window.drag_over((26, 24), (26, 28))
        window.key(Qt.Key.Key_6)

    undone(window, new)
    assert labels(window)[26, 26] == 5
    assert 5 in window.session.project.lineage.tracks


def test_the_bucket_and_the_outline_of_napari_are_edits_too(window):
    window.click_at(8, 8)
    window.key(Qt.Key.Key_4)
    window.click_at(8, 40)
    same(window)
    assert labels(window)[8, 40] == 1
    window.key(Qt.Key.Key_Z, CTRL)
    same(window)
    assert labels(window)[8, 40] == 2
    window.key(Qt.Key.Key_M)
    window.key(Qt.Key.Key_3)
    for y, x in ((22, 20), (22, 30), (30, 30), (30, 20)):
        window.click_at(y, x)
    window.key(Qt.Key.Key_Return)
    same(window)
    assert labels(window)[26, 26] == 5


def test_an_outline_is_redrawn(window):
    def act():
        window.click_at(8, 8)
        window.key(Qt.Key.Key_R)
        window.drag_over((3, 3), (3, 20), (24, 20), (24, 3), (3, 3))

    undone(window, act)
    assert labels(window)[20, 12] == 1


def test_an_outline_may_leave_the_frame(window):
    window.click_at(8, 8)
    window.key(Qt.Key.Key_R)
    window.drag_over((-4, -4), (-4, 12), (12, 12), (12, -4), (-4, -4))
    same(window)
    inside = labels(window) == 1
    assert inside[0, :12].all()
    assert inside[:12, 0].all()
    assert inside.sum() <= 13 * 13


def test_cells_are_deleted_here_from_here_on_and_throughout(window):
    window.step_to(2)
    window.click_at(9, 8)
    undone(window, lambda: window.key(Qt.Key.Key_Delete))
    tracks = window.session.project.lineage.tracks
    assert tracks[1].frames == [0, 1, 3, 4, 5]
    undone(window, lambda: window.key(Qt.Key.Key_I))
    assert tracks[1].frames == [0, 1, 2, 3, 4, 5]
    undone(window, lambda: window.key(Qt.Key.Key_Delete, SHIFT))
    assert tracks[1].frames == [0, 1]
    undone(window, lambda: window.key(Qt.Key.Key_Delete, ALT))
    assert 1 not in tracks


def test_a_cell_is_copied_from_the_frame_before_and_after(window):
    window.step_to(2)
    window.click_at(9, 8)
    window.key(Qt.Key.Key_Delete)
    undone(window, lambda: window.key(Qt.Key.Key_C))
    np.testing.assert_array_equal(labels(window, 2) == 1, labels(window, 1) == 1)
    window.key(Qt.Key.Key_Delete)
    undone(window, lambda: window.key(Qt.Key.Key_C, SHIFT))
    np.testing.assert_array_equal(labels(window, 2) == 1, labels(window, 3) == 1)


def test_cells_grow_shrink_become_smooth_and_lose_holes(window):
    window.click_at(8, 8)
    area = (labels(window) == 1).sum()
    undone(window, lambda: window.key(Qt.Key.Key_O))
    assert (labels(window) == 1).sum() == area + 40
    undone(window, lambda: window.key(Qt.Key.Key_O, SHIFT))
    undone(window, lambda: window.key(Qt.Key.Key_H, SHIFT))
    window.key(Qt.Key.Key_1)
    window.viewer.layers["Cells"].brush_size = 3
    window.click_at(9, 9)
    window.key(Qt.Key.Key_6)
    assert labels(window)[9, 9] == 0
    window.click_at(6, 6)
    undone(window, lambda: window.key(Qt.Key.Key_H))
    assert labels(window)[9, 9] == 1


def test_no_cell_is_marked_and_unmarked(window):
    def act():
        window.key(Qt.Key.Key_Q)
        window.click_at(8, 8)

    undone(window, act)
    document = window.session.project.document
    assert labels(window)[8, 8] == 0
    assert document.absences == {(0, 8, 8)}
    window.key(Qt.Key.Key_Q)
    window.click_at(8, 9)
    assert document.absences == set()


def test_tracks_are_ended_linked_and_swapped(window):
    tracks = window.session.project.lineage.tracks
    window.step_to(3)
    window.click_at(9, 8)
    undone(window, lambda: window.key(Qt.Key.Key_U))
    assert tracks[1].end == 2
    rest = labels(window)[9, 8]
    assert tracks[rest].frames == [3, 4, 5]

    def link():
        window.step_to(2)
        window.click_at(9, 8)
        window.key(Qt.Key.Key_T)
        window.key(Qt.Key.Key_D)
        window.rest()
        assert window.session.frame == 3
        window.click_at(9, 8)

    undone(window, link)
    assert tracks[1].frames == [0, 1, 2, 3, 4, 5]
    assert rest not in tracks
    window.click_at(9, 8)
    window.click_at(9, 40, SHIFT)
    undone(window, lambda: window.key(Qt.Key.Key_W))
    assert labels(window, 3)[9, 8] == 2
    assert labels(window, 2)[9, 8] == 1


def test_what_goes_on_after_an_unlink_is_selected(window):
    window.step_to(2)
    window.click_at(9, 8)
    window.key(Qt.Key.Key_U)
    same(window)
    (label,) = selected(window)
    assert label > 4
    assert window.session.project.lineage.tracks[label].begin == 2


def test_a_division_is_marked_and_taken_back(window):
    tracks = window.session.project.lineage.tracks
    window.step_to(2)
    for x in (8, 40):
        window.click_at(9, x)
        window.key(Qt.Key.Key_Delete, SHIFT if x == 40 else Qt.KeyboardModifier(0))
    window.key(Qt.Key.Key_Z, CTRL)
    window.key(Qt.Key.Key_Z, CTRL)
    window.click_at(9, 8)

    def division():
        window.key(Qt.Key.Key_K)
        window.click_at(9, 8)
        assert "other daughter" in window.panel.correct_tab.words.text()
        window.click_at(41, 8)

    undone(window, division)
    assert tracks[1].end == 1
    daughters = window.session.project.lineage.daughters_of(1)
    assert len(daughters) == 2
    assert {labels(window)[9, 8], labels(window)[41, 8]} == set(daughters)
    window.click_at(9, 8)
    undone(window, lambda: window.key(Qt.Key.Key_K, SHIFT))
    assert window.session.project.lineage.daughters_of(1) == []


def test_cells_tracks_and_frames_are_confirmed(window):
    tracks = window.session.project.lineage.tracks
    window.click_at(8, 8)
    window.key(Qt.Key.Key_Y)
    assert tracks[1].confirmed == ((0, 0),)
    assert window.panel.correct_tab.words.text().endswith(", confirmed")
    window.key(Qt.Key.Key_Y, SHIFT)
    assert tracks[1].confirmed == ((0, 5),)
    window.key(Qt.Key.Key_Y, ALT)
    assert all(track.is_confirmed(0) for track in tracks.values())
    window.key(Qt.Key.Key_Y, CTRL | SHIFT)
    assert tracks[1].confirmed == ((1, 5),)


def test_a_refusal_is_said_beside_the_cell_until_the_next_step(window):
    window.click_at(8, 8)
    window.key(Qt.Key.Key_W)
    expected = "Expected two selected cells to swap, found 1."
    assert window.said().startswith(expected)
    notice = window.bench.canvas.notice
    assert notice.text.startswith(expected)
    window.key(Qt.Key.Key_D)
    window.rest()
    assert notice.text == ""
    assert window.said() == ""


def test_escape_ends_a_tool(window):
    window.key(Qt.Key.Key_S)
    assert window.panel.correct_tab.buttons["split"].isChecked()
    window.panel.window().activateWindow()
    window.wait(window.panel.window().isActiveWindow)
    window.key(Qt.Key.Key_Escape)
    window.wait(lambda: window.bench.corrector.tool is None)
    assert not window.panel.correct_tab.buttons["split"].isChecked()
    window.click_at(8, 8)
    assert selected(window) == {1}


def test_the_ends_of_a_track_are_one_key_away(window):
    window.step_to(2)
    window.click_at(9, 8)
    window.key(Qt.Key.Key_D, SHIFT)
    window.rest()
    assert window.session.frame == 5
    window.key(Qt.Key.Key_A, SHIFT)
    window.rest()
    assert window.session.frame == 0
    window.key(Qt.Key.Key_A)
    assert window.session.frame == 0


def test_edits_are_there_when_the_project_is_opened_again(window):
    window.click_at(8, 8)
    window.key(Qt.Key.Key_Delete)
    folder = window.session.project.folder
    shown = labels(window).copy()
    window.viewer.close()
    QApplication.processEvents()
    window.bench.close()
    with Project.open(folder) as project:
        np.testing.assert_array_equal(project.document.labels(0), shown)
        assert project.history.undoable == "delete cell 1, frame 0"
        assert [*project.faults()] == []


@pytest.fixture
def computed(make_napari_viewer, qtbot, tmp_path):
    """A window with cells that the network found, and its computing process."""
    one = Window(make_napari_viewer(show=True), qtbot, mode=None)
    one.open(write_dish(tmp_path / "dish.tif", frames=2, size=96))
    one.tab("Find")
    one.panel.find_tab.cell_size.setValue(16)
    one.press("Find and follow")
    one.rest()
    one.tab("Correct")
    one.step_to(0)
    yield one
    one.bench.close()
    vars(one).clear()


def undoable(window):
    return window.panel.title.undo.text()


def test_the_network_adds_splits_and_counts_cells(computed, monkeypatch):
    middle = 12
    found = labels(computed) == labels(computed)[middle, middle]
    computed.click_at(middle, middle)
    computed.key(Qt.Key.Key_Delete)
    same(computed, frames=2)
    assert labels(computed)[middle, middle] == 0
    computed.key(Qt.Key.Key_G)
    computed.click_at(middle, middle)
    same(computed, frames=2)
    added = labels(computed) == labels(computed)[middle, middle]
    assert labels(computed)[middle, middle] > 0
    assert (found & added).sum() > 0.85 * (found | added).sum()
    assert undoable(computed) == "Undo: add cell, frame 0"
    computed.key(Qt.Key.Key_G)  # puts the tool away
    before = len(np.unique(labels(computed)))
    computed.key(Qt.Key.Key_S)
    computed.click_at(middle, middle - 5)
    computed.click_at(middle, middle + 5)
    same(computed, frames=2)
    assert len(np.unique(labels(computed))) == before + 1
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (1, True))
    computed.key(Qt.Key.Key_G, SHIFT)
    computed.click_at(middle, middle - 5)
    same(computed, frames=2)
    assert len(np.unique(labels(computed))) == before
    assert undoable(computed) == "Undo: find 1 cell, frame 0"


def test_a_cell_is_followed_previewed_and_taken_over(computed):
    document = computed.session.project.document
    middle = 12
    computed.click_at(middle, middle)
    computed.key(Qt.Key.Key_O)
    grown = labels(computed, 1).copy()

    def follow():
        computed.key(Qt.Key.Key_T, SHIFT)
        computed.rest()
        tool = computed.bench.corrector.tool
        assert set(tool.preview) == {1}
        np.testing.assert_array_equal(labels(computed, 1), grown)
        computed.step_to(1)
        return tool

    tool = follow()
    # The outline of what would be is drawn over the cells.
    assert (computed.shown("Tracks") == (0, 255, 255, 255)).all(-1).any()
    computed.panel.window().activateWindow()
    computed.wait(computed.panel.window().isActiveWindow)
    computed.key(Qt.Key.Key_Escape)
    computed.wait(lambda: computed.bench.corrector.tool is None)
    assert not (computed.shown("Tracks") == (0, 255, 255, 255)).all(-1).any()
    computed.step_to(0)
    follow()
    computed.press("Take over")
    computed.wait(lambda: computed.bench.corrector.tool is None)
    region = tool.preview[1]
    same(computed, frames=2)
    (label,) = computed.session.selection
    assert (document.labels(1) == label).sum() == region.area
    computed.key(Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(labels(computed, 1), grown)
