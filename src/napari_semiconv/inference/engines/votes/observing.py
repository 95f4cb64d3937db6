"""What network and votes say of neighbouring pieces, measured where the maps are."""

import numpy as np
import torch
from torch import Tensor

from ..regions import Regions, areas_of
from ..tensors import FINE, Planes, fixed, places, tally, total
from .borders import Borders
from .peaks import Hills
from .splitting import dot, sums_of, unit


def measure_borders(
    regions: Regions, of_hill: Tensor, hills: Hills, maps: Planes
) -> Borders:
    """Observe all pieces that touch.

    Sums are made where the maps are, and the few numbers of each pair are brought to
    the host at once.

    Parameters
    ----------
    regions
        Pieces, the first ``regions.cells`` of which are no background; they are
        numbered from 1 in what is found.
    of_hill
        Hill of each of these pieces, (n,).
    hills
        Where their votes fall.
    maps
        What the network says of the frame.
    """
    touching = regions.pairs[:, 1] < regions.cells
    border = (touching.cumsum(0) - 1)[regions.pair]
    face = places(touching[regions.pair])
    here, there, border = regions.here[face], regions.there[face], border[face]
    pairs = regions.pairs[touching]
    first, second = pairs.unbind(1)
    count = len(pairs)
    seed = maps.seed.flatten()
    low = torch.minimum(seed[here], seed[there])
    inside = places(regions.image < regions.cells)
    codes = maps.embedding.flatten(1).index_select(1, inside)
    owner = regions.image.flatten()[inside]
    mean = unit(sums_of(codes, owner, regions.cells))
    areas = areas_of(regions)
    columns = (
        first + 1,
        second + 1,
        tally(border, count),
        _flatness(of_hill[first], of_hill[second], hills),
        dot(mean[:, first], mean[:, second]),
        total(border, fixed(low), count),
        total(border, fixed(_jumps(here, there, maps)), count),
        areas[first] + areas[second],
    )
    table = torch.stack([column.to(torch.float64) for column in columns]).cpu().numpy()
    length = table[2] * FINE
    return Borders(
        pairs=table[:2].T.astype(np.int64),
        flat=table[3],
        alike=table[4],
        seed=table[5] / length,
        jump=table[6] / length / maps.cell_size,
        area=np.log(table[7] / (np.pi / 4 * maps.cell_size**2)),
    )


def _jumps(here: Tensor, there: Tensor, maps: Planes) -> Tensor:
    """Distance between the votes of neighbouring pixels, (F,), px."""
    across = (there - here == 1) & (maps.shape[1] > 1)
    down, right = (
        axis[there] - axis[here] + step.to(torch.float32)
        for axis, step in zip(maps.offset.flatten(1), (~across, across), strict=True)
    )
    square: Tensor = down * down + right * right
    return square.sqrt()


def _flatness(one: Tensor, other: Tensor, hills: Hills) -> Tensor:
    """Height of the pass between two hills over that of the lower one, (N,)."""
    count = len(hills.heights)
    known = hills.pairs[:, 0] * count + hills.pairs[:, 1]
    wanted = torch.minimum(one, other) * count + torch.maximum(one, other)
    # One more, that no pair has, so that there is always a place to look.
    known = torch.cat([known, known.new_full((1,), count * count)])
    row = torch.searchsorted(known, wanted)
    passes = torch.cat([hills.passes, hills.passes.new_zeros(1)])
    saddle = torch.where(known[row] == wanted, passes[row], 0.0)
    lower = torch.minimum(hills.heights[one], hills.heights[other])
    # Two kinds of embedding on one hill have no pass between them at all.
    return torch.where(one == other, 1.0, saddle / lower.clamp(min=1e-6))
