"""Losses of both papers, without loops over cells.

Labels are integers: 0 is background, -1 is "not annotated" and takes no part.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from .semiconv import LaplacianKernel, pixel_grid

EPS = 1e-6
FAR = 1e4  # px; finite, so that a kernel of zero has a gradient of zero
Pull = Literal["cos", "cos2"]


@dataclass(frozen=True)
class Cells:
    """Annotated cells of a clip as flat index tensors, made once for all losses.

    Parameters
    ----------
    pixel
        Flat index of each cell pixel in (T, Y, X), (P,).
    cell
        Number of the cell of each pixel, counted over the whole clip, (P,), 0 to K - 1.
    piece
        Number of the cell in its frame, (P,), 0 to M - 1: a cell has one per frame.
    frame
        Frame of each piece, (M,).
    owner
        Cell of each piece, (M,).
    count
        Number of cells K.
    """

    pixel: Tensor
    cell: Tensor
    piece: Tensor
    frame: Tensor
    owner: Tensor
    count: int

    @classmethod
    def of(cls, labels: Tensor) -> "Cells":
        """Index the cells of a label clip, (T, Y, X)."""
        flat = labels.reshape(-1)
        pixel = torch.nonzero(flat > 0).squeeze(1)
        present, cell = torch.unique(flat[pixel], return_inverse=True)
        frame = pixel // labels[0].numel()
        key, piece = torch.unique(
            frame * max(len(present), 1) + cell, return_inverse=True
        )
        count = max(len(present), 1)
        return cls(pixel, cell, piece, key // count, key % count, len(present))


def mean_by(values: Tensor, group: Tensor, groups: int) -> Tensor:
    """Mean of the rows of each group; zero for an empty one.

    Parameters
    ----------
    values
        One row per pixel, (P, D) or (P,).
    group
        Group of each row, (P,).
    groups
        Number of groups G.

    Returns
    -------
    Tensor
        (G, D) or (G,).
    """
    total = values.new_zeros((groups, *values.shape[1:])).index_add(0, group, values)
    size = torch.bincount(group, minlength=groups).clamp(min=1).to(values.dtype)
    return total / size.reshape(-1, *[1] * (values.ndim - 1))


def neighbours(labels: Tensor, radius: float) -> Tensor:
    """Find which cells must differ: the published rule with a circle (2018).

    A cell is a neighbour of another when any of its pixels, in any frame, lies within
    the radius of the other's centre of mass over the whole clip.

    Parameters
    ----------
    labels
        Label clip, (T, Y, X).
    radius
        Neighbour radius r_N, px.

    Returns
    -------
    Tensor
        Boolean matrix, (K, K): row i marks the neighbours of cell i; empty diagonal.
    """
    cells = Cells.of(labels)
    width = labels.shape[-1]
    area = labels[0].numel()
    place = cells.pixel % area
    position = torch.stack([place // width, place % width], 1).float()  # (P, 2) px
    centre = mean_by(position, cells.cell, cells.count)
    near = torch.cdist(centre, position) <= radius  # (K, P)
    found = near.new_zeros((cells.count, cells.count), dtype=torch.float32)
    found.index_add_(1, cells.cell, near.float())
    found.fill_diagonal_(0)
    return found > 0


def cosine_embedding_loss(
    embedding: Tensor,
    labels: Tensor,
    adjacent: Tensor,
    *,
    pull: Pull = "cos",
    fixed_background: bool = True,
) -> Tensor:
    """Pull the pixels of a cell together and push neighbours to orthogonality.

    Payer et al. 2018 (``pull="cos"``, background with its own mean) and 2019
    (``pull="cos2"``, background fixed at e_1). Background pixels are no neighbours of a
    cell; the background term alone keeps them apart. Pixels of label -1 take no part,
    so frames that hold markers only (background marked -1) have no background term.

    Parameters
    ----------
    embedding
        Raw embeddings, (T, D, Y, X).
    labels
        Label clip, (T, Y, X).
    adjacent
        Neighbour matrix of the cells in ascending order of label, (K, K).
    pull
        Pull term: 1 - cos or 1 - cos squared.
    fixed_background
        Whether the background belongs to (1, 0, ..., 0) or to its own mean.

    Returns
    -------
    Tensor
        Mean over the cells plus the background term, ().
    """
    flat = embedding.movedim(1, -1).reshape(-1, embedding.shape[1])  # (T Y X, D)
    cells = Cells.of(labels)
    total = embedding.sum() * 0
    own = flat[cells.pixel]
    unit = F.normalize(own, dim=1, eps=EPS)
    if cells.count:
        total = total + _cell_terms(own, unit, cells, adjacent, pull)
    behind = torch.nonzero(labels.reshape(-1) == 0).squeeze(1)
    if len(behind):
        back = flat[behind]
        target = _background(back, fixed_background)
        total = total + _pull(F.normalize(back, dim=1, eps=EPS) @ target, pull).mean()
        if cells.count:
            total = total + (unit @ target).square().mean()
    return total


def _background(back: Tensor, fixed: bool) -> Tensor:
    if fixed:
        return F.one_hot(back.new_zeros((), dtype=torch.long), back.shape[1]).to(
            back.dtype
        )
    return F.normalize(back.mean(0), dim=0, eps=EPS)


def _pull(cos: Tensor, pull: Pull) -> Tensor:
    return 1 - (cos if pull == "cos" else cos.square())


def _cell_terms(
    own: Tensor, unit: Tensor, cells: Cells, adjacent: Tensor, pull: Pull
) -> Tensor:
    mean = F.normalize(mean_by(own, cells.cell, cells.count), dim=1, eps=EPS)  # (K, D)
    inside = mean_by(
        _pull((unit * mean[cells.cell]).sum(1), pull), cells.cell, cells.count
    )
    size = torch.bincount(cells.cell, minlength=cells.count).to(unit.dtype)
    # sum over p of (m . e_p)^2 is m' (sum of e_p e_p') m: no K x P matrix is needed.
    outer = torch.einsum("pi,pj->pij", unit, unit).flatten(1)
    second = unit.new_zeros((cells.count, outer.shape[1])).index_add(
        0, cells.cell, outer
    )
    pair = torch.einsum("ki,kj->kij", mean, mean).flatten(1) @ second.T  # (K, K)
    weight = adjacent.to(unit.dtype)
    outside = (weight * pair).sum(1) / (weight @ size).clamp(min=1)
    return (inside + outside).mean()


def attraction_loss(votes: Tensor, cells: Cells) -> tuple[Tensor, Tensor]:
    """Semi-convolutional loss: every vote towards the mean vote of its cell.

    Novotny et al. 2018, the loss of section 3.1: norm not squared, centre free.

    Parameters
    ----------
    votes
        Semi-convolutional embedding of the cell pixels, (P, 2), px.
    cells
        The cells of the clip.

    Returns
    -------
    tuple
        Mean over the cells and frames, px, (); the centres, (M, 2), px.
    """
    pieces = len(cells.frame)
    if not pieces:
        return votes.sum() * 0, votes.new_zeros((0, 2))
    centre = mean_by(votes, cells.piece, pieces)
    distance = _norm(votes - centre[cells.piece])
    return mean_by(distance, cells.piece, pieces).mean(), centre


def kernel_loss(
    votes: Tensor, centre: Tensor, cells: Cells, kernel: LaplacianKernel
) -> Tensor:
    """Teach the kernel its width: own centre inside it, the nearest other one outside.

    Novotny et al. 2018 train the kernel of the seed against the mask; here the seed is
    the mean vote, and of the other cells in the frame only the nearest is asked.

    Parameters
    ----------
    votes
        Votes of the cell pixels, (P, 2), px.
    centre
        Centres of the pieces, (M, 2), px.
    cells
        The cells of the clip.
    kernel
        The kernel with its learned width.

    Returns
    -------
    Tensor
        Mean cross-entropy over the cells and frames, ().
    """
    pieces = len(cells.frame)
    if not pieces:
        return votes.sum() * 0
    distance = torch.cdist(votes, centre)  # (P, M)
    same = cells.piece[:, None] == torch.arange(pieces, device=votes.device)
    elsewhere = cells.frame[cells.piece][:, None] != cells.frame[None]
    own = distance.gather(1, cells.piece[:, None]).squeeze(1)
    other = distance.masked_fill(same | elsewhere, FAR).amin(1)
    inside = -kernel.log(own)
    # A kernel of exactly one would make the logarithm infinite.
    outside = -torch.log1p(-kernel(other.clamp(min=0.1)).clamp(max=1 - 1e-4))
    return mean_by(inside + outside, cells.piece, pieces).mean()


def motion_loss(origin: Tensor, centre: Tensor, cells: Cells, mother: Tensor) -> Tensor:
    """Pull each pixel's origin to where its cell, or its mother, was one frame before.

    Parameters
    ----------
    origin
        Position plus motion of the cell pixels, (P, 2), px.
    centre
        Centres of the pieces, (M, 2), px.
    cells
        The cells of the clip.
    mother
        Cell that each cell was born from, by cell number, (K,); -1 for none.

    Returns
    -------
    Tensor
        Mean over the pieces that have an origin, px, ().
    """
    pieces = len(cells.frame)
    if not pieces:
        return origin.sum() * 0
    before = _piece_before(cells, mother)
    known = before >= 0
    if not known.any():
        return origin.sum() * 0
    target = centre.detach()[before.clamp(min=0)]
    distance = mean_by(_norm(origin - target[cells.piece]), cells.piece, pieces)
    return distance[known].mean()


def _piece_before(cells: Cells, mother: Tensor) -> Tensor:
    """Piece of the same cell, or its mother, one frame before; -1 for none, (M,)."""
    frames = int(cells.frame.max()) + 1
    lookup = cells.frame.new_full((frames + 1, cells.count), -1)
    lookup[cells.frame + 1, cells.owner] = torch.arange(
        len(cells.frame), device=cells.frame.device
    )
    same = lookup[cells.frame, cells.owner]
    parent = mother[cells.owner]
    born = torch.where(parent >= 0, lookup[cells.frame, parent.clamp(min=0)], parent)
    return torch.where(same >= 0, same, born)


def seed_loss(
    seed: Tensor,
    labels: Tensor,
    votes: Tensor,
    centre: Tensor,
    cells: Cells,
    sigma: Tensor,
) -> Tensor:
    """Teach the seed map how near a pixel's vote falls to its cell's centre.

    After Neven et al. 2019: the kernel value, held fixed, in cells; 0 in background.

    Parameters
    ----------
    seed
        Logits, (T, Y, X).
    labels
        Label clip, (T, Y, X).
    votes
        Votes of the cell pixels, (P, 2), px.
    centre
        Centres of the pieces, (M, 2), px.
    cells
        The cells of the clip.
    sigma
        Width of the kernel, px, ().

    Returns
    -------
    Tensor
        Mean squared difference over cell pixels plus that over background, ().
    """
    value = seed.sigmoid().reshape(-1)
    total = seed.sum() * 0
    if cells.count:
        target = (-_norm(votes - centre[cells.piece]) / sigma).exp().detach()
        error = (value[cells.pixel] - target).square()
        total = total + mean_by(error, cells.piece, len(cells.frame)).mean()
    behind = labels.reshape(-1) == 0
    if behind.any():
        total = total + value[behind].square().mean()
    return total


def foreground_loss(logit: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice of cells against background.

    Parameters
    ----------
    logit
        Foreground logits, (T, Y, X).
    labels
        Label clip, (T, Y, X); -1 takes no part.

    Returns
    -------
    Tensor
        Sum of both, ().
    """
    known = labels >= 0
    if not known.any():
        return logit.sum() * 0
    truth = (labels[known] > 0).to(logit.dtype)
    guess = logit[known]
    entropy = F.binary_cross_entropy_with_logits(guess, truth)
    chance = guess.sigmoid()
    dice = 1 - (2 * (chance * truth).sum() + 1) / (chance.sum() + truth.sum() + 1)
    return entropy + dice


def positions(cells: Cells, like: Tensor) -> Tensor:
    """Position of each cell pixel, (P, 2), px, in frames like ``like``, (..., Y, X)."""
    grid = pixel_grid(like).reshape(2, -1)
    return grid[:, cells.pixel % grid.shape[1]].T


def _norm(vector: Tensor) -> Tensor:
    # The gradient of a plain norm is not a number at zero.
    return (vector.square().sum(1) + EPS).sqrt()
