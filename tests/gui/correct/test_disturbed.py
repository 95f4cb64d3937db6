"""Whatever is done to the window while cells are corrected, nothing is lost."""

import numpy as np
import pytest
import tifffile
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QInputDialog
from tests.gui.movies import dish, project_of
from tests.gui.window import Window

from napari_semiconv.gui.correct.actions import ACTIONS
from napari_semiconv.gui.correct.network import Network
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project
from napari_semiconv.tracking.invariants import faults_of_lineage

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
FRAMES = 4
BIGGEST = 2**31 - 1
SQUASHED = {
    "PhysicalSizeX": 0.5,
    "PhysicalSizeXUnit": "µm",
    "PhysicalSizeY": 1.25,
    "PhysicalSizeYUnit": "µm",
    "TimeIncrement": 90.0,
    "TimeIncrementUnit": "s",
}


def numbered(frames=FRAMES):
    """Label the four cells of the dish: 1 and 2 above, 3 and 4 below."""
    labels = np.zeros((frames, 64, 64), np.int32)
    bright = dish(frames) > 0
    for label, (rows, columns) in enumerate(((0, 0), (0, 32), (32, 0), (32, 32)), 1):
        part = (slice(None), slice(rows, rows + 32), slice(columns, columns + 32))
        labels[part][bright[part]] = label
    return labels


def write_project(folder, labels, name="dish", **metadata):
    """Make a project and its movie; give its folder."""
    bright = np.where(labels, 200, 0).astype(np.uint8)
    movie = folder / f"{name}.ome.tif"
    tifffile.imwrite(
        movie, bright, photometric="minisblack", metadata={"axes": "TYX", **metadata}
    )
    project_of(folder / f"{name}.semiconv", open_movie(movie), labels).close()
    return folder / f"{name}.semiconv"


@pytest.fixture
def window(make_napari_viewer, qtbot):
    """Open a project in a window, the tab "Correct" in front."""
    opened = []

    def show(folder):
        one = Window(make_napari_viewer(show=True), qtbot)
        opened.append(one)
        one.bench.open(folder)
        one.rest()
        one.tab("Correct")
        return one

    yield show
    for one in opened:
        one.bench.close()
        # napari looks for viewers that somebody still knows.
        vars(one).clear()


@pytest.fixture
def dished(window, tmp_path):
    return window(write_project(tmp_path, numbered()))


def labels(window):
    return window.session.project.document.labels(window.session.frame)


def entries(window):
    return window.session.project.history.journal.last


def cells(window):
    return window.bench.layers.cells


def same(window):
    """What is shown is what the project has, and it is sound."""
    window.rest()
    np.testing.assert_array_equal(cells(window)._slice.image.raw, labels(window))
    project = window.session.project
    frames = project.document.shape[0]
    assert [*faults_of_lineage(project.lineage, frames)] == []
    assert [*project.faults()] == []


def move(canvas, spot):
    """Move with the button held, as fast as the canvas takes it."""
    where = QPointF(canvas.mapToGlobal(spot))
    none = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(spot), where, LEFT, LEFT, none)
    QApplication.sendEvent(canvas, event)
    QTest.qWait(20)


def test_cells_whose_layer_was_removed_are_shown_again_not_changed_unseen(dished):
    one, layers = dished, dished.viewer.layers
    one.step_to(2)
    one.click_at(8, 8)
    one.key(Qt.Key.Key_S)
    before = entries(one)
    layers.selection.select_only(cells(one))
    layers.remove_selected()
    QTest.mouseClick(one.canvas, LEFT, pos=QPoint(300, 300))
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Delete):
        one.key(key)
    one.rest()
    assert "It is shown again" in one.said()
    assert one.names()[-2:] == ["Cells", "Tracks"]
    assert entries(one) == before
    assert one.session.frame == 2
    same(one)
    one.bench.corrector.disarm()
    one.click_at(8, 8)
    one.key(Qt.Key.Key_Delete)
    assert entries(one) == before + 1
    same(one)


def test_a_project_that_is_opened_again_has_its_layers_again(dished):
    one, layers = dished, dished.viewer.layers
    one.click_at(8, 8)
    one.key(Qt.Key.Key_Delete)
    before = entries(one)
    # One alone: napari 0.9 crashes under software OpenGL when two were removed and one
    # is drawn again, without any plugin, too.
    layers.remove("Cells")
    QTest.mouseClick(one.panel.title.undo, LEFT)
    one.bench.open(one.session.project.folder)
    one.rest()
    assert one.names() == ["dish", "Cells", "Tracks"]
    same(one)
    # By a button that takes a brush, too.
    layers.remove("Cells")
    click = one.panel.correct_tab.buttons["paint"]
    QTest.mouseClick(click, LEFT)
    one.rest()
    assert "Cells" in one.names()
    assert entries(one) == before + 1


def test_a_stroke_that_naparis_right_button_left_open_is_an_edit(dished):
    one, layer = dished, cells(dished)
    if "brush_stroke" not in layer._overlays:
        pytest.skip("this napari draws with the left button alone")
    one.click_at(8, 8)
    one.key(Qt.Key.Key_2)
    right = Qt.MouseButton.RightButton
    QTest.mouseClick(one.canvas, right, pos=one.spot(28, 4))
    QTest.mouseMove(one.canvas, one.spot(28, 14))
    QTest.qWait(50)
    one.step_to(1)
    one.key(Qt.Key.Key_6)
    same(one)
    one.step_to(0)
    same(one)


def test_a_stroke_is_kept_whose_layer_is_removed_meanwhile(dished):
    one = dished
    one.click_at(8, 8)
    one.key(Qt.Key.Key_2)
    QTest.mousePress(one.canvas, LEFT, pos=one.spot(28, 4))
    spot = one.spot(28, 12)
    move(one.canvas, spot)
    one.viewer.layers.remove("Cells")
    QTest.mouseRelease(one.canvas, LEFT, pos=spot)
    one.bench.open(one.session.project.folder)
    one.rest()
    same(one)
    assert labels(one)[28, 8] == 1


def test_renamed_reordered_and_hidden_layers_are_still_ours(dished):
    one, layers = dished, dished.viewer.layers
    cells(one).name = "mine"
    layers.move(layers.index(cells(one)), 0)
    layers["Tracks"].visible = False
    layers["mine"].visible = False
    one.viewer.theme = "light"
    one.bench.corrector.select(1)
    one.key(Qt.Key.Key_Delete)
    layers["mine"].visible = True
    same(one)
    assert not (labels(one) == 1).any()
    one.viewer.theme = "dark"


def test_a_copy_of_our_layer_is_a_foreign_one(dished):
    one, layers = dished, dished.viewer.layers
    before = entries(one)
    twin = Labels(np.asarray(cells(one).data), name="Cells copy")
    layers.append(twin)
    layers.selection.active = twin
    twin.mode = "fill"
    twin.selected_label = 9
    one.click_at(8, 8)
    one.rest()
    assert twin.data[0, 8, 8] == 9
    assert entries(one) == before
    same(one)


def test_while_a_foreign_layer_is_drawn_on_no_cell_changes(dished):
    one, viewer = dished, dished.viewer
    one.click_at(8, 8)
    before = entries(one)
    points = viewer.add_points(np.zeros((0, 3)), name="points")
    points.mode = "add"
    mine = viewer.add_labels(np.zeros((FRAMES, 64, 64), np.int32), name="mine")
    mine.mode = "paint"
    for layer in (points, mine):
        viewer.layers.selection.active = layer
        one.key(Qt.Key.Key_Backspace, SHIFT)
        for key in (Qt.Key.Key_O, Qt.Key.Key_J, Qt.Key.Key_C, Qt.Key.Key_W):
            one.key(key)
        assert "found that you draw on" in one.said()
        assert one.bench.corrector.tool is None
        one.key(Qt.Key.Key_D)
        one.rest()
        assert one.bench.layers.frame() > 0
        one.step_to(0)
    assert entries(one) == before
    viewer.layers.selection.active = cells(one)
    one.key(Qt.Key.Key_S)
    viewer.layers.selection.active = mine
    one.click_at(8, 5)
    assert one.bench.corrector.tool.points == []
    assert (np.asarray(mine.data) > 0).any()
    viewer.layers.selection.active = points
    one.click_at(40, 8)
    assert len(points.data) == 1
    assert one.bench.corrector.tool.points == []
    assert entries(one) == before
    same(one)


def test_a_brush_that_is_taken_from_a_tool_does_not_move_the_camera(dished):
    one = dished
    one.click_at(8, 8)
    one.key(Qt.Key.Key_S)
    one.key(Qt.Key.Key_2)
    center = tuple(one.camera.center)
    one.drag_over((20, 4), (20, 20))
    one.rest()
    assert tuple(one.camera.center) == pytest.approx(center)
    assert labels(one)[20, 12] == 1
    assert one.bench.corrector.tool is None


def test_keys_in_the_middle_of_a_stroke_change_what_is_shown(dished):
    one, canvas = dished, dished.canvas
    one.click_at(8, 40)
    one.rest()  # the brush has the label of the cell then
    one.key(Qt.Key.Key_2)
    QTest.mousePress(canvas, LEFT, pos=one.spot(28, 4))
    move(canvas, one.spot(28, 8))
    one.key(Qt.Key.Key_Delete)
    one.rest()
    shown = cells(one)._slice.image.raw
    assert shown[8, 40] == 0
    assert shown[28, 6] == 2
    move(canvas, one.spot(28, 12))
    QTest.mouseRelease(canvas, LEFT, pos=one.spot(28, 12))
    same(one)
    assert labels(one)[8, 40] == 0
    assert labels(one)[28, 10] == 2
    one.key(Qt.Key.Key_Z, CTRL)
    one.key(Qt.Key.Key_Z, CTRL)
    same(one)
    np.testing.assert_array_equal(labels(one), numbered()[0])


@pytest.mark.parametrize("armed", [False, True])
def test_the_window_closed_in_the_middle_of_a_stroke_keeps_it(dished, armed):
    one, canvas = dished, dished.canvas
    one.click_at(8, 8)
    one.key(Qt.Key.Key_2)
    QTest.mousePress(canvas, LEFT, pos=one.spot(28, 4))
    move(canvas, one.spot(28, 8))
    if armed:
        # A tool that is taken in the middle, and waits while napari is closed.
        one.key(Qt.Key.Key_S)
    folder, main = one.session.project.folder, one.panel.window()
    with one.qtbot.waitSignal(main.destroyed):
        one.viewer.close()
    assert one.session.project is None
    one.bench.close()
    with Project.open(folder) as project:
        assert project.document.labels(0)[28, 6] == 1
        assert [*project.faults()] == []


def test_tools_are_put_away_by_the_3d_view(dished):
    one, viewer, tool = dished, dished.viewer, lambda: dished.bench.corrector.tool
    one.click_at(8, 8)
    one.key(Qt.Key.Key_K)
    assert tool() is not None
    viewer.dims.ndisplay = 3
    assert tool() is None
    one.key(Qt.Key.Key_S)
    assert tool() is None
    assert "expected the 2D view" in one.said()
    viewer.dims.ndisplay = 2
    same(one)


def test_tools_are_put_away_by_another_project_and_outlive_the_panel(dished, tmp_path):
    one, viewer, tool = dished, dished.viewer, lambda: dished.bench.corrector.tool
    doubles = list(viewer.mouse_double_click_callbacks)
    one.click_at(8, 8)
    one.key(Qt.Key.Key_K)
    one.click_at(8, 8)
    other = tmp_path / "other"
    other.mkdir()
    one.bench.open(write_project(other, numbered()[:, ::-1].copy(), "two"))
    one.rest()
    assert tool() is None
    assert viewer.mouse_double_click_callbacks == doubles
    assert one.session.project.folder.name == "two.semiconv"
    same(one)
    # The panel may go while a tool waits; Esc ends the tool all the same.
    one.click_at(8, 8)
    one.key(Qt.Key.Key_S)
    main, canvas = one.panel.window(), one.canvas
    viewer.window.remove_dock_widget(one.panel)
    main.activateWindow()
    one.wait(main.isActiveWindow)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    one.wait(lambda: tool() is None)
    assert viewer.mouse_double_click_callbacks == doubles
    one.toggle()
    same(one)


def test_keys_act_on_the_window_they_are_pressed_in(window, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = window(write_project(tmp_path / "a", numbered()))
    two = window(write_project(tmp_path / "b", numbered()))
    for each in (one, two):
        each.click_at(8, 8)
        each.key(Qt.Key.Key_S)
    main = two.panel.window()
    main.activateWindow()
    two.wait(main.isActiveWindow)
    two.key(Qt.Key.Key_Escape)
    two.wait(lambda: two.bench.corrector.tool is None)
    assert one.bench.corrector.tool is not None
    one.key(Qt.Key.Key_Delete)
    assert not (labels(one) == 1).any()
    assert (labels(two) == 1).any()
    # The same project a second time is there to look at, and each tool says so.
    two.bench.open(one.session.project.folder)
    two.rest()
    two.click_at(8, 40)
    before = labels(two).copy()
    alone = ("Move", "Review", "Undo")
    for action in ACTIONS:
        if action.group not in alone and action.name not in ("solve", "new"):
            two.bench.corrector.quiet()
            two.bench.corrector.run(action.do)
            two.rest()
            assert two.said(), action.name
            assert two.bench.corrector.tool is None, action.name
    np.testing.assert_array_equal(labels(two), before)
    assert cells(two).editable is False


def test_a_dialog_opens_after_the_click_that_asks_for_it(dished, monkeypatch):
    one = dished
    asked = []

    def answer(*_):
        # Events that wait are handled while a dialog is open.
        move(one.canvas, one.spot(20, 20))
        asked.append(one.bench.corrector.tool)
        return 2, False

    monkeypatch.setattr(QInputDialog, "getInt", answer)
    monkeypatch.setattr(Network, "need_run", lambda *_: None)
    one.key(Qt.Key.Key_G, SHIFT)
    one.click_at(8, 8)
    one.wait(lambda: bool(asked))
    assert asked == [None]


def test_painting_at_the_border_with_old_and_with_large_labels(window, tmp_path):
    many = numbered()
    many[many == 4] = BIGGEST
    one = window(write_project(tmp_path, many))
    layer = cells(one)
    layer.brush_size = 12
    one.click_at(8, 8)
    one.key(Qt.Key.Key_Delete, Qt.KeyboardModifier.AltModifier)
    layer.selected_label = 1
    one.key(Qt.Key.Key_2)
    one.drag_over((62, 2), (66, 8))
    same(one)
    assert labels(one)[63, 5] == 1
    one.key(Qt.Key.Key_M)
    one.rest()
    assert "No label is left" in one.said()
    layer.preserve_labels = True
    layer.selected_label = BIGGEST
    one.key(Qt.Key.Key_2)
    one.drag_over((30, 36), (44, 36))
    same(one)
    assert one.session.project.history.undoable.startswith(f"paint cell {BIGGEST}")
    layer.preserve_labels = False
    layer.n_edit_dimensions = 3
    before = entries(one)
    one.click_at(20, 28)
    same(one)
    assert entries(one) == before + 1


def test_the_bucket_and_other_colours_are_napari_s_own(dished):
    one, layer = dished, cells(dished)
    layer.contiguous = False
    layer.show_selected_label = True
    one.key(Qt.Key.Key_4)
    layer.selected_label = 2
    one.click_at(10, 30)
    same(one)
    assert (labels(one) == 0).sum() == 0
    one.key(Qt.Key.Key_Z, CTRL)
    layer.show_selected_label = False
    layer.colormap = DirectLabelColormap(
        color_dict={None: "transparent", 1: "red", 2: "blue"}
    )
    one.step_to(1)
    same(one)


@pytest.mark.parametrize("kind", ["squashed", "one frame", "empty", "no movie"])
def test_odd_projects_are_corrected_like_any_other(window, tmp_path, kind):
    found, units = numbered(), {}
    if kind == "squashed":
        units = SQUASHED
    if kind == "one frame":
        found = found[:1]
    if kind == "empty":
        found[:] = 0
    folder = write_project(tmp_path, found, **units)
    if kind == "no movie":
        (tmp_path / "dish.ome.tif").unlink()
    one = window(folder)
    scale = tuple(cells(one).scale[-2:])
    assert scale == ((1.25, 0.5) if kind == "squashed" else (1.0, 1.0))
    one.click_at(40, 40)
    assert set(one.session.selection) == (set() if kind == "empty" else {4})
    one.key(Qt.Key.Key_M)
    one.drag_over((26, 24), (26, 28))
    same(one)
    new = labels(one)[26, 26]
    assert new not in found
    one.key(Qt.Key.Key_6)
    one.click_at(26, 26)
    assert set(one.session.selection) == {new}
    one.key(Qt.Key.Key_Delete)
    one.key(Qt.Key.Key_N)
    undo_all(one)
    np.testing.assert_array_equal(labels(one), found[one.session.frame])


def undo_all(one):
    """Confirm a frame, and take all back, until nothing was done."""
    one.key(Qt.Key.Key_Y, Qt.KeyboardModifier.AltModifier)
    same(one)
    while one.session.project.history.undoable is not None:
        one.key(Qt.Key.Key_Z, CTRL)
    same(one)
