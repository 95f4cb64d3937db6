"""The docks of a window, as napari itself opens them."""

from typing import TYPE_CHECKING

from napari.settings import get_settings
from napari.viewer import Viewer
from qtpy.QtWidgets import QMainWindow, QWidget

if TYPE_CHECKING:
    from .lineage.panel import LineagePanel
    from .measure.dock import Measurements
    from .panel import CellPanel

# Of the distribution, as napari knows it.
PLUGIN = "napari-semiconv"
LINEAGE = "Lineage"
MEASUREMENTS = "Measurements"


def open_panel(viewer: Viewer) -> "CellPanel":
    """Open the panel in a viewer, or bring the one that is open to the front."""
    panel: CellPanel
    dock, panel = viewer.window.add_plugin_dock_widget(PLUGIN, PLUGIN)
    dock.show()
    dock.raise_()
    return panel


def window_of(widget: QWidget) -> QMainWindow | None:
    """Give the window that a widget is in, afloat or not; None when it is in none."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QMainWindow):
        parent = parent.parentWidget()
    return parent


def dock_below(title: str) -> None:
    """Let napari open a dock of ours below, unless the user has it elsewhere.

    napari reads no place from the manifest, but remembers where a dock was put last.
    """
    places = get_settings().application.plugin_widget_positions
    places.setdefault(f"{title} ({PLUGIN})", "bottom")


def open_lineage(viewer: Viewer) -> "LineagePanel":
    """Open the lineage below the canvas, or bring the one there is to the front."""
    panel: LineagePanel
    dock, panel = viewer.window.add_plugin_dock_widget(PLUGIN, LINEAGE)
    dock.show()
    dock.raise_()
    return panel


def open_measurements(viewer: Viewer) -> "Measurements":
    """Open tables and plots below the canvas, or bring them to the front."""
    dock_below(MEASUREMENTS)
    view: Measurements
    dock, view = viewer.window.add_plugin_dock_widget(PLUGIN, MEASUREMENTS, tabify=True)
    dock.show()
    dock.raise_()
    return view
