"""What votes are drawn to: the centre of each cell, and centres from one another."""

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
        Centre of each piece, (M, 2), px; only the mean vote carries a gradient.
    """
    if kind == "mean":
        return mean_by(votes, cells.piece, len(cells.frame))
    if kind == "centroid":
        return mean_by(place, cells.piece, len(cells.frame))
    return place[_medoids(place, cells)]


def _medoids(place: Tensor, cells: Cells) -> Tensor:
    """Pixel with the least sum of distances to all others of its piece, (M,)."""
    if not len(place):
        return cells.piece
    size = torch.bincount(cells.piece, minlength=len(cells.frame))
    order = torch.argsort(cells.piece, stable=True)
    piece, ordered = cells.piece[order], place[order]
    start = size.cumsum(0) - size
    costs = []
    largest = int(size.max())
    rows = torch.arange(len(order), device=order.device)
    for row in torch.split(rows, max(1, BLOCK // largest)):
        many = size[piece[row]]
        one = row.repeat_interleave(many)
        within = torch.arange(len(one), device=row.device)
        within -= (many.cumsum(0) - many).repeat_interleave(many)
        other = start[piece[one]] + within
        distance = separation(ordered[one], ordered[other]).double()
        total = distance.new_zeros(len(row)).index_add(0, one - row[0], distance)
        costs.append(total)
    cost = torch.cat(costs)
    # Sorted by piece, then by cost: the first of each piece is its medoid.
    by_cost = torch.argsort(cost, stable=True)
    ranked = by_cost[torch.argsort(piece[by_cost], stable=True)]
    return order[ranked[start]]


def repulsion_loss(
    centre: Tensor, cells: Cells, adjacent: Tensor, margin: float
) -> Tensor:
    """Push the centres of neighbouring cells apart until they are a margin away.

    The hinge between centres of De Brabandere et al. 2017, for neighbours alone. The
    attraction does without it (Novotny et al. 2018).

    Parameters
    ----------
    centre
        Centres of the pieces, (M, 2), px.
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
