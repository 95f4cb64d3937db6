"""Ways to run a network over frame after frame, to be timed against the plain one."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_semiconv.inference.stream.precision import is_half
from napari_semiconv.network.embedder import Embedder, State

FLOATS = 2  # a multiplication and an addition
# Takes the state after the frame before and gives the new one.
Step = Callable[[State | None], State]


@dataclass(frozen=True)
class Way:
    """One way to run a network.

    Parameters
    ----------
    name
        What it is called in the table.
    make
        Makes a step from a network and a frame, both on the device.
    half
        Whether convolutions are in bfloat16.
    warm_up
        Frames before the first that is timed.
    """

    name: str
    make: Callable[[Embedder, Tensor], Step]
    half: bool = False
    warm_up: int = 1


def ways_for(device: torch.device, *, compiled: bool) -> list[Way]:
    """List the ways that a device knows; the first is what all are held against."""
    ways = [Way("float32", eager), Way("channels-last", channels_last)]
    if torch.amp.is_autocast_available(device.type):
        ways.append(Way("bfloat16", eager, half=True))
        ways.append(Way("bfloat16, channels-last", channels_last, half=True))
    if compiled:
        half = is_half("auto", device)
        ways.append(Way("compiled", compiled_step, half, warm_up=4))
    if device.type == "cuda":
        ways.append(Way("bfloat16, graph", graph, half=True))
    return ways


def eager(network: Embedder, frame: Tensor) -> Step:
    """Run the network as it is."""

    def step(state: State | None) -> State:
        _, fresh = network(frame, state)
        return [level.float() for level in fresh]

    return step


def channels_last(network: Embedder, frame: Tensor) -> Step:
    """Keep the channels of a pixel together."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return eager(network, frame.contiguous(memory_format=torch.channels_last))


def compiled_step(network: Embedder, frame: Tensor) -> Step:
    """Let PyTorch compile the network for frames of this size."""
    network.compile(dynamic=False)
    return eager(network, frame)


def graph(network: Embedder, frame: Tensor) -> Step:
    """Record all kernels of a frame once as a CUDA graph, and replay them."""
    run = channels_last(network, frame)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        state = run(None)
        for _ in range(2):
            state = run(state)
    torch.cuda.current_stream().wait_stream(side)
    kept = [level.clone() for level in state]
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded):
        fresh = run(kept)

    def step(_: State | None) -> State:
        recorded.replay()
        # What is remembered lies where the graph reads it.
        for old, new in zip(kept, fresh, strict=True):
            old.copy_(new)
        return kept

    return step
