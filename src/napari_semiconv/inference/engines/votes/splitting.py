"""Segments in which two embeddings meet are parted: votes alone join touching cells."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..tensors import FINE, fixed, lowest, places, tally, total

# Chosen on frames that the default model was trained on: mean length of the unit
# embeddings of a segment below which it is looked into, cosine of the two halves below
# which it is parted, and the least area of a half, in usual cells.
UNIFORM, DIFFERENT, LEAST = 0.95, 0.6, 0.1
ROUNDS = 6  # of two-means; most segments converge after three


def split_segments(
    codes: Tensor, owner: Tensor, count: int, cell_size: float
) -> tuple[Tensor, Tensor]:
    """Part segments that hold two kinds of embedding, all at once by two-means.

    Parameters
    ----------
    codes
        Unit embeddings of the pixels of all segments, (D, P).
    owner
        Segment of each pixel, (P,), 0 to ``count`` - 1.
    count
        Number of segments.
    cell_size
        Diameter of a usual cell, px.

    Returns
    -------
    tuple
        Segment of each pixel, (P,), the new ones last; the number that each segment
        had in ``owner``, (m,).
    """
    same = torch.arange(count, device=owner.device)
    least = LEAST * np.pi / 4 * cell_size**2
    sums = sums_of(codes, owner, count)
    areas = tally(owner, count)
    length = dot(sums, sums).sqrt()
    mixed = (length < areas * (UNIFORM * FINE)) & (areas >= 2 * least)
    which = places(mixed)
    if not len(which):
        return owner, same
    place = torch.full_like(same, -1)
    place[which] = torch.arange(len(which), device=owner.device)
    chosen = places(mixed.index_select(0, owner))
    group = place[owner[chosen]]
    halves = _two_means(codes.index_select(1, chosen), group, sums[:, which])
    other, alike = halves
    part = total(group, other, len(which))
    small = torch.minimum(part, areas[which] - part)
    parted = (alike < DIFFERENT) & (small >= least)
    fresh = count + parted.cumsum(0) - 1
    moved = places(other & parted[group])
    found = owner.clone()
    found[chosen[moved]] = fresh[group[moved]]
    return found, torch.cat([same, which[parted]])


def sums_of(codes: Tensor, owner: Tensor, count: int) -> Tensor:
    """Add up codes, (D, P), of each owner, (P,): (D, count), `FINE` steps per unit."""
    return torch.stack([total(owner, fixed(plane), count) for plane in codes])


def _two_means(codes: Tensor, group: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
    """Part each group in two by direction.

    Parameters
    ----------
    codes
        Unit embeddings, (D, P).
    group
        Group of each, (P,), every one of 0 to G - 1 present.
    sums
        Sum of the codes of each group, (D, G).

    Returns
    -------
    tuple
        Whether each pixel is in the second half, (P,); cosine of the two mean
        directions of each group, (G,).
    """
    count = sums.shape[1]
    first = codes[:, _farthest(codes, group, unit(sums))]
    second = codes[:, _farthest(codes, group, first)]
    # What the second half has, the first lacks: fixed-point sums leave no rest.
    steps = [fixed(plane) for plane in codes]
    for _ in range(ROUNDS):
        other = _along(codes, first - second, group) < 0
        rows = places(other)
        part = group[rows]
        taken = torch.stack([total(part, plane[rows], count) for plane in steps])
        first, second = unit(sums - taken), unit(taken)
    other = _along(codes, first - second, group) < 0
    return other, dot(first, second)


def _farthest(codes: Tensor, group: Tensor, direction: Tensor) -> Tensor:
    """Place of the code of each group that differs most from its direction, (G,)."""
    along = fixed(_along(codes, direction, group))
    size = len(group)
    key = along * size + torch.arange(size, device=group.device)
    most = torch.iinfo(torch.int64).max
    return lowest(group, key, direction.shape[1], most).remainder(size)


def _along(codes: Tensor, direction: Tensor, group: Tensor) -> Tensor:
    return dot(codes, [plane.index_select(0, group) for plane in direction])


def dot(one: Sequence[Tensor] | Tensor, other: Sequence[Tensor] | Tensor) -> Tensor:
    """Inner product over the first axis, added up in a fixed order."""
    found: Tensor | None = None
    for a, b in zip(one, other, strict=True):
        product = a.to(torch.float32) * b.to(torch.float32)
        found = product if found is None else found + product
    assert found is not None
    return found


def unit(vectors: Tensor) -> Tensor:
    """Directions of sums of codes, (D, G); zero where there is none."""
    parts = vectors.to(torch.float32)
    length = dot(parts, parts).sqrt()
    return parts / length.clamp(min=1.0)
