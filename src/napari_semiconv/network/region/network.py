"""The heads of the region version: boxes, instance embedding and mask score.

Section 4.2 of Novotny et al. 2018 adds a semi-convolutional embedding to Mask R-CNN.
Here the same heads work on the features of the hourglass, which has one scale.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ...settings import RegionHeadSettings
from ..hourglass import Conv
from ..semiconv import LaplacianKernel, add_coordinates, pixel_grid
from .rois import crop_regions

LARGEST = 5.0  # logarithm of a side over the box scale; keeps an early box finite


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """Pass a tensor of any shape on unchanged, but its gradient times a factor."""
    return x * factor + (x * (1 - factor)).detach()


class ProposalHead(nn.Module):
    """Every pixel says how far the four sides of its cell's box are, and how sure.

    There are no anchors: a cell has as many pixels as it needs to speak for it.

    Parameters
    ----------
    inside
        Channels of the features.
    settings
        Sizes.
    """

    def __init__(self, inside: int, settings: RegionHeadSettings) -> None:
        super().__init__()
        self.scale = settings.box_scale
        self.hidden = Conv(inside, settings.hidden)
        self.out = nn.Conv2d(settings.hidden, 5, 1)
        nn.init.normal_(self.out.weight, std=1e-2)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Propose boxes.

        Parameters
        ----------
        features
            Features of the backbone, (B, F, Y, X).

        Returns
        -------
        tuple
            Logit of the objectness, (B, 1, Y, X), and distances of the top, left,
            bottom and right side from the pixel, (B, 4, Y, X), px.
        """
        found = self.out(self.hidden(features))
        return found[:, :1], self.scale * found[:, 1:].clamp(max=LARGEST).exp()


class InstanceHead(nn.Module):
    """Instance embedding before the position is added: 1x1 conv, ReLU, 3x3 conv.

    Parameters
    ----------
    inside
        Channels of the features.
    settings
        Sizes, the scale in px and the gradient scale.
    """

    def __init__(self, inside: int, settings: RegionHeadSettings) -> None:
        super().__init__()
        self.gradient, self.scale = settings.gradient_scale, settings.embedding_scale
        self.hidden = nn.Conv2d(inside, settings.hidden, 1)
        self.out = nn.Conv2d(settings.hidden, settings.embedding_size, 3, padding=1)
        # Zero at the start: the operator begins as the identity grid.
        nn.init.normal_(self.out.weight, std=1e-3)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Embed features, (B, F, Y, X), as (B, D, Y, X), px."""
        x = scale_gradient(features, self.gradient)
        found: Tensor = self.out(self.hidden(x).relu()) * self.scale
        return found


class ScoreHead(nn.Module):
    """Mask score s(u) of each point of a region.

    Parameters
    ----------
    inside
        Channels of the features.
    settings
        Sizes.
    """

    def __init__(self, inside: int, settings: RegionHeadSettings) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Conv(inside, settings.hidden), Conv(settings.hidden, settings.hidden)
        )
        self.out = nn.Conv2d(settings.hidden, 1, 1)

    def forward(self, crops: Tensor) -> Tensor:
        """Score crops, (R, F, S, S), as logits, (R, S, S)."""
        score: Tensor = self.out(self.body(crops)).squeeze(1)
        return score


def soft_seed(score: Tensor, embedding: Tensor) -> Tensor:
    """Embedding expected under the softmax of the score: the seed in training.

    Parameters
    ----------
    score
        Logits, (R, S, S).
    embedding
        Embedding of the same points, (R, D, S, S), px.

    Returns
    -------
    Tensor
        (R, D), px; differentiable in both.
    """
    chance = score.flatten(1).softmax(1)
    return torch.einsum("rp,rdp->rd", chance, embedding.flatten(2))


def hard_seed(score: Tensor, embedding: Tensor) -> Tensor:
    """Embedding where the score is highest: the seed when cells are looked for.

    Parameters and result are those of `soft_seed`.
    """
    best = score.flatten(1).argmax(1)
    row = torch.arange(len(best), device=best.device)
    return embedding.flatten(2)[row, :, best]


def seed_distance(seed: Tensor, embedding: Tensor) -> Tensor:
    """Distance of each point's embedding, (R, D, ...), from the seed's, (R, D), px."""
    gap = embedding - seed.reshape(*seed.shape, *[1] * (embedding.ndim - 2))
    # The gradient of a plain norm is not a number at zero.
    return (gap.square().sum(1) + 1e-6).sqrt()


class RegionHeads(nn.Module):
    """Proposal, mask-score and instance-embedding heads, and the kernel.

    Parameters
    ----------
    inside
        Channels of the features.
    settings
        Sizes.
    """

    def __init__(self, inside: int, settings: RegionHeadSettings) -> None:
        super().__init__()
        self.settings = settings
        self.propose = ProposalHead(inside, settings)
        self.embed = InstanceHead(inside, settings)
        self.score = ScoreHead(inside, settings)
        self.kernel = LaplacianKernel(settings.sigma)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Work out what is said of every pixel of some frames.

        Parameters
        ----------
        features
            Features of the backbone, (B, F, Y, X).

        Returns
        -------
        dict
            ``objectness``, the logit of how good the box seen from the pixel is,
            (B, 1, Y, X); ``sides``, how far those of the box are, (B, 4, Y, X), px;
            ``instance``, the embedding before the position is added, (B, D, Y, X), px.
            And the ``features``, which crops of them are scored by. None depends on
            where in a frame the pixel lies, so that tiles can be joined.
        """
        objectness, sides = self.propose(features)
        return {
            "objectness": objectness,
            "sides": sides,
            "instance": self.embed(features),
            "features": features,
        }

    def look(
        self, embedding: Tensor, features: Tensor, boxes: Tensor, image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Look at regions.

        Parameters
        ----------
        embedding
            Semi-convolutional embedding of some frames, (B, D, Y, X), px, see
            `embedding_of`.
        features
            Features of the backbone, (B, F, Y, X).
        boxes
            Regions, (R, 4), px.
        image
            Which of the B frames each lies in, (R,).

        Returns
        -------
        tuple
            Mask score, logits, (R, S, S), and embedding, (R, D, S, S), px.
        """
        size = self.settings.crop
        score: Tensor = self.score(crop_regions(features, boxes, image, size))
        return score, crop_regions(embedding, boxes, image, size)


def embedding_of(maps: Mapping[str, Tensor]) -> Tensor:
    """Take the semi-convolutional embedding of some frames, (B, D, Y, X), px."""
    return add_coordinates(maps["instance"])


def boxes_seen(maps: Mapping[str, Tensor]) -> Tensor:
    """Take the box that each pixel of some frames sees, (B, Y, X, 4), px."""
    sides = maps["sides"]
    here = pixel_grid(sides)
    return torch.cat([here - sides[:, :2], here + sides[:, 2:]], 1).movedim(1, -1)
