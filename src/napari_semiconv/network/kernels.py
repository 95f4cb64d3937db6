"""Kernels with a learned width (Novotny et al., ECCV 2018, section 3.2)."""

import math

import torch
from torch import Tensor, nn


def separation(one: Tensor, other: Tensor) -> Tensor:
    """Euclidean distance along the last axis, with a gradient of zero at zero.

    Parameters
    ----------
    one, other
        Points, (..., D) and (..., D), in the same unit.

    Returns
    -------
    Tensor
        Distance in that unit, (...).
    """
    square = (one - other).square().sum(-1)
    apart = square > 0
    # The gradient of a root is infinite at zero, even where its value is not used.
    return torch.where(apart, square, 1).sqrt() * apart


class Kernel(nn.Module):
    """Base of the kernels: 1 at distance zero, falling with a learned width.

    Parameters
    ----------
    sigma
        Width to start from, in the unit of the distances: px for votes, none for
        appearance.
    """

    def __init__(self, sigma: float = 4.0) -> None:
        super().__init__()
        # The logarithm keeps the width positive whatever the optimiser does.
        self.log_sigma = nn.Parameter(torch.tensor(math.log(sigma)))

    @property
    def sigma(self) -> Tensor:
        """Width, in the unit of the distances, ()."""
        return self.log_sigma.exp()

    def log(self, distance: Tensor) -> Tensor:
        """Logarithm of the kernel at distances of any shape."""
        raise NotImplementedError

    def forward(self, distance: Tensor) -> Tensor:
        """Kernel, 0 to 1, at distances of any shape."""
        return self.log(distance).exp()


class LaplacianKernel(Kernel):
    """Laplacian kernel exp(-d / sigma), the one that the paper uses."""

    def log(self, distance: Tensor) -> Tensor:
        """Logarithm of the kernel at distances of any shape, in the unit of sigma."""
        return -distance / self.sigma


class GaussianKernel(Kernel):
    """Gaussian kernel exp(-d^2 / (2 sigma^2))."""

    def log(self, distance: Tensor) -> Tensor:
        """Logarithm of the kernel at distances of any shape, in the unit of sigma."""
        return -0.5 * (distance / self.sigma).square()


class BilateralKernel(nn.Module):
    """Steered bilateral kernel: one kernel on votes times one on appearance.

    "Steered", because the geometric kernel lies around the vote of a pixel and not
    around the pixel. With two Gaussian kernels of width 1 it is the paper's
    exp(-|Psi_u - Psi_v|^2 / 2).

    Parameters
    ----------
    geometric
        Kernel on the first two channels, width in px.
    appearance
        Kernel on the other channels, width without a unit.
    """

    def __init__(self, geometric: Kernel, appearance: Kernel) -> None:
        super().__init__()
        self.geometric, self.appearance = geometric, appearance

    def log(self, one: Tensor, other: Tensor) -> Tensor:
        """Logarithm of the kernel between embeddings.

        Parameters
        ----------
        one, other
            Semi-convolutional embeddings, (..., D): two channels in px, then those of
            the appearance.

        Returns
        -------
        Tensor
            (...).
        """
        near: Tensor = self.geometric.log(separation(one[..., :2], other[..., :2]))
        alike: Tensor = self.appearance.log(separation(one[..., 2:], other[..., 2:]))
        return near + alike

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Kernel, 0 to 1, between embeddings, see `log`."""
        return self.log(one, other).exp()
