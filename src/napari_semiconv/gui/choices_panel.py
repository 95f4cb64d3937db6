"""The part of the panel in which the user says how cells are to be found."""

from pathlib import Path

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from ..settings import ENGINES, LinkSettings, SegmentSettings, Settings
from .form import Choice, Number, SettingsForm, Whole
from .panel_state import ChoiceState

OWN = "Own settings"
OTHER, OTHER_MODEL = "", "Other folder…"
OWN_HINT = "Settings that no preset has: one was chosen, then something was changed."
MODEL_HINT = SegmentSettings.model_fields["model"].description
PARTS: dict[str, type[Settings]] = {
    **{engine.part: engine.settings for engine in ENGINES.values()},
    "link": LinkSettings,
}
# What concerns the lineage of a project: a run of the window links frame by frame.
OF_PROJECTS = ("solver", "merges", "least_sure")
# What has no row of its own in the panel.
OTHERS = tuple(
    name
    for name in SegmentSettings.model_fields
    if name not in ("model", "device", "engine", "cell_size", *PARTS)
)
DEVICES = {
    "auto": "Automatic",
    "cpu": "Processor (CPU)",
    "cuda": "Graphics card (CUDA)",
    "mps": "Graphics card (Apple)",
}


class ChoicesPanel(QWidget):
    """Says which model, device, cell size and frames the user wants."""

    preset_requested = Signal(str)
    model_folder_requested = Signal(object)
    setting_requested = Signal(str, object)
    frames_requested = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self._preset = Choice()
        self._model, self._device, self._engine = Choice(), Choice(), Choice()
        self._cell_size = Number("px", 1, "automatic")
        self._estimate = QLabel()
        self._first, self._last = Whole(), Whole()
        self._more = MoreSettings()
        self._frames = QWidget()
        frames = QHBoxLayout(self._frames)
        frames.setContentsMargins(0, 0, 0, 0)
        for widget in (self._first, QLabel("to"), self._last):
            frames.addWidget(widget)
        frames.setStretch(0, 1)
        frames.setStretch(2, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._rows())
        layout.addWidget(self._more)
        self._connect()

    def show_state(self, state: ChoiceState) -> None:
        """Show the choices."""
        settings = state.settings
        self.setEnabled(state.enabled)
        own = () if state.preset else (("", OWN),)
        presets = tuple((name, name) for name, _ in state.presets)
        self._preset.offer((*own, *presets), state.preset)
        self._preset.explain({"": OWN_HINT, **dict(state.presets)})
        self._model.offer((*state.models, (OTHER, OTHER_MODEL)), settings.model)
        self._model.explain(
            {name: f"{MODEL_HINT}<br>{name}" for name, _ in state.models}
        )
        devices = tuple((name, DEVICES[name]) for name in state.devices)
        self._device.offer(devices, settings.device)
        engines = tuple((name, engine.title) for name, engine in ENGINES.items())
        self._engine.offer(engines, settings.engine)
        self._engine.explain({name: e.summary for name, e in ENGINES.items()})
        self._estimate.setText(state.estimate)
        self._estimate.setVisible(bool(state.estimate))
        self._more.show_settings(settings)
        for field, value in zip((self._first, self._last), state.frames, strict=True):
            field.blockSignals(True)
            field.setMaximum(state.last)
            field.setValue(value)
            field.blockSignals(False)
        self._cell_size.setEnabled(settings.network_shape is None)
        self._cell_size.blockSignals(True)
        self._cell_size.setValue(settings.cell_size or 0)
        self._cell_size.blockSignals(False)

    def _rows(self) -> QFormLayout:
        rows = QFormLayout()
        fields = SegmentSettings.model_fields
        rows.addRow("Preset:", self._preset)
        for name, field in (
            ("model", self._model),
            ("device", self._device),
            ("engine", self._engine),
            ("cell_size", self._cell_size),
        ):
            field.setToolTip(f"<qt>{fields[name].description}</qt>")
            rows.addRow(f"{fields[name].title}:", field)
        rows.addRow("", self._estimate)
        rows.addRow("Frames:", self._frames)
        self._frames.setToolTip("First and last frame to compute, counted from 0.")
        return rows

    def _connect(self) -> None:
        self._preset.picked.connect(self._say_preset)
        self._model.picked.connect(self._say_model)
        for name, field in (("device", self._device), ("engine", self._engine)):
            field.picked.connect(
                lambda value, name=name: self.setting_requested.emit(name, value)
            )
        self._cell_size.valueChanged.connect(
            lambda value: self.setting_requested.emit("cell_size", value or None)
        )
        self._more.changed.connect(self.setting_requested)
        self._first.valueChanged.connect(self._say_frames)
        self._last.valueChanged.connect(self._say_frames)

    def _say_preset(self, name: str) -> None:
        # "Own settings" is where changes lead, not something to go back to.
        if name:
            self.preset_requested.emit(name)

    def _say_model(self, name: str) -> None:
        if name != OTHER:
            self.setting_requested.emit("model", name)
            return
        self._model.go_back()
        title = "Choose a model folder, or the output folder of a training"
        path = QFileDialog.getExistingDirectory(self, title)
        if path:
            self.model_folder_requested.emit(Path(path))

    def _say_frames(self) -> None:
        self.frames_requested.emit(self._first.value(), self._last.value())


class MoreSettings(QWidget):
    """All other settings, folded away."""

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._forms = {"": SettingsForm(SegmentSettings, OTHERS)}
        for name, model in PARTS.items():
            fields = tuple(n for n in model.model_fields if n not in OF_PROJECTS)
            self._forms[name] = SettingsForm(model, fields, f"{name}.")
        self._fold = QCollapsible("More settings", expandedIcon="▼", collapsedIcon="▶")
        for form in self._forms.values():
            self._fold.addWidget(form)
            form.changed.connect(self.changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._fold)

    def show_settings(self, settings: SegmentSettings) -> None:
        """Show all settings that the chosen engine looks at."""
        self._forms[""].show_settings(settings)
        engine = settings.engine_info
        shown = (engine.part,) if engine.links else (engine.part, "link")
        for name in PARTS:
            self._forms[name].show_settings(getattr(settings, name))
            self._forms[name].setVisible(name in shown)
