"""The dock widget, opened from menus, command palette and command line of napari."""

from napari.viewer import Viewer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from .assembly import assemble


class CellPanel(QWidget):
    """The panel "napari-semiconv" of one viewer.

    napari hands the viewer to classes alone, by the name of this argument.

    Parameters
    ----------
    napari_viewer
        The viewer whose layers it shows.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.parts = assemble(napari_viewer)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.parts.panel)
