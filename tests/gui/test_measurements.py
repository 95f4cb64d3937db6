"""Tables and plots of the cells in the window, with mouse and keys."""

import csv
import time

import numpy as np
import pytest
from benchmarks.heartbeat import Heartbeat
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog
from tests.gui.movies import project_of, write_dish
from tests.gui.window import Window, click

from napari_semiconv.edits.removing import DeleteCell
from napari_semiconv.gui.docking import open_measurements
from napari_semiconv.gui.measure.curves import KINDS
from napari_semiconv.gui.measure.table_view import TableView
from napari_semiconv.io.cells.columns import Column, Table
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project

pytestmark = pytest.mark.gui
FRAMES = 8
# Longest time that the window may not answer, in s.
FREEZE = 0.2
CELLS, TRACKS, PLOTS = range(3)


def make(folder):
    """Make a project of four cells, each larger than the one before."""
    movie = open_movie(write_dish(folder / "dish.tif", frames=FRAMES))
    labels = np.zeros((FRAMES, 64, 64), np.int32)
    for label in range(1, 5):
        labels[:, 14 * label : 14 * label + 5 + label, 10:20] = label
    project_of(folder / "dish.semiconv", movie, labels).close()
    return folder / "dish.semiconv"


@pytest.fixture
def measured(make_napari_viewer, qtbot, tmp_path):
    opened = []

    def measured(project=None):
        one = Window(make_napari_viewer(show=True), qtbot)
        opened.append(one)
        one.viewer.window._qt_window.resize(1280, 900)
        one.open(project or make(tmp_path))
        one.tab("Share")
        one.press("Measurements and plots…")
        return one, shown(one)

    yield measured
    while opened:
        opened.pop().bench.close()


def shown(one):
    """Wait for what is measured, and give the dock."""
    dock = open_measurements(one.viewer)
    one.wait(lambda: dock.up_to_date)
    one.rest()
    return dock


def tab(dock, index):
    place = dock.tabs.tabRect(index).center()
    QTest.mouseClick(dock.tabs, Qt.MouseButton.LeftButton, pos=place)
    assert dock.tabs.currentIndex() == index


def texts(view, name):
    model = view.rows
    names = [column.name for column in model.table.columns]
    column = names.index(name)
    return [model.index(n, column).data() for n in range(model.rowCount())]


def click_row(view, row, modifier=Qt.KeyboardModifier.NoModifier):
    view.scrollTo(view.rows.index(row, 0))
    place = view.visualRect(view.rows.index(row, 0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def click_header(view, name):
    header = view.horizontalHeader()
    names = [column.name for column in view.rows.table.columns]
    x = header.sectionViewportPosition(names.index(name)) + 20
    place = QPoint(x, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)


def chosen(view):
    return sorted(index.row() for index in view.selectionModel().selectedRows())


def test_cells_are_listed_sorted_and_tied_to_the_canvas(measured):
    one, dock = measured()
    view, session = dock.cells, one.session
    assert view.rows.rowCount() == 4 * FRAMES
    headers = [c.header for c in view.rows.table.columns]
    assert {"Time (s)", "Area (µm²)", "Speed (µm/min)", "Intensity"} <= {*headers}
    view.horizontalScrollBar().setValue(0)
    click_header(view, "label")
    assert texts(view, "label")[: FRAMES + 1] == ["1"] * FRAMES + ["2"]
    click_header(view, "label")
    assert texts(view, "label")[: FRAMES + 1] == ["4"] * FRAMES + ["3"]
    # What is sorted the same stays in the order of frames.
    assert texts(view, "frame")[:FRAMES] == [str(n) for n in range(FRAMES)]
    click_row(view, 3)
    assert (session.frame, session.selection) == (3, {4})
    assert one.viewer.dims.current_step[0] == 3
    one.session.go_to(5)
    one.rest()
    assert chosen(view) == [5]
    session.select(frozenset({1, 2}))
    one.rest()
    assert [texts(view, "label")[n] for n in chosen(view)] == ["2", "1"]
    assert {texts(view, "frame")[n] for n in chosen(view)} == {"5"}


def test_filters_leave_the_frame_or_the_selected(measured):
    one, dock = measured()
    dock.filter.setFocus()
    QTest.keyClick(dock.filter, Qt.Key.Key_Down)
    assert texts(dock.cells, "label") == ["1", "2", "3", "4"]
    one.viewer.dims.set_current_step(0, 2)
    one.rest()
    assert {*texts(dock.cells, "frame")} == {"2"}
    QTest.keyClick(dock.filter, Qt.Key.Key_Down)
    assert texts(dock.cells, "label") == []
    one.session.select(frozenset({3}))
    one.rest()
    assert texts(dock.cells, "label") == ["3"] * FRAMES
    assert chosen(dock.cells) == [2]
    tab(dock, TRACKS)
    assert texts(dock.tracks, "label") == ["3"]


def test_tracks_are_chosen_together(measured):
    one, dock = measured()
    tab(dock, TRACKS)
    assert texts(dock.tracks, "frames") == [str(FRAMES)] * 4
    click_row(dock.tracks, 0)
    click_row(dock.tracks, 2, Qt.KeyboardModifier.ControlModifier)
    assert one.session.selection == {1, 3}
    assert chosen(dock.tracks) == [0, 2]
    one.rest()
    assert chosen(dock.tracks) == [0, 2]
    assert chosen(dock.cells) == [0, 2]


def test_edits_are_followed_and_undone(measured):
    one, dock = measured()
    one.session.do(DeleteCell(3, 2))
    one.wait(lambda: dock.cells.rows.rowCount() == 4 * FRAMES - 1)
    one.session.undo()
    one.wait(lambda: dock.cells.rows.rowCount() == 4 * FRAMES)


def test_plots_are_drawn_and_lead_to_frames(measured):
    one, dock = measured()
    one.session.select(frozenset({1, 4}))
    tab(dock, PLOTS)
    one.wait(lambda: dock.up_to_date)
    lines = dock.plot.plot.lines
    assert [line.label for line in lines] == ["cell 1", "cell 4"]
    np.testing.assert_allclose(lines[0].y, [6 * 10 * 0.25] * FRAMES)
    colours = one.bench.layers.cells.colormap.map(np.array([1, 4]))
    np.testing.assert_allclose([line.colour for line in lines], colours[:, :3])
    # The curves are on the screen, in these colours or brighter ones.
    assert len(np.unique(dock.plot.drawn.pixels.reshape(-1, 4), axis=0)) > 10
    left, top, right, bottom = dock.plot._box()
    place = QPoint(round(left + 0.95 * (right - left)), round((top + bottom) / 2))
    QTest.mouseClick(dock.plot, Qt.MouseButton.LeftButton, pos=place)
    assert one.session.frame == FRAMES - 1
    dock.kind.setFocus()
    for kind in KINDS[1:]:
        QTest.keyClick(dock.kind, Qt.Key.Key_Down)
        one.wait(lambda: dock.up_to_date)
        assert dock.kind.currentText() == kind
        assert dock.plot.plot.lines or dock.plot.plot.bars is not None
    one.viewer.theme = "light"
    one.wait(lambda: dock.up_to_date and dock.plot.drawn.pixels[0, 0, :3].min() > 200)


def answer(monkeypatch, path, kind=""):
    given = (str(path), kind)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: given)


def test_what_is_shown_is_saved(measured, tmp_path, monkeypatch):
    one, dock = measured()
    one.session.select(frozenset({3}))
    dock.filter.setFocus()
    QTest.keyClick(dock.filter, Qt.Key.Key_End)
    answer(monkeypatch, tmp_path / "mine")
    click(dock.save)
    one.rest()
    assert one.said() == f"Exported to {tmp_path / 'mine.csv'}."
    with (tmp_path / "mine.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["label"] for row in rows] == ["3"] * FRAMES
    assert rows[1]["area_um2"] == "20"
    tab(dock, PLOTS)
    one.wait(lambda: dock.up_to_date)
    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        answer(monkeypatch, tmp_path / f"figure{ending}")
        click(dock.save)
        one.rest()
        assert (tmp_path / f"figure{ending}").read_bytes().startswith(start)
    click(dock.save)
    one.rest()
    assert "expected a name that is free" in one.said()


def test_closing_reopening_and_another_project(measured, tmp_path):
    one, dock = measured()
    with one.qtbot.waitSignal(dock.parentWidget().destroyed):
        dock.parentWidget().destroyOnClose()
    one.session.do(DeleteCell(3, 2))
    one.rest()
    again = shown(one)
    assert again is not dock
    assert again.cells.rows.rowCount() == 4 * FRAMES - 1
    one.session.close_project()
    one.wait(lambda: again._pages.currentIndex() == 3)
    assert "Open a project" in again._nothing.text()
    other = tmp_path / "other"
    other.mkdir()
    one.open(make(other))
    one.wait(lambda: again.up_to_date and again.cells.rows.rowCount() == 4 * FRAMES)


def test_without_its_movie_and_read_only_it_is_measured_all_the_same(
    measured, tmp_path
):
    folder = make(tmp_path)
    (tmp_path / "dish.tif").unlink()
    with Project.open(folder):
        _, dock = measured(folder)
        headers = [c.header for c in dock.cells.rows.table.columns]
        assert "Area (µm²)" in headers
        assert not any("ntensity" in header for header in headers)
        assert dock.note.text().startswith("The movie is not at hand")


def test_two_hundred_thousand_rows_do_not_hold_up_the_window(qtbot):
    count = 200_000
    random = np.random.default_rng(0)
    names = [f"column_{n}" for n in range(20)]
    columns = [Column(n, n, "", random.random(count)) for n in names]
    table = Table((Column("label", "Cell", "", np.arange(count)), *columns))
    view = TableView()
    qtbot.addWidget(view)
    view.resize(900, 400)
    view.show()
    qtbot.waitExposed(view)
    heart = Heartbeat(time.thread_time)  # other processes are no freeze
    heart.start()
    view.show_table(table)
    QTest.qWait(50)
    for name in names[:3]:
        click_header(view, name)
        QTest.qWait(20)
    for row in range(0, count, 10_000):
        view.scrollTo(view.rows.index(row, 0))
        QTest.qWait(5)
    view.keep(table["column_3"] < 0.5)
    view.choose(np.arange(1_000))
    QTest.qWait(50)
    heart.stop()
    assert heart.longest < FREEZE
    values = table["column_2"][view.rows.shown]
    assert (np.diff(values) >= 0).all()
