"""All settings that a usual movie does not need, folded away and in groups."""

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFormLayout, QGroupBox, QVBoxLayout, QWidget
from superqt import QCollapsible

from ..inference.presets import PRESETS, describe_preset, preset_title
from ..settings import ENGINES, SegmentSettings, Settings
from .form import Choice, SettingsForm

OWN = "Own settings"
OWN_HINT = "Settings that no preset has: one was chosen, then something was changed."
DEVICES = {
    "auto": "Automatic",
    "cpu": "Processor (CPU)",
    "cuda": "Graphics card (CUDA)",
    "mps": "Graphics card (Apple)",
}
# Groups in the order in which they are shown, as the settings name them.
TITLES = {
    "masks": "Finding cells",
    "links": "Following cells",
    "speed": "Speed",
    "published": "Published procedures",
}
LINK = "link"
# What has a row of its own here.
ROWS = {"engine": "masks", "device": "speed"}
# Settings that hold others, by their name; the settings themselves have none.
PARTS: dict[str, type[Settings]] = {
    "": SegmentSettings,
    **{
        name: info.annotation
        for name, info in SegmentSettings.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, Settings)
    },
}


def fields_of(model: type[Settings], group: str) -> tuple[str, ...]:
    """Names of the fields of a settings class that a group shows."""
    return tuple(
        name
        for name, info in model.model_fields.items()
        if isinstance(info.json_schema_extra, dict)
        and info.json_schema_extra.get("advanced") == group
        and name not in ROWS
    )


class Advanced(QWidget):
    """The fold "Advanced"; only what the chosen engine looks at shows."""

    changed = Signal(str, object)
    preset_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.preset, self.engine, self.device = Choice(), Choice(), Choice()
        self._forms = {
            (group, part): SettingsForm(model, names, f"{part}." if part else "")
            for group in TITLES
            for part, model in PARTS.items()
            if (names := fields_of(model, group))
        }
        self._boxes = {group: self._box(group) for group in TITLES}
        fold = QCollapsible("Advanced", expandedIcon="▼", collapsedIcon="▶")
        for box in self._boxes.values():
            fold.addWidget(box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(fold)
        for form in self._forms.values():
            form.changed.connect(self.changed)
        self.preset.picked.connect(self._say_preset)
        for name, field in (("device", self.device), ("engine", self.engine)):
            field.picked.connect(
                lambda value, name=name: self.changed.emit(name, value)
            )

    def show_settings(
        self, settings: SegmentSettings, preset: str, devices: tuple[str, ...]
    ) -> None:
        """Show the settings.

        Parameters
        ----------
        settings
            All of them.
        preset
            Name of the preset that they are; empty for none.
        devices
            Names of the devices that there are.
        """
        own = () if preset else (("", OWN),)
        titled = ((name, preset_title(name)) for name in PRESETS)
        self.preset.offer((*own, *titled), preset)
        hints = {name: describe_preset(name) for name in PRESETS}
        self.preset.explain({"": OWN_HINT, **hints})
        engines = tuple((name, info.title) for name, info in ENGINES.items())
        self.engine.offer(engines, settings.engine)
        self.engine.explain({name: info.summary for name, info in ENGINES.items()})
        found = tuple((name, DEVICES[name]) for name in devices)
        self.device.offer(found, settings.device)
        engine = ENGINES[settings.engine]
        used = {"", engine.part} | (set() if engine.links else {LINK})
        for (_, part), form in self._forms.items():
            form.show_settings(getattr(settings, part) if part else settings)
            form.setVisible(part in used)
        self._boxes["links"].setVisible(LINK in used)

    def _box(self, group: str) -> QGroupBox:
        box = QGroupBox(TITLES[group])
        layout = QVBoxLayout(box)
        rows = QFormLayout()
        fields = SegmentSettings.model_fields
        if group == "published":
            rows.addRow("Procedure:", self.preset)
        for name, where in ROWS.items():
            field: Choice = getattr(self, name)
            if where == group:
                field.setToolTip(f"<qt>{fields[name].description}</qt>")
                rows.addRow(f"{fields[name].title}:", field)
        layout.addLayout(rows)
        for (where, _), form in self._forms.items():
            if where == group:
                layout.addWidget(form)
        return box

    def _say_preset(self, name: str) -> None:
        # "Own settings" is where changes lead, not something to go back to.
        if name:
            self.preset_requested.emit(name)
