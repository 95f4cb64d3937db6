"""Every way in which napari opens what the manifest offers, by its own registry."""

import pytest
from npe2 import PluginManifest
from qtpy.QtWidgets import QApplication
from tests.gui.movies import dish, project_of, write_dish
from tests.gui.window import ENTRY, PATIENCE, find_action, register
from tests.stand_in_child import command

from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.gui import movie_tab
from napari_semiconv.gui.benches import BENCHES, workbench_of
from napari_semiconv.gui.docking import PLUGIN, open_panel
from napari_semiconv.gui.panel import CellPanel
from napari_semiconv.io.movies.opener import open_movie

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_distribution(PLUGIN)


@pytest.fixture
def viewer(make_napari_viewer):
    """A window of napari that knows the plugin as an installed one."""
    register()
    viewer = make_napari_viewer()
    workbench_of(viewer, Supervisor(command("quick")))
    yield viewer
    for bench in list(BENCHES.values()):
        bench.close()


def panels():
    return [w for w in QApplication.allWidgets() if isinstance(w, CellPanel)]


def app():
    """napari's table of actions, which menus and command palette run."""
    try:
        from napari._app_model import get_app_model
    except ImportError:  # until napari 0.5.5
        from napari._app_model import get_app as get_app_model
    return get_app_model()


def run(manifest, identifier):
    """Run a command of the manifest from napari's table."""
    contributions = manifest.contributions
    keys = {s.command: s.key for s in contributions.sample_data}
    widgets = {w.command: w.display_name for w in contributions.widgets}
    key = keys.get(identifier, identifier.removeprefix(f"{PLUGIN}."))
    # Until napari 0.6 widgets and samples were named in another way.
    names = [identifier, f"{PLUGIN}.{key}", f"{PLUGIN}:{key}"]
    names.append(f"{PLUGIN}:{widgets.get(identifier)}")
    known = next(name for name in names if name in app().commands)
    app().commands.execute_command(known).result()


def test_the_panel_is_called_as_the_plugin(manifest):
    assert manifest.display_name == manifest.name == PLUGIN
    first, *_ = manifest.contributions.widgets
    assert first.display_name == PLUGIN


def test_the_plugins_menu_opens_the_panel(viewer):
    menu = viewer.window.plugins_menu
    menu.aboutToShow.emit()
    find_action(menu, ENTRY).trigger()
    (panel,) = panels()
    assert panel.isVisibleTo(panel.window())


def test_the_viewer_opens_the_panel_by_its_name_and_only_once(viewer):
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN)
    assert isinstance(panel, CellPanel)
    assert viewer.window.add_plugin_dock_widget(PLUGIN, PLUGIN)[1] is panel
    assert open_panel(viewer) is panel


def test_every_command_runs_from_the_registry(viewer, manifest, monkeypatch):
    asked = []
    monkeypatch.setattr(movie_tab, "ask_what_to_open", lambda *args: asked.append(args))
    for each in manifest.contributions.commands:
        run(manifest, each.id)
    assert len(asked) == 1
    assert len(panels()) == 1
    names = [layer.name for layer in viewer.layers]
    assert names == ["simulated nuclei", "simulated phase"]


def test_a_project_dropped_on_the_canvas_opens_in_the_panel(viewer, tmp_path, qtbot):
    movie = open_movie(write_dish(tmp_path / "dish.tif", frames=3))
    folder = tmp_path / "dish.semiconv"
    project_of(folder, movie, (dish(3) > 0).astype(int)).close()
    viewer.open(folder, plugin=PLUGIN)
    (panel,) = panels()
    qtbot.waitUntil(lambda: panel.bench.resting, timeout=PATIENCE)
    assert [layer.name for layer in viewer.layers] == ["dish", "Cells", "Tracks"]
