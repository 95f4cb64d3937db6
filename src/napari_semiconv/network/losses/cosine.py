"""Cosine embedding loss in both published versions (Payer et al. 2018, 2019)."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from .cells import EPS, Cells, mean_by

Pull = Literal["cos", "cos2"]


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
    flat = embedding.movedim(1, -1).reshape(-1, embedding.shape[1])  # (T Y X, D)
    cells = Cells.of(labels)
    total = embedding.sum() * 0
    own = flat[cells.pixel]
    unit = F.normalize(own, dim=1, eps=EPS)
    if cells.count:
        total = total + _cell_terms(own, unit, cells, adjacent, pull, targets)
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
    own: Tensor,
    unit: Tensor,
    cells: Cells,
    adjacent: Tensor,
    pull: Pull,
    targets: Tensor | None,
) -> Tensor:
    mean = F.normalize(mean_by(own, cells.cell, cells.count), dim=1, eps=EPS)  # (K, D)
    inside = mean_by(
        _pull((unit * mean[cells.cell]).sum(1), pull), cells.cell, cells.count
    )
    if targets is not None:
        mean, inside, adjacent = mean[targets], inside[targets], adjacent[targets]
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
