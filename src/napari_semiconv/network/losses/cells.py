"""Annotated cells of a clip as index tensors, which all losses share."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..semiconv import pixel_grid

EPS = 1e-6
SPARSE = 100  # times as many numbers as values: too many to count


@dataclass(frozen=True)
class Cells:
    """Annotated cells of a clip as flat index tensors, made once for all losses.

    Parameters
    ----------
    pixel
        Flat index of each cell pixel in (T, Y, X), (P,).
    cell
        Number of the cell of each pixel, counted over the whole clip, (P,), 0 to K - 1.
    instance
        Instance of each pixel, (P,), 0 to M - 1: a cell is one in each frame.
    frame
        Frame of each instance, (M,).
    owner
        Cell of each instance, (M,).
    count
        Number of cells K.
    """

    pixel: Tensor
    cell: Tensor
    instance: Tensor
    frame: Tensor
    owner: Tensor
    count: int

    @classmethod
    def of(cls, labels: Tensor) -> "Cells":
        """Index the cells of a label clip, (T, Y, X)."""
        flat = labels.reshape(-1)
        pixel = torch.nonzero(flat > 0).squeeze(1)
        present, cell = numbered(flat[pixel].long())
        frame = pixel // labels[0].numel()
        key, instance = numbered(frame * max(len(present), 1) + cell)
        count = max(len(present), 1)
        return cls(pixel, cell, instance, key // count, key % count, len(present))


def numbered(values: Tensor) -> tuple[Tensor, Tensor]:
    """Distinct whole numbers from 0, ascending, and the place of each value in them."""
    most = int(values.max()) if len(values) else 0
    if most > SPARSE * len(values):
        present, place = torch.unique(values, return_inverse=True)
        return present, place
    # Counting is many times faster than the sort inside unique.
    seen = torch.bincount(values, minlength=1) > 0
    place = seen.cumsum(0) - 1
    return torch.nonzero(seen).squeeze(1), place[values]


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


def positions(cells: Cells, like: Tensor) -> Tensor:
    """Position of each cell pixel, (P, 2), px, in frames like ``like``, (..., Y, X)."""
    grid = pixel_grid(like).reshape(2, -1)
    return grid[:, cells.pixel % grid.shape[1]].T


def smooth_norm(vector: Tensor) -> Tensor:
    """Length of each row, (P, D) to (P,), with a gradient at zero."""
    # The gradient of a plain norm is not a number at zero.
    return (vector.square().sum(1) + EPS).sqrt()
