"""The memory between frames: carried, noted, forgotten and taken up again."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_semiconv.errors import BadModelError
from napari_semiconv.inference.stream.precision import laid_out
from napari_semiconv.inference.stream.stream import Stream
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.frames import finite, normalise, without_hot_pixels
from napari_semiconv.network.model_folder import ModelInfo
from napari_semiconv.network.weights import Model
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


def channels_together(network):
    """Run it as a stream does: how channels lie in memory orders the sums."""

    def run(frame, state):
        return network(laid_out(frame), state and [laid_out(s) for s in state])

    return run


@pytest.mark.parametrize("memory", ["gru", "lstm", "none"])
def test_frame_by_frame_equals_the_whole_clip_of_training(tmp_path, frames, memory):
    model = model_of(tmp_path, memory)
    planes = np.stack(
        [normalise(without_hot_pixels(finite(frame)), 2, 24) for frame in frames]
    )
    with torch.no_grad():
        network = channels_together(model.network)
        clip = run_clip(network, torch.from_numpy(planes), warm=False)
    for output, streamed in zip(clip, maps(Stream(model, 24), frames), strict=True):
        unit = F.normalize(output.embedding, dim=1, eps=1e-4)[0].numpy()
        assert np.array_equal(unit, streamed)


def test_the_memory_of_another_model_is_refused(tmp_path, frames):
    stream = Stream(model_of(tmp_path), 24)
    maps(stream, frames[:1])
    with pytest.raises(BadModelError, match="found that of other weights"):
        Stream(model_of(tmp_path, digest="b"), 24).restore(stream.snapshot())
