"""The part of the panel that starts, follows and stops the work, and saves it."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from .form import Choice
from .movie_panel import selectable
from .panel_state import RunState

ERROR_STYLE = "background: #7a1f1f; color: white; padding: 4px; border-radius: 3px;"
FORMATS = (("ctc", "Cell Tracking Challenge"), ("tiff", "TIFF labels"))


class RunPanel(QWidget):
    """Says when to preview, run, cancel and save; shows how far it has come."""

    preview_requested = Signal()
    run_requested = Signal()
    cancel_requested = Signal()
    folder_requested = Signal(object)
    save_requested = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._preview = QPushButton("Preview this frame")
        self._run = QPushButton("Segment and track")
        self._bar = QProgressBar()
        self._cancel = QPushButton("Cancel")
        self._progress = QLabel()
        self._message = selectable(QLabel())
        self._error = selectable(QLabel())
        self._error.setStyleSheet(ERROR_STYLE)
        self._results = ResultRow()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self._preview, self._run, wide=self._run))
        layout.addLayout(row(self._bar, self._cancel, wide=self._bar))
        for widget in (self._progress, self._message, self._error, self._results):
            layout.addWidget(widget)
        self._connect()

    def show_state(self, state: RunState) -> None:
        """Show what may be done now, and how far it has come."""
        self._preview.setEnabled(state.can_preview)
        self._run.setEnabled(state.can_run)
        self._cancel.setEnabled(state.can_cancel)
        for widget in (self._bar, self._cancel, self._progress):
            widget.setVisible(state.busy)
        self._bar.setMaximum(state.total)
        self._bar.setValue(state.done)
        for label, text in (
            (self._progress, state.progress),
            (self._message, state.message),
            (self._error, state.error),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self._results.show_state(state)

    def ask_folder(self) -> None:
        """Ask where results go; the answer comes as ``folder_requested``."""
        title = "Choose a folder to keep results in"
        path = QFileDialog.getExistingDirectory(self, title)
        if path:
            self.folder_requested.emit(Path(path))

    def ask_target(self, kind: str) -> None:
        """Ask where to save; the answer comes as ``save_requested``."""
        if kind == "ctc":
            title = "Choose the folder in which the masks get a folder of their own"
            path = QFileDialog.getExistingDirectory(self, title)
        else:
            path, _ = QFileDialog.getSaveFileName(
                self, "Save labels", "cells.tif", "TIFF (*.tif)"
            )
        if path:
            self.save_requested.emit(kind, Path(path))

    def _connect(self) -> None:
        self._preview.clicked.connect(lambda: self.preview_requested.emit())
        self._run.clicked.connect(lambda: self.run_requested.emit())
        self._cancel.clicked.connect(lambda: self.cancel_requested.emit())
        self._results.change.clicked.connect(self.ask_folder)
        self._results.save.clicked.connect(
            lambda: self.ask_target(self._results.format())
        )


class ResultRow(QWidget):
    """Where results are kept, and saving them in another format."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = folder = QElidingLabel()
        self._folder.setElideMode(Qt.TextElideMode.ElideMiddle)
        self._formats = formats = Choice()
        self._formats.offer(FORMATS, "ctc")
        self.change = QPushButton("Change…")
        self.change.setToolTip("Keep results in another folder.")
        self.save = QPushButton("Save…")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(QLabel("Results:"), folder, self.change, wide=folder))
        layout.addLayout(row(QLabel("Save as:"), formats, self.save, wide=formats))

    def format(self) -> str:
        """Name of the format that is picked."""
        return FORMATS[self._formats.currentIndex()][0]

    def show_state(self, state: RunState) -> None:
        """Show the result folder, and whether there is something to save."""
        self._folder.setText(state.folder)
        self._folder.setToolTip(state.folder)
        self.change.setEnabled(state.can_choose_folder)
        self.save.setEnabled(state.can_save)
        self._formats.setEnabled(state.can_save)


def row(*widgets: QWidget, wide: QWidget) -> QHBoxLayout:
    """Put widgets side by side; the wide one takes the room that is left."""
    layout = QHBoxLayout()
    for widget in widgets:
        layout.addWidget(widget, 1 if widget is wide else 0)
    return layout
