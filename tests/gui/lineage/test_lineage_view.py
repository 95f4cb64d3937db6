"""The lineage below the canvas, with mouse and wheel."""

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QHelpEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDockWidget, QFileDialog, QMenu, QToolTip
from tests.gui.window import Window, find_action

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.gui.docking import open_lineage
from napari_semiconv.gui.lineage.panel import (
    FAMILY,
    NO_FAMILY,
    NO_SUSPECTS,
    NOTHING,
    SUSPECTS,
)
from napari_semiconv.gui.lineage.scale import AXIS
from napari_semiconv.gui.review.review import Review
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project
from napari_semiconv.tracking.lineage import Lineage, Track

pytestmark = pytest.mark.gui
SHIFT, CONTROL = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
LEFT = Qt.MouseButton.LeftButton
# Cell 1 divides into 2 and 3; 4 is lost before 5 begins; 7 appears beside 6.
TRACKS = {
    1: (0, 4, 0),
    2: (5, 9, 1),
    3: (5, 9, 1),
    4: (0, 3, 0),
    5: (6, 9, 0),
    6: (0, 9, 0),
    7: (5, 9, 0),
}


def write_project(folder, tracks):
    """Make a project of square cells beside its movie; give its folder."""
    labels = np.zeros((10, 48, 64), np.int32)
    for label, (begin, end, _) in tracks.items():
        row, column = divmod(label - 1, 4)
        y, x = 4 + 16 * row, 3 + 15 * column
        labels[begin : end + 1, y : y + 10, x : x + 10] = label
    movie = folder / "dish.tif"
    tifffile.imwrite(
        movie,
        np.where(labels, 200, 10).astype(np.uint8),
        imagej=True,
        resolution=(2.0, 2.0),
        metadata={"axes": "TYX", "finterval": 1800.0, "unit": "um"},
    )
    lineage = Lineage(
        Track(label, ((begin, end),), parent)
        for label, (begin, end, parent) in tracks.items()
    )
    found = TrackedMovie("dish", labels.shape, labels.__getitem__, lineage)
    Project.create(folder / "dish.semiconv", open_movie(movie), found).close()
    return folder / "dish.semiconv"


class Tree(Window):
    """A window with the lineage open."""

    def __init__(self, viewer, qtbot):
        super().__init__(viewer, qtbot)
        viewer.window.resize(1280, 780)
        self.lineage = open_lineage(viewer)
        QApplication.processEvents()

    @property
    def view(self):
        return self.lineage.view

    @property
    def tracks(self):
        return self.session.project.lineage.tracks

    def load(self, folder):
        self.bench.open(folder)
        self.rest()
        self.settle()

    def settle(self):
        """Wait until what was edited is shown."""
        self.wait(
            lambda: self.bench.mailbox.empty and not self.lineage._soon.isActive()
        )
        QApplication.processEvents()

    def labels(self):
        return self.view.drawing.rows.labels.tolist()

    def place(self, label, frame):
        """Middle of a frame in the row of a track."""
        scale, row = self.view.scale, self.labels().index(label)
        return QPoint(round(scale.x(frame + 0.5)), scale.y(row) + scale.row_height // 2)

    def end(self, label):
        """The grip at the end of a bar."""
        scale = self.view.scale
        x = round(scale.x(self.tracks[label].end + 1)) - 2
        return QPoint(x, self.place(label, 0).y())

    def start(self, label):
        scale = self.view.scale
        return QPoint(
            round(scale.x(self.tracks[label].begin)) + 2, self.place(label, 0).y()
        )

    def click(self, place, keys=Qt.KeyboardModifier.NoModifier):
        assert self.view.viewport().rect().contains(place)
        QTest.mouseClick(self.view.viewport(), LEFT, keys, place)
        self.settle()

    def twice(self, place):
        # As a mouse does it: the first click is one of its own.
        QTest.mouseClick(self.view.viewport(), LEFT, pos=place)
        QTest.mouseDClick(self.view.viewport(), LEFT, pos=place)
        self.settle()

    def drag(self, start, end, keys=Qt.KeyboardModifier.NoModifier):
        surface = self.view.viewport()
        QTest.mousePress(surface, LEFT, keys, start)
        assert surface.rect().contains(start)
        for part in (0.3, 0.7, 1.0):
            QTest.mouseMove(surface, start + (end - start) * part)
            QApplication.processEvents()
        QTest.mouseRelease(surface, LEFT, keys, end)
        self.settle()

    def wheel(self, place, notches, keys=Qt.KeyboardModifier.NoModifier):
        surface = self.view.viewport()
        event = QWheelEvent(
            QPointF(place),
            QPointF(surface.mapToGlobal(place)),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            keys,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(surface, event)
        QApplication.processEvents()

    def choose(self, place, text):
        """Choose from the menu of a bar."""
        QTest.mouseClick(self.view.viewport(), Qt.MouseButton.RightButton, pos=place)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        action = find_action(menu, text)
        assert action is not None, [a.text() for a in menu.actions()]
        QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())
        self.settle()

    def colour(self, place):
        """Colour on the screen at a place of the view."""
        image = self.view.viewport().grab().toImage()
        ratio = image.devicePixelRatio()
        pixel = image.pixelColor(round(place.x() * ratio), round(place.y() * ratio))
        return pixel.red(), pixel.green(), pixel.blue()

    def read(self):
        """The sentence in the view, if one is shown."""
        label = self.lineage._sentence
        return label.text() if label.isVisible() else ""


@pytest.fixture(autouse=True)
def suspects(request, monkeypatch):
    """Which cells are suspect: none, or those that a test says."""
    found = {}
    if "measured" not in request.node.name:
        monkeypatch.setattr(Review, "by_label", lambda _: found)
    return found


@pytest.fixture
def window(make_napari_viewer, qtbot):
    opened = []

    def window():
        opened.append(Tree(make_napari_viewer(show=True), qtbot))
        return opened[-1]

    yield window
    while opened:
        one = opened.pop()
        one.bench.close()
        # The fixture below lives longer than the window.
        vars(one).clear()


@pytest.fixture
def tree(window, tmp_path):
    """The lineage of a small project."""
    tree = window()
    tree.load(write_project(tmp_path, TRACKS))
    return tree


def undone(tree, before):
    """Undo one step, and tell whether all is as it was."""
    tree.session.undo()
    tree.settle()
    return dict(tree.tracks) == before


def test_it_lies_below_with_a_row_for_each_track(tree):
    dock = tree.lineage.parentWidget()
    assert isinstance(dock, QDockWidget)
    main = dock.parentWidget()
    assert main.dockWidgetArea(dock) == Qt.DockWidgetArea.BottomDockWidgetArea
    assert tree.labels() == [2, 1, 3, 4, 6, 7, 5]
    assert tree.lineage.count.text() == "7 tracks, 5 families"


def test_bars_have_the_colours_of_the_canvas(tree):
    layer = tree.viewer.layers["Cells"]
    for label, frame in ((1, 2), (6, 8), (5, 7)):
        wanted = [round(255 * v) for v in layer.get_color(label)[:3]]
        place = tree.place(label, frame)
        np.testing.assert_allclose(tree.colour(place), wanted, atol=1)
    layer.new_colormap(seed=3)
    tree.settle()
    wanted = [round(255 * v) for v in layer.get_color(6)[:3]]
    np.testing.assert_allclose(tree.colour(tree.place(6, 8)), wanted, atol=1)


def test_a_click_goes_to_the_frame_and_selects_the_track(tree):
    before = tree.labels()
    tree.click(tree.place(3, 7))
    assert tree.session.frame == 7
    assert tree.viewer.dims.current_step[0] == 7
    assert tree.session.selection == {3}
    tree.click(tree.place(6, 2), SHIFT)
    assert tree.session.selection == {3, 6}
    # Nothing moves under the mouse.
    assert tree.labels() == before


def test_what_is_selected_elsewhere_comes_first(tree):
    tree.session.select(frozenset({5}))
    tree.settle()
    assert tree.labels() == [5, 2, 1, 3, 4, 6, 7]
    tree.session.select(frozenset({3}))
    tree.settle()
    assert tree.labels() == [2, 1, 3, 4, 6, 7, 5]


def test_the_line_follows_the_slider(tree):
    tree.viewer.dims.set_current_step(0, 6)
    tree.settle()
    assert tree.view.drawing.frame == 6
    place = QPoint(tree.place(6, 6).x(), tree.view.viewport().height() - 3)
    text = tree.view.drawing.palette.text
    assert tree.colour(place) == (text.red(), text.green(), text.blue())


def test_the_axis_is_a_slider(tree):
    surface = tree.view.viewport()
    x = [tree.place(6, frame).x() for frame in (2, 8)]
    QTest.mousePress(surface, LEFT, pos=QPoint(x[0], AXIS // 2))
    assert tree.session.frame == 2
    QTest.mouseMove(surface, QPoint(x[1], AXIS // 2))
    QTest.mouseRelease(surface, LEFT, pos=QPoint(x[1], AXIS // 2))
    assert tree.session.frame == 8


def test_the_wheel_zooms_and_scrolls(tree):
    place = tree.place(6, 3)
    wide = tree.view.scale.frame_width
    tree.wheel(place, 1)
    assert tree.view.scale.frame_width == pytest.approx(wide * 1.2)
    assert tree.place(6, 3).x() == pytest.approx(place.x(), abs=12)
    high = tree.view.scale.row_height
    tree.wheel(place, 1, CONTROL)
    assert tree.view.scale.row_height == high + 1
    for _ in range(20):
        tree.wheel(place, 1, CONTROL)
    tree.wheel(place, -1, SHIFT)
    assert tree.view.scale.top > 0


def test_words_tell_what_a_bar_is(tree):
    surface, place = tree.view.viewport(), tree.place(1, 2)
    QApplication.sendEvent(
        surface, QHelpEvent(QEvent.Type.ToolTip, place, surface.mapToGlobal(place))
    )
    words, hint = QToolTip.text().split("\n")
    assert words == "cell 1, frames 0 to 4, 2 daughters, not confirmed"
    assert hint == "Double click: cut before frame 2. Right click: more."
    place = tree.end(4)
    QApplication.sendEvent(
        surface, QHelpEvent(QEvent.Type.ToolTip, place, surface.mapToGlobal(place))
    )
    assert QToolTip.text().startswith("cell 4, frames 0 to 3, not confirmed\nDrag to ")


def test_a_line_from_end_to_start_links_over_a_gap(tree):
    before = dict(tree.tracks)
    tree.drag(tree.end(4), tree.start(5))
    assert tree.tracks[4].intervals == ((0, 3), (6, 9))
    assert 5 not in tree.tracks
    assert tree.labels() == [2, 1, 3, 4, 6, 7]
    assert undone(tree, before)
    assert tree.labels() == [2, 1, 3, 4, 6, 7, 5]


def test_a_line_into_a_bar_links_from_there(tree):
    tree.drag(tree.end(4), tree.place(6, 6))
    assert tree.tracks[4].intervals == ((0, 3), (6, 9))
    assert tree.tracks[6].intervals == ((0, 5),)


def test_a_refusal_is_read_in_the_view_and_under_the_tabs(tree):
    before = dict(tree.tracks)
    tree.drag(tree.end(6), tree.start(7))
    assert dict(tree.tracks) == before
    assert "expected" in tree.read().lower()
    assert tree.said() == tree.read()
    tree.session.go_to(3)
    tree.settle()
    assert tree.read() == tree.said() == ""


def test_a_line_to_nowhere_does_nothing(tree):
    before, frame = dict(tree.tracks), tree.session.frame
    tree.drag(tree.end(4), QPoint(tree.end(4).x() + 30, tree.place(4, 0).y()))
    assert dict(tree.tracks) == before
    assert tree.session.frame == frame
    assert not tree.session.selection


def test_two_clicks_cut(tree):
    before = dict(tree.tracks)
    tree.twice(tree.place(6, 4))
    assert tree.tracks[6].intervals == ((0, 3),)
    assert len(tree.tracks) == 8
    assert undone(tree, before)


def test_with_shift_a_line_makes_a_daughter_of_a_track_that_goes_on(tree):
    before = dict(tree.tracks)
    tree.drag(tree.end(6), tree.start(7), SHIFT)
    assert tree.tracks[6].end == 4
    daughters = tree.session.project.lineage.daughters_of(6)
    assert len(daughters) == 2
    assert 7 in daughters
    assert undone(tree, before)


def test_a_mother_that_ends_is_given_both_daughters(tree):
    before = dict(tree.tracks)
    tree.drag(tree.end(4), tree.start(5), SHIFT)
    assert dict(tree.tracks) == before
    assert "other one" in tree.read()
    tree.drag(tree.end(4), tree.start(7), SHIFT)
    assert tree.session.project.lineage.daughters_of(4) == [5, 7]
    assert tree.read() == ""
    assert tree.labels() == [2, 1, 3, 5, 4, 7, 6]
    assert undone(tree, before)


def test_another_daughter_leaves_those_that_are_there_whole(tree):
    tree.drag(tree.end(1), tree.start(5), SHIFT)
    assert tree.session.project.lineage.daughters_of(1) == [2, 3, 5]
    assert all(tree.tracks[n].begin == b for n, b in ((2, 5), (3, 5), (5, 6)))


def test_the_menu_of_a_bar(tree):
    before = dict(tree.tracks)
    tree.click(tree.place(5, 8))
    tree.click(tree.place(7, 8), SHIFT)
    tree.choose(tree.place(4, 1), "Mother of the selected: 5 and 7")
    assert tree.session.project.lineage.daughters_of(4) == [5, 7]
    assert undone(tree, before)
    tree.click(tree.place(7, 8))
    tree.choose(tree.place(6, 7), "Swap with cell 7 from frame 7 on")
    assert tree.tracks[7].end == tree.tracks[6].end == 9
    assert tree.tracks[6].is_confirmed(7)
    assert undone(tree, before)
    tree.choose(tree.place(2, 7), "Undo the division of cell 1")
    assert tree.session.project.lineage.daughters_of(1) == []
    assert undone(tree, before)
    tree.choose(tree.place(6, 7), "Confirm this track")
    assert tree.tracks[6].confirmed == ((0, 9),)
    tree.choose(tree.place(6, 7), "Unconfirm this track")
    assert not tree.tracks[6].confirmed
    tree.choose(tree.place(6, 7), "Delete from frame 7 on")
    assert tree.tracks[6].end == 6
    tree.choose(tree.place(6, 2), "Cut before frame 2")
    assert tree.tracks[6].end == 1
    tree.click(tree.place(4, 2))
    tree.choose(tree.place(5, 7), "Cell 4 goes on as 5")
    assert tree.tracks[4].end == 9
    tree.choose(tree.place(3, 8), "Show cell 3 on the canvas")
    assert tree.session.selection == {3}
    assert tree.session.frame == 8


def test_a_confirmed_bar_is_thicker(tree):
    scale = tree.view.scale
    edge = QPoint(
        tree.place(6, 4).x(), tree.place(6, 4).y() - scale.row_height // 2 + 2
    )
    plain = tree.colour(edge)
    tree.session.do(Confirm(6))
    tree.settle()
    assert tree.colour(edge) == tree.colour(tree.place(6, 4)) != plain


def test_suspect_cells_are_orange_and_can_be_shown_alone(tree, suspects):
    tree.lineage.choice.setCurrentText(SUSPECTS)
    tree.settle()
    assert tree.view.drawing is None
    assert tree.view.empty == NO_SUSPECTS
    suspects.update({7: [6, 7], 2: [5]})
    tree.bench.corrector.review.changed.emit()
    tree.settle()
    assert tree.labels() == [2, 1, 3, 7]
    x = round(tree.view.scale.x(6))
    assert tree.colour(QPoint(x, tree.place(7, 6).y())) == (255, 140, 0)


def test_what_is_measured_as_suspect_is_marked_until_it_is_looked_at(tree):
    review = tree.bench.corrector.review
    tree.wait(lambda: review.queue is not None)
    tree.settle()
    marked = tree.view.drawing.suspects
    assert marked
    assert marked.keys() == review.by_label().keys()
    review.go_to(0)
    review.next()
    tree.settle()
    assert tree.view.drawing.suspects != marked


def test_only_the_family_of_the_selected_cell(tree):
    tree.lineage.choice.setCurrentText(FAMILY)
    assert tree.view.drawing is None
    assert tree.view.empty == NO_FAMILY
    tree.session.select(frozenset({3}))
    tree.settle()
    assert tree.labels() == [2, 1, 3]


def test_a_cell_is_found_by_its_number(tree):
    search = tree.lineage.search
    QTest.keyClicks(search, "5")
    QTest.keyClick(search, Qt.Key.Key_Return)
    tree.settle()
    assert tree.session.selection == {5}
    assert tree.session.frame == 6
    search.clear()
    QTest.keyClicks(search, "99")
    QTest.keyClick(search, Qt.Key.Key_Return)
    assert tree.read().startswith("Cell 99 does not exist")


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("All frames and rows…", "tree.svg"),
        ("What is in view…", "part.png"),
        ("All frames and rows…", "all.png"),
    ],
)
def test_it_is_saved_as_a_picture(tree, tmp_path, monkeypatch, entry, name):
    target = tmp_path / name
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(target), "")
    )
    find_action(tree.lineage.save.menu(), entry).trigger()
    tree.rest()
    assert tree.said() == f"Exported to {target}."
    content = target.read_bytes()
    if name.endswith("svg"):
        assert content.startswith(b"<?xml")
        assert b">7</text>" in content
    else:
        assert content.startswith(b"\x89PNG")


def test_closed_it_comes_back_with_what_went_on_meanwhile(tree):
    dock = tree.lineage.parentWidget()
    dock.destroyOnClose()
    QApplication.processEvents()
    tree.session.do(Confirm(6))
    tree.session.go_to(4)
    tree.session.select(frozenset({5}))
    again = open_lineage(tree.viewer)
    assert again is not tree.lineage
    tree.lineage = again
    tree.settle()
    assert tree.labels() == [5, 2, 1, 3, 4, 6, 7]
    assert tree.view.drawing.frame == 4
    tree.twice(tree.place(6, 4))
    assert len(tree.tracks) == 8
    assert len(tree.labels()) == 8


def test_with_its_window_all_work_ends(tree, tmp_path):
    tree.toggle()  # the panel of tabs goes
    tree.session.do(Confirm(6))
    ended = []
    tree.bench.closed.connect(lambda: ended.append(True))
    tree.viewer.close()
    tree.wait(lambda: bool(ended))
    assert tree.session.project is None
    with Project.open(tmp_path / "dish.semiconv") as project:
        assert not project.read_only
        assert project.lineage.tracks[6].confirmed


def test_hidden_it_does_nothing_until_it_is_seen(tree):
    dock = tree.lineage.parentWidget()
    dock.hide()
    drawing = tree.view.drawing
    tree.session.do(Confirm(6))
    tree.settle()
    assert tree.view.drawing is drawing
    dock.show()
    tree.settle()
    assert tree.view.drawing.tracks[6].confirmed


def test_afloat_it_works_as_well(tree):
    tree.lineage.parentWidget().setFloating(True)
    QApplication.processEvents()
    tree.click(tree.place(6, 4))
    assert tree.session.frame == 4
    assert tree.session.selection == {6}


def test_another_project_and_none(tree, tmp_path):
    tree.session.close_project()
    tree.rest()
    tree.settle()
    assert tree.view.drawing is None
    assert tree.view.empty == NOTHING
    other = tmp_path / "other"
    other.mkdir()
    tree.load(write_project(other, {1: (0, 9, 0), 2: (3, 9, 0)}))
    assert tree.labels() == [1, 2]


def test_both_themes(tree):
    backgrounds = set()
    for theme in ("light", "dark"):
        tree.viewer.theme = theme
        tree.settle()
        place = QPoint(tree.place(7, 2).x(), tree.place(7, 2).y())
        backgrounds.add(tree.colour(place))
    assert len(backgrounds) == 2


def test_a_project_that_cannot_be_edited_says_so(tree, window, tmp_path):
    other = window()
    other.load(tmp_path / "dish.semiconv")
    assert other.session.project.read_only
    assert other.labels() == tree.labels()
    before = dict(other.tracks)
    other.twice(other.place(6, 4))
    assert dict(other.tracks) == before
    assert other.read() == other.said() != ""
