"""Small steps that give the same numbers on every device, whatever the order of sums.

Atomic additions on a card come in any order, so sums over cells are sums of integers;
everything else is done element by element, ties going to the lower index. Functions
whose last digit differs between libraries (exp, log, hypot) and sums of fractions are
left to the few numbers that the host sees.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..stream.stream import FrameOutput

FINE = 1 << 12  # steps per unit in which embeddings, seeds and lengths are added up


@dataclass(frozen=True)
class Planes:
    """What the network predicts for a frame, as tensors on one device.

    Parameters
    ----------
    inside
        Foreground, (Y, X), bool.
    offset
        From the pixel to its cell's centre, (2, Y, X), px.
    seed
        How near the vote falls to the centre, (Y, X).
    embedding
        Unit cosine embedding, (D, Y, X).
    cell_size
        Diameter of a usual cell, px.
    """

    inside: Tensor
    offset: Tensor
    seed: Tensor
    embedding: Tensor
    cell_size: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, px."""
        height, width = self.inside.shape
        return height, width


def to_tensors(
    output: FrameOutput, inside: NDArray[np.bool_], device: torch.device
) -> Planes:
    """Bring the maps that the votes engine reads to a device.

    The CPU reads the memory of the arrays. For another device the offsets, seeds,
    embeddings and the foreground are packed into one array, (D + 4, Y, X), float32,
    and go there in one transfer.

    Parameters
    ----------
    output
        What the network predicts for the frame, with the semi-convolutional heads.
    inside
        Foreground, (Y, X).
    device
        Where to work.
    """
    assert output.offset is not None
    assert output.seed is not None
    if device.type == "cpu":
        return Planes(
            tensor_of(inside),
            tensor_of(output.offset),
            tensor_of(output.seed),
            tensor_of(output.embedding),
            output.cell_size,
        )
    return unpack(tensor_of(pack(output, inside)).to(device), output.cell_size)


def pack(output: FrameOutput, inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Put all maps that the engine reads into one array, (D + 4, Y, X)."""
    assert output.offset is not None
    assert output.seed is not None
    planes = [output.offset, output.seed[None], inside[None], output.embedding]
    packed: NDArray[np.float32] = np.concatenate(planes, dtype=np.float32)
    return packed


def unpack(packed: Tensor, cell_size: float) -> Planes:
    """Tell the maps of one array apart again; see `pack`."""
    return Planes(packed[3] > 0, packed[:2], packed[2], packed[4:], cell_size)


def tensor_of(array: NDArray[np.generic]) -> Tensor:
    """See an array as a tensor; only one that may not be written to is copied."""
    return torch.from_numpy(np.require(array, requirements=("C", "W")))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let the CPU work with one thread for a while.

    The steps are too short to be worth sharing: threads that wait for one another at
    the end of each, on cores that are busy otherwise, made the engine ten times slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def total(where: Tensor, values: Tensor, count: int) -> Tensor:
    """Add up integers, (P,), by place, (P,): (count,), int64."""
    sums = torch.zeros(count, dtype=torch.int64, device=where.device)
    return sums.index_add_(0, where, values.to(torch.int64))


def tally(where: Tensor, count: int) -> Tensor:
    """Count how often each place occurs: (count,), int64."""
    return torch.bincount(where, minlength=count)


def highest(where: Tensor, values: Tensor, count: int, least: float) -> Tensor:
    """Find the highest value of each place, (count,), no lower than ``least``."""
    top = torch.full((count,), least, dtype=values.dtype, device=where.device)
    return top.scatter_reduce_(0, where, values, "amax")


def lowest(where: Tensor, values: Tensor, count: int, most: int) -> Tensor:
    """Find the lowest value of each place, (count,), no higher than ``most``."""
    low = torch.full((count,), most, dtype=values.dtype, device=where.device)
    return low.scatter_reduce_(0, where, values, "amin")


def fixed(values: Tensor) -> Tensor:
    """Turn fractions into integers, `FINE` steps per unit."""
    return (values * FINE).round().to(torch.int64)


def places(chosen: Tensor) -> Tensor:
    """List the flat indices at which a mask is true, rising, (P,), int64."""
    if chosen.device.type == "cpu":  # the same list, found eight times faster
        return torch.from_numpy(np.flatnonzero(chosen.numpy()))
    return chosen.flatten().nonzero()[:, 0]


def rest(pointers: Tensor) -> Tensor:
    """Follow pointers, (n,), until each leads to one that points at itself."""
    while True:
        further = pointers.index_select(0, pointers)
        if torch.equal(further, pointers):
            return pointers
        pointers = further


def unite(count: int, one: Tensor, other: Tensor) -> Tensor:
    """Tell the first node of the connected part that each node is in.

    Of two parts that meet the later one points at the earlier, and pointers are
    followed to rest; each round at least halves the parts that meet another.

    Parameters
    ----------
    count
        Number of nodes.
    one, other
        The nodes that each edge connects, (E,).

    Returns
    -------
    Tensor
        (count,), int64.
    """
    first = torch.arange(count, device=one.device)
    while True:
        one, other = first.index_select(0, one), first.index_select(0, other)
        apart = one != other
        one, other = one[apart], other[apart]
        if not len(one):
            return first
        low, high = torch.minimum(one, other), torch.maximum(one, other)
        first = rest(first.scatter_reduce(0, high, low, "amin"))
