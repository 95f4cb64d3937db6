"""A kernel width per cell and the Lovasz hinge (Neven et al. 2019, EmbedSeg)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..kernels import VoteKernel
from .cells import Cells, mean_by


def smoothness_loss(log_sigma: Tensor, cells: Cells) -> tuple[Tensor, Tensor]:
    """Make the width map even within each cell, and read each cell's width from it.

    Parameters
    ----------
    log_sigma
        Logarithm of the width in px at the cell pixels, (P,).
    cells
        The cells of the clip.

    Returns
    -------
    tuple
        Mean over the cells and frames of the map's variance about its mean, which is
        held fixed, (); the width of each instance, (M,), px, which carries a gradient.
    """
    instances = len(cells.frame)
    if not instances:
        return log_sigma.sum() * 0, log_sigma.new_zeros(0)
    mean = mean_by(log_sigma, cells.instance, instances)
    error = (log_sigma - mean.detach()[cells.instance]).square()
    return mean_by(error, cells.instance, instances).mean(), mean.exp()


def lovasz_loss(
    votes: Tensor,
    labels: Tensor,
    centre: Tensor,
    cells: Cells,
    kernel: VoteKernel,
    width: Tensor | None = None,
) -> Tensor:
    """Make the kernel around each centre the mask of its cell.

    Lovasz hinge of 2 phi - 1 with the kernel phi over all annotated pixels of the frame
    (Neven et al. 2019, with the Gaussian). The mean over cells is taken, not the sum,
    so that crowded clips weigh no more than others.

    Parameters
    ----------
    votes
        Embedding of every pixel, (T, D, Y, X): votes in px, then the appearance, if
        any.
    labels
        Label clip, (T, Y, X); -1 takes no part.
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
        Mean over the cells and frames, ().
    """
    instances = len(cells.frame)
    if not instances:
        return votes.sum() * 0
    flat = votes.movedim(1, -1).reshape(-1, votes.shape[1])  # (T Y X, D)
    owner = cells.instance.new_full((len(flat),), -1)
    owner[cells.pixel] = cells.instance
    sigma = kernel.geometric.sigma if width is None else width
    reach = kernel.geometric.REACH * sigma.expand(instances)
    instance, pixel = _pairs(flat.detach(), labels, owner, centre, reach, cells)
    own = None if width is None else width[instance]
    score = 2 * kernel.between(flat[pixel], centre[instance], own).exp() - 1
    return lovasz_hinge(score, owner[pixel] == instance, instance, instances).mean()


@torch.no_grad()
def _pairs(
    votes: Tensor,
    labels: Tensor,
    owner: Tensor,
    centre: Tensor,
    reach: Tensor,
    cells: Cells,
) -> tuple[Tensor, Tensor]:
    """Instances and the pixels that count for each: its own, and those in its reach."""
    area = labels[0].numel()
    known = labels.reshape(-1) >= 0
    found = []
    for frame in range(len(labels)):  # a loop over frames bounds the memory
        instances = torch.nonzero(cells.frame == frame).squeeze(1)
        pixels = frame * area + torch.nonzero(
            known[frame * area : (frame + 1) * area]
        ).squeeze(1)
        y, x = votes[pixels, :2].T
        at = centre[instances]
        square = (y - at[:, 0, None]).square() + (x - at[:, 1, None]).square()
        counts = square < reach[instances, None].square()
        counts |= owner[pixels] == instances[:, None]
        row, column = torch.nonzero(counts).T
        found.append(torch.stack([instances[row], pixels[column]]))
    instance, pixel = torch.cat(found, 1)
    return instance, pixel


def lovasz_hinge(score: Tensor, truth: Tensor, group: Tensor, groups: int) -> Tensor:
    """Lovasz hinge of many masks at once (Berman et al. 2018).

    Parameters
    ----------
    score
        Above 0 inside the mask, (N,).
    truth
        Whether each is inside, (N,).
    group
        Mask of each score, (N,), 0 to G - 1.
    groups
        Number of masks G.

    Returns
    -------
    Tensor
        Loss of each mask, (G,); 0 for one without scores.
    """
    error = 1 - torch.where(truth, score, -score)
    order = torch.argsort(error.detach(), descending=True, stable=True)
    order = order[torch.argsort(group[order], stable=True)]
    error, truth, group = error[order], truth[order], group[order]
    weight = _jaccard_steps(truth, group, groups)
    loss = F.relu(error) * weight.to(error.dtype)
    return loss.new_zeros(groups).index_add(0, group, loss)


def _jaccard_steps(truth: Tensor, group: Tensor, groups: int) -> Tensor:
    """How much each further error adds to the Jaccard loss of its mask, (N,)."""
    size = torch.bincount(group, minlength=groups)
    start = size.cumsum(0) - size
    positives = torch.bincount(group[truth], minlength=groups)
    inside = truth.long().cumsum(0)
    # What the masks before have counted is taken off.
    inside = inside - (positives.cumsum(0) - positives)[group]
    rank = torch.arange(1, len(group) + 1, device=group.device) - start[group]
    total = positives[group]
    jaccard = 1 - (total - inside).double() / (total + rank - inside).clamp(min=1)
    before = F.pad(jaccard[:-1], (1, 0)) if len(group) else jaccard
    return torch.where(rank == 1, jaccard, jaccard - before)
