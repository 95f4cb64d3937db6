"""Training: exact resumption, clean stops, honest refusals, and that it learns."""

import csv
import errno
import json
import re

import pytest
import torch
from safetensors.torch import load_file

from napari_semiconv.errors import (
    BadInputError,
    BadModelError,
    BadSettingsError,
    NonFiniteLossError,
    SaveError,
)
from napari_semiconv.network.weights import load_model
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training import learner, loop
from napari_semiconv.training.log import add_to_log
from napari_semiconv.training.loop import train
from napari_semiconv.training.settings import TrainSettings

QUICK = TrainSettings(
    preset="tiny",
    steps=4,
    frames=2,
    crop=32,
    cell_size=12,
    simulated=0,
    held_out=0.25,
    save_every=2,
    batch=2,
    workers=0,
    device="cpu",
)


def weights(folder):
    return load_file(folder / "checkpoint.safetensors")


@pytest.mark.parametrize(
    "choice", [{}, {"optimiser": "nadam", "precision": "bfloat16"}], ids=str
)
def test_a_resumed_training_equals_one_that_never_stopped(annotated, tmp_path, choice):
    settings = QUICK.model_copy(update=choice)
    for _ in train([annotated], tmp_path / "whole", settings):
        pass
    stopped = train([annotated], tmp_path / "parts", settings)
    for progress in stopped:
        if progress.step == 3:
            break
    stopped.close()  # between two checkpoints: what was learned is saved
    again = train([annotated], tmp_path / "parts", settings, resume=True)
    assert [p.step for p in again] == [4]
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[k], parts[k]) for k in whole)


def test_losses_and_held_out_scores_are_logged_and_plotted(annotated, tmp_path):
    last = list(train([annotated], tmp_path, QUICK))[-1]
    assert last.scores["film"] == last.scores["mean"] > 0
    with (tmp_path / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert float(rows[0]["loss: cosine"]) > 0
    assert (tmp_path / "log.png").read_bytes().startswith(b"\x89PNG")


def test_what_was_trained_can_be_loaded_as_a_model(annotated, tmp_path):
    for _ in train([annotated], tmp_path, QUICK):
        pass
    model = load_model(tmp_path / "model", "cpu")
    assert model.info.cell_size == 12
    assert "film" in (tmp_path / "model" / "README.md").read_text()


@pytest.mark.parametrize("kernel", ["gaussian", "bilateral"])
def test_a_trained_model_says_what_was_chosen(annotated, tmp_path, kernel):
    settings = QUICK.model_copy(
        update={"kernel": kernel, "embedding_size": 5, "steps": 1, "held_out": 0}
    )
    for _ in train([annotated], tmp_path, settings):
        pass
    header = json.loads((tmp_path / "model" / "settings.json").read_text())
    assert header["network"]["kernel"] == kernel
    assert header["network"]["embedding_size"] == 5
    assert f"kernel {kernel}" in (tmp_path / "model" / "README.md").read_text()
    load_model(tmp_path, "cpu")


def test_a_crowd_without_enough_directions_is_told_once(annotated, tmp_path):
    quick = {"steps": 2, "held_out": 0, "neighbour_radius": 0.01, "embedding_size": 3}
    near = QUICK.model_copy(update=quick)
    crowded = near.model_copy(update={"neighbour_radius": 20.0})
    notes = [p.note for p in train([annotated], tmp_path / "crowded", crowded)]
    told = [note for note in notes if note]
    assert len(told) == 1
    assert re.match(
        r"In the clip 'film, frame \d+' up to [3-6] cells must all differ .*"
        r"3 channels has 2 directions besides that of the background: choose a smaller "
        r"neighbour radius or a larger embedding",
        told[0],
    )
    roomy = crowded.model_copy(update={"embedding_size": 8})  # six cells in all
    for name, settings in (("near", near), ("roomy", roomy)):
        notes = [p.note for p in train([annotated], tmp_path / name, settings)]
        assert notes == [None] * 2


def test_a_training_that_cannot_begin_leaves_no_folder(annotated, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    with pytest.raises(BadInputError, match="found neither"):
        next(train([annotated, bare], tmp_path / "runs" / "mine", QUICK))
    with pytest.raises(BadInputError, match="expected a folder of annotated"):
        next(train([tmp_path / "nowhere"], tmp_path / "runs" / "mine", QUICK))
    assert list(tmp_path.iterdir()) == [bare]


def test_another_network_is_no_way_to_resume(annotated, tmp_path):
    for _ in train([annotated], tmp_path, QUICK.model_copy(update={"steps": 1})):
        pass
    other = QUICK.model_copy(update={"embedding_size": 3})
    with pytest.raises(BadSettingsError, match="embedding size that this training"):
        next(train([annotated], tmp_path, other, resume=True))


def test_a_training_can_begin_with_the_weights_of_a_model(annotated, tmp_path):
    for _ in train([annotated], tmp_path / "first", QUICK):
        pass
    before = load_model(tmp_path / "first" / "model", "cpu").network.state_dict()
    still = QUICK.model_copy(
        update={
            "start": str(tmp_path / "first" / "model"),
            "steps": 1,
            "learning_rate": 1e-12,
        }
    )
    for _ in train([annotated], tmp_path / "second", still):
        pass
    after = weights(tmp_path / "second")
    assert all(
        torch.allclose(before[key], after[f"network.{key}"], atol=1e-6)
        for key in before
    )


def test_a_model_for_cells_of_another_size_is_no_beginning(annotated, tmp_path):
    with pytest.raises(BadSettingsError, match="found one for 24 px"):
        next(
            train([annotated], tmp_path, QUICK.model_copy(update={"start": "default"}))
        )


def test_an_earlier_training_is_not_overwritten(annotated, tmp_path):
    for _ in train([annotated], tmp_path, QUICK):
        pass
    with pytest.raises(BadInputError, match="--resume"):
        next(train([annotated], tmp_path, QUICK))


def test_resuming_without_a_checkpoint_is_refused(annotated, tmp_path):
    with pytest.raises(BadModelError, match="Start without --resume"):
        next(train([annotated], tmp_path, QUICK, resume=True))


def test_other_folders_are_no_way_to_resume(annotated, tmp_path):
    for _ in train([annotated], tmp_path, QUICK.model_copy(update={"steps": 2})):
        pass
    with pytest.raises(BadInputError, match=r"began with \(film\), found"):
        next(train([annotated, annotated], tmp_path, QUICK, resume=True))


def test_a_damaged_checkpoint_is_told(annotated, tmp_path):
    for _ in train([annotated], tmp_path, QUICK.model_copy(update={"steps": 2})):
        pass
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadModelError, match="damaged"):
        next(train([annotated], tmp_path, QUICK, resume=True))


def test_a_folder_that_cannot_be_made_is_told(annotated, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="could not be written"):
        next(train([annotated], tmp_path / "file" / "run", QUICK))


def test_a_full_disk_keeps_the_table_as_it_was(annotated, tmp_path, monkeypatch):
    running = train([annotated], tmp_path, QUICK)
    next(running), next(running)
    before = (tmp_path / "log.csv").read_text()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SaveError, match="could not be written: the disk is full"):
        next(running), next(running)
    assert (tmp_path / "log.csv").read_text() == before


def test_a_new_loss_becomes_a_new_column(tmp_path):
    add_to_log(tmp_path, {"step": 1, "loss: cosine": 0.5})
    add_to_log(tmp_path, {"step": 2, "loss: cosine": 0.25, "loss: seed": 3})
    assert (tmp_path / "log.csv").read_text().splitlines() == [
        "step,loss: cosine,loss: seed",
        "1,0.5,",
        "2,0.25,3",
    ]


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_what_is_not_a_number_never_reaches_the_weights_or_the_checkpoint(
    annotated, tmp_path, monkeypatch, what
):
    """It happens after step 3, between two checkpoints, where stopping would save."""
    run = loop.TrainingRun([annotated], tmp_path, QUICK, resume=False)
    monkeypatch.setattr(loop, "TrainingRun", lambda *args, **kwargs: run)
    running = train([annotated], tmp_path, QUICK)
    next(running), next(running), next(running)
    saved = weights(tmp_path)
    learned = {k: v.clone() for k, v in run.learner.network.state_dict().items()}
    real = learner.losses_of

    def broken(network, *args):
        found = real(network, *args)
        if what == "loss":
            return {name: value * torch.nan for name, value in found.items()}
        weight = next(network.parameters())
        # The root of zero is finite, but not its slope.
        return {**found, "bad": (weight * 0).abs().sum().sqrt()}

    monkeypatch.setattr(learner, "losses_of", broken)
    with pytest.raises(NonFiniteLossError, match=f"the {what} on the clips? 'film, f"):
        next(running)
    after = weights(tmp_path)
    assert all(torch.equal(saved[k], after[k]) for k in saved)
    now = run.learner.network.state_dict()
    assert all(torch.equal(learned[k], now[k]) for k in learned)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["payer2018", "payer2019"])
def test_the_published_networks_are_trained_as_published(annotated, tmp_path, preset):
    small = {"steps": 2, "frames": 2, "crop": 64, "cell_size": 12, "device": "cpu"}
    settings = TrainSettings(preset=preset, **small)
    *_, last = train([annotated], tmp_path, settings)
    assert last.losses.keys() == {"cosine", "cosine 1"}
    assert load_model(tmp_path, "cpu").info.network == NETWORK_PRESETS[preset]


@pytest.mark.slow
def test_one_clip_can_be_learned_by_heart(annotated, tmp_path, monkeypatch):
    settings = QUICK.model_copy(update={"steps": 150, "save_every": 150, "held_out": 0})
    draw = loop.Clips.draw
    monkeypatch.setattr(loop.Clips, "draw", lambda self, step: draw(self, 0))
    totals = [sum(p.losses.values()) for p in train([annotated], tmp_path, settings)]
    assert totals[-1] < 0.35 * totals[0]
