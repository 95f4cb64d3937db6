"""Semi-convolutional operators (Novotny et al., ECCV 2018): embedding plus position.

A semi-convolutional embedding has a geometric part, channels 0 and 1: the y and x, in
px, that a pixel votes for; and an appearance part, the others, without a unit.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .kernels import BilateralKernel, GaussianKernel, LaplacianKernel

__all__ = [
    "BilateralKernel",
    "GaussianKernel",
    "LaplacianKernel",
    "LearnedOperator",
    "Parts",
    "add_coordinates",
    "parts_of",
    "pixel_grid",
]


class Parts(NamedTuple):
    """The two parts of a semi-convolutional embedding.

    Attributes
    ----------
    geometric
        y and x that each pixel votes for, (B, 2, Y, X), px.
    appearance
        The other channels, without a unit, (B, C - 2, Y, X).
    """

    geometric: Tensor
    appearance: Tensor


def parts_of(embedding: Tensor) -> Parts:
    """Split an embedding, (B, C, Y, X), into geometric and appearance part."""
    return Parts(embedding[:, :2], embedding[:, 2:])


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


class LearnedOperator(nn.Module):
    """General semi-convolutional operator f(Phi_u, u), learned (Novotny et al. 2018).

    The additive form plus what two 1 x 1 convolutions make of embedding and position.
    It begins as the additive form. Unlike that form it knows where in the frame a pixel
    lies, so it holds only for frames cut as in training.

    Parameters
    ----------
    channels
        Channels C of the embedding, two of them geometric.
    hidden
        Channels between the two convolutions.
    scale
        Length that counts as one for the convolutions, px; fixed, so that a position
        means the same in frames of all sizes.
    """

    def __init__(self, channels: int, hidden: int = 32, scale: float = 64.0) -> None:
        super().__init__()
        self.scale = scale
        self.hidden = nn.Conv2d(channels + 2, hidden, 1)
        self.out = nn.Conv2d(hidden, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Make embeddings semi-convolutional.

        Parameters
        ----------
        features
            Convolutional embedding, (B, C, Y, X); channels 0 and 1 in px.

        Returns
        -------
        Tensor
            Semi-convolutional embedding, (B, C, Y, X); channels 0 and 1 in px.
        """
        offset, appearance = parts_of(features)
        place = pixel_grid(features).expand(len(features), -1, -1, -1)
        known = torch.cat([offset / self.scale, appearance, place / self.scale], 1)
        change = parts_of(self.out(self.hidden(known).relu()))
        scaled = torch.cat([change.geometric * self.scale, change.appearance], 1)
        return add_coordinates(features + scaled)
