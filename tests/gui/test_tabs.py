"""The tabs of the panel say what was asked and show what they are told."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QCheckBox, QDialogButtonBox, QFileDialog, QPushButton

from napari_semiconv.gui import movie_tab, recent
from napari_semiconv.gui.advanced import OWN, PARTS, Advanced
from napari_semiconv.gui.find_tab import OTHER_MODEL, FindTab
from napari_semiconv.gui.form import Choice, Number, SettingsForm, Whole
from napari_semiconv.gui.movie_tab import MovieTab
from napari_semiconv.gui.open_dialog import OpenDialog
from napari_semiconv.gui.panel import TitleRow
from napari_semiconv.gui.parts import Status
from napari_semiconv.gui.share_tab import ShareTab
from napari_semiconv.gui.state import (
    FindState,
    MovieState,
    Offer,
    Sentence,
    ShareState,
    StatusState,
    TitleState,
)
from napari_semiconv.inference.presets import with_preset
from napari_semiconv.settings import LinkSettings, SegmentSettings, setting

pytestmark = pytest.mark.gui
MOVIE = MovieState(
    known=True,
    can_reread=True,
    facts="dish\nT 9 · Y 4 · X 5 · uint8",
    axes_choices=(("TYX", "9 frames"), ("ZYX", "9 slices")),
    axes="TYX",
    pixel_size=0.5,
    frame_interval=300.0,
    layer="mine",
)
FIND = FindState(
    enabled=True,
    models=(("default", "default"), ("/lab/mine", "lab/mine")),
    devices=("auto", "cpu"),
    frames=(0, 8),
    last=8,
    can_measure=True,
    can_preview=True,
    can_run=True,
    can_choose_folder=True,
)


def shown(qtbot, tab, state):
    qtbot.addWidget(tab)
    tab.show_state(state)
    tab.show()
    return tab


def pick(choice, index):
    choice.setCurrentIndex(index)
    choice.activated.emit(index)


def click(widget):
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def places(tab):
    """Where all that can be clicked lies."""
    return {
        id(widget): widget.mapTo(tab, QPoint(0, 0))
        for widget in tab.findChildren(QPushButton)
        if widget.isVisible()
    }


def test_showing_a_movie_asks_for_nothing(qtbot):
    tab = shown(qtbot, MovieTab(), MOVIE)
    with (
        qtbot.assertNotEmitted(tab.pixel_size_requested),
        qtbot.assertNotEmitted(tab.interval_requested),
        qtbot.assertNotEmitted(tab.axes_requested),
    ):
        tab.show_state(replace(MOVIE, pixel_size=2.0, axes="ZYX", frame_interval=1.0))
    assert tab.pixel_size.text() == "2 µm"
    assert tab.axes.currentText() == "9 slices"


def test_corrections_of_the_movie_are_asked_for(qtbot):
    tab = shown(qtbot, MovieTab(), MOVIE)
    with qtbot.waitSignal(tab.axes_requested) as asked:
        pick(tab.axes, 1)
    assert asked.args == ["ZYX"]
    with qtbot.waitSignal(tab.pixel_size_requested) as asked:
        tab.pixel_size.setValue(0.65)
    assert asked.args == [0.65]
    with qtbot.waitSignal(tab.layer_requested):
        click(tab._layer)


def test_the_interval_is_shown_in_the_unit_that_is_picked(qtbot):
    tab = shown(qtbot, MovieTab(), MOVIE)
    assert tab.interval.value() == 300.0
    with qtbot.assertNotEmitted(tab.interval_requested):
        pick(tab.unit, 1)
    assert tab.interval.value() == 5.0
    with qtbot.waitSignal(tab.interval_requested) as asked:
        tab.interval.setValue(2.0)
    assert asked.args == [120.0]
    tab.show_state(replace(MOVIE, frame_interval=90.0))
    assert tab.interval.value() == 1.5


def test_a_number_typed_before_its_unit_keeps_its_value(qtbot):
    tab = shown(qtbot, MovieTab(), replace(MOVIE, frame_interval=0.0))
    tab.interval.setValue(5.0)
    tab.show_state(replace(MOVIE, frame_interval=5.0))
    with qtbot.waitSignal(tab.interval_requested) as asked:
        pick(tab.unit, 1)
    assert asked.args == [300.0]
    tab.show_state(MOVIE)
    assert tab.interval.value() == 5.0
    pick(tab.unit, 0)
    assert tab.interval.value() == 300.0, "now it is the same time in another unit"


def test_rows_without_a_choice_stay_where_they_are(qtbot):
    tab = shown(qtbot, MovieTab(), MOVIE)
    before = places(tab), tab.z.pos()
    assert not tab.channel.isEnabled()
    tab.show_state(replace(MOVIE, channels=2, slices=3))
    assert tab.channel.isEnabled()
    assert tab.z.currentText() == "Maximum of all slices"
    assert (places(tab), tab.z.pos()) == before


def test_a_note_has_the_button_that_mends_it(qtbot):
    mended = []
    note = Sentence("A guess.", "note", (Offer("Read as 9", lambda: mended.append(9)),))
    tab = shown(qtbot, MovieTab(), replace(MOVIE, notes=(note,)))
    (button,) = [b for b in tab.findChildren(QPushButton) if b.text() == "Read as 9"]
    click(button)
    assert mended == [9]
    tab.show_state(MOVIE)
    assert not button.isVisible()


def test_unknown_units_are_shown_as_such(qtbot):
    unknown = replace(MOVIE, pixel_size=0.0, frame_interval=0.0)
    tab = shown(qtbot, MovieTab(), unknown)
    assert tab.pixel_size.text() == "unknown"
    assert tab.interval.text() == "unknown"


def test_a_path_is_asked_for_by_one_button(qtbot, monkeypatch):
    tab = shown(qtbot, MovieTab(), MovieState())
    monkeypatch.setattr(movie_tab, "ask_what_to_open", lambda *_: Path("/a.tif"))
    with qtbot.waitSignal(tab.open_requested) as asked:
        click(tab._open)
    assert asked.args == [Path("/a.tif")]


def test_what_was_opened_is_listed_and_what_is_gone_left_out(qtbot, tmp_path):
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        recent.remember(tmp_path / name)
    recent.remember(tmp_path / "one")
    (tmp_path / "two").rmdir()
    tab = shown(qtbot, MovieTab(), MovieState())
    tab._menu.aboutToShow.emit()
    known = [f"{tmp_path.name}/one", f"{tmp_path.name}/three"]
    assert [action.text() for action in tab._menu.actions()] == known
    with qtbot.waitSignal(tab.open_requested) as asked:
        tab._menu.actions()[1].trigger()
    assert asked.args == [tmp_path / "three"]


@pytest.fixture
def dialog(qtbot, tmp_path):
    (tmp_path / "movie.tif").write_bytes(b"")
    for name in ("frames", "dish.semiconv"):
        (tmp_path / name).mkdir()
    dialog = OpenDialog(None, tmp_path)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


@pytest.mark.parametrize("name", ["movie.tif", "dish.semiconv"])
def test_the_dialog_takes_files_and_whole_folders(dialog, tmp_path, name):
    dialog.selectFile(name)
    buttons = dialog.findChild(QDialogButtonBox)
    click(buttons.button(QDialogButtonBox.StandardButton.Open))
    assert dialog.chosen == tmp_path / name


def test_the_dialog_looks_into_other_folders_or_takes_them(dialog, tmp_path):
    dialog.selectFile("frames")
    dialog.accept()
    assert dialog.chosen is None
    assert Path(dialog.directory().absolutePath()) == tmp_path / "frames"
    click(dialog._take)
    assert dialog.chosen == tmp_path / "frames"


def test_showing_choices_asks_for_nothing(qtbot):
    tab = shown(qtbot, FindTab(), FIND)
    settings = SegmentSettings(cell_size=20.0, engine="hdbscan", model="/lab/mine")
    with (
        qtbot.assertNotEmitted(tab.setting_requested),
        qtbot.assertNotEmitted(tab.frames_requested),
    ):
        tab.show_state(replace(FIND, settings=settings, frames=(2, 5)))
    assert tab.cell_size.value() == 20.0
    assert tab.model.currentText() == "lab/mine"
    assert (tab.first.value(), tab.last.value()) == (2, 5)


def test_choices_are_asked_for_by_their_name(qtbot):
    tab = shown(qtbot, FindTab(), FIND)
    asked = []
    tab.setting_requested.connect(lambda name, value: asked.append((name, value)))
    pick(tab.model, 1)
    pick(tab.advanced.engine, 1)
    tab.cell_size.setValue(18.0)
    tab.cell_size.setValue(0.0)
    assert asked == [
        ("model", "/lab/mine"),
        ("engine", "hdbscan"),
        ("cell_size", 18.0),
        ("cell_size", None),
    ]
    with qtbot.waitSignal(tab.frames_requested) as frames:
        tab.last.setValue(4)
    assert frames.args == [0, 4]


def test_the_buttons_say_what_is_wanted_and_never_move(qtbot):
    tab = shown(qtbot, FindTab(), FIND)
    before = places(tab)
    with qtbot.waitSignals([tab.preview_requested, tab.run_requested]):
        click(tab.preview)
        click(tab.run)
    assert not (tab.go_on.isEnabled())
    assert not (tab.stop.isEnabled())
    tab.show_state(FindState(can_stop=True, can_go_on=True, size_hint="= 10 µm"))
    with qtbot.waitSignals([tab.stop_requested, tab.go_on_requested]):
        click(tab.stop)
        click(tab.go_on)
    assert not (tab.preview.isEnabled())
    assert not (tab.run.isEnabled())
    assert places(tab) == before


def test_a_line_on_a_cell_is_asked_for_and_taken_back(qtbot):
    tab = shown(qtbot, FindTab(), FIND)
    with qtbot.waitSignal(tab.measure_requested) as asked:
        click(tab.measure)
    assert asked.args == [True]
    tab.show_state(replace(FIND, measuring=False))
    assert not tab.measure.isChecked()


def test_the_preset_is_shown_and_asked_for(qtbot):
    tab = shown(qtbot, FindTab(), FIND)
    preset = tab.advanced.preset
    assert preset.currentText() == "Usual"
    with qtbot.waitSignal(tab.preset_requested) as asked:
        pick(preset, preset.findText("Payer 2018: Fluo-N2DL-HeLa"))
    assert asked.args == ["payer2018-hela"]


def test_each_preset_says_what_it_is_for(qtbot):
    tab = shown(qtbot, FindTab(), FIND)
    preset = tab.advanced.preset
    index = preset.findText("Payer 2018: Fluo-N2DL-HeLa")
    hint = preset.itemData(index, Qt.ItemDataRole.ToolTipRole)
    assert "Fluo-N2DL-HeLa" in hint
    assert "usual way" in preset.toolTip()
    tab.show_state(replace(FIND, preset=""))
    assert "no preset has" in preset.toolTip()
    assert preset.currentText() == OWN
    with qtbot.assertNotEmitted(tab.preset_requested):
        pick(preset, 0)


def test_a_cell_size_that_is_not_used_cannot_be_given(qtbot):
    tab = shown(qtbot, FindTab(), FIND)
    assert tab.cell_size.isEnabled()
    settings = with_preset(SegmentSettings(), "payer2018-hela")
    tab.show_state(replace(FIND, settings=settings))
    assert not tab.cell_size.isEnabled()


def test_another_model_folder_is_asked_for(qtbot, monkeypatch):
    tab = shown(qtbot, FindTab(), FIND)
    last = tab.model.count() - 1
    assert tab.model.itemText(last) == OTHER_MODEL
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/lab/new")
    with (
        qtbot.assertNotEmitted(tab.setting_requested),
        qtbot.waitSignal(tab.model_folder_requested) as asked,
    ):
        pick(tab.model, last)
    assert asked.args == [Path("/lab/new")]
    assert tab.model.currentText() == "default", "until it is known to be one"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    with qtbot.assertNotEmitted(tab.model_folder_requested):
        pick(tab.model, last)
    assert tab.model.currentText() == "default"


def test_the_folder_of_a_project_is_asked_for(qtbot, monkeypatch):
    tab = shown(qtbot, FindTab(), FIND)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/lab/new")
    with qtbot.waitSignal(tab.folder_requested) as asked:
        click(tab._change)
    assert asked.args == [Path("/lab/new")]


def parts(advanced):
    """Parts of the settings whose forms are shown."""
    forms = advanced._forms.items()
    return {part for (_, part), form in forms if not form.isHidden()}


def test_a_published_procedure_has_its_own_settings_and_no_links(qtbot):
    advanced = Advanced()
    qtbot.addWidget(advanced)
    settings = with_preset(SegmentSettings(), "payer2018-gowt1")
    advanced.show_settings(settings, "payer2018-gowt1", ("auto",))
    assert parts(advanced) == {"", "payer"}
    assert advanced._boxes["links"].isHidden()
    fields = advanced._forms["published", "payer"]._fields
    assert fields["coordinate_weight"].value() == 0.001
    assert fields["coordinate_weight"].text() == "0.001 1/px"
    assert fields["smallest"].value() == 50


def test_of_the_engines_only_the_chosen_one_has_settings(qtbot):
    advanced = Advanced()
    qtbot.addWidget(advanced)
    advanced.show_settings(SegmentSettings(engine="hdbscan"), "", ("auto",))
    assert parts(advanced) == {"", "hdbscan", "link"}


def test_every_setting_has_one_field(qtbot):
    advanced = Advanced()
    qtbot.addWidget(advanced)
    shown = [
        (part, name) for (_, part), f in advanced._forms.items() for name in f._fields
    ]
    shown += [("", name) for name in ("model", "cell_size", "engine", "device")]
    there = [
        (part, name)
        for part, model in PARTS.items()
        for name in model.model_fields
        if part or name not in PARTS
    ]
    assert sorted(shown) == sorted(there)


def test_a_format_is_chosen_and_a_place_asked_for(qtbot, monkeypatch):
    formats = (("ctc", "Cell Tracking Challenge"), ("geff", "GEFF"))
    state = ShareState(formats, "ctc", "A folder.", "Masks: yes", "", can_export=True)
    tab = shown(qtbot, ShareTab(), state)
    assert tab._keeps.text() == "Masks: yes"
    with qtbot.waitSignal(tab.format_requested) as asked:
        pick(tab.format, 1)
    assert asked.args == ["geff"]
    with qtbot.waitSignal(tab.export_requested):
        click(tab.export)
    proposed = []
    monkeypatch.setattr(
        QFileDialog,
        "getSaveFileName",
        lambda *a, **_: proposed.append(a[2]) or ("/c", ""),
    )
    assert tab.ask_target("GEFF", Path("/lab/dish.geff")) == Path("/c")
    assert proposed == ["/lab/dish.geff"]
    tab.show_state(replace(state, can_export=False))
    assert not tab.export.isEnabled()


def test_the_status_keeps_its_height(qtbot):
    status = shown(qtbot, Status(), StatusState())
    status.resize(340, status.sizeHint().height())
    height = status.sizeHint().height()
    offers = (Offer("Go on", lambda: None),)
    for state in (
        StatusState(busy=True, done=3, total=9, progress="Finding cells · 3 of 9"),
        StatusState(sentence=Sentence("The disk is full. " * 30, "error", offers)),
    ):
        status.show_state(state)
        assert status.sizeHint().height() == height


def test_errors_are_shown_as_they_are_and_can_be_copied(qtbot):
    error = Sentence("The disk is full.", "error")
    status = shown(qtbot, Status(), StatusState(sentence=error))
    text = status.sentence.text
    assert text.text() == "The disk is full."
    flags = text.textInteractionFlags()
    assert flags & flags.TextSelectableByMouse


def test_what_can_be_undone_is_said_in_words(qtbot):
    row = shown(qtbot, TitleRow(), TitleState("dish.semiconv", "Saved"))
    assert not row.undo.isEnabled()
    row.show_state(TitleState("dish", "", "split cell 12, frame 41", can_undo=True))
    assert row.undo.text() == "Undo: split cell 12, frame 41"
    assert row.undo.isEnabled()
    assert row.redo.text() == "Redo"


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


def test_values_are_shown_in_plain_words(qtbot):
    """Never by the name that files and the command line have for them."""
    shown, advanced = [], Advanced()
    qtbot.addWidget(advanced)
    for form in advanced._forms.values():
        for name, field in form._fields.items():
            if isinstance(field, Choice):
                shown.append(name)
                for row, (value, text) in enumerate(field._shown):
                    assert text != value
                    assert text[0].isupper() or text[0].isdecimal()
                    assert field.itemData(row, Qt.ItemDataRole.ToolTipRole)
    fields = ["clustered", "position", "precision", "resize", "solver", "tile"]
    assert sorted(shown) == fields


def test_open_ends_of_a_range_are_kept_out(qtbot):
    class Open(BaseModel):
        share: float = setting(0.5, "Share", "A share.", gt=0, lt=1)

    form = SettingsForm(Open, ("share",))
    qtbot.addWidget(form)
    form._fields["share"].setValue(0)
    assert form._fields["share"].value() > 0
    form._fields["share"].setValue(1)
    assert form._fields["share"].value() < 1
