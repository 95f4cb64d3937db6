"""Several clips through the network together, in the precision of the training."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from ..network.embedder import Embedder, Output, State
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
    images = torch.from_numpy(np.stack([clip.images for clip in clips], 1)).to(device)
    frames = [
        frame.contiguous(memory_format=torch.channels_last) for frame in images
    ]  # T of (B, C, Y, X)
    warm = torch.tensor([clip.warm for clip in clips], device=device)
    with computing_in(device, half=half):
        state = _warmed(network, frames, warm) if bool(warm.any()) else None
        outputs = []
        for frame in frames:
            output, state = network(frame, state)
            outputs.append(output)
    return _by_clip(outputs, len(clips))


@torch.no_grad()
def _warmed(network: Embedder, frames: Sequence[Tensor], warm: Tensor) -> State:
    """State after the reverse of the clips that begin warm; zero for the others."""
    state: State | None = None
    for frame in reversed(frames):
        state = network.remember(frame[warm], state)
    assert state is not None  # clips have frames
    whole = []
    for part in state:
        if not part.numel():  # a level without memory
            whole.append(part)
            continue
        full = torch.zeros(
            (len(warm), *part.shape[1:]), dtype=part.dtype, device=part.device
        ).contiguous(memory_format=torch.channels_last)
        full[warm] = part
        whole.append(full)
    return whole


def _by_clip(outputs: Sequence[Output], clips: int) -> list[Output]:
    """Turn an output of each frame, over clips, into one of each clip, over frames."""
    stacks = [
        _across(frames)
        for frames in zip(*(output.embeddings for output in outputs), strict=True)
    ]
    maps = {
        name: _across([output.maps[name] for output in outputs])
        for name in outputs[0].maps
    }
    features = _across([output.features for output in outputs])
    return [
        Output(
            tuple(stack[clip] for stack in stacks),
            {name: parts[clip] for name, parts in maps.items()},
            features[clip],
        )
        for clip in range(clips)
    ]


def _across(maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """T maps of (B, C, Y, X) as B maps of (T, C, Y, X), in full precision."""
    # Channels stay together in memory, where losses gather pixels. One stack and one
    # unbind: slices would each add a gradient of the whole batch.
    laid = torch.stack([frame.float().permute(0, 2, 3, 1) for frame in maps], 1)
    return tuple(clip.permute(0, 3, 1, 2) for clip in laid.unbind(0))
