"""Connected pieces of a label image, which of them touch, and what they enclose."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...labels import Integers, Labels
from .tensors import highest, lowest, one_thread, places, tally, tensor_of, unite


@dataclass(frozen=True)
class Regions:
    """Connected pieces of equal label, the background included.

    Parameters
    ----------
    image
        Region of each pixel, (Y, X): cells first, each kind in the order in which rows
        meet them, from 0.
    labels
        Label of each region, (R,); 0 for background.
    cells
        How many regions are no background.
    here, there
        Flat indices of pixels and of their right or lower neighbours that belong to
        another region, (F,).
    pairs
        Regions that touch, smaller first, sorted, (E, 2).
    pair
        Which of them the pixels lie between, (F,).
    """

    image: Tensor
    labels: Tensor
    cells: int
    here: Tensor
    there: Tensor
    pairs: Tensor
    pair: Tensor


def find_regions(labels: Tensor) -> Regions:
    """Find the connected pieces of equal label, pixels touching by their sides.

    Rows are cut into runs of equal label, and runs that touch are united: there are
    some ten times fewer of them than of pixels.

    Parameters
    ----------
    labels
        (Y, X), 0 background, of any integer type.
    """
    width = labels.shape[1]
    flat = labels.flatten()
    begins = torch.ones_like(labels, dtype=torch.bool)
    torch.ne(labels[:, 1:], labels[:, :-1], out=begins[:, 1:])
    starts = places(begins)
    run = begins.flatten().cumsum(0) - 1
    # Two runs touch from where the later one of them begins.
    change = labels[1:] != labels[:-1]
    touch = places(~change & (begins[1:] | begins[:-1]))
    first = unite(len(starts), run[touch], run[touch + width])
    of_run = flat[starts].to(torch.int64)
    one_each = first == torch.arange(len(first), device=first.device)
    number, cells = _numbered(one_each, of_run > 0)
    region = number[first].index_select(0, run)
    below = places(change)
    # Every row begins a run, which need not differ from the end of the row before.
    left = starts[starts.remainder(width) > 0] - 1
    here = torch.cat([left, below])
    there = torch.cat([left + 1, below + width])
    names = torch.empty(int(one_each.sum()), dtype=torch.int64, device=flat.device)
    names[number[one_each]] = of_run[one_each]
    one, other = region[here], region[there]
    key = torch.minimum(one, other) * len(names) + torch.maximum(one, other)
    known, pair = torch.unique(key, return_inverse=True)
    low = torch.div(known, len(names), rounding_mode="floor")
    pairs = torch.stack([low, known - low * len(names)], 1)
    image = region.reshape(labels.shape)
    return Regions(image, names, cells, here, there, pairs, pair)


def _numbered(chosen: Tensor, front: Tensor) -> tuple[Tensor, int]:
    """Give the chosen their numbers, those in front first; tell how many these are."""
    in_front = chosen & front
    count = int(in_front.sum())
    later = (chosen & ~front).cumsum(0) + count
    return torch.where(front, in_front.cumsum(0), later) - 1, count


def areas_of(regions: Regions) -> Tensor:
    """Count the pixels of each region, (R,), px."""
    return tally(regions.image.flatten(), len(regions.labels))


def fill_holes(regions: Regions, cell: Tensor) -> Tensor:
    """Give regions of no cell that one cell alone encloses to that cell.

    Parameters
    ----------
    regions
        Connected pieces.
    cell
        Cell that each region belongs to, (R,), 0 for none; regions of no cell that
        touch are one hole.

    Returns
    -------
    Tensor
        Cell that each region belongs to, (R,).
    """
    count = len(cell)
    empty = cell == 0
    one, other = regions.pairs.unbind(1)
    open_ = empty[one] & empty[other]
    hole = unite(count, one[open_], other[open_])
    edge = regions.image
    rim = torch.cat([edge[0], edge[-1], edge[:, 0], edge[:, -1]])
    outside = highest(hole[rim], torch.ones_like(rim), count, 0) > 0
    wall = places(empty[one] != empty[other])
    one, other = one[wall], other[wall]
    inner = hole[torch.where(empty[one], one, other)]
    around = torch.where(empty[one], cell[other], cell[one])
    most = highest(inner, around, count, 0)
    least = lowest(inner, around, count, torch.iinfo(torch.int64).max)
    filled = torch.where((most == least) & ~outside, most, 0)
    return torch.where(empty, filled[hole], cell)


@one_thread()
def tidy(labels: Labels, smallest: float) -> Labels:
    """Keep the largest piece of each cell, fill its holes and drop small cells.

    Parameters
    ----------
    labels
        Cell numbers, (Y, X).
    smallest
        Least area of a cell, px.

    Returns
    -------
    Labels
        (Y, X), numbers kept.
    """
    regions = find_regions(tensor_of(labels))
    owner, area = regions.labels, areas_of(regions)
    if not regions.cells:
        return labels
    count = int(owner.max()) + 1
    # Of two pieces of equal area the first one is kept.
    number = torch.arange(len(owner))
    largest = area == highest(owner, area, count, 0)[owner]
    first = lowest(owner, torch.where(largest, number, len(owner)), count, len(owner))
    keep = (number == first[owner]) & (area >= smallest)
    cell = fill_holes(regions, torch.where(keep, owner, 0))
    found: Labels = cell.to(torch.int32)[regions.image].numpy()
    return found


@one_thread()
def connected_components(labels: Labels) -> tuple[Integers, Integers]:
    """Find connected components of equal label, (Y, X), and the label of each."""
    regions = find_regions(tensor_of(labels))
    image = torch.where(regions.image < regions.cells, regions.image + 1, 0)
    return image.numpy(), regions.labels[: regions.cells].numpy()
