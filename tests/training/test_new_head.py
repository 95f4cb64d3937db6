"""A head is added by one file: built, trained, frozen, stored and read again."""

import copy

import pytest
import torch

from napari_semiconv.network.heads import HEADS, Head
from napari_semiconv.network.weights import load_model, save_model
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training.loop import TrainingRun
from napari_semiconv.training.settings import TrainSettings

QUICK = TrainSettings(
    preset="tiny", steps=2, frames=2, crop=32, cell_size=12, simulated=0,
    held_out=0, workers=0, device="cpu",
)  # fmt: skip


class Rim(Head):
    """How near a pixel is to the rim of its cell: a head as somebody would add it."""

    name = "rim"

    def channels(self, settings):
        return 1 if settings.offsets else 2

    def read(self, maps):
        return maps.sigmoid()

    def losses(self, example):
        inside = (example.labels > 0).float()[:, None]
        return {"rim": (example.maps["rim"].sigmoid() - inside).square().mean()}


@pytest.fixture
def rim(monkeypatch):
    """The settings of a network that has that head."""
    monkeypatch.setitem(HEADS, "rim", Rim())
    return NETWORK_PRESETS["tiny"].model_copy(update={"further_heads": ("rim",)})


@pytest.fixture
def run(rim, annotated, tmp_path, monkeypatch):
    monkeypatch.setitem(NETWORK_PRESETS, "tiny", rim)
    return TrainingRun([annotated], tmp_path, QUICK, resume=False)


def test_a_new_head_is_built_trained_saved_and_loaded(run, tmp_path):
    before = copy.deepcopy(run.learner.network.heads.rim.state_dict())
    first, second = (run.learn([run.clips.draw(step)]) for step in range(2))
    assert first["rim"] == pytest.approx(0.25, abs=0.01)  # it begins at one half
    assert second.keys() == first.keys()
    after = run.learner.network.heads.rim.state_dict()
    assert all(not torch.equal(before[key], after[key]) for key in before)
    save_model(
        tmp_path / "mine", run.learner.network, cell_size=12, description="", card=""
    )
    again = load_model(tmp_path / "mine", "cpu").network
    frame = torch.randn(1, 2, 16, 16)
    run.learner.network.eval()
    with torch.no_grad():
        one, other = run.learner.network(frame)[0], again(frame)[0]
    # Channels lie together in the one and apart in the other: sums differ in order.
    torch.testing.assert_close(one.maps["rim"], other.maps["rim"])
    assert one.maps["rim"].shape == (1, 1, 16, 16)


def test_one_head_is_taught_while_all_others_stay_as_they_are(run):
    run.learner.network.requires_grad_(False)
    run.learner.network.heads.rim.requires_grad_(True)
    before = copy.deepcopy(run.learner.network.state_dict())
    run.learn([run.clips.draw(0)])
    after = run.learner.network.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"heads.rim.weight", "heads.rim.bias"}
