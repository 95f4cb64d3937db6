"""What votes are drawn to: the centre of each cell, and centres from one another."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ..kernels import separation
from .cells import Cells, mean_by

Centre = Literal["mean", "centroid", "medoid"]
BLOCK = 2**22  # pairs of pixels that are looked at together


def centres_of(kind: Centre, votes: Tensor, place: Tensor, cells: Cells) -> Tensor:
    """Find the centre that the votes of each cell are drawn to.

    Parameters
    ----------
    kind
        The mean vote, which is free to lie anywhere (Novotny et al. 2018); the
        centroid of the mask (Neven et al. 2019); or its medoid, which lies inside the
        cell whatever its shape (EmbedSeg).
    votes
        Votes of the cell pixels, (P, 2), px.
    place
        Positions of the cell pixels, (P, 2), px.
    cells
        The cells of the clip.

    Returns
    -------
    Tensor
        Centre of each instance, (M, 2), px; only the mean vote carries a gradient.
    """
    if kind == "mean":
        return mean_by(votes, cells.instance, len(cells.frame))
    if kind == "centroid":
        return mean_by(place, cells.instance, len(cells.frame))
    return place[_medoids(place, cells)]


def _medoids(place: Tensor, cells: Cells) -> Tensor:
    """Pixel with the least sum of distances to all others of its instance, (M,)."""
    if not len(place):
        return cells.instance
    size = torch.bincount(cells.instance, minlength=len(cells.frame))
    order = torch.argsort(cells.instance, stable=True)
    instance, ordered = cells.instance[order], place[order]
    start = size.cumsum(0) - size
    # The mean distance to all pixels is never less than the distance to their centroid,
    # so a pixel farther from it than the best of these means cannot be the medoid.
    gap = separation(ordered, mean_by(ordered, instance, len(size))[instance])
    near = _first_of_each(gap, instance, start)
    bound = _distances(near, ordered, instance, start, size) / size
    rows = torch.nonzero(gap <= bound[instance] * (1 + 1e-5) + 1e-5).squeeze(1)
    several = torch.split(rows, max(1, BLOCK // int(size.max())))
    cost = torch.full_like(gap, math.inf)
    cost[rows] = torch.cat(
        [_distances(row, ordered, instance, start, size) for row in several]
    )
    return order[_first_of_each(cost, instance, start)]


def _first_of_each(value: Tensor, instance: Tensor, start: Tensor) -> Tensor:
    """Row of the least value of each instance, (M,); rows are sorted by instance."""
    order = torch.argsort(value, stable=True)
    return order[torch.argsort(instance[order], stable=True)][start]


def _distances(
    row: Tensor, place: Tensor, instance: Tensor, start: Tensor, size: Tensor
) -> Tensor:
    """Sum of the distances of some rows to all rows of their instance, (R,)."""
    many = size[instance[row]]
    one = row.repeat_interleave(many)
    within = torch.arange(len(one), device=row.device)
    within -= (many.cumsum(0) - many).repeat_interleave(many)
    y, x = (place[one] - place[start[instance[one]] + within]).T
    return torch.segment_reduce(torch.hypot(y, x), "sum", lengths=many)


def repulsion_loss(
    centre: Tensor, cells: Cells, adjacent: Tensor, margin: float
) -> Tensor:
    """Push the centres of neighbouring cells apart until they are a margin away.

    The hinge between centres of De Brabandere et al. 2017, for neighbours alone. The
    attraction does without it (Novotny et al. 2018).

    Parameters
    ----------
    centre
        Centres of the instances, (M, 2), px.
    cells
        The cells of the clip.
    adjacent
        Neighbour matrix, (K, K).
    margin
        Least distance between centres that costs nothing, 2 delta_d, px.

    Returns
    -------
    Tensor
        Mean over the pairs in one frame of the squared shortfall, px^2, ().
    """
    together = cells.frame[:, None] == cells.frame[None]
    either = adjacent | adjacent.T
    pair = either[cells.owner][:, cells.owner] & together
    one, other = torch.nonzero(pair.triu(1)).T
    if not len(one):
        return centre.sum() * 0
    return F.relu(margin - separation(centre[one], centre[other])).square().mean()
