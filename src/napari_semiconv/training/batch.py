"""Several clips through the network together, in the precision of the training."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from ..network.embedder import Embedder, Output
from .clips import Clip
from .settings import TrainSettings


def is_half(settings: TrainSettings, device: torch.device) -> bool:
    """Tell whether the network is trained in bfloat16.

    ``auto`` takes it where the chip multiplies it: CUDA cards from Ampere on, and
    processors with AVX-512 BF16 or AMX. Others would emulate it, slower than float32.
    """
    if settings.precision != "auto":
        return settings.precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    # Older PyTorch, 2.4 among it, cannot tell; float32 is always right.
    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def computing_in(device: torch.device, *, half: bool) -> AbstractContextManager[object]:
    """Run in bfloat16 where that is safe, or all in full precision."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def run_batch(
    network: Embedder, clips: Sequence[Clip], device: torch.device, *, half: bool
) -> list[Output]:
    """Run the network over clips of one size at once.

    Parameters
    ----------
    network
        The network, in training mode.
    clips
        Clips of equal length and size; each begins with a memory of its own or none.
    device
        Where the network is.
    half
        Whether to compute in bfloat16.

    Returns
    -------
    list
        One output of each clip, whose first axis is time: maps are (T, C, Y, X).
    """
    frames = torch.from_numpy(np.stack([clip.images for clip in clips], 1)).to(device)
    warm = torch.tensor([clip.warm for clip in clips], device=device)
    with computing_in(device, half=half):
        output = network.whole_clips(frames, warm)
    sides = frames.shape[:2]
    stacks = [_by_clip(stack, sides) for stack in output.embeddings]
    maps = {name: _by_clip(found, sides) for name, found in output.maps.items()}
    features = output.features.reshape(*sides, *output.features.shape[1:]).unbind(1)
    return [
        Output(
            tuple(stack[clip] for stack in stacks),
            {name: parts[clip] for name, parts in maps.items()},
            features[clip],
        )
        for clip in range(len(clips))
    ]


def _by_clip(maps: Tensor, sides: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Cut maps of all frames, (T B, C, Y, X), into B of (T, C, Y, X) in float32."""
    # Channels stay together in memory, where losses gather pixels. One copy and one
    # unbind: slices would each add a gradient of the whole batch.
    laid = maps.permute(0, 2, 3, 1)
    laid = laid.reshape(*sides, *laid.shape[1:]).transpose(0, 1)
    return tuple(
        clip.permute(0, 3, 1, 2) for clip in laid.float().contiguous().unbind(0)
    )
