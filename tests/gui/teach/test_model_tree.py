"""The models of a project as a tree, and what can be done with them."""

import shutil

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
)
from tests.gui.window import click
from tests.stand_in_child import write_model

from napari_semiconv.errors import BadInputError
from napari_semiconv.network.model_folder import SETTINGS, WEIGHTS
from napari_semiconv.project.project import Project
from napari_semiconv.teaching.record import RECORD, read_record, write_record
from napari_semiconv.teaching.settings import TeachSettings

pytestmark = pytest.mark.gui


@pytest.fixture
def home(folder):
    """Two models, of which one was taught from the other."""
    place = folder / "models"
    write_model(place / "taught-1", "default", "quick", TeachSettings())
    write_model(place / "taught-2", str(place / "taught-1"), "worse", TeachSettings())
    return place


@pytest.fixture
def listed(opened, home):
    """Open the project at the page of its models."""

    def listed():
        one = opened()
        show(one)
        return one, one.panel.teach_tab.models

    return listed


def show(one):
    """Click on the page of models."""
    pages = one.panel.teach_tab.pages
    bar, index = pages.tabBar(), pages.indexOf(one.panel.teach_tab.models)
    place = bar.tabRect(index).center()
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=place)
    # It has its size once it was laid out.
    one.wait(lambda: one.panel.teach_tab.models.view.viewport().height() > 60)


def outline(item, column=0):
    return [
        (item.child(n).text(column), outline(item.child(n), column))
        for n in range(item.childCount())
    ]


def tree(models, column=0):
    return outline(models.view.invisibleRootItem(), column)


def pick(models, name, times=1):
    (item,) = models.view.findItems(
        name, Qt.MatchFlag.MatchEndsWith | Qt.MatchFlag.MatchRecursive
    )
    models.view.scrollToItem(item)
    place, port = models.view.visualItemRect(item).center(), models.view.viewport()
    QTest.mouseClick(port, Qt.MouseButton.LeftButton, pos=place)
    if times == 2:
        QTest.mouseDClick(port, Qt.MouseButton.LeftButton, pos=place)
    return place


def answer(kind, act):
    """Answer a dialog once it is there; it has an event loop of its own."""
    timer = QTimer()

    def look():
        shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind)]
        for dialog in shown:
            if dialog.isVisible():
                timer.stop()
                act(dialog)
                return

    timer.timeout.connect(look)
    timer.start(20)
    return timer


def write(kind, text):
    """Type into a dialog with the keys, and accept it."""

    def act(dialog):
        field = dialog.findChild(kind)
        field.selectAll()
        QTest.keyClicks(field, text)
        dialog.accept()

    return act


def test_each_stands_below_the_one_it_was_taught_from(listed):
    _, models = listed()
    assert tree(models) == [("✓ default", [("taught-1", [("taught-2", [])])])]
    masks = [("", [("0.50 → 0.90", [("0.50 → 0.30", [])])])]
    assert tree(models, 1) == masks
    assert tree(models, 2) == [("", [("12", [("12", [])])])]
    when = tree(models, 3)[0][1][0][0]
    assert "Jan" in when
    assert not any(button.isEnabled() for button in models.buttons.values())


def test_another_one_is_used_by_button_and_by_two_clicks(listed, home):
    one, models = listed()
    pick(models, "taught-2")
    click(models.buttons["use"])
    one.rest()
    assert one.bench.choices.settings.model == str(home / "taught-2")
    assert tree(models) == [("default", [("taught-1", [("✓ taught-2", [])])])]
    assert not models.buttons["use"].isEnabled()
    assert models.chosen() == str(home / "taught-2"), "it stays selected"
    pick(models, "default", times=2)
    one.rest()
    assert one.bench.choices.settings.model == "default"


def test_the_menu_does_the_same(listed, home):
    one, models = listed()
    place = pick(models, "taught-1")
    models.view.customContextMenuRequested.emit(place)
    (menu,) = [m for m in models.findChildren(QMenu) if m.isVisible()]
    rect = menu.actionGeometry(menu.actions()[0])
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=rect.center())
    one.rest()
    assert one.bench.choices.settings.model == str(home / "taught-1")


def test_a_note_is_kept(listed, home):
    one, models = listed()
    pick(models, "taught-1")
    timer = answer(QInputDialog, write(QPlainTextEdit, "bright <b>cells</b>"))
    click(models.buttons["note"])
    assert not timer.isActive()
    one.rest()
    assert read_record(home / "taught-1").note == "bright <b>cells</b>"
    assert tree(models, 4)[0][1][0][0] == "bright <b>cells</b>"
    (item,) = models.view.findItems("taught-1", _ANY)
    assert "&lt;b&gt;" in item.toolTip(0)


_ANY = Qt.MatchFlag.MatchEndsWith | Qt.MatchFlag.MatchRecursive


def test_one_in_use_is_renamed_and_stays_so(listed, home):
    one, models = listed()
    pick(models, "taught-1", times=2)
    one.rest()
    timer = answer(QInputDialog, write(QLineEdit, "dim nuclei"))
    click(models.buttons["rename"])
    assert not timer.isActive()
    one.rest()
    assert one.bench.choices.settings.model == str(home / "dim nuclei")
    assert tree(models) == [("default", [("✓ dim nuclei", [("taught-2", [])])])]
    one.tab("Find")
    assert one.panel.find_tab.model.currentText() == "models/dim nuclei"


@pytest.mark.parametrize("name", ["a/b", "..", ".x", "taught-2", "default", "a" * 300])
def test_bad_names_are_refused(listed, home, name):
    one, models = listed()
    pick(models, "taught-1")
    answer(QInputDialog, write(QLineEdit, name))
    click(models.buttons["rename"])
    one.rest()
    assert one.bench.sentence.kind == "error"
    assert one.said().count(". ") == 0 or len(name) > 200
    assert sorted(p.name for p in home.iterdir()) == ["taught-1", "taught-2"]


def test_one_that_found_cells_keeps_its_name(listed, home):
    one, models = listed()
    pick(models, "taught-1", times=2)
    one.rest()
    one.bench.teaching.apply()
    one.rest()
    pick(models, "taught-1")
    answer(QInputDialog, write(QLineEdit, "other"))
    click(models.buttons["rename"])
    one.rest()
    assert "found cells of this project" in one.said()
    assert (home / "taught-1").is_dir()


def test_it_is_copied_whole_and_never_over_something(
    listed, home, tmp_path, monkeypatch
):
    one, models = listed()
    target = tmp_path / "copy"
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(target), "")
    )
    pick(models, "taught-1")
    click(models.buttons["export"])
    one.rest()
    names = sorted(p.name for p in (home / "taught-1").iterdir())
    assert sorted(p.name for p in target.iterdir()) == names
    assert one.said() == f"Copied to {target}."
    click(models.buttons["export"])
    one.rest()
    assert "Choose another name" in one.said()
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".part")]


def test_one_in_use_is_deleted_and_the_one_before_is_used(listed, home):
    one, models = listed()
    pick(models, "taught-1", times=2)
    pick(models, "taught-2", times=2)
    one.rest()
    yes = QMessageBox.StandardButton.Yes
    answer(QMessageBox, lambda box: click(box.button(QMessageBox.StandardButton.No)))
    click(models.buttons["delete"])
    assert (home / "taught-2").is_dir()
    answer(QMessageBox, lambda box: click(box.button(yes)))
    click(models.buttons["delete"])
    one.rest()
    assert [p.name for p in home.iterdir()] == ["taught-1"]
    assert one.bench.choices.settings.model == str(home / "taught-1")
    assert one.said() == (
        "'taught-2' is not there any more: 'models/taught-1' is in use."
    )


@pytest.mark.parametrize("part", [SETTINGS, RECORD])
def test_damaged_ones_are_listed_with_their_sentence(opened, home, part):
    (home / "taught-1" / part).write_text("{")
    (home / "empty").mkdir()
    (home / "a file").write_text("")
    one = opened()
    show(one)
    models = one.panel.teach_tab.models
    items = models.view.findItems("taught-1", _ANY)
    assert items[0].text(1) == "damaged"
    assert "expected" in items[0].toolTip(0)
    assert models.view.findItems("empty", _ANY)[0].text(1) == "damaged"
    assert not models.view.findItems("a file", _ANY)
    pick(models, "taught-1", times=2)
    one.rest()
    assert one.said().endswith("The model in use stays.")
    assert one.bench.choices.settings.model == "default"


def test_altered_weights_are_not_used(listed, home):
    one, models = listed()
    (home / "taught-1" / WEIGHTS).write_bytes(b"others")
    pick(models, "taught-1", times=2)
    one.rest()
    assert "altered or cut off" in one.said()
    assert one.said().endswith("The model in use stays.")
    assert one.bench.choices.settings.model == "default"


def test_one_in_use_that_vanished_is_replaced(listed, home):
    one, models = listed()
    pick(models, "taught-1", times=2)
    one.rest()
    shutil.rmtree(home / "taught-1")
    one.tab("Find")
    one.tab("Teach")
    assert one.said() == "'taught-1' is not there any more: 'default' is in use."
    assert one.bench.choices.settings.model == "default"
    assert tree(models) == [("✓ default", []), ("taught-1", [("taught-2", [])])]


def test_records_that_go_in_a_circle_are_shown_all_the_same(opened, home):
    record = read_record(home / "taught-1")
    circle = {"parent": "taught-2", "parent_sha256": ""}
    write_record(home / "taught-1", record.model_copy(update=circle))
    one = opened()
    names = [name for name, _ in tree(one.panel.teach_tab.models)]
    assert names == ["✓ default", "taught-1", "taught-2"]


def test_a_project_with_a_link_in_it_is_not_opened(opened, home, tmp_path):
    outside = tmp_path / "outside"
    shutil.move(home / "taught-2", outside)
    (home / "taught-2").symlink_to(outside, target_is_directory=True)
    with pytest.raises(BadInputError, match="link"):
        Project.open(home.parent)
    assert outside.is_dir()


def test_a_project_open_elsewhere_lets_its_models_be_used_and_copied(opened, home):
    one = opened()
    one.session.close_project()
    with Project.open(home.parent):
        one.open(home.parent)
        one.tab("Teach")
        show(one)
        models = one.panel.teach_tab.models
        pick(models, "taught-1")
        enabled = [name for name, b in models.buttons.items() if b.isEnabled()]
        assert enabled == ["use", "export"]


def test_no_dialog_is_left_open(listed):
    listed()
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog)]
    assert not [dialog for dialog in shown if dialog.isVisible()]
