"""Fields of a form made from settings: title, explanation, unit and range included."""

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QWidget,
)

from ..settings import choices_of

# What a number field can hold where the setting itself names no limit.
UNLIMITED = 1_000_000
# Published weights of coordinates go down to a thousandth per px.
DECIMALS = 4


class Number(QDoubleSpinBox):
    """A number with a unit; ``nothing`` is the text shown for the lowest value, 0."""

    def __init__(self, unit: str = "", decimals: int = 2, nothing: str = "") -> None:
        super().__init__()
        self.setSuffix(f" {unit}" if unit else "")
        self.setDecimals(decimals)
        self.setRange(0, UNLIMITED)
        self.setSpecialValueText(nothing)
        # A number is known when it is typed in full, not at each digit.
        self.setKeyboardTracking(False)

    def textFromValue(self, value: float) -> str:
        """Write the number without zeros that say nothing."""
        return self.locale().toString(value, "g", 6)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the panel, which scrolls."""
        if event is not None:
            event.ignore()


class Whole(QSpinBox):
    """A whole number with a unit."""

    def __init__(self, unit: str = "") -> None:
        super().__init__()
        self.setSuffix(f" {unit}" if unit else "")
        self.setRange(0, UNLIMITED)
        self.setKeyboardTracking(False)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the panel, which scrolls."""
        if event is not None:
            event.ignore()


class Choice(QComboBox):
    """A list of values, each with its text; narrow enough for a dock."""

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(policy)
        self.setMinimumContentsLength(10)
        self._shown: tuple[tuple[Any, str], ...] = ()
        self._value: Any = None
        self.activated.connect(lambda index: self.picked.emit(self._shown[index][0]))

    def offer(self, choices: tuple[tuple[Any, str], ...], value: Any) -> None:
        """Show the choices, pairs of value and text, with ``value`` picked."""
        if choices != self._shown:
            self._shown = choices
            self.clear()
            self.addItems([text for _, text in choices])
        self.pick(value)

    def pick(self, value: Any) -> None:
        """Show another of the choices picked; that asks for nothing."""
        self._value = value
        self.go_back()

    def explain(self, hints: Mapping[Any, str]) -> None:
        """Say in a tooltip what each value is; the field itself shows the picked one.

        A value without a hint leaves the field's own tooltip as it is.
        """
        for index, (value, _) in enumerate(self._shown):
            hint = f"<qt>{hints[value]}</qt>" if value in hints else None
            self.setItemData(index, hint, Qt.ItemDataRole.ToolTipRole)
            if hint and value == self._value:
                self.setToolTip(hint)

    def go_back(self) -> None:
        """Show again what was picked before, since this pick was only a question."""
        values = [choice for choice, _ in self._shown]
        self.setCurrentIndex(values.index(self._value) if self._value in values else -1)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the panel, which scrolls."""
        if event is not None:
            event.ignore()


class SettingsForm(QWidget):
    """One row for each field of a settings class.

    Parameters
    ----------
    model
        The settings class.
    names
        Its fields to show, in this order.
    prefix
        Put before the name when a change is told, as in ``votes.``.
    """

    changed = Signal(str, object)

    def __init__(
        self, model: type[BaseModel], names: tuple[str, ...], prefix: str = ""
    ) -> None:
        super().__init__()
        self._fields = {name: make_field(model.model_fields[name]) for name in names}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        # Long titles must not widen the panel.
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for name, field in self._fields.items():
            info = model.model_fields[name]
            field.setToolTip(f"<qt>{info.description}</qt>")
            if isinstance(field, QCheckBox):
                layout.addRow(field)
            else:
                layout.addRow(f"{info.title}:", field)
            self._listen(prefix + name, field)

    def show_settings(self, settings: BaseModel) -> None:
        """Show the values of the settings."""
        for name, field in self._fields.items():
            field.blockSignals(True)
            show_value(field, getattr(settings, name))
            field.blockSignals(False)

    def _listen(self, name: str, field: QWidget) -> None:
        if isinstance(field, QCheckBox):
            field.toggled.connect(lambda value: self.changed.emit(name, value))
        elif isinstance(field, Choice):
            field.picked.connect(lambda value: self.changed.emit(name, value))
        elif isinstance(field, Number | Whole):
            field.valueChanged.connect(lambda value: self.changed.emit(name, value))


def make_field(info: FieldInfo) -> QWidget:
    """Make the widget that fits the type of a setting."""
    extra = info.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    if info.annotation is bool:
        return QCheckBox(info.title or "")
    if get_origin(info.annotation) is Literal:
        texts = choices_of(info)
        choice = Choice()
        values = get_args(info.annotation)
        choice.offer(tuple((value, texts[value][0]) for value in values), info.default)
        choice.explain({value: hint for value, (_, hint) in texts.items()})
        return choice
    field = Whole(unit) if info.annotation is int else Number(unit, DECIMALS)
    _limit(field, info)
    return field


def show_value(field: QWidget, value: Any) -> None:
    """Show the value of a setting in its widget."""
    if isinstance(field, QCheckBox):
        field.setChecked(value)
    elif isinstance(field, Choice):
        field.pick(value)
    elif isinstance(field, Number | Whole):
        field.setValue(value)


def _limit(field: Number | Whole, info: FieldInfo) -> None:
    for rule in info.metadata:
        if (low := getattr(rule, "ge", None)) is not None:
            field.setMinimum(low)
        if (low := getattr(rule, "gt", None)) is not None:
            field.setMinimum(low + _least_step(field))
        if (high := getattr(rule, "le", None)) is not None:
            field.setMaximum(high)
        if (high := getattr(rule, "lt", None)) is not None:
            field.setMaximum(high - _least_step(field))
    if isinstance(field, Number):
        small = 0 < info.default < 0.05
        field.setSingleStep(0.005 if small else 0.05)


def _least_step(field: Number | Whole) -> float:
    return 10.0**-DECIMALS if isinstance(field, Number) else 1
