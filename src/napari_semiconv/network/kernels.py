"""Kernels with a learned width (Novotny et al., ECCV 2018, section 3.2)."""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..settings import KernelName

GEOMETRIC = 2  # channels of an embedding that are y and x, in px; first of all
LOOKS = 0.5  # width on unit embeddings to start from


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

    REACH: ClassVar[float]  # widths, beyond which the kernel is next to nothing

    def __init__(self, sigma: float = 4.0) -> None:
        super().__init__()
        # The logarithm keeps the width positive whatever the optimiser does.
        self.log_sigma = nn.Parameter(torch.tensor(math.log(sigma)))

    @property
    def sigma(self) -> Tensor:
        """Width, in the unit of the distances, ()."""
        return self.log_sigma.exp()

    @property
    def geometric(self) -> "Kernel":
        """The kernel on votes: itself."""
        return self

    def log(self, distance: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Logarithm of the kernel at distances of any shape.

        Parameters
        ----------
        distance
            Distances, of any shape, in the unit of sigma.
        sigma
            Width of each in place of the learned one, of the same shape.
        """
        raise NotImplementedError

    def between(
        self,
        one: Tensor,
        other: Tensor,
        sigma: Tensor | None = None,
        nearest: float = 0.0,
    ) -> Tensor:
        """Logarithm of the kernel between the votes of embeddings.

        Parameters
        ----------
        one, other
            Semi-convolutional embeddings, (..., D): two channels in px, then those of
            the appearance, which only the bilateral kernel looks at.
        sigma
            Width of each on votes in place of the learned one, (...), px.
        nearest
            Smaller distances of votes count as this, px.

        Returns
        -------
        Tensor
            (...).
        """
        distance = separation(one[..., :GEOMETRIC], other[..., :GEOMETRIC])
        return self.log(distance.clamp(min=nearest) if nearest else distance, sigma)

    def forward(self, distance: Tensor) -> Tensor:
        """Kernel, 0 to 1, at distances of any shape."""
        return self.log(distance).exp()


class LaplacianKernel(Kernel):
    """Laplacian kernel exp(-d / sigma), the one that the paper uses."""

    REACH = 9.2  # there it is 1e-4

    def log(self, distance: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Logarithm of the kernel at distances, see `Kernel.log`."""
        return -distance / (self.sigma if sigma is None else sigma)


class GaussianKernel(Kernel):
    """Gaussian kernel exp(-d^2 / (2 sigma^2))."""

    REACH = 6.1  # there it is 1e-8

    def log(self, distance: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Logarithm of the kernel at distances, see `Kernel.log`."""
        return -0.5 * (distance / (self.sigma if sigma is None else sigma)).square()


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

    def between(
        self,
        one: Tensor,
        other: Tensor,
        sigma: Tensor | None = None,
        nearest: float = 0.0,
    ) -> Tensor:
        """Logarithm of the kernel between embeddings, see `Kernel.between`.

        Embeddings of two channels have no appearance, and all look alike.
        """
        near = self.geometric.between(one, other, sigma, nearest)
        looks = separation(one[..., GEOMETRIC:], other[..., GEOMETRIC:])
        alike: Tensor = self.appearance.log(looks)
        return near + alike

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Kernel, 0 to 1, between embeddings, see `between`."""
        return self.between(one, other).exp()


VoteKernel = Kernel | BilateralKernel


def kernel_of(name: KernelName) -> VoteKernel:
    """Build the kernel of votes, with the widths that it begins with.

    The bilateral kernel is made of Gaussians, as published; its appearance is the unit
    cosine embedding, in which orthogonal directions lie 1.4 apart.
    """
    if name == "bilateral":
        return BilateralKernel(GaussianKernel(), GaussianKernel(LOOKS))
    return LaplacianKernel() if name == "laplacian" else GaussianKernel()
