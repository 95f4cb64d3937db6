"""The tab "Find": which model, how large a cell is, which frames; and the run."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QLabel,
    QPushButton,
    QWidget,
)
from superqt import QElidingLabel

from ..settings import SegmentSettings
from .advanced import Advanced
from .form import Choice, Number, Whole
from .parts import Tab, boxed, lined_up
from .state import FindState

OTHER, OTHER_MODEL = "", "Other folder…"
MODEL_HINT = SegmentSettings.model_fields["model"].description
DRAW = "Draw on a cell"


class FindTab(Tab):
    """Says how cells are to be found and followed; decides nothing."""

    model_folder_requested = Signal(object)
    setting_requested = Signal(str, object)
    preset_requested = Signal(str)
    frames_requested = Signal(int, int)
    folder_requested = Signal(object)
    measure_requested = Signal(bool)
    preview_requested = Signal()
    run_requested = Signal()
    go_on_requested = Signal()
    stop_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.model = Choice()
        self.cell_size = Number("px", 1, "automatic")
        self.measure = QPushButton(DRAW)
        self.measure.setCheckable(True)
        self.measure.setToolTip(
            "Drag a line across a usual cell on the canvas; Esc ends it."
        )
        self._hint = QLabel()
        self.first, self.last = Whole(), Whole()
        self._folder = QElidingLabel()
        self._folder.setElideMode(Qt.TextElideMode.ElideMiddle)
        self._change = QPushButton("Change…")
        self.advanced = Advanced()
        self.preview = QPushButton("Preview")
        self.preview.setToolTip("Find the cells of the frame in view.")
        self.run = QPushButton("Find and follow")
        self.run.setToolTip("Find the cells of all chosen frames and follow them.")
        self.go_on = QPushButton("Go on")
        self.go_on.setToolTip("Go on with the run that stopped, where it stopped.")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Stop after this frame; finished frames stay.")
        self._lay_out()
        self._connect()

    def show_state(self, state: FindState) -> None:
        """Show what is chosen and what may be done now."""
        settings = state.settings
        for widget in (self.model, self.first, self.last, self.advanced):
            widget.setEnabled(state.enabled)
        self.model.offer((*state.models, (OTHER, OTHER_MODEL)), settings.model)
        self.model.explain(
            {name: f"{MODEL_HINT}<br>{name}" for name, _ in state.models}
        )
        self._hint.setText(state.size_hint)
        for field, value in (
            (self.first, state.frames[0]),
            (self.last, state.frames[1]),
            (self.cell_size, settings.cell_size or 0),
        ):
            field.blockSignals(True)
            if isinstance(field, Whole):
                field.setMaximum(state.last)
            field.setValue(value)  # type: ignore[arg-type]
            field.blockSignals(False)
        self.cell_size.setEnabled(state.enabled and settings.network_shape is None)
        self.measure.setEnabled(state.can_measure)
        self.measure.setChecked(state.measuring)
        self._folder.setText(state.folder)
        self._folder.setToolTip(state.folder)
        self._change.setEnabled(state.can_choose_folder)
        self.advanced.show_settings(settings, state.preset, state.devices)
        self.preview.setEnabled(state.can_preview)
        self.run.setEnabled(state.can_run)
        self.go_on.setEnabled(state.can_go_on)
        self.stop.setEnabled(state.can_stop)

    def ask_folder(self) -> None:
        """Ask where a project is made; the answer comes as ``folder_requested``."""
        title = "Choose the folder in which the project is made"
        path = QFileDialog.getExistingDirectory(self, title)
        if path:
            self.folder_requested.emit(Path(path))

    def _lay_out(self) -> None:
        fields = SegmentSettings.model_fields
        self.cell_size.setToolTip(f"<qt>{fields['cell_size'].description}</qt>")
        rows = QFormLayout()
        rows.addRow("Model:", self.model)
        size = lined_up((self.cell_size, self.measure), wide=self.cell_size)
        rows.addRow("Cell size:", boxed(size))
        rows.addRow("", self._hint)
        frames = lined_up((self.first, QLabel("to"), self.last), wide=self.first)
        frames.setStretch(2, 1)
        row = boxed(frames)
        row.setToolTip("First and last frame to compute, counted from 0.")
        rows.addRow("Frames:", row)
        place = lined_up((self._folder, self._change), wide=self._folder)
        rows.addRow("Kept in:", boxed(place))
        self.rows.addLayout(rows)
        self.rows.addWidget(self.advanced)
        self.rows.addStretch(1)
        buttons: tuple[QWidget, ...] = (self.preview, self.run, self.go_on, self.stop)
        for button in buttons:
            self.bar.addWidget(button)
        self.bar.setStretch(1, 1)

    def _connect(self) -> None:
        self.model.picked.connect(self._say_model)
        self.cell_size.valueChanged.connect(
            lambda value: self.setting_requested.emit("cell_size", value or None)
        )
        self.measure.clicked.connect(self.measure_requested.emit)
        self.first.valueChanged.connect(self._say_frames)
        self.last.valueChanged.connect(self._say_frames)
        self._change.clicked.connect(self.ask_folder)
        self.advanced.changed.connect(self.setting_requested)
        self.advanced.preset_requested.connect(self.preset_requested)
        for button, signal in (
            (self.preview, self.preview_requested),
            (self.run, self.run_requested),
            (self.go_on, self.go_on_requested),
            (self.stop, self.stop_requested),
        ):
            button.clicked.connect(lambda _, signal=signal: signal.emit())

    def _say_model(self, name: str) -> None:
        if name != OTHER:
            self.setting_requested.emit("model", name)
            return
        self.model.go_back()
        title = "Choose a model folder, or the output folder of a training"
        path = QFileDialog.getExistingDirectory(self, title)
        if path:
            self.model_folder_requested.emit(Path(path))

    def _say_frames(self) -> None:
        self.frames_requested.emit(self.first.value(), self.last.value())
