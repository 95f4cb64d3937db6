"""Teaching from the window: what there is to learn from, and what comes of it."""

import time
from functools import partial

import numpy as np
import pytest
from benchmarks.heartbeat import Heartbeat
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QPushButton
from tests.gui.window import click
from tests.inference.tiny import tiny_model

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.removing import DeleteCell, MarkEmpty
from napari_semiconv.gui.teach import learnable
from napari_semiconv.gui.teach import teaching as module
from napari_semiconv.gui.teach.pictures import read_pictures
from napari_semiconv.network.weights import save_model
from napari_semiconv.project.project import Project
from napari_semiconv.project.suspects.queue import Queue, Rows
from napari_semiconv.teaching.record import PICTURES
from napari_semiconv.teaching.settings import TeachSettings
from napari_semiconv.tracking.lineage import Track
from napari_semiconv.workflows.jobs import BusyError

pytestmark = pytest.mark.gui
FREEZE = 0.2
# A network learns that long on a busy computer, ms.
LONG = 300_000


def teach(one):
    """Press "Teach" and wait for the end and for the pictures."""
    one.press("Teach")
    one.rest()
    teaching = one.bench.teaching
    one.wait(lambda: teaching.result is None or bool(teaching.pictures))
    return teaching


def chosen(one):
    return one.bench.choices.settings


def models(folder):
    place = folder / "models"
    return sorted(p.name for p in place.iterdir()) if place.exists() else []


def say_places(tab):
    """Where all that can be clicked lies."""
    return {
        button.text(): button.mapTo(tab, QPoint(0, 0))
        for button in tab.findChildren(QPushButton)
        if button.isVisible()
    }


def queue_of(frames, chances, looked):
    """Suspects in some frames."""
    frame = np.array(frames, np.int64)
    zero = np.zeros_like(frame)
    rows = Rows(frame, frame, zero + 1, zero, np.array(chances), zero)
    return Queue(rows, np.array(looked, bool), 0, 0.0, lambda *_: None)


def test_what_there_is_to_learn_from_is_counted_live(opened):
    one = opened(confirmed=())
    tab = one.panel.teach_tab
    assert tab.words.text().startswith("Nothing to learn from yet")
    assert not tab.teach.isEnabled()
    one.tab("Correct")
    one.click_at(8, 8)
    one.key(Qt.Key.Key_Y)
    one.rest()
    one.tab("Teach")
    assert tab.words.text().startswith(
        "1 cell of 1 track is corrected or confirmed, in 1 frame. To have checked"
    )
    assert tab.teach.isEnabled()
    for label in (2, 3, 4):
        one.session.do(Confirm(label, 1, 2))
    one.session.do(DeleteCell(4, 2))
    one.session.do(MarkEmpty(4, 60, 60))
    one.rest()
    assert tab.words.text() == (
        "7 cells of 4 tracks are corrected or confirmed, in 3 frames; 2 were taken "
        "away."
    )
    one.session.undo()
    one.rest()
    assert tab.words.text().endswith("1 was taken away.")


def test_a_model_is_taught_and_nothing_moves(opened, folder):
    one = opened()
    tab = one.panel.teach_tab
    before = say_places(tab)
    teach(one)
    assert say_places(tab) == before
    assert one.said() == "'taught-1' is ready: keep or discard it."
    assert tab.result.words.text() == (
        "'taught-1': Masks of 4 cells it did not see: 0.50 before, 0.90 now; false "
        "cells 1 before, 0 now. It is better: keep it."
    )
    lines = tab.result.curve.lines()
    assert [step for step, _ in lines["loss"]] == [*range(1, 11)]
    assert lines["held out"] == [(5.0, 0.4), (10.0, 0.2)]
    assert chosen(one).model == "default", "the model in use stays until it is kept"
    assert models(folder) == ["taught-1"]


def test_what_is_kept_is_used_and_applied_to_the_rest(opened, folder):
    one = opened()
    tab = one.panel.teach_tab
    teach(one)
    one.press("Keep")
    one.rest()
    assert chosen(one).model == str(folder / "models" / "taught-1")
    assert chosen(one).cell_size == 8.2
    assert tab.model.text() == "models/taught-1"
    assert not tab.result.keep.isEnabled()
    assert not tab.result.discard.isEnabled()
    one.tab("Find")
    assert one.panel.find_tab.model.currentText() == "models/taught-1"
    one.tab("Teach")
    project = one.session.project
    fixed = project.document.labels(1).copy()
    one.press("Apply to the rest")
    one.rest()
    assert one.said().startswith("Done:")
    assert len(project.info.runs) == 1
    assert np.array_equal(project.document.labels(1), fixed)
    assert project.lineage.tracks[1].is_confirmed(1)
    one.session.undo()
    one.rest()
    assert project.history.undoable == "confirm cell 4, frames 1 to 2"


def test_before_and_after_are_looked_at_side_by_side(opened):
    one = opened()
    result = one.panel.teach_tab.result
    assert result.stack.currentWidget() is result.curve
    teach(one)
    assert result.stack.currentWidget() is result.comparison
    assert result.caption.text().startswith("1 of 3 · dish.semiconv, frame 0: cells")
    left, right = result.comparison.places()
    assert left.right() < right.left()
    assert left.size() == right.size()
    shown = result.comparison.picture
    assert shown.image.shape == (64, 64), "it is cut out around the cells held out"
    image = result.comparison.grab().toImage()
    colours = {
        image.pixelColor(x, left.center().y()).getRgb()[:3]
        for x in range(left.left(), left.right())
    }
    assert (255, 210, 0) in colours
    assert (60, 220, 90) in colours
    assert not result.before.isEnabled()
    click(result.after)
    assert "nobody corrected it" in result.caption.text()
    click(result.after)
    assert result.caption.text() == "3 of 3 · How it learned."
    assert result.stack.currentWidget() is result.curve
    assert not result.after.isEnabled()
    click(result.before)
    assert result.stack.currentWidget() is result.comparison


def test_what_is_discarded_leaves_nothing(opened, folder):
    one = opened("worse")
    result = one.panel.teach_tab.result
    teach(one)
    assert "It is no better" in result.words.text()
    assert result.discard.isDefault()
    assert not result.keep.isDefault()
    assert result.keep.isEnabled()
    assert "no better" in result.keep.toolTip()
    one.press("Discard")
    one.rest()
    assert models(folder) == []
    assert one.said() == "'taught-1' is deleted. The model in use stays."
    assert chosen(one).model == "default"
    assert not result.discard.isEnabled()


def test_without_a_check_it_is_said(opened):
    one = opened("unchecked")
    teach(one)
    assert "Nothing was held out" in one.panel.teach_tab.result.words.text()
    assert one.panel.teach_tab.result.keep.isDefault()


def test_it_is_stopped_and_leaves_nothing(opened, folder):
    one = opened("stuck")
    tab = one.panel.teach_tab
    one.press("Teach")
    one.wait(lambda: tab.stop.isEnabled() and len(one.bench.teaching.curve) == 1)
    one.wait(lambda: "Teaching · 1 of 10" in one.panel.status._progress.text())
    assert not tab.teach.isEnabled()
    one.session.do(Confirm(1, 4, 5))
    with pytest.raises(BusyError):
        one.session.teach(TeachSettings())
    one.press("Stop")
    one.rest()
    assert one.said() == "Stopped: nothing is left of it. The model in use stays."
    assert models(folder) == []
    assert one.session.project.lineage.tracks[1].is_confirmed(4)
    assert tab.teach.isEnabled()


def test_a_crash_leaves_nothing_and_says_so(opened, folder):
    one = opened("crash")
    one.press("Teach")
    one.rest()
    assert one.said().endswith("The model in use stays.")
    assert one.bench.sentence.kind == "error"
    assert models(folder) == []
    assert one.panel.teach_tab.teach.isEnabled()


def test_closing_at_work_leaves_a_sound_project(opened, folder):
    one = opened("steady")
    one.press("Teach")
    one.wait(lambda: len(one.bench.teaching.curve) > 1)
    one.bench.close()
    assert models(folder) == []
    with Project.open(folder) as project:
        assert not project.read_only
        assert [*project.faults()] == []


def test_opening_another_project_waits_for_the_end(opened, folder):
    one = opened("steady")
    one.press("Teach")
    one.wait(lambda: len(one.bench.teaching.curve) > 1)
    one.bench.open(folder)
    assert one.said().startswith("Teaching: wait for its end")
    one.session.undo()
    one.rest()
    assert one.bench.teaching.result is not None
    one.session.close_project()
    one.rest()
    assert one.bench.teaching.result is None
    assert one.panel.teach_tab.words.text().startswith("Find cells, or open")


def test_a_project_open_elsewhere_teaches_nothing(opened, folder):
    one = opened()
    one.session.close_project()
    with Project.open(folder):
        one.open(folder)
        one.tab("Teach")
        tab = one.panel.teach_tab
        assert tab.words.text().startswith("The project is open elsewhere")
        assert not tab.teach.isEnabled()
        one.bench.teaching.teach()
        assert "read only" in one.said()


def cut_short(path):
    path.write_bytes(path.read_bytes()[:200])


def be_no_file(path):
    path.unlink()
    path.mkdir()


def with_others(path, **parts):
    with np.load(path) as file:
        known = dict(file)
    np.savez_compressed(path, **{**known, **parts})


SPOILT = {
    "cut short": cut_short,
    "no file": be_no_file,
    "other shapes": lambda path: with_others(path, truth0=np.zeros((5, 4), int)),
    "huge": lambda path: with_others(path, more=np.zeros(1 << 28, np.int8)),
    "no numbers": lambda path: with_others(path, after0=np.array("cell")),
    "objects": lambda path: with_others(path, image0=np.array([{}], object)),
    "without truth": lambda path: np.savez(path, image0=np.zeros((4, 4))),
}


@pytest.mark.parametrize("damage", SPOILT)
def test_bad_pictures_are_left_out_and_said(opened, damage, monkeypatch):
    one = opened()
    teaching = one.bench.teaching

    def spoil_and_read(folder):
        SPOILT[damage](folder / PICTURES)
        return read_pictures(folder)

    monkeypatch.setattr(module, "read_pictures", spoil_and_read)
    one.press("Teach")
    one.wait(lambda: teaching.trouble != "")
    one.rest()
    result = one.panel.teach_tab.result
    assert result.caption.text().startswith("Its pictures cannot be shown")
    assert result.stack.currentWidget() is result.curve
    assert teaching.pictures == ()
    assert result.keep.isEnabled()


def test_a_model_without_pictures_has_none(tmp_path):
    assert read_pictures(tmp_path) == ()


def test_advice_leads_to_doubtful_frames(opened, monkeypatch):
    one = opened(confirmed=(1,))
    frames, chances = [2, 5, 5, 5], [0.9, 0.9, 0.4, 0.2]
    tab = one.panel.teach_tab
    one.wait(lambda: one.bench.corrector.review.queue is not None)
    one.bench.corrector.review.queue = queue_of(frames, chances, looked=[0, 0, 0, 1])
    monkeypatch.setattr(learnable, "NEARBY", 2)
    one.bench.changed.emit()
    assert tab.places[0].text.text() == "Correct next: frame 5, about 1 error"
    assert not tab.places[1].go.isVisible(), "frame 2 is corrected"
    click(tab.places[0].go)
    one.rest()
    assert one.session.frame == one.viewer.dims.current_step[0] == 5


def test_the_window_answers_while_it_teaches(opened):
    one = opened("steady")
    heart = Heartbeat(time.thread_time)  # other processes are no freeze
    heart.start()
    one.press("Teach")
    one.rest()
    heart.stop()
    assert heart.longest < FREEZE


def test_a_long_movie_is_counted_quickly(opened):
    one = opened()
    project = one.session.project
    lineage = project.document.lineage
    with project.document.guard:
        for label in range(10, 20_000):
            lineage.put(Track(label, ((0, 999),), confirmed=((5, 9), (20, 29))))
    start = time.thread_time()
    found = learnable.learnable(project)
    assert time.thread_time() - start < FREEZE
    assert found.cells == 8 + 15 * 19_990
    assert "64 of these frames" not in found.words()
    for label in range(10, 20_000):
        lineage.drop(label)


@pytest.fixture
def little(tmp_path):
    """A small network with random weights, as a model folder."""
    model = tiny_model(".")
    # It finds next to nothing: sorting out what a random network finds takes long.
    model.network.heads.layer("foreground").bias.data.fill_(-4.0)
    save_model(
        tmp_path / "little", model.network, cell_size=24, description="", card=""
    )
    return tmp_path / "little"


@pytest.mark.slow
def test_the_real_network_is_taught_from_the_window(
    opened, folder, little, monkeypatch
):
    steps = partial(TeachSettings, steps=2, replay=0)
    monkeypatch.setattr(module, "TeachSettings", steps)
    one = opened(mode=None)
    one.bench.set_model_folder(little)
    one.bench.set_setting("device", "cpu")
    one.rest()
    one.press("Teach")
    teaching = one.bench.teaching
    one.qtbot.waitUntil(lambda: bool(teaching.pictures), timeout=LONG)
    one.rest()
    assert one.said().startswith("'taught-1' is ready")
    assert teaching.result.record.parent == "little"
    assert [point.step for point in teaching.curve] == [1, 2]
    assert one.panel.teach_tab.result.comparison.picture.corrected
    one.press("Keep")
    one.rest()
    assert chosen(one).model == str(folder / "models" / "taught-1")
    one.press("Apply to the rest")
    one.qtbot.waitUntil(lambda: one.bench.resting, timeout=LONG)
    assert one.said().startswith("Done:")
