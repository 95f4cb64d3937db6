"""Peaks of the vote map: where votes gather, how high, and the passes between them."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..tensors import Planes, highest, lowest, places, rest, tally, total

APART = 0.08  # least distance of two peaks, cell diameters
FOOT = 0.1  # what belongs to a peak ends at this share of the least height
MARGIN = 1.5  # cell diameters around the frame in which votes are told apart
WEIGHT = 1 << 12  # steps per unit in which votes are added up
STEP = 16  # steps per px in which the usual offset is found
FARTHEST = 1 << 15  # of these steps


@dataclass(frozen=True)
class Votes:
    """Where the votes of foreground pixels fall.

    Parameters
    ----------
    pixels
        Flat index of each foreground pixel in the frame, rising, (P,).
    spots
        Flat index of the place on the map where its vote falls, (P,).
    shape
        Height and width of the map, px.
    """

    pixels: Tensor
    spots: Tensor
    shape: tuple[int, int]


@dataclass(frozen=True)
class Peaks:
    """Peaks of a vote map and what belongs to each, numbered from 0 by their places.

    Parameters
    ----------
    spots
        Flat indices of the map that belong to a peak, ascending, (M,).
    number
        Peak of each of these, (M,).
    heights
        Height of each peak, votes per px, (H,).
    pairs
        Peaks that meet, smaller first, sorted, (E, 2).
    passes
        Height of the highest pass between both, votes per px, (E,).
    """

    spots: Tensor
    number: Tensor
    heights: Tensor
    pairs: Tensor
    passes: Tensor


def cast_votes(maps: Planes, margin: int, rim: int) -> Votes:
    """Place the votes of a frame on a map that is wider than the frame.

    The loss leaves the centres free (Novotny et al. 2018, section 3.1), so a network
    may learn to let all votes fall far beside their cells, and those of cells at the
    border fall outside the frame. Only where votes fall relative to one another counts:
    the usual offset (the median, to a sixteenth of a px) is taken off all of them, and
    a margin holds the rest.

    Parameters
    ----------
    maps
        What the network predicts for the frame.
    margin
        How far beside the frame votes may fall, px; those further away fall there.
    rim
        Width of the map beyond that, px.
    """
    height, width = maps.shape
    pixels = places(maps.inside)
    wide = margin + rim
    shape = height + 2 * wide, width + 2 * wide
    spot = torch.zeros_like(pixels)
    row = torch.div(pixels, width, rounding_mode="floor")
    axes = (row, pixels - row * width)
    for axis, place, side, long in zip(
        maps.offset, axes, maps.shape, (shape[1], 1), strict=True
    ):
        offset = axis.flatten().index_select(0, pixels)
        aim = (offset - _usual(offset) + place + wide).round().to(torch.int64)
        spot += aim.clamp(rim, side + margin + wide - 1) * long
    return Votes(pixels, spot, shape)


def _usual(offset: Tensor) -> Tensor:
    """Median of offsets, (P,), px, the lower of two."""
    steps = (offset * STEP).round().clamp(-FARTHEST, FARTHEST).to(torch.int64)
    reached = tally(steps + FARTHEST, 2 * FARTHEST + 1).cumsum(0)
    half = torch.full((1,), (len(offset) + 1) // 2, device=offset.device)
    return (torch.searchsorted(reached, half) - FARTHEST).to(torch.float32) / STEP


def vote_map(votes: Votes, weight: Tensor, blur: float) -> Tensor:
    """Add up the votes that fall on each pixel and blur the sum.

    Parameters
    ----------
    votes
        Where they fall.
    weight
        Weight of each vote, (P,).
    blur
        Standard deviation of the blur, px; see `reach_of`.

    Returns
    -------
    Tensor
        (Y, X), votes per px.
    """
    steps = (weight * WEIGHT).round().to(torch.int64)
    height, width = votes.shape
    fallen = total(votes.spots, steps, height * width).reshape(votes.shape)
    density = fallen.to(torch.float32) * (1 / WEIGHT)
    kernel = _bell(blur)
    for axis in (0, 1):
        density = _blurred(density, kernel, axis)
    return density


def reach_of(blur: float) -> int:
    """How far a blurred vote reaches, px: three standard deviations."""
    return int(3 * blur + 0.5)


def _bell(blur: float) -> list[float]:
    """Weights of a Gauss bell from its middle outwards; both sides add up to 1."""
    bell = [math.exp(-0.5 * (far / blur) ** 2) for far in range(reach_of(blur) + 1)]
    whole = 2 * sum(bell) - bell[0]
    return [share / whole for share in bell]


def _blurred(density: Tensor, kernel: list[float], axis: int) -> Tensor:
    """Sum of shifted slices, in an order that is always the same."""
    far, side = len(kernel) - 1, density.shape[axis]
    wide = F.pad(density, (0, 0, far, far) if axis == 0 else (far, far, 0, 0))
    smooth = density * kernel[0]
    for i in range(1, far + 1):
        both = wide.narrow(axis, far - i, side) + wide.narrow(axis, far + i, side)
        smooth += both.mul_(kernel[i])
    return smooth


def find_peaks(density: Tensor, apart: int, least: float) -> Peaks:
    """Find the peaks of a vote map, and the pixels that belong to each.

    From each pixel one goes up to the highest neighbour, from a summit to the highest
    pixel within the distance of two peaks; pointers are followed until they rest. What
    gathers around too low a peak goes over its highest pass to a neighbour, or belongs
    to none (as in a watershed from the high peaks: Meyer 1994).

    Parameters
    ----------
    density
        Votes per px, (Y, X); nothing on a border of ``apart`` px.
    apart
        Least distance of two peaks, px.
    least
        Least height of a peak, votes per px.
    """
    flat, width = density.flatten(), density.shape[1]
    spots = places(density > FOOT * least)
    index = torch.full(flat.shape, -1, dtype=torch.int64, device=flat.device)
    index[spots] = torch.arange(len(spots), device=flat.device)
    uphill = _upwards(flat, spots, _around(1, width))
    summits = spots[uphill == spots]
    uphill[uphill == spots] = _upwards(flat, summits, _around(apart, width))
    top = rest(index.index_select(0, uphill))
    tops = places(top == torch.arange(len(top), device=flat.device))
    index[spots[tops]] = torch.arange(len(tops), device=flat.device)
    number = index.index_select(0, spots.index_select(0, top))
    heights = flat[spots[tops]]
    index[spots] = number
    pairs, passes = _passes(flat, spots, index, width, len(tops))
    owner = _absorb(heights > least, pairs, passes)
    kept = owner[number] >= 0
    pairs, passes = _renumbered(pairs, passes, owner)
    return Peaks(
        spots[kept], owner[number[kept]], heights[heights > least], pairs, passes
    )


def _around(reach: int, width: int) -> list[int]:
    """List the steps to the other pixels of a square around one, rising."""
    span = range(-reach, reach + 1)
    return [dy * width + dx for dy in span for dx in span if dy or dx]


def _upwards(flat: Tensor, spots: Tensor, steps: list[int]) -> Tensor:
    """Highest place one step away or here, of equal ones the first, (M,)."""
    best, height = spots, flat.index_select(0, spots)
    for step in steps:
        there = spots + step
        value = flat.index_select(0, there)
        higher = value > height
        # Of a plateau the first pixel is the peak.
        if step < 0:
            higher |= (value == height) & (there < best)
        best = torch.where(higher, there, best)
        height = torch.maximum(height, value)
    return best


def _passes(
    flat: Tensor, spots: Tensor, index: Tensor, width: int, count: int
) -> tuple[Tensor, Tensor]:
    """Pairs of basins that meet, (E, 2), sorted, and the highest pass of each, (E,)."""
    here = index.index_select(0, spots)
    keys, values = [], []
    for step in (1, width):
        there = index.index_select(0, spots + step)
        face = places((there >= 0) & (there != here))
        one, other = here[face], there[face]
        keys.append(torch.minimum(one, other) * count + torch.maximum(one, other))
        near = spots[face]
        values.append(torch.minimum(flat[near], flat[near + step]))
    return _best_of(torch.cat(keys), torch.cat(values), count)


def _best_of(key: Tensor, value: Tensor, count: int) -> tuple[Tensor, Tensor]:
    known, where = torch.unique(key, return_inverse=True)
    one = torch.div(known, max(count, 1), rounding_mode="floor")
    pairs = torch.stack([one, known - one * count], 1)
    return pairs, highest(where, value, len(known), 0.0)


def _absorb(high: Tensor, pairs: Tensor, passes: Tensor) -> Tensor:
    """Tell the high basin that each becomes a part of, (K,); -1 for none.

    Basins without a high peak go over their highest passes, all at once in rounds
    (Boruvka), until they have reached a high one or stand alone.
    """
    count, device = len(high), high.device
    # The rank tells passes of equal height apart, so no round can go in a circle.
    order = torch.sort(passes, descending=True, stable=True).indices
    one, other = pairs[order].unbind(1)
    root = torch.arange(count, device=device)
    while True:
        closed = highest(root, high.to(torch.int64), count, 0) > 0
        a, b = root[one], root[other]
        use = places((a != b) & ~(closed[a] & closed[b]))
        if not len(use):
            break
        a, b = a[use], b[use]
        rank = torch.arange(len(use), device=device)
        ends = torch.cat([a, b])
        best = lowest(ends, torch.cat([rank, rank]), count, len(use))
        moves = places((best < len(use)) & ~closed)
        chosen = best[moves]
        to = a[chosen] + b[chosen] - moves
        parent = torch.arange(count, device=device)
        parent[moves] = to
        # Two that chose one another: the first stays.
        mutual = (parent[to] == moves) & (moves < to)
        parent[moves[mutual]] = moves[mutual]
        root = rest(parent)[root]
    numbers = torch.where(high, high.cumsum(0) - 1, -1)
    return highest(root, numbers, count, -1)[root]


def _renumbered(pairs: Tensor, passes: Tensor, owner: Tensor) -> tuple[Tensor, Tensor]:
    both = owner[pairs]
    kept = places((both >= 0).all(1) & (both[:, 0] != both[:, 1]))
    both = both[kept]
    count = int(owner.max()) + 1 if len(owner) else 0
    key = both.amin(1) * count + both.amax(1)
    return _best_of(key, passes[kept], count)


def nearest_peak(votes: Votes, peaks: Peaks) -> Tensor:
    """Tell the peak that each vote belongs to; beyond all of them the nearest one.

    Parameters
    ----------
    votes
        Where they fall.
    peaks
        At least one peak.

    Returns
    -------
    Tensor
        (P,), peak of each vote.
    """
    height, width = votes.shape
    owner = torch.full(
        (height * width,), -1, dtype=torch.int64, device=votes.spots.device
    )
    owner[peaks.spots] = peaks.number
    found = owner.index_select(0, votes.spots)
    beyond = places(found < 0)
    if len(beyond):
        stray = torch.unique(votes.spots[beyond])
        owner[stray] = _nearest(stray, peaks, votes.shape)
        found[beyond] = owner[votes.spots[beyond]]
    return found


def _nearest(stray: Tensor, peaks: Peaks, shape: tuple[int, int]) -> Tensor:
    """Peak of the pixel nearest to each stray spot, of equal ones the first, (Q,).

    In each row the pixels of peaks left and right of a spot are found by bisection;
    rows further and further away are looked at while they may hold a nearer one.
    """
    height, width = shape
    last, size = len(peaks.spots) - 1, height * width
    best = torch.full_like(stray, torch.iinfo(torch.int64).max)
    open_, reach = torch.arange(len(stray), device=stray.device), -1
    while len(open_) and reach < height:
        rows = _next_rows(reach, stray.device)
        reach = int(rows[-1])
        spot = stray[open_, None]
        place = torch.searchsorted(peaks.spots, spot + rows * width)
        near = torch.cat([(place - 1).clamp(0, last), place.clamp(0, last)], 1)
        there = peaks.spots[near]
        down, across = (
            part(there) - part(spot)
            for part in (
                lambda flat: torch.div(flat, width, rounding_mode="floor"),
                lambda flat: flat.remainder(width),
            )
        )
        key = (down * down + across * across) * size + there
        best[open_] = torch.minimum(best[open_], key.amin(1))
        open_ = open_[best[open_] >= (reach + 1) ** 2 * size]
    return peaks.number[torch.searchsorted(peaks.spots, best.remainder(size))]


def _next_rows(reach: int, device: torch.device) -> Tensor:
    """List rows above and below that come after those within reach, rising."""
    new = torch.arange(reach + 1, max(2 * reach, reach + 1) + 1, device=device)[:64]
    return torch.cat([-new, new])
