"""Losses of votes: attraction, kernel width, motion and seed map."""

import math

import torch
from torch import Tensor

from ..kernels import VoteKernel
from .cells import Cells, mean_by, smooth_norm

NEAREST = 0.1  # px; a kernel of exactly one would make a logarithm infinite


def attraction_loss(
    votes: Tensor, cells: Cells, centre: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Semi-convolutional loss: every vote towards the centre of its cell.

    Novotny et al. 2018, the loss of section 3.1: norm not squared, centre free.

    Parameters
    ----------
    votes
        Semi-convolutional embedding of the cell pixels, (P, 2), px.
    cells
        The cells of the clip.
    centre
        Centres of the instances, (M, 2), px, see `centres_of`; None for the mean votes,
        as published.

    Returns
    -------
    tuple
        Mean over the cells and frames, px, (); the centres, (M, 2), px.
    """
    instances = len(cells.frame)
    if not instances:
        return votes.sum() * 0, votes.new_zeros((0, 2))
    if centre is None:
        centre = mean_by(votes, cells.instance, instances)
    distance = smooth_norm(votes - centre.index_select(0, cells.instance))
    return mean_by(distance, cells.instance, instances).mean(), centre


def kernel_loss(
    votes: Tensor,
    centre: Tensor,
    cells: Cells,
    kernel: VoteKernel,
    width: Tensor | None = None,
) -> Tensor:
    """Teach the kernel its width: own centre inside it, the nearest other one outside.

    Novotny et al. 2018 train the kernel of the seed against the mask; here the seed is
    the centre, and of the other cells in the frame only the nearest is asked.

    Parameters
    ----------
    votes
        Embeddings of the cell pixels, (P, D): votes in px, then the appearance, if any.
    centre
        Centres of the instances, (M, D), alike.
    cells
        The cells of the clip.
    kernel
        The kernel with its learned width.
    width
        Width of each instance, (M,), px, in place of the kernel's.

    Returns
    -------
    Tensor
        Mean cross-entropy over the cells and frames, ().
    """
    instances = len(cells.frame)
    if not instances:
        return votes.sum() * 0
    nearest = _nearest_other(votes, centre, cells)

    def fade(instance: Tensor, least: float = 0.0) -> Tensor:
        sigma = None if width is None else width[instance]
        return kernel.between(votes, centre[instance], sigma, least)

    inside = -fade(cells.instance)
    value = fade(nearest, NEAREST).masked_fill(nearest < 0, -math.inf).exp()
    outside = -torch.log1p(-value.clamp(max=1 - 1e-4))
    return mean_by(inside + outside, cells.instance, instances).mean()


@torch.no_grad()
def _nearest_other(votes: Tensor, centre: Tensor, cells: Cells) -> Tensor:
    """Instance of another cell with the centre nearest to each vote, (P,), or -1."""
    nearest = torch.full_like(cells.instance, -1)
    frame_of = cells.frame[cells.instance]
    for frame in torch.unique(cells.frame):  # a loop over frames bounds the memory
        pixel = torch.nonzero(frame_of == frame).squeeze(1)
        instance = torch.nonzero(cells.frame == frame).squeeze(1)
        if len(instance) > 1:
            y, x = (
                (votes[pixel, i, None] - centre[instance, i]).square() for i in (0, 1)
            )
            own = cells.instance[pixel, None] == instance
            nearest[pixel] = instance[(y + x).masked_fill_(own, math.inf).argmin(1)]
    return nearest


def motion_loss(origin: Tensor, centre: Tensor, cells: Cells, mother: Tensor) -> Tensor:
    """Pull each pixel's origin to where its cell, or its mother, was one frame before.

    Parameters
    ----------
    origin
        Position plus motion of the cell pixels, (P, 2), px.
    centre
        Centres of the instances, (M, 2), px.
    cells
        The cells of the clip.
    mother
        Cell that each cell was born from, by cell number, (K,); -1 for none.

    Returns
    -------
    Tensor
        Mean over the instances that have an origin, px, ().
    """
    instances = len(cells.frame)
    if not instances:
        return origin.sum() * 0
    before = _piece_before(cells, mother)
    known = before >= 0
    if not known.any():
        return origin.sum() * 0
    target = centre.detach()[before.clamp(min=0)]
    distance = mean_by(
        smooth_norm(origin - target[cells.instance]), cells.instance, instances
    )
    return distance[known].mean()


def _piece_before(cells: Cells, mother: Tensor) -> Tensor:
    """Instance of the same cell, or its mother, one frame before; -1 for none, (M,)."""
    frames = int(cells.frame.max()) + 1
    lookup = cells.frame.new_full((frames + 1, cells.count), -1)
    lookup[cells.frame + 1, cells.owner] = torch.arange(
        len(cells.frame), device=cells.frame.device
    )
    same = lookup[cells.frame, cells.owner]
    parent = mother[cells.owner]
    born = torch.where(parent >= 0, lookup[cells.frame, parent.clamp(min=0)], parent)
    return torch.where(same >= 0, same, born)


def seed_loss(seed: Tensor, labels: Tensor, near: Tensor, cells: Cells) -> Tensor:
    """Teach the seed map how near a pixel's vote falls to its cell's centre.

    After Neven et al. 2019: the kernel value, held fixed, in cells; 0 in background.

    Parameters
    ----------
    seed
        Logits, (T, Y, X).
    labels
        Label clip, (T, Y, X).
    near
        Kernel between the cell pixels and the centres of their instances, 0 to 1, (P,).
    cells
        The cells of the clip.

    Returns
    -------
    Tensor
        Mean squared difference over cell pixels plus that over background, ().
    """
    value = seed.sigmoid().reshape(-1)
    total = seed.sum() * 0
    if cells.count:
        error = (value.index_select(0, cells.pixel) - near.detach()).square()
        total = total + mean_by(error, cells.instance, len(cells.frame)).mean()
    behind = labels.reshape(-1) == 0
    if behind.any():
        share = behind.to(value.dtype)
        total = total + (value.square() * share).sum() / share.sum()
    return total
