"""The tab "Share": every format of the field that cells can be written to."""

from pathlib import Path

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFileDialog, QFormLayout, QLabel, QPushButton

from .form import Choice
from .parts import Tab, selectable
from .state import ShareState


class ShareTab(Tab):
    """Says what is to be written where; shows what a format keeps and loses."""

    format_requested = Signal(str)
    export_requested = Signal()
    measurements_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.format = Choice()
        self._description = selectable(QLabel())
        self._keeps = selectable(QLabel())
        self._loses = selectable(QLabel())
        self.export = QPushButton("Export…")
        self.measurements = QPushButton("Measurements and plots…")
        self.measurements.setToolTip(
            "Area, intensity, speed and divisions of these cells: tables to sort and "
            "save, and plots, below the canvas."
        )
        rows = QFormLayout()
        rows.addRow("Format:", self.format)
        self.rows.addLayout(rows)
        for label in (self._description, self._keeps, self._loses):
            self.rows.addWidget(label)
        self.rows.addStretch(1)
        self.bar.addWidget(self.measurements)
        self.bar.addWidget(self.export)
        self.format.picked.connect(self.format_requested.emit)
        self.export.clicked.connect(lambda: self.export_requested.emit())
        self.measurements.clicked.connect(lambda: self.measurements_requested.emit())

    def show_state(self, state: ShareState) -> None:
        """Show the chosen format."""
        self.format.offer(state.formats, state.format)
        self._description.setText(state.description)
        self._keeps.setText(state.keeps)
        self._loses.setText(state.loses)
        self.export.setEnabled(state.can_export)

    def ask_target(self, title: str, name: Path) -> Path | None:
        """Ask for a new file or folder; None when none was chosen.

        Parameters
        ----------
        title
            What the format is called.
        name
            What is proposed; its ending is that of the format.
        """
        path, _ = QFileDialog.getSaveFileName(
            self,
            f"Export as {title}",
            str(name),
            "All files (*)",
            # Nothing is ever replaced, so nobody is asked whether to.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        return Path(path) if path else None
