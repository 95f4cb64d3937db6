"""The region version: boxes, soft seeds and kernel masks (Novotny et al. 2018).

Section 4.2 of the paper adds a semi-convolutional embedding to Mask R-CNN. Here the
same heads work on the features of the hourglass, which has one scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import BadSettingsError
from ..settings import NetworkSettings, RegionSettings
from .embedder import Embedder, Output, State
from .hourglass import Conv
from .proposals import ProposalHead, seed_proposals, thin_out
from .rois import crop_regions
from .semiconv import LaplacianKernel, add_coordinates


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """Pass a tensor of any shape on unchanged, but its gradient times a factor."""
    return x * factor + (x * (1 - factor)).detach()


class EmbeddingHead(nn.Module):
    """Semi-convolutional embedding: 1x1 conv, ReLU, 3x3 conv, plus the position.

    Parameters
    ----------
    inside
        Channels of the features.
    settings
        Sizes, the scale in px and the gradient scale.
    """

    def __init__(self, inside: int, settings: RegionSettings) -> None:
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
        return add_coordinates(self.out(self.hidden(x).relu()) * self.scale)


class ScoreHead(nn.Module):
    """Mask score s(u) of each point of a region.

    Parameters
    ----------
    inside
        Channels of the features.
    settings
        Sizes.
    """

    def __init__(self, inside: int, settings: RegionSettings) -> None:
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


@dataclass(frozen=True)
class RegionOutput:
    """What the region network says of some frames before any region is chosen.

    Parameters
    ----------
    pixel
        Output of the backbone, with its features.
    objectness
        Logit of how good the box seen from each pixel is, (B, Y, X).
    boxes
        That box, (B, Y, X, 4), px.
    embedding
        Semi-convolutional embedding, (B, D, Y, X), px.
    """

    pixel: Output
    objectness: Tensor
    boxes: Tensor
    embedding: Tensor

    @property
    def features(self) -> Tensor:
        """Features of the backbone, (B, F, Y, X)."""
        features = self.pixel.features
        assert features is not None  # the backbone always gives them
        return features


@dataclass(frozen=True)
class Instances:
    """Cells found in one frame, best first.

    Parameters
    ----------
    boxes
        Boxes, (N, 4), px.
    scores
        Score of each, 0 to 1, (N,).
    masks
        Mask of each, which may overlap, (N, Y, X).
    """

    boxes: Tensor
    scores: Tensor
    masks: Tensor


class RegionNetwork(nn.Module):
    """Backbone with proposal, mask-score and semi-convolutional embedding heads.

    Parameters
    ----------
    network
        Shape of the backbone.
    region
        Shape and thresholds of the heads.

    Raises
    ------
    BadSettingsError
        When proposals come from seeds and the backbone has no seed map.
    """

    def __init__(self, network: NetworkSettings, region: RegionSettings) -> None:
        super().__init__()
        if region.proposals == "seeds" and not network.offsets:
            raise BadSettingsError(
                "Proposals 'seeds': expected a network with semi-convolutional heads, "
                "found one without; set `offsets` of the network or choose 'boxes'."
            )
        self.settings = region
        self.backbone = Embedder(network)
        wide = network.channels[0]
        self.propose = ProposalHead(wide, region)
        self.embed = EmbeddingHead(wide, region)
        self.score = ScoreHead(wide, region)
        self.kernel = LaplacianKernel(region.sigma)

    def forward(
        self, frame: Tensor, state: Sequence[Tensor] | None = None
    ) -> tuple[RegionOutput, State]:
        """Take in one frame, (B, C, Y, X); state as in `Embedder`.

        Raises
        ------
        BadInputError
            When the frame does not fit the stride of the network.
        """
        output, fresh = self.backbone(frame, state)
        objectness, boxes = self.propose(output.features)
        embedding = self.embed(output.features)
        return RegionOutput(output, objectness, boxes, embedding), fresh

    def crops(
        self, output: RegionOutput, boxes: Tensor, image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Look at regions.

        Parameters
        ----------
        output
            What was said of the frames.
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
        features = crop_regions(output.features, boxes, image, size)
        embedding = crop_regions(output.embedding, boxes, image, size)
        return self.score(features), embedding

    def proposals(self, output: RegionOutput, index: int) -> tuple[Tensor, Tensor]:
        """Boxes of one frame, (N, 4), px, best first, and their scores, (N,)."""
        if self.settings.proposals == "boxes":
            boxes = output.boxes[index].flatten(0, 1)
            scores = output.objectness[index].flatten().sigmoid()
        else:
            assert self.backbone.kernel is not None  # checked when built
            boxes, scores = seed_proposals(
                output.pixel, index, self.backbone.kernel, self.settings
            )
        shape = output.features.shape[-2], output.features.shape[-1]
        return thin_out(boxes, scores, shape, self.settings)

    @torch.no_grad()
    def instances(self, output: RegionOutput) -> list[Instances]:
        """Find the cells of each frame: one seed per region, no clustering.

        Parameters
        ----------
        output
            What was said of B frames.

        Returns
        -------
        list
            The cells of each frame.
        """
        return [
            self._instances(output, index) for index in range(len(output.objectness))
        ]

    def _instances(self, output: RegionOutput, index: int) -> Instances:
        boxes, scores = self.proposals(output, index)
        shape = output.objectness.shape[-2:]
        if not len(boxes):
            empty = torch.zeros((0, *shape), dtype=torch.bool, device=boxes.device)
            return Instances(boxes, scores, empty)
        image = torch.full((len(boxes),), index, device=boxes.device)
        score, embedding = self.crops(output, boxes, image)
        seed = hard_seed(score, embedding)
        chance = torch.zeros((len(boxes), *shape), device=boxes.device)
        for i, box in enumerate(boxes):
            rows, columns = _window(box)
            near = output.embedding[index, None, :, rows, columns]
            # The score is known on the grid of the region; the kernel on every pixel.
            s = _at_pixels(score[i], box, rows, columns)
            log_kernel = self.kernel.log(seed_distance(seed[i : i + 1], near))[0]
            chance[i, rows, columns] = (s + log_kernel).sigmoid()
        masks = chance > self.settings.mask
        size = masks.flatten(1).sum(1)
        sure = (chance * masks).flatten(1).sum(1) / size.clamp(min=1)
        scores = scores * sure
        kept = torch.nonzero(size >= self.settings.smallest).squeeze(1)
        kept = kept[scores[kept].argsort(descending=True, stable=True)]
        return Instances(boxes[kept], scores[kept], masks[kept])

    def paint(self, found: Instances) -> Tensor:
        """Make a label image of cells that may overlap: the higher score lies on top.

        Parameters
        ----------
        found
            Cells of one frame, best first.

        Returns
        -------
        Tensor
            Labels 1, 2, ..., best first, 0 is background, (Y, X).
        """
        labels = torch.zeros(found.masks.shape[1:], dtype=torch.long)
        count = 0
        for mask in found.masks.cpu():
            free = mask & (labels == 0)
            area, left = int(mask.sum()), int(free.sum())
            if left >= max(self.settings.smallest, self.settings.least_free * area):
                count += 1
                labels[free] = count
        return labels


def _window(box: Tensor) -> tuple[slice, slice]:
    """Pixels whose centres lie in a box, (4,), px."""
    top, left, bottom, right = box.tolist()
    # A box thinner than a pixel still has one.
    return (
        slice(y := round(top + 0.5), max(round(bottom + 0.5), y + 1)),
        slice(x := round(left + 0.5), max(round(right + 0.5), x + 1)),
    )


def _at_pixels(score: Tensor, box: Tensor, rows: slice, columns: slice) -> Tensor:
    """Interpolate a score, (S, S), known at the points of a box, at pixels, (Y, X)."""
    axes = []
    for low, high, pixels in ((0, 2, rows), (1, 3, columns)):
        centre = torch.arange(pixels.start, pixels.stop, device=box.device)
        # From -1 to 1 across the box, as `grid_sample` counts.
        side = (box[high] - box[low]).clamp(min=1e-3)
        axes.append(2 * (centre - box[low]) / side - 1)
    y, x = torch.meshgrid(*axes, indexing="ij")
    return F.grid_sample(
        score[None, None],
        torch.stack([x, y], -1)[None],
        padding_mode="border",
        align_corners=False,
    )[0, 0]
