"""Semi-convolutional operators (Novotny et al., ECCV 2018): embedding plus position."""

import math

import torch
from torch import Tensor, nn


def pixel_grid(like: Tensor) -> Tensor:
    """Positions of the pixels of a map.

    Parameters
    ----------
    like
        Any tensor that ends with axes Y, X.

    Returns
    -------
    Tensor
        The y and x coordinate of each pixel centre, (2, Y, X), px.
    """
    height, width = like.shape[-2:]
    y = torch.arange(height, device=like.device, dtype=like.dtype)
    x = torch.arange(width, device=like.device, dtype=like.dtype)
    return torch.stack(torch.meshgrid(y, x, indexing="ij"))  # (2, Y, X)


def add_coordinates(features: Tensor) -> Tensor:
    """Make embeddings semi-convolutional: add u to the first two channels (eq. 3).

    Parameters
    ----------
    features
        Convolutional embedding, (B, C, Y, X); channels 0 and 1 are y and x offset, px.

    Returns
    -------
    Tensor
        Semi-convolutional embedding, (B, C, Y, X); the first two channels in px.
    """
    geometric = features[:, :2] + pixel_grid(features)
    if features.shape[1] == 2:
        return geometric
    return torch.cat([geometric, features[:, 2:]], 1)


class LaplacianKernel(nn.Module):
    """Laplacian kernel exp(-d / sigma) with a learned width (Novotny et al., sec. 3.2).

    Parameters
    ----------
    sigma
        Width to start from, in px.
    """

    def __init__(self, sigma: float = 4.0) -> None:
        super().__init__()
        # The logarithm keeps the width positive whatever the optimiser does.
        self.log_sigma = nn.Parameter(torch.tensor(math.log(sigma)))

    @property
    def sigma(self) -> Tensor:
        """Width, px, ()."""
        return self.log_sigma.exp()

    def log(self, distance: Tensor) -> Tensor:
        """Logarithm of the kernel at distances of any shape, px."""
        return -distance / self.sigma

    def forward(self, distance: Tensor) -> Tensor:
        """Kernel, 0 to 1, at distances of any shape, px."""
        return self.log(distance).exp()
