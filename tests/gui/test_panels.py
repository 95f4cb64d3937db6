"""The parts of the panel say what was asked and show what they are told."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QFileDialog

from napari_semiconv.gui.choices_panel import (
    OTHER_MODEL,
    OWN,
    ChoicesPanel,
    MoreSettings,
)
from napari_semiconv.gui.form import Number, SettingsForm, Whole
from napari_semiconv.gui.movie_panel import MoviePanel
from napari_semiconv.gui.panel_state import ChoiceState, MovieState, RunState
from napari_semiconv.gui.run_panel import RunPanel
from napari_semiconv.inference.presets import with_preset
from napari_semiconv.settings import LinkSettings, SegmentSettings, setting

pytestmark = pytest.mark.gui
MOVIE = MovieState(
    layers=("mine",),
    known=True,
    facts="dish · T 9 · Y 4 · X 5 · uint8",
    axes_choices=(("TYX", "9 frames"), ("ZYX", "9 slices")),
    axes="TYX",
    pixel_size=0.5,
)
CHOICES = ChoiceState(
    enabled=True,
    models=(("default", "default"), ("/lab/mine", "lab/mine")),
    devices=("auto", "cpu"),
    frames=(0, 8),
    last=8,
)


def shown(qtbot, panel, state):
    qtbot.addWidget(panel)
    panel.show_state(state)
    panel.show()
    return panel


def pick(choice, index):
    choice.setCurrentIndex(index)
    choice.activated.emit(index)


def test_showing_a_movie_asks_for_nothing(qtbot):
    panel = shown(qtbot, MoviePanel(), MOVIE)
    with (
        qtbot.assertNotEmitted(panel.pixel_size_requested),
        qtbot.assertNotEmitted(panel.axes_requested),
    ):
        panel.show_state(replace(MOVIE, pixel_size=2.0, axes="ZYX"))
    assert panel._form.pixel_size.text() == "2 µm"
    assert panel._form.axes.currentText() == "9 slices"


def test_corrections_of_the_movie_are_asked_for(qtbot):
    panel = shown(qtbot, MoviePanel(), MOVIE)
    with qtbot.waitSignal(panel.axes_requested) as asked:
        pick(panel._form.axes, 1)
    assert asked.args == ["ZYX"]
    with qtbot.waitSignal(panel.pixel_size_requested) as asked:
        panel._form.pixel_size.setValue(0.65)
    assert asked.args == [0.65]
    with qtbot.waitSignal(panel.layer_requested) as asked:
        pick(panel._layer, 1)
    assert asked.args == ["mine"]


def test_rows_without_a_choice_are_left_out(qtbot):
    panel = shown(qtbot, MoviePanel(), MOVIE)
    assert not panel._form.channel.isVisible()
    assert not panel._form.z.isVisible()
    assert not panel._notes.isVisible()
    panel.show_state(replace(MOVIE, channels=2, slices=3, notes="A guess."))
    assert panel._form.channel.isVisible()
    assert panel._form.z.currentText() == "Maximum of all slices"
    assert panel._notes.isVisible()


def test_unknown_units_are_shown_as_such(qtbot):
    panel = shown(qtbot, MoviePanel(), replace(MOVIE, pixel_size=0.0))
    assert panel._form.pixel_size.text() == "unknown"
    assert panel._form.interval.text() == "unknown"


def test_files_and_folders_are_asked_for(qtbot, monkeypatch):
    panel = shown(qtbot, MoviePanel(), MovieState())
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/a.tif", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/b")
    with qtbot.waitSignal(panel.open_requested) as asked:
        panel._file.click()
    assert asked.args == [Path("/a.tif")]
    with qtbot.waitSignal(panel.open_requested) as asked:
        panel._folder.click()
    assert asked.args == [Path("/b")]


def test_showing_choices_asks_for_nothing(qtbot):
    panel = shown(qtbot, ChoicesPanel(), CHOICES)
    settings = SegmentSettings(cell_size=20.0, engine="hdbscan", model="/lab/mine")
    with (
        qtbot.assertNotEmitted(panel.setting_requested),
        qtbot.assertNotEmitted(panel.frames_requested),
    ):
        panel.show_state(replace(CHOICES, settings=settings, frames=(2, 5)))
    assert panel._cell_size.value() == 20.0
    assert panel._model.currentText() == "lab/mine"
    assert (panel._first.value(), panel._last.value()) == (2, 5)


def test_choices_are_asked_for_by_their_name(qtbot):
    panel = shown(qtbot, ChoicesPanel(), CHOICES)
    asked = []
    panel.setting_requested.connect(lambda name, value: asked.append((name, value)))
    pick(panel._model, 1)
    pick(panel._engine, 1)
    panel._cell_size.setValue(18.0)
    panel._cell_size.setValue(0.0)
    assert asked == [
        ("model", "/lab/mine"),
        ("engine", "hdbscan"),
        ("cell_size", 18.0),
        ("cell_size", None),
    ]
    with qtbot.waitSignal(panel.frames_requested) as frames:
        panel._last.setValue(4)
    assert frames.args == [0, 4]


def test_the_preset_is_shown_and_asked_for(qtbot):
    panel = shown(qtbot, ChoicesPanel(), CHOICES)
    assert panel._preset.currentText() == "usual"
    with qtbot.waitSignal(panel.preset_requested) as asked:
        pick(panel._preset, panel._preset.findText("payer2018-hela"))
    assert asked.args == ["payer2018-hela"]


def test_each_preset_says_what_it_is_for(qtbot):
    panel = shown(qtbot, ChoicesPanel(), CHOICES)
    role = Qt.ItemDataRole.ToolTipRole
    index = panel._preset.findText("payer2018-hela")
    assert "Fluo-N2DL-HeLa" in panel._preset.itemData(index, role)
    assert "usual way" in panel._preset.toolTip()
    panel.show_state(replace(CHOICES, preset=""))
    assert "no preset has" in panel._preset.toolTip()
    panel.show_state(replace(CHOICES, preset="payer2019-psc"))
    assert "PhC-C2DL-PSC" in panel._preset.toolTip()


def test_a_cell_size_that_is_not_used_cannot_be_given(qtbot):
    panel = shown(qtbot, ChoicesPanel(), CHOICES)
    assert panel._cell_size.isEnabled()
    settings = with_preset(SegmentSettings(), "payer2018-hela")
    panel.show_state(replace(CHOICES, settings=settings))
    assert not panel._cell_size.isEnabled()


def test_another_model_folder_is_asked_for(qtbot, monkeypatch):
    panel = shown(qtbot, ChoicesPanel(), CHOICES)
    last = panel._model.count() - 1
    assert panel._model.itemText(last) == OTHER_MODEL
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/lab/new")
    with (
        qtbot.assertNotEmitted(panel.setting_requested),
        qtbot.waitSignal(panel.model_folder_requested) as asked,
    ):
        pick(panel._model, last)
    assert asked.args == [Path("/lab/new")]
    assert panel._model.currentText() == "default", "until it is known to be one"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    with qtbot.assertNotEmitted(panel.model_folder_requested):
        pick(panel._model, last)
    assert panel._model.currentText() == "default"


def test_settings_of_ones_own_are_called_so_and_ask_for_nothing(qtbot):
    panel = shown(qtbot, ChoicesPanel(), replace(CHOICES, preset=""))
    assert panel._preset.currentText() == OWN
    with qtbot.assertNotEmitted(panel.preset_requested):
        pick(panel._preset, 0)


def test_a_published_procedure_has_its_own_settings_and_no_links(qtbot):
    more = MoreSettings()
    qtbot.addWidget(more)
    more.show_settings(with_preset(SegmentSettings(), "payer2018-gowt1"))
    shown_parts = [name for name, form in more._forms.items() if not form.isHidden()]
    assert shown_parts == ["", "payer"]
    fields = more._forms["payer"]._fields
    assert fields["coordinate_weight"].value() == 0.001
    assert fields["coordinate_weight"].text() == "0.001 1/px"
    assert fields["smallest"].value() == 50


def test_of_the_engines_only_the_chosen_one_has_settings(qtbot):
    more = MoreSettings()
    qtbot.addWidget(more)
    more.show_settings(SegmentSettings(engine="hdbscan"))
    assert more._forms["votes"].isHidden()
    assert not more._forms["hdbscan"].isHidden()


def test_a_form_has_title_unit_range_and_explanation(qtbot):
    form = SettingsForm(LinkSettings, tuple(LinkSettings.model_fields), "link.")
    qtbot.addWidget(form)
    gap, overlap = form._fields["most_gap"], form._fields["least_overlap"]
    assert isinstance(gap, Whole)
    assert gap.suffix() == " frames"
    assert isinstance(overlap, Number)
    assert (overlap.minimum(), overlap.maximum()) == (0, 1)
    assert "IoU" in overlap.toolTip()
    assert isinstance(form._fields["divisions"], QCheckBox)
    with qtbot.waitSignal(form.changed) as changed:
        gap.setValue(5)
    assert changed.args == ["link.most_gap", 5]
    with qtbot.assertNotEmitted(form.changed):
        form.show_settings(LinkSettings(most_gap=1, divisions=False))
    assert gap.value() == 1
    assert not form._fields["divisions"].isChecked()


def test_open_ends_of_a_range_are_kept_out(qtbot):
    class Open(BaseModel):
        share: float = setting(0.5, "Share", "A share.", gt=0, lt=1)

    form = SettingsForm(Open, ("share",))
    qtbot.addWidget(form)
    form._fields["share"].setValue(0)
    assert form._fields["share"].value() > 0
    form._fields["share"].setValue(1)
    assert form._fields["share"].value() < 1


def test_buttons_are_open_only_when_they_can_work(qtbot):
    panel = shown(qtbot, RunPanel(), RunState())
    assert not panel._preview.isEnabled()
    assert not panel._bar.isVisible()
    panel.show_state(RunState(busy=True, can_cancel=True, done=3, total=9))
    assert panel._bar.isVisible()
    assert (panel._bar.value(), panel._bar.maximum()) == (3, 9)
    with qtbot.waitSignal(panel.cancel_requested):
        panel._cancel.click()


def test_errors_are_shown_as_they_are_and_can_be_copied(qtbot):
    panel = shown(qtbot, RunPanel(), RunState(error="The disk is full."))
    assert panel._error.isVisible()
    assert panel._error.text() == "The disk is full."
    flags = panel._error.textInteractionFlags()
    assert flags & flags.TextSelectableByMouse


def test_where_to_save_is_asked_for(qtbot, monkeypatch):
    panel = shown(qtbot, RunPanel(), RunState(can_save=True, can_choose_folder=True))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/b")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/c.tif", ""))
    with qtbot.waitSignal(panel.save_requested) as asked:
        panel._results.save.click()
    assert asked.args == ["ctc", Path("/b")]
    pick(panel._results._formats, 1)
    with qtbot.waitSignal(panel.save_requested) as asked:
        panel._results.save.click()
    assert asked.args == ["tiff", Path("/c.tif")]
    with qtbot.waitSignal(panel.folder_requested) as asked:
        panel._results.change.click()
    assert asked.args == [Path("/b")]
