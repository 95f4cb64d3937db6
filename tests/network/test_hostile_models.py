"""Model folders as somebody might make them to do harm: one sentence, at once."""

import json
import os
import time
import tracemalloc

import pytest
import torch
from safetensors.torch import save_file

from napari_semiconv.errors import BadModelError
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.model_folder import file_digest, read_info
from napari_semiconv.network.weights import load_model, save_model
from napari_semiconv.settings import NETWORK_PRESETS, NetworkSettings

SECONDS = 5  # of a busy machine; on a free one it is much less than one


@pytest.fixture
def folder(tmp_path):
    network = Embedder(NETWORK_PRESETS["tiny"])
    save_model(tmp_path / "m", network, cell_size=20, description="", card="")
    return tmp_path / "m"


def settings(folder, **values):
    path = folder / "settings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def network(folder, **values):
    known = json.loads((folder / "settings.json").read_text())["network"]
    settings(folder, network=known | values)


def weights(folder, tensors):
    path = folder / "weights.safetensors"
    save_file(tensors, path)
    settings(folder, sha256=file_digest(path))


def with_all(change):
    """Change all weights of the model."""

    def spoil(folder):
        tensors = Embedder(NETWORK_PRESETS["tiny"]).state_dict()
        weights(folder, {name: change(values) for name, values in tensors.items()})

    return spoil


def endless(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)


def device(folder, name):
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")


HOSTILE = {
    "many channels": lambda f: network(f, channels=[10**6] * 3),
    "large channels": lambda f: network(f, channels=[1024] * 10, stacks=4),
    "many levels": lambda f: network(f, channels=[1] * 10**5),
    "many stacks": lambda f: network(f, stacks=10**6),
    "a large embedding": lambda f: network(f, embedding_size=10**9),
    "many image channels": lambda f: network(f, image_channels=10**9),
    "many heads": lambda f: network(f, further_heads=["motion"] * 10**5),
    "a head that nobody knows": lambda f: network(f, further_heads=["nose"]),
    "a head twice": lambda f: network(f, further_heads=["seed"]),
    "offsets of no size": lambda f: network(f, offset_scale=float("nan")),
    "offsets without end": lambda f: network(f, offset_scale=float("inf")),
    "a large region": lambda f: network(f, region={"hidden": 10**9}),
    "no cell size": lambda f: settings(f, cell_size=0),
    "a negative cell size": lambda f: settings(f, cell_size=-3),
    "a cell size that is none": lambda f: settings(f, cell_size=float("nan")),
    "a cell size without end": lambda f: settings(f, cell_size=float("inf")),
    "a taught size that is none": lambda f: settings(f, taught_size=float("nan")),
    "settings on many levels": lambda f: (f / "settings.json").write_text("[" * 10**6),
    "long settings": lambda f: settings(f, description="x" * 2**21),
    "settings from a pipe": lambda f: endless(f, "settings.json"),
    "settings from a device": lambda f: device(f, "settings.json"),
    "weights from a pipe": lambda f: endless(f, "weights.safetensors"),
    "weights from a device": lambda f: device(f, "weights.safetensors"),
    "whole numbers": with_all(lambda w: w.to(torch.int32)),
    "weights that are no numbers": with_all(lambda w: w * float("nan")),
    "weights of another shape": with_all(lambda w: w[None].contiguous()),
    "many tensors": lambda f: weights(
        f, {f"part{n}": torch.zeros(0) for n in range(30_000)}
    ),
    "too many weights": lambda f: os.truncate(f / "weights.safetensors", 2**31),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused_in_one_sentence(folder, name):
    HOSTILE[name](folder)
    begin = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(BadModelError) as caught:
            load_model(folder, "cpu")
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()
    assert time.monotonic() - begin < SECONDS
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_memory_is_taken_for_a_network_whose_weights_are_not_there(
    folder, monkeypatch
):
    """Its weights would have 15 GB."""
    network(folder, channels=[1024] * 10, stacks=4)
    made = []
    whole = Embedder.__init__

    def noted(self, given):
        whole(self, given)
        made.append({p.device.type for p in self.parameters()})

    monkeypatch.setattr(Embedder, "__init__", noted)
    with pytest.raises(BadModelError):
        load_model(folder, "cpu")
    assert made == [{"meta"}]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_read(folder, kind):
    with_all(lambda w: w.to(kind))(folder)
    assert load_model(folder, "cpu").network.settings == read_info(folder).network


def test_all_presets_are_within_the_limits():
    for preset in NETWORK_PRESETS.values():
        assert NetworkSettings.model_validate(preset.model_dump()) == preset
