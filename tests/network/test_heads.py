"""Heads: refusals, channels, and models stored before each had a layer of its own."""

import pytest
import torch
from safetensors.torch import load_file

from napari_semiconv.errors import BadSettingsError
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.heads import HEADS, register
from napari_semiconv.network.model_folder import find_model
from napari_semiconv.network.weights import load_model
from napari_semiconv.settings import NETWORK_PRESETS

TINY = NETWORK_PRESETS["tiny"]
# Sums over the maps of the default model, computed when its heads were one layer.
SUMS = {
    "offset": 1434430.674814565,
    "motion": 1445856.1152682249,
    "seed": 33679.456740119924,
    "foreground": 39938.94627133946,
}


def test_a_head_that_nobody_knows_is_refused():
    with pytest.raises(
        BadSettingsError, match=r"expected some of .*, found 'nonsense'"
    ):
        Embedder(TINY.model_copy(update={"further_heads": ("nonsense",)}))


def test_two_heads_of_one_name_are_refused():
    with pytest.raises(ValueError, match="found 'seed' again"):
        register(HEADS["seed"])


@pytest.mark.parametrize("settings", [TINY, NETWORK_PRESETS["compact"]])
def test_every_head_has_as_many_channels_as_it_says(settings):
    settings = settings.model_copy(update={"bandwidth": "cell"})
    output, _ = Embedder(settings)(torch.zeros(1, 2, 16, 16))
    found = {"embedding": output.embedding, **output.maps}
    assert found.keys() == HEADS.keys()
    for name, head in HEADS.items():
        assert found[name].shape == (1, head.channels(settings), 16, 16)
        assert head.read(found[name]).shape == found[name].shape


def test_weights_of_heads_that_shared_one_tensor_are_read_as_they_were():
    stored = load_file(find_model("default") / "weights.safetensors")
    heads = load_model("default", "cpu").network.heads
    names = ("offset", "motion", "seed", "foreground")
    for kind in ("weight", "bias"):
        found = torch.cat([getattr(heads.layer(name), kind) for name in names])
        assert torch.equal(found, stored[f"heads.out.{kind}"])


def test_the_default_model_says_what_it_has_always_said():
    torch.manual_seed(3)
    frame = torch.randn(1, 2, 160, 192)
    with torch.inference_mode():
        output, _ = load_model("default", "cpu").network(frame)
    found = {n: maps.double().abs().sum().item() for n, maps in output.maps.items()}
    assert found == pytest.approx(SUMS, rel=1e-4)
