"""The memory between frames: carried, forgotten, kept on disk and taken up again."""

import errno

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_semiconv.errors import BadModelError, SaveError
from napari_semiconv.inference import state
from napari_semiconv.inference.state import load_state, save_state
from napari_semiconv.inference.stream import Stream
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.frames import finite, normalise, without_hot_pixels
from napari_semiconv.network.weights import Model, ModelInfo
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training.objective import run_clip

TINY = NETWORK_PRESETS["tiny"]


def model_of(folder, memory="gru", digest="a"):
    torch.manual_seed(0)
    settings = TINY.model_copy(update={"memory": memory, "memory_from": 0})
    network = Embedder(settings).eval()
    return Model(ModelInfo("random", folder, settings, 24.0, "", digest), network)


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 200, (5, 144, 160)).astype(np.uint16)


def maps(stream, frames):
    return [stream.push(frame).embedding for frame in frames]


@pytest.mark.parametrize("span", [0, 1, 4])
@pytest.mark.parametrize("memory", ["gru", "lstm", "none"])
def test_going_on_from_disk_is_bit_equal(tmp_path, frames, memory, span):
    model = model_of(tmp_path, memory)
    whole = maps(Stream(model, 24, span), frames)
    first, second = Stream(model, 24, span), Stream(model, 24, span)
    maps(first, frames[:3])
    save_state(tmp_path / "state", first.snapshot())
    second.restore(load_state(tmp_path / "state"))
    again = maps(second, frames[3:])
    assert all(np.array_equal(a, b) for a, b in zip(whole[3:], again, strict=True))


def test_a_snapshot_does_not_follow_the_stream(tmp_path, frames):
    stream = Stream(model_of(tmp_path), 24)
    maps(stream, frames[:2])
    noted = stream.snapshot()
    later = maps(stream, frames[2:4])
    stream.restore(noted)
    again = maps(stream, frames[2:4])
    assert all(np.array_equal(a, b) for a, b in zip(later, again, strict=True))


def test_forgetting_all_begins_anew(tmp_path, frames):
    model = model_of(tmp_path)
    stream = Stream(model, 24)
    maps(stream, frames[:3])
    remembered = stream.snapshot()
    stream.restore(None)
    fresh = stream.push(frames[3]).embedding
    assert np.array_equal(fresh, Stream(model, 24).push(frames[3]).embedding)
    stream.restore(remembered)
    assert not np.array_equal(fresh, stream.push(frames[3]).embedding)


@pytest.mark.parametrize("memory", ["gru", "lstm", "none"])
def test_frame_by_frame_equals_the_whole_clip_of_training(tmp_path, frames, memory):
    model = model_of(tmp_path, memory)
    planes = np.stack(
        [normalise(without_hot_pixels(finite(frame)), 2, 24) for frame in frames]
    )
    with torch.no_grad():
        clip = run_clip(model.network, torch.from_numpy(planes), warm=False)
    for output, streamed in zip(clip, maps(Stream(model, 24), frames), strict=True):
        unit = F.normalize(output.embedding, dim=1, eps=1e-4)[0].numpy()
        assert np.array_equal(unit, streamed)


def test_the_memory_of_another_model_is_refused(tmp_path, frames):
    stream = Stream(model_of(tmp_path), 24)
    maps(stream, frames[:1])
    with pytest.raises(BadModelError, match="found that of other weights"):
        Stream(model_of(tmp_path, digest="b"), 24).restore(stream.snapshot())


def test_a_damaged_or_missing_memory_is_told(tmp_path, frames):
    path = tmp_path / "state"
    with pytest.raises(BadModelError, match="missing or damaged"):
        load_state(path)
    stream = Stream(model_of(tmp_path), 24)
    maps(stream, frames[:1])
    save_state(path, stream.snapshot())
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(BadModelError, match="missing or damaged"):
        load_state(path)


def test_a_full_disk_keeps_the_memory_before(tmp_path, frames, monkeypatch):
    path = tmp_path / "state"
    stream = Stream(model_of(tmp_path), 24)
    save_state(path, stream.snapshot())
    before = path.read_bytes()

    def full(tensors, draft, facts):
        draft.write_bytes(b"half of")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(state, "save_file", full)
    maps(stream, frames[:1])
    with pytest.raises(SaveError, match="No space left"):
        save_state(path, stream.snapshot())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
