"""One table gives keys, palette, buttons and help; none of napari's keys is taken."""

import pytest
from app_model.types import KeyBinding
from napari.layers import Labels
from napari.utils.action_manager import action_manager
from napari.utils.key_bindings import coerce_keybinding
from napari.utils.shortcuts import default_shortcuts
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from tests.gui.window import Window, register

from napari_semiconv.gui.benches import bench_of
from napari_semiconv.gui.correct.actions import ACTIONS
from napari_semiconv.gui.correct.keys import PREFIX, register_keys
from napari_semiconv.gui.correct.tab import ROWS

pytestmark = pytest.mark.gui
# On a layer of cells these do what they do on any other of labels.
SAME = {"undo", "redo"}


def keys():
    return [
        (coerce_keybinding(key), action.name)
        for action in ACTIONS
        for key in action.keys
    ]


def test_the_palette_has_every_action():
    register()
    commands = PluginManifest.from_distribution(PREFIX).contributions.commands
    titles = {command.id: command.title for command in commands}
    for action in ACTIONS:
        assert titles[f"{PREFIX}.{action.name}"] == f"Cells: {action.title}"


def test_every_button_is_an_action_or_a_brush_of_naparis():
    names = {action.name for action in ACTIONS} | {"paint", "erase", "polygon"}
    assert {name for row in ROWS for name in row} <= names


def test_no_key_is_used_twice():
    found = [key for key, _ in keys()]
    assert len(found) == len(set(found))


def test_no_key_of_naparis_is_taken():
    register_keys(bench_of)
    taken = {
        key
        for name, some in default_shortcuts.items()
        for key in some
        if _is_of_viewer(name) or "label" in name or "polygon" in name
    } | {coerce_keybinding(key) for key in Labels.class_keymap}
    assert isinstance(next(iter(taken)), KeyBinding)
    clash = [name for key, name in keys() if key in taken and name not in SAME]
    assert clash == []


def _is_of_viewer(name):
    action = action_manager._actions.get(name)
    return action is not None and action.keymapprovider.__name__ == "ViewerModel"


def test_a_key_chosen_in_the_preferences_of_napari_holds(
    make_napari_viewer, qtbot, monkeypatch
):
    window = Window(make_napari_viewer(show=True), qtbot)
    done = []
    monkeypatch.setattr(
        type(window.bench.corrector), "run", lambda _, act: done.append(act)
    )
    monkeypatch.setattr(window.session, "project", object())
    try:
        window.key(Qt.Key.Key_W)
        assert len(done) == 1
        action_manager.unbind_shortcut(f"{PREFIX}:swap")
        action_manager.bind_shortcut(f"{PREFIX}:swap", "Shift-W")
        window.key(Qt.Key.Key_W)
        assert len(done) == 1
        window.key(Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
        assert len(done) == 2
        assert done[0] is done[1]
    finally:
        action_manager.unbind_shortcut(f"{PREFIX}:swap")
        action_manager.bind_shortcut(f"{PREFIX}:swap", "W")
        monkeypatch.undo()
        window.bench.close()
        vars(window).clear()
