"""Clips in a batch say and teach what each says and teaches alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_semiconv.network.embedder import Embedder
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training.batch import is_half, run_batch
from napari_semiconv.training.clips import Clip
from napari_semiconv.training.objective import losses_of, run_clip
from napari_semiconv.training.settings import TrainSettings

CPU = torch.device("cpu")
# Computed with 64 bits, as the order of sums differs; outputs are rounded to 32.
ROUNDED = {"rtol": 2**-22, "atol": 1e-9}
SETTINGS = TrainSettings(preset="tiny", frames=3, crop=32, cell_size=12)
SHAPES = {
    "gru": NETWORK_PRESETS["tiny"],
    "lstm": NETWORK_PRESETS["tiny"].model_copy(update={"memory": "lstm"}),
    "none": NETWORK_PRESETS["tiny"].model_copy(update={"memory": "none"}),
    "two stacks": NETWORK_PRESETS["tiny"].model_copy(update={"stacks": 2}),
}


def clip_of(seed, *, warm):
    rng = np.random.default_rng(seed)
    labels = np.zeros((3, 32, 32), np.int64)
    for label, (y, x) in enumerate(rng.integers(0, 20, (3, 2)), 1):
        labels[:, y : y + 9, x : x + 9] = label
    images = rng.normal(0, 1, (3, 2, 32, 32)).astype(np.float32)
    return Clip(images, labels, {}, f"clip {seed}", warm=warm)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("warm", [(False,) * 3, (True, False, True)], ids=str)
def test_a_batch_says_what_each_clip_says_alone(shape, warm):
    if shape.stacks > 1 and any(warm):
        pytest.skip("a second stack is warmed by what the first says forwards")
    torch.manual_seed(0)
    network = Embedder(shape).double()
    for weight in network.parameters():  # gates that begin at zero would hide much
        weight.data += 0.05 * torch.randn_like(weight)
    clips = [clip_of(seed, warm=known) for seed, known in enumerate(warm)]
    clips = [replace(clip, images=clip.images.astype(np.float64)) for clip in clips]
    together = run_batch(network, clips, CPU, half=False)
    for clip, found in zip(clips, together, strict=True):
        alone = run_clip(network, torch.from_numpy(clip.images), warm=clip.warm)
        for name, maps in found.maps.items():
            wanted = torch.cat([output.maps[name] for output in alone])
            torch.testing.assert_close(maps, wanted.float(), **ROUNDED)
        for stack, embedding in enumerate(found.embeddings):
            wanted = torch.cat([output.embeddings[stack] for output in alone])
            torch.testing.assert_close(embedding, wanted.float(), **ROUNDED)


def gradients(network, losses):
    network.zero_grad()
    torch.stack(losses).sum().backward()
    return [w.grad.clone() for w in network.parameters() if w.grad is not None]


def test_a_batch_has_the_gradient_of_its_clips():
    torch.manual_seed(0)
    network = Embedder(NETWORK_PRESETS["tiny"])
    clips = [clip_of(seed, warm=bool(seed)) for seed in range(2)]

    def total(outputs, clip):
        return sum(losses_of(network, outputs, clip, SETTINGS, CPU).values())

    together = run_batch(network, clips, CPU, half=False)
    batch = gradients(
        network, [total([out], clip) for out, clip in zip(together, clips, strict=True)]
    )
    alone = gradients(
        network,
        [
            total(run_clip(network, torch.from_numpy(c.images), warm=c.warm), c)
            for c in clips
        ],
    )
    assert len(batch) == len(alone)
    for one, other in zip(batch, alone, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_the_gradient_of_the_norm_is_the_same_in_half_precision():
    """In bfloat16 the norm takes a way of its own back."""
    torch.manual_seed(0)
    network = Embedder(NETWORK_PRESETS["tiny"])
    clips = [clip_of(seed, warm=False) for seed in range(2)]
    found = []
    for half in (False, True):
        outputs = run_batch(network, clips, CPU, half=half)
        found.append(gradients(network, [out.maps["seed"].mean() for out in outputs]))
    for whole, near in zip(*found, strict=True):
        if whole.norm() > 1e-4:
            assert (whole - near).norm() < 0.1 * whole.norm()


def test_bfloat16_is_a_choice_or_that_of_the_chip():
    chosen = [
        is_half(SETTINGS.model_copy(update={"precision": name}), CPU)
        for name in ("float32", "bfloat16", "auto")
    ]
    tell = getattr(torch.cpu, "get_capabilities", dict)
    assert chosen == [False, True, bool(tell().get("avx512_bf16", False))]


def test_where_pytorch_cannot_tell_it_is_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not is_half(SETTINGS.model_copy(update={"precision": "auto"}), CPU)
