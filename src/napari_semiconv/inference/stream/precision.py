"""Numbers that the network computes with, and how they reach its device and return."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import DeviceError
from ...settings import PrecisionName

Floats = NDArray[np.float32]
# Compute capability of the first CUDA cards that multiply bfloat16.
AMPERE = (8, 0)


def is_half(precision: PrecisionName, device: torch.device) -> bool:
    """Tell whether the network computes in bfloat16.

    Parameters
    ----------
    precision
        What was chosen; ``auto`` takes bfloat16 on CUDA cards that were built for it.
    device
        Where the network runs.

    Raises
    ------
    DeviceError
        When bfloat16 was chosen for a device that has none.
    """
    if precision == "float32":
        return False
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= AMPERE:
        return True
    there = device.type != "cuda" and torch.amp.is_autocast_available(device.type)
    if precision == "bfloat16" and not there:
        raise DeviceError(
            f"Device '{device.type}': expected one that computes in bfloat16, found "
            f"one that does not. Choose the precision float32."
        )
    return precision == "bfloat16"


def computing_in(device: torch.device, *, half: bool) -> AbstractContextManager[object]:
    """Run convolutions in bfloat16, or all in float32 that is not rounded to TF32.

    Weights stay as they are: PyTorch rounds them as it goes.
    """
    if half:
        return torch.autocast(device.type, torch.bfloat16)
    if device.type != "cuda":
        return nullcontext()
    now = torch.backends.cudnn
    found: AbstractContextManager[object] = now.flags(
        enabled=now.enabled,
        benchmark=now.benchmark,
        deterministic=now.deterministic,
        allow_tf32=False,
    )
    return found


def laid_out(tensor: Tensor) -> Tensor:
    """Put the channels of a pixel together where that is faster: CUDA and the CPU."""
    if tensor.device.type not in ("cuda", "cpu") or tensor.dim() != 4:
        return tensor
    return tensor.contiguous(memory_format=torch.channels_last)


def to_device(planes: Floats, device: torch.device) -> Tensor:
    """Bring a frame, (C, Y, X), to the device, (1, C, Y, X)."""
    tensor = torch.from_numpy(planes)[None]
    if device.type != "cuda":
        return laid_out(tensor.to(device))
    # From pinned memory the card copies while the program goes on.
    return laid_out(tensor.pin_memory().to(device, non_blocking=True))


def to_host(maps: Mapping[str, Tensor]) -> dict[str, Floats]:
    """Bring maps, each (1, C, Y, X), to main memory, each (C, Y, X), in C order."""
    found = {name: _copy(tensor[0].contiguous()) for name, tensor in maps.items()}
    for tensor in maps.values():
        if tensor.is_cuda:
            torch.cuda.current_stream(tensor.device).synchronize()
            break
    return {name: tensor.numpy() for name, tensor in found.items()}


def _copy(tensor: Tensor) -> Tensor:
    if not tensor.is_cuda:
        return tensor.cpu()
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)
