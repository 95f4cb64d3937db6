"""Model folders: what is written is read; what is missing or altered is refused."""

import json

import pytest
import torch

from napari_semiconv.errors import BadModelError, DeviceError, SaveError
from napari_semiconv.network import weights
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.model_folder import find_model, list_models
from napari_semiconv.network.weights import load_model, save_model
from napari_semiconv.settings import NETWORK_PRESETS


@pytest.fixture
def folder(tmp_path):
    network = Embedder(NETWORK_PRESETS["tiny"])
    save_model(
        tmp_path / "mine", network, cell_size=20, description="A try.", card="# Mine"
    )
    return tmp_path / "mine"


def test_a_saved_model_gives_the_same_output(folder):
    model = load_model(folder, "cpu")
    again = load_model(folder, "cpu")
    frame = torch.randn(1, 2, 16, 16)
    one, other = model.network(frame)[0], again.network(frame)[0]
    assert torch.equal(one.embedding, other.embedding)
    assert (model.name, model.info.cell_size) == ("mine", 20)
    assert not model.network.training


def test_writing_over_a_model_replaces_it(folder):
    old = load_model(folder, "cpu").info.digest
    network = Embedder(NETWORK_PRESETS["tiny"])
    torch.nn.init.ones_(network.heads.seed.bias)
    save_model(folder, network, cell_size=20, description="", card="")
    assert load_model(folder, "cpu").info.digest != old
    assert not list(folder.glob("*.part"))


def broken_weights(folder):
    path = folder / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def foreign_weights(folder):
    other = Embedder(NETWORK_PRESETS["tiny"].model_copy(update={"embedding_size": 4}))
    info = save_model(folder.parent / "x", other, cell_size=1, description="", card="")
    (folder / "weights.safetensors").write_bytes(
        (info.folder / "weights.safetensors").read_bytes()
    )
    path = folder / "settings.json"
    header = json.loads(path.read_text()) | {"sha256": info.digest}
    path.write_text(json.dumps(header))


def newer_version(folder):
    path = folder / "settings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: (f / "weights.safetensors").unlink(), "found none. Copy the model"),
        (lambda f: (f / "settings.json").unlink(), "expected a file settings.json"),
        (lambda f: (f / "settings.json").write_text("{"), "damaged file"),
        (lambda f: (f / "settings.json").write_text("[]"), "damaged file"),
        (broken_weights, "altered or cut off"),
        (foreign_weights, "found others"),
        (newer_version, "version 99"),
    ],
)
def test_a_damaged_model_is_refused_in_one_sentence(folder, damage, says):
    damage(folder)
    with pytest.raises(BadModelError, match=says):
        load_model(folder, "cpu")


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(BadModelError, match=r"expected one of .*default"):
        load_model("no such model")


def test_the_output_folder_of_a_training_stands_for_its_model(tmp_path):
    network = Embedder(NETWORK_PRESETS["tiny"])
    run = tmp_path / "run"
    save_model(run / "model", network, cell_size=20, description="", card="")
    assert find_model(run) == run / "model"
    assert load_model(str(run), "cpu").info.cell_size == 20
    # A model folder is one itself, whatever lies in it.
    save_model(run, network, cell_size=30, description="", card="")
    assert load_model(run, "cpu").info.cell_size == 30


def test_the_default_model_is_shipped_and_small():
    info = next(m for m in list_models() if m.name == "default")
    assert (info.folder / "weights.safetensors").stat().st_size < 16e6
    assert (info.folder / "README.md").is_file()
    assert load_model("default", "cpu").network.settings == info.network


def test_a_missing_device_is_refused(folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"'cuda'.*Choose"):
        load_model(folder, "cuda")


def test_a_full_disk_keeps_the_model_that_was_there(folder, monkeypatch):
    before = (folder / "weights.safetensors").read_bytes()

    def full(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights, "file_digest", full)
    with pytest.raises(SaveError, match="Free some space"):
        save_model(
            folder,
            Embedder(NETWORK_PRESETS["tiny"]),
            cell_size=1,
            description="",
            card="",
        )
    assert (folder / "weights.safetensors").read_bytes() == before
    assert not list(folder.glob("*.part"))
