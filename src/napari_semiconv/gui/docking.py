"""The panel in the dock of a window, as napari itself opens it."""

from typing import TYPE_CHECKING

from napari.viewer import Viewer

if TYPE_CHECKING:
    from .panel import CellPanel

# Of the distribution, as napari knows it.
PLUGIN = "napari-semiconv"


def open_panel(viewer: Viewer) -> "CellPanel":
    """Open the panel in a viewer, or bring the one that is open to the front."""
    panel: CellPanel
    dock, panel = viewer.window.add_plugin_dock_widget(PLUGIN, PLUGIN)
    dock.show()
    dock.raise_()
    return panel
