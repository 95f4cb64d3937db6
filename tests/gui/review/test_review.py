"""The review queue in the window, with mouse and keys."""

import dataclasses
import time

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from tests.gui.window import Window
from tests.project.suspects.dishes import FRAMES, HEIGHT, WIDTH, Dish

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.gui.state import CorrectState
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.suspects.queue import Queue

pytestmark = pytest.mark.gui


@pytest.fixture
def window(make_napari_viewer, qtbot):
    opened = []

    def window():
        opened.append(Window(make_napari_viewer(show=True), qtbot))
        return opened[-1]

    yield window
    while opened:
        opened.pop().bench.close()


@pytest.fixture
def folder(tmp_path):
    """A project with cells that appear, vanish, and one that is hardly sure."""
    dish = Dish().without(4, 0, 1, 2).without(2, 7, 8).unsure("sure", 1, 4)
    movie = tmp_path / "dish.tif"
    zeros = np.zeros((FRAMES, HEIGHT, WIDTH), np.uint8)
    tifffile.imwrite(movie, zeros, imagej=True, metadata={"axes": "TYX"})
    dish.project(tmp_path / "dish.semiconv", open_movie(movie)).close()
    return tmp_path / "dish.semiconv"


def begun(window, folder):
    """Open that project in a window; its suspects are found."""
    found = window()
    found.open(folder)
    found.tab("Correct")
    ready(found)
    return found


def ready(window, *, total=3):
    review = window.bench.corrector.review
    window.wait(lambda: review.queue is not None and review.queue.total == total)
    window.rest()


def listed(window):
    table = window.panel.review.table
    model = table.model()
    return [
        [str(model.index(row, column).data()) for column in range(3)]
        for row in range(model.rowCount())
    ]


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    """Press a key over the canvas."""
    canvas = window.viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    QTest.keyClick(canvas, key, modifier)
    window.rest()


def current_row(window):
    return window.panel.review.table.currentIndex().row()


def test_suspects_are_listed_and_followed_by_keys(window, folder):
    one = begun(window, folder)
    review = one.bench.corrector.review
    rows = listed(one)
    assert sorted(rows) == [
        ["appears", "3", "4"],
        ["unsure cell", "4", "1"],
        ["vanishes", "6", "2"],
    ]
    assert one.panel.review.words.text().startswith("0 of 3 looked at; about ")
    press(one, Qt.Key.Key_N)
    for row, (_, frame, label) in enumerate(rows):
        assert current_row(one) == row
        assert one.session.frame == int(frame)
        assert one.viewer.dims.current_step[0] == int(frame)
        assert one.session.selection == {int(label)}
        assert one.panel.review.why.text() == review.why(review.current)
        press(one, Qt.Key.Key_N)
    assert one.panel.review.words.text().startswith("3 of 3 looked at")
    assert one.said() == "All suspects were looked at."
    press(one, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert current_row(one) == 1


def test_what_an_edit_sends_down_takes_nobody_past_the_likely_ones(window, folder):
    one = begun(window, folder)
    review = one.bench.corrector.review
    press(one, Qt.Key.Key_N)
    queue = review.queue
    chance = queue.rows.chance.copy()
    chance[0] = 0.01
    rows = dataclasses.replace(queue.rows, chance=chance)
    review.queue = Queue(rows, queue.looked, 0, 1.0, queue._describe)
    review.changed.emit()
    assert review.row == 2
    assert current_row(one) == 2
    press(one, Qt.Key.Key_N)
    assert review.current.key == queue[1].key


def test_a_click_on_a_row_leaves_the_keys_to_the_canvas(window, folder):
    one = begun(window, folder)
    table = one.panel.review.table
    place = table.visualRect(table.model().index(0, 0)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert not table.hasFocus()
    assert current_row(one) == 0
    assert not table.focusPolicy() & Qt.FocusPolicy.ClickFocus


def test_the_row_in_question_is_in_view_in_a_low_window(window, folder):
    one = begun(window, folder)
    one.viewer.window.resize(1280, 780)
    QApplication.processEvents()
    tab = one.panel.correct_tab
    words = "Cell 16 was followed through 7 frames, to frame 7: step on to look"
    tab.show_state(CorrectState(f"{words}, Enter takes it over. Esc ends it.", True))
    QApplication.processEvents()
    assert tab.words.heightForWidth(tab.words.width()) <= tab.words.height()
    content = tab.rows.parentWidget()
    assert content.height() <= content.parentWidget().height()


def test_the_cell_is_brought_to_the_middle_of_the_canvas(window, folder):
    one = begun(window, folder)
    press(one, Qt.Key.Key_N)
    suspect = one.bench.corrector.review.current
    layer = one.viewer.layers["Cells"]
    world = layer.data_to_world((suspect.frame, suspect.y, suspect.x))
    np.testing.assert_allclose(one.camera.center[-2:], world[-2:], atol=1e-6)


def test_right_confirms_goes_on_and_comes_back_when_undone(window, folder):
    one = begun(window, folder)
    review = one.bench.corrector.review
    one.press("Next")
    first = review.current
    press(one, Qt.Key.Key_Y)
    assert review.current != first
    assert one.session.project.lineage.tracks[first.labels[0]].confirmed
    one.wait(lambda: len(review.queue) == 2)
    assert one.panel.review.words.text().startswith("1 of 3 looked at")
    one.session.undo()
    one.wait(lambda: len(review.queue) == 3)
    one.wait(lambda: one.panel.review.words.text().startswith("0 of 3 looked at"))


def test_fix_takes_the_likely_tool(window, folder):
    one = begun(window, folder)
    review = one.bench.corrector.review
    rows = [row for row, (what, *_) in enumerate(listed(one)) if what == "appears"]
    table = one.panel.review.table
    index = table.model().index(rows[0], 0)
    place = table.visualRect(index).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert review.current.kind == "appears"
    assert one.session.frame == 3
    press(one, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert one.bench.corrector.tool.name == "link"
    assert one.session.selection == {4}


def test_only_one_kind_is_listed_and_gone_through(window, folder):
    one = begun(window, folder)
    kinds = one.panel.review.kinds
    kinds.setFocus()
    QTest.keyClicks(kinds, "Vanishes")
    kinds.activated.emit(kinds.currentIndex())
    assert [what for what, *_ in listed(one)] == ["vanishes"]
    one.press("Next")
    assert one.session.frame == 6


def test_edits_change_the_list_and_marks(window, folder):
    one = begun(window, folder)
    review = one.bench.corrector.review
    assert review.in_frame(4) == [1]
    assert review.by_label() == {1: [4]}
    one.session.do(Confirm(1, 4, 4))
    one.wait(lambda: len(review.queue) == 2)
    assert review.in_frame(4) == []
    assert len(listed(one)) == 2


def test_what_was_looked_at_is_known_in_another_window(window, folder):
    one = begun(window, folder)
    one.press("Next")
    one.press("Next")
    one.viewer.close()
    again = window()
    again.open(folder)
    ready(again)
    assert again.panel.review.words.text().startswith("1 of 3 looked at")


def test_the_panel_is_closed_and_opened_again(window, folder):
    one = begun(window, folder)
    one.press("Next")
    was = one.bench.corrector.review.current
    one.toggle()
    one.session.do(Confirm(1, 4, 4))
    one.toggle()
    one.tab("Correct")
    one.wait(lambda: len(listed(one)) == 2)
    assert one.bench.corrector.review.current == was


def test_without_a_project_nothing_is_listed(window, folder):
    one = begun(window, folder)
    one.session.close_project()
    one.rest()
    assert listed(one) == []
    assert one.panel.review.words.text().startswith("Find cells first")
    assert one.bench.corrector.review.current is None


def test_twenty_thousand_rows_do_not_hold_the_window_up(window, folder, monkeypatch):
    """Rows are described as they come into view."""
    one = begun(window, folder)
    review, panel = one.bench.corrector.review, one.panel.review
    queue, many = review.queue, 20_000
    every = np.zeros(many, np.int64)
    monkeypatch.setattr(queue, "rows", queue.rows.take(every))
    monkeypatch.setattr(queue, "looked", queue.looked[every])
    monkeypatch.setattr(queue, "_codes", (every, queue.rows.code))
    begin = time.perf_counter()
    panel.refresh()
    panel.table.scrollTo(panel.rows.index(many - 1, 0))
    QApplication.processEvents()
    assert time.perf_counter() - begin < 1
    assert panel.rows.rowCount() == many
    assert len(queue._known) < 100
