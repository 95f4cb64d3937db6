"""A model is taught: what changes, what stays, and what is said of it."""

from itertools import count

import numpy as np
import pytest
import torch
from tests.inference.tiny import tiny_model

from napari_semiconv.errors import BadModelError, NonFiniteLossError
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.teaching import teach as module
from napari_semiconv.teaching.examples import Check
from napari_semiconv.teaching.lesson import Lesson
from napari_semiconv.teaching.record import (
    RECORD,
    ScoreRecord,
    TeachRecord,
    read_record,
    write_record,
)
from napari_semiconv.teaching.scoring import CheckScore, look
from napari_semiconv.teaching.settings import TeachSettings
from napari_semiconv.teaching.teach import Taught, learning_weights, teach
from napari_semiconv.training.truth import Recording

QUICK = TeachSettings(steps=4, replay=0, device="cpu")


@pytest.fixture(autouse=True)
def _quick_checks(request, monkeypatch):
    """A random network finds hundreds of crumbs, which takes long to sort out."""
    monkeypatch.setattr(module, "CLIPS", 1)
    real = TeachSettings.training

    def small(settings, size):
        return real(settings, size).model_copy(update={"crop": 48})

    monkeypatch.setattr(TeachSettings, "training", small)
    if "really" in request.node.name:
        return

    def look(model, checks):
        weights = model.network.parameters()
        sure = sum(float(weight.detach().abs().sum()) for weight in weights)
        score = CheckScore(sum(1 for check in checks), sure % 1)
        return score, [np.zeros_like(check.truth) for check in checks]

    monkeypatch.setattr(module, "look", look)


def discs(frames=3, shift=0):
    """Bright discs on a dim field, (Y, X) each, and their labels."""
    y, x = np.indices((96, 96))
    labels = np.zeros((96, 96), np.int32)
    for number, (row, column) in enumerate([(24, 24), (24, 70), (70, 24), (70, 70)], 1):
        labels[np.hypot(y - row, x - column - shift) < 12] = number
    image = np.where(labels > 0, 90.0, 10.0).astype(np.float32)
    noise = np.random.default_rng(0)
    return [image + noise.normal(0, 2, image.shape) for _ in range(frames)], labels


def lesson(checked=True):
    images, labels = discs()
    images = [image.astype(np.float32) for image in images]
    taught = np.where(labels == 4, -1, labels).astype(np.int32)
    held = np.where(labels == 4, 4, -1).astype(np.int32)
    table = np.zeros((0, 4), np.int64)
    recording = Recording("discs", images, [taught] * 3, [True] * 3, table, 24.0)
    checks = [Check("discs, frame 2", images, held, 24.0)] if checked else []
    return Lesson([recording], checks, 24.0, {"cells": 9})


def taught_by(settings=QUICK, model=None, given=None):
    """Teach, and give all steps and what came of it."""
    steps = teach(model or tiny_model("."), given or lesson(), settings)
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return told, end.value


def test_each_step_is_told_and_what_is_held_out_is_looked_at():
    told, taught = taught_by(QUICK.model_copy(update={"steps": 6}))
    assert [step.stage for step in told] == ["before", *["learning"] * 6, "after"]
    assert all(np.isfinite(step.loss) for step in told[1:-1])
    assert [step.held_out is not None for step in told[1:-1]] == [True] * 6
    assert taught.before.cells == taught.after.cells == 1
    assert len(taught.found) == 1


def test_the_cells_of_checks_are_really_found():
    model = tiny_model(".")
    with torch.no_grad():
        model.network.heads.layer("foreground").bias.fill_(-9.0)
    score, found = look(model, lesson().checks)
    assert score == CheckScore(1, 0.0, 0)
    assert [labels.any() for labels in found] == [False]


def test_the_model_that_is_taught_stays_as_it_was():
    model = tiny_model(".")
    before = {k: v.clone() for k, v in model.network.state_dict().items()}
    taught_by(model=model)
    assert all(torch.equal(v, before[k]) for k, v in model.network.state_dict().items())
    assert all(weight.requires_grad for weight in model.network.parameters())


@pytest.mark.parametrize("depth", ["heads", "decoder", "all"])
def test_only_what_is_to_learn_changes(depth, monkeypatch):
    # Whatever is held out says: the last weights are taken.
    losses = count(100, -1)
    monkeypatch.setattr(module._Run, "_loss", lambda *_: float(next(losses)))
    model = tiny_model(".")
    chosen = learning_weights(model.network, depth)
    names = [n for n, w in model.network.named_parameters() if id(w) in map(id, chosen)]
    _, taught = taught_by(QUICK.model_copy(update={"depth": depth}), model)
    before = dict(model.network.named_parameters())
    changed = {
        name
        for name, weight in taught.network.named_parameters()
        if not torch.equal(weight, before[name])
    }
    assert changed <= set(names)
    assert {name.split(".")[0] for name in changed} >= {"embed", "heads"}
    assert any(name.startswith("stacks") for name in changed) == (depth != "heads")


def test_deeper_is_more():
    network = tiny_model(".").network
    sizes = [
        sum(weight.numel() for weight in learning_weights(network, depth))
        for depth in ("heads", "decoder", "all")
    ]
    assert sizes == sorted(sizes)
    assert sizes[-1] == sum(weight.numel() for weight in network.parameters())


def test_heads_learn_from_what_the_last_level_found():
    network = tiny_model(".").network
    frames = torch.randn(2, network.settings.image_channels, 16, 16)
    with torch.no_grad():
        whole = network.whole_clips(frames[:, None], torch.tensor([False]))
        again = network.further(whole.features)
    torch.testing.assert_close(again.embedding, whole.embedding)
    for name, maps in whole.maps.items():
        torch.testing.assert_close(again.maps[name], maps)


def test_the_same_seed_teaches_the_same():
    _, one = taught_by()
    _, other = taught_by()
    for weight, same in zip(
        one.network.parameters(), other.network.parameters(), strict=True
    ):
        assert torch.equal(weight, same)
    assert one.after == other.after


def test_the_best_weights_are_taken_and_what_gets_worse_ends_early(monkeypatch):
    # Before the first step, then at each look.
    held_out = iter([5.0, 4.0, 6.0, 7.0, 8.0, 9.0, 9.0])
    monkeypatch.setattr(module._Run, "_loss", lambda *_: next(held_out))
    told, taught = taught_by(QUICK.model_copy(update={"steps": 6}))
    assert taught.step == 1
    learned = [step for step in told if step.stage == "learning"]
    assert len(learned) == 1 + module.LOOKS // 2


def test_what_never_gets_better_is_the_model_that_was_taught(monkeypatch):
    losses = count(1)
    monkeypatch.setattr(module._Run, "_loss", lambda *_: float(next(losses)))
    model = tiny_model(".")
    _, taught = taught_by(model=model)
    assert taught.step == 0
    assert taught.before == taught.after
    assert taught.better is False


def test_without_checks_the_last_weights_are_taken_and_nothing_is_claimed():
    _, taught = taught_by(given=lesson(checked=False))
    assert taught.step == QUICK.steps
    assert taught.better is None


def test_what_was_known_before_is_looked_at_on_simulated_cells():
    _, taught = taught_by(QUICK.model_copy(update={"replay": 0.5, "steps": 1}))
    assert all(np.isfinite(loss) for loss in taught.replay)


def outcome(before, after, replay=(1.0, 1.0)):
    network = Embedder(tiny_model(".").network.settings)
    return Taught(network, before, after, [], replay, 1)


def test_better_is_more_of_what_is_held_out_and_no_more_that_is_false():
    low, high = CheckScore(4, 2.0), CheckScore(4, 3.0)
    assert outcome(low, high).better is True
    assert outcome(high, low).better is False
    assert outcome(low, low).better is False
    assert outcome(low, CheckScore(4, 3.0, false=4)).better is False


def test_what_other_cells_may_have_lost_is_told():
    low, high = CheckScore(4, 2.0), CheckScore(4, 3.0)
    assert not outcome(low, high, (1.0, 1.2)).forgets
    assert outcome(low, high, (1.0, 1.4)).forgets
    assert outcome(low, high, (1.0, 1.4)).better is True


def test_a_loss_that_is_no_number_ends_it(monkeypatch):
    given = lesson()
    real = module.Learner._losses

    def broken(self, clip, output):
        return {n: loss * float("nan") for n, loss in real(self, clip, output).items()}

    monkeypatch.setattr(module.Learner, "_losses", broken)
    with pytest.raises(NonFiniteLossError, match="The model that was taught stays"):
        taught_by(given=given)


# The record


def record(**changes):
    facts = {
        "parent": "default",
        "parent_sha256": "0" * 64,
        "projects": ("dish.semiconv",),
        "facts": {"cells": 9},
        "before": ScoreRecord(cells=4, found=2.4),
        "after": ScoreRecord(cells=4, found=3.2),
        "settings": TeachSettings(),
        "step": 300,
        "better": True,
        "cell_size": 24.0,
        "seconds": 60.0,
        "made": "2026-01-01T00:00:00+00:00",
    }
    return TeachRecord(**{**facts, **changes})


def test_a_record_is_written_and_read(tmp_path):
    write_record(tmp_path, record(note="drug A"))
    assert read_record(tmp_path) == record(note="drug A")
    assert read_record(tmp_path / "none") is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "napari-semiconv teaching", "version": 1}', "1" * 9],
)
def test_a_damaged_record_is_refused(tmp_path, text):
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(BadModelError, match="expected the record of a teaching"):
        read_record(tmp_path)


def test_a_record_of_a_newer_release_is_named(tmp_path):
    write_record(tmp_path, record(version=2))
    with pytest.raises(BadModelError, match=r"version 2\. Update"):
        read_record(tmp_path)


def test_the_verdict_says_how_it_did():
    assert record().verdict() == (
        "Masks of 4 cells it did not see: 0.60 before, 0.80 now. It is better: keep it."
    )
    worse = record(better=False, after=ScoreRecord(cells=4, found=2.0, false=3))
    assert "false cells 0 before, 3 now. It is no better" in worse.verdict()
    assert "other kinds of cells less well" in record(forgets=True).verdict()
    assert "Nothing was held out" in record(better=None).verdict()
