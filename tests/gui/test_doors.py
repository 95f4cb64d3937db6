"""Every way in which napari opens what the manifest offers, by its own registry."""

import pytest
from npe2 import PluginManager, PluginManifest
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu

from napari_semiconv.gui.panel import CellPanel
from napari_semiconv.gui.plugin import PLUGIN, open_panel

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_distribution(PLUGIN)


@pytest.fixture
def viewer(make_napari_viewer, manifest):
    """A window of napari that knows the plugin as an installed one."""
    viewer = make_napari_viewer()
    manager = PluginManager.instance()
    if PLUGIN not in manager:
        manager.register(manifest)
    yield viewer
    for panel in panels():
        panel.parts.controller.close()


def panels():
    return [w for w in QApplication.allWidgets() if isinstance(w, CellPanel)]


def app():
    """napari's table of actions, which menus and command palette run."""
    try:
        from napari._app_model import get_app_model
    except ImportError:
        from napari._app_model import get_app as get_app_model
    return get_app_model()


def test_the_panel_is_called_as_the_plugin(manifest):
    assert manifest.display_name == manifest.name == PLUGIN
    assert manifest.contributions.widgets[0].display_name == PLUGIN


def test_the_plugins_menu_opens_the_panel(viewer):
    menu = viewer.window.plugins_menu
    menu.aboutToShow.emit()
    action = find_action(menu, f"{PLUGIN} ({PLUGIN})")
    action.trigger()
    (panel,) = panels()
    assert panel.isVisibleTo(panel.window())


def find_action(menu: QMenu, text: str):
    for action in menu.actions():
        if action.text() == text:
            return action
        if action.menu() is not None and (inner := find_action(action.menu(), text)):
            return inner
    return None


def test_the_command_palette_opens_the_panel(viewer):
    app().commands.execute_command(f"{PLUGIN}.panel").result()
    assert len(panels()) == 1


def test_the_viewer_opens_the_panel_by_its_name_and_only_once(viewer):
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN)
    assert isinstance(panel, CellPanel)
    assert viewer.window.add_plugin_dock_widget(PLUGIN, PLUGIN)[1] is panel
    assert open_panel(viewer) is panel


def test_every_command_runs_from_the_registry(viewer, manifest, monkeypatch):
    asked = []
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *args: asked.append(args) or ("", "")
    )
    ran = []
    for command in manifest.contributions.commands:
        known = command.id
        if known not in app().commands:  # samples are known by their key
            sample = next(
                s for s in manifest.contributions.sample_data if s.command == known
            )
            known = f"{PLUGIN}.{sample.key}"
        app().commands.execute_command(known).result()
        ran.append(command.id)
    assert ran == [c.id for c in manifest.contributions.commands]
    assert len(asked) == 1
    assert len(panels()) == 1
    assert [layer.name for layer in viewer.layers] == [
        "simulated nuclei",
        "simulated phase",
    ]
