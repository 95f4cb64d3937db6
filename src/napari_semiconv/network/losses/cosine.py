"""Cosine embedding loss in both published versions (Payer et al. 2018, 2019)."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from .cells import EPS, Cells, mean_by

Pull = Literal["cos", "cos2"]
BLOCK = 64  # pixels of one cell whose products are added up together


def cosine_embedding_loss(
    embedding: Tensor,
    labels: Tensor,
    adjacent: Tensor,
    *,
    pull: Pull = "cos",
    fixed_background: bool = True,
    targets: Tensor | None = None,
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
    targets
        Numbers of the cells that are pulled together and keep their neighbours away,
        see `sample_cells`; all when None. The others stay in the masks and neighbours.

    Returns
    -------
    Tensor
        Mean over the targets plus the background term, ().
    """
    cells = Cells.of(labels)
    # A view where channels lie together in memory, as in training.
    flat = embedding.movedim(1, -1).reshape(-1, embedding.shape[1])  # (T Y X, D)
    total = flat[:1].sum() * 0
    length = _lengths(flat)
    if cells.count:
        own = flat.index_select(0, cells.pixel)
        unit = own / length.index_select(0, cells.pixel)[:, None]
        total = total + _cell_terms(own, unit, cells, adjacent, pull, targets)
    behind = labels.reshape(-1) == 0
    if behind.any():
        target = _background(flat, behind, fixed_background)
        cos = flat @ target / length
        share = behind.to(cos.dtype)
        total = total + (_pull(cos, pull) * share).sum() / share.sum()
        if cells.count:
            total = total + cos.index_select(0, cells.pixel).square().mean()
    return total


def _lengths(flat: Tensor) -> Tensor:
    """Length of each row, (N, D) to (N,)."""
    # A product with ones is many times faster than a norm along so short an axis.
    square = flat.square() @ flat.new_ones(flat.shape[1])
    return square.clamp(min=EPS**2).sqrt()


def _background(flat: Tensor, behind: Tensor, fixed: bool) -> Tensor:
    if fixed:
        first = flat.new_zeros((), dtype=torch.long)
        return F.one_hot(first, flat.shape[1]).to(flat.dtype)
    whole = behind.to(flat.dtype) @ flat
    return F.normalize(whole / behind.sum(), dim=0, eps=EPS)


def _pull(cos: Tensor, pull: Pull) -> Tensor:
    return 1 - (cos if pull == "cos" else cos.square())


def _cell_terms(
    own: Tensor,
    unit: Tensor,
    cells: Cells,
    adjacent: Tensor,
    pull: Pull,
    targets: Tensor | None,
) -> Tensor:
    mean = F.normalize(mean_by(own, cells.cell, cells.count), dim=1, eps=EPS)  # (K, D)
    inside = mean_by(
        _pull((unit * mean.index_select(0, cells.cell)).sum(1), pull),
        cells.cell,
        cells.count,
    )
    if targets is not None:
        mean, inside, adjacent = mean[targets], inside[targets], adjacent[targets]
    size = torch.bincount(cells.cell, minlength=cells.count).to(unit.dtype)
    # sum over p of (m . e_p)^2 is m' (sum of e_p e_p') m: no K x P matrix is needed.
    second = _second_moments(unit, cells)
    pair = torch.einsum("ki,kj->kij", mean, mean).flatten(1) @ second.T  # (K, K)
    weight = adjacent.to(unit.dtype)
    outside = (weight * pair).sum(1) / (weight @ size).clamp(min=1)
    return (inside + outside).mean()


def _second_moments(unit: Tensor, cells: Cells) -> Tensor:
    """Sum of e_p e_p' over the pixels of each cell, (K, D * D).

    Pixels are laid out in blocks of one cell each, the last of a cell filled up with
    zeros, so that the memory grows with P * D and not with P * D^2.
    """
    size = torch.bincount(cells.cell, minlength=cells.count)
    blocks = -(-size // BLOCK)
    owner = torch.arange(cells.count, device=unit.device).repeat_interleave(blocks)
    order = torch.argsort(cells.cell, stable=True)
    cell = cells.cell[order]
    # Of the pixels of a cell, the n-th lies n places after the start of its blocks.
    shift = (blocks.cumsum(0) - blocks) * BLOCK - (size.cumsum(0) - size)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=unit.device) + shift[cell]
    side = unit.shape[1]
    laid = unit.new_zeros((len(owner) * BLOCK, side)).index_copy(0, place, unit)
    laid = laid.reshape(-1, BLOCK, side)
    products = torch.bmm(laid.transpose(1, 2), laid).flatten(1)  # (blocks, D * D)
    return unit.new_zeros((cells.count, side * side)).index_add(0, owner, products)


def sample_cells(count: int, most: int, generator: torch.Generator) -> Tensor | None:
    """Choose the targets of a crowded clip by chance (Payer et al. 2018).

    Parameters
    ----------
    count
        Number of cells K.
    most
        Most targets; 0 for no limit.
    generator
        Source of randomness, on the CPU.

    Returns
    -------
    Tensor or None
        Numbers of the chosen cells, ascending, (most,); None when all are targets.
    """
    if not most or count <= most:
        return None
    return torch.randperm(count, generator=generator)[:most].sort().values
