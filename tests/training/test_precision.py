"""The same answers in half precision and compiled; one clip can be learned whole."""

import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.movie import movie_from_array
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.frames import normalise
from napari_semiconv.network.model_folder import ModelInfo
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.settings import NETWORK_PRESETS, SegmentSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate
from napari_semiconv.tracking.measures.instances import InstanceTally
from napari_semiconv.tracking.measures.matching import measure_overlaps
from napari_semiconv.training.clips import Clip
from napari_semiconv.training.objective import clip_losses
from napari_semiconv.training.settings import TrainSettings

SETTINGS = TrainSettings(preset="tiny", frames=3, crop=64, cell_size=16, device="cpu")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def movie():
    settings = SyntheticSettings(frames=3, height=64, width=64, cells=6, diameter=16)
    return simulate(settings, 10)  # one without slivers of cells at the edge


@pytest.fixture(scope="module")
def clip(movie):
    images = np.stack([normalise(i.astype(np.float32), 2, 16) for i in movie.images])
    parents = {int(row[0]): int(row[3]) for row in movie.table if row[3]}
    return Clip(images, movie.labels.astype(np.int64), parents, "movie", warm=False)


def frames_of(clip):
    return torch.from_numpy(clip.images)


def maps(network, frames):
    """Unit embedding and foreground of a clip, carried from frame to frame."""
    state, found = None, []
    with torch.no_grad():
        for frame in frames:
            output, state = network(frame[None], state)
            unit = F.normalize(output.embedding.float(), dim=1, eps=1e-4)
            found.append((unit, output.maps["foreground"].float().sigmoid()))
    return [torch.cat(each) for each in zip(*found, strict=True)]


def test_half_precision_gives_nearly_the_same_maps(clip):
    network = load_model("default", "cpu").network
    unit, foreground = maps(network, frames_of(clip))
    with torch.autocast("cpu", torch.bfloat16):
        near_unit, near_foreground = maps(network, frames_of(clip))
    assert (unit * near_unit).sum(1).mean() > 0.99  # cosine of the two embeddings
    assert (foreground - near_foreground).abs().mean() < 0.02


def test_half_precision_gives_nearly_the_same_losses(clip):
    network = load_model("default", "cpu").network
    with torch.no_grad():
        whole = clip_losses(network, clip, SETTINGS, CPU)
        settings = SETTINGS.model_copy(update={"precision": "bfloat16"})
        half = clip_losses(network, clip, settings, CPU)
    assert whole.keys() == half.keys()
    for name, value in whole.items():
        assert float(half[name]) == pytest.approx(float(value), rel=0.05, abs=0.02), (
            name
        )


def gradients(network, clip, settings):
    """Gradient of the sum of all losses for each weight that has one."""
    network.zero_grad()
    losses = clip_losses(network, clip, settings, CPU)
    assert all(loss.dtype == torch.float32 for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    return {
        k: w.grad.clone() for k, w in network.named_parameters() if w.grad is not None
    }


@pytest.mark.parametrize(
    "choice", [{}, {"pull": "cos2", "background": "mean"}, {"cell_loss": "lovasz"}]
)
def test_half_precision_gives_nearly_the_same_gradients(clip, choice):
    network = load_model("default", "cpu").network
    whole, half = (
        gradients(network, clip, SETTINGS.model_copy(update={"precision": p, **choice}))
        for p in ("float32", "bfloat16")
    )
    assert whole.keys() == half.keys()
    one, other = (torch.cat([g.flatten() for g in f.values()]) for f in (whole, half))
    assert torch.isfinite(other).all()
    assert F.cosine_similarity(one, other, dim=0) > 0.98
    assert (other.norm() / one.norm()).item() == pytest.approx(1, abs=0.1)


def test_losses_of_the_same_maps_do_not_lose_precision(clip):
    """Inside autocast, the losses themselves are worked out in float32."""
    network = load_model("default", "cpu").network
    half = SETTINGS.model_copy(update={"precision": "bfloat16"})
    with torch.no_grad():
        alone = clip_losses(network, clip, half, CPU)
        with torch.autocast("cpu", torch.bfloat16):
            within = clip_losses(network, clip, half, CPU)
    assert {k: v.item() for k, v in alone.items()} == {
        k: v.item() for k, v in within.items()
    }


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of PyTorch's own
@pytest.mark.parametrize(
    "backend", ["eager", pytest.param("inductor", marks=pytest.mark.slow)]
)
def test_a_compiled_network_gives_the_same_maps(clip, backend):
    if backend == "inductor" and not shutil.which("c++"):
        pytest.skip("compiling for the processor needs a C++ compiler")
    torch.manual_seed(0)
    network = Embedder(NETWORK_PRESETS["tiny"]).eval()
    compiled = torch.compile(network, backend=backend, fullgraph=True)
    for plain, fast in zip(
        maps(network, frames_of(clip)), maps(compiled, frames_of(clip)), strict=True
    ):
        torch.testing.assert_close(plain, fast, rtol=1e-3, atol=1e-4)


def learn(clip, steps):
    """Train a small network on one clip; return it and its loss after each step."""
    torch.manual_seed(0)
    network = Embedder(NETWORK_PRESETS["tiny"])
    optimiser = torch.optim.AdamW(network.parameters())
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 8e-3, total_steps=steps)
    totals = []
    for _ in range(steps):
        total = sum(clip_losses(network, clip, SETTINGS, CPU).values())
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        rate.step()
        totals.append(float(total.detach()))
    return network.eval(), totals


def score(network, movie, folder):
    """Segment the movie and return SEG."""
    info = ModelInfo("learned", folder, network.settings, 16.0, "", "")
    settings = SegmentSettings(cell_size=16, memory_span=0)
    results = segment_and_track(
        movie_from_array(movie.images, "TYX"), Model(info, network), settings
    )
    tally = InstanceTally()
    for result, truth in zip(results, movie.labels, strict=True):
        tally.add(measure_overlaps(truth, result.labels))
    return tally.seg


def test_a_clip_begins_to_be_learned(clip):
    _, totals = learn(clip, 20)
    assert totals[-1] < 0.8 * totals[0]


@pytest.mark.slow
def test_a_clip_can_be_learned_whole(clip, movie, tmp_path):
    network, _ = learn(clip, 400)
    assert score(network, movie, tmp_path) > 0.95
