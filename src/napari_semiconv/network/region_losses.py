"""Losses of the region version (Novotny et al. 2018, section 4.2).

The embedding's attraction on the whole image, the mask with the kernel in its logit,
and the kernel of the soft seed against the mask; beside them those of the proposals.
Labels are integers: 0 is background, -1 is "not annotated" and takes no part.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from . import losses
from .losses import Cells, mean_by
from .region import RegionNetwork, RegionOutput, seed_distance, soft_seed
from .rois import EPS, box_iou, boxes_of, clip_boxes, crop_masks
from .semiconv import LaplacianKernel

NEAREST = 0.1  # px; a kernel of exactly one would make a logarithm infinite


@dataclass(frozen=True)
class Regions:
    """Regions to learn from, one per cell and image.

    Parameters
    ----------
    boxes
        Boxes, (R, 4), px.
    image
        Which of the B images each lies in, (R,).
    masks
        1 in the cell, 0 elsewhere, -1 where nothing is annotated, (R, S, S).
    """

    boxes: Tensor
    image: Tensor
    masks: Tensor

    @classmethod
    def around(
        cls,
        labels: Tensor,
        cells: Cells,
        size: int,
        *,
        jitter: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> "Regions":
        """Cut a region around each cell, inexactly, as proposals will be.

        Parameters
        ----------
        labels
            Label images, (B, Y, X).
        cells
            The cells of these images.
        size
            Side of a region S, in samples.
        jitter
            Most that a side of a box is moved, in box sides.
        generator
            Source of randomness, on the CPU.
        """
        shape = labels.shape[-2], labels.shape[-1]
        boxes = boxes_of(cells, shape)
        random = torch.rand(boxes.shape, generator=generator).to(boxes.device) * 2 - 1
        side = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
        boxes = clip_boxes(boxes + jitter * side * random, shape)
        present = torch.unique(labels[labels > 0])
        masks = crop_masks(labels[cells.frame], present[cells.owner], boxes, size)
        return cls(boxes, cells.frame, masks)


def region_losses(
    network: RegionNetwork,
    output: RegionOutput,
    labels: Tensor,
    *,
    jitter: float = 0.1,
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Work out every loss of some images; the paper adds them up as they are.

    Parameters
    ----------
    network
        The network, in training mode.
    output
        What it says of B images.
    labels
        Their label images, (B, Y, X).
    jitter
        Most that a side of a training region is moved, in box sides.
    generator
        Source of randomness, on the CPU.

    Returns
    -------
    dict
        Losses by name, each (); those of pixels in px are divided by the scale of the
        embedding, so that all are about one at the start.
    """
    cells = Cells.of(labels)
    objectness, box = proposal_losses(output, labels, cells)
    scale = network.settings.embedding_scale
    attraction, _ = losses.attraction_loss(_at(output.embedding, cells), cells)
    found = {"objectness": objectness, "box": box, "attraction": attraction / scale}
    size = network.settings.crop
    regions = Regions.around(labels, cells, size, jitter=jitter, generator=generator)
    score, embedding = network.crops(output, regions.boxes, regions.image)
    distance = seed_distance(soft_seed(score, embedding), embedding)
    found["mask"] = mask_loss(score + network.kernel.log(distance), regions.masks)
    found["kernel"] = kernel_mask_loss(distance, regions.masks, network.kernel)
    if network.settings.proposals == "seeds":
        found |= _seed_map_losses(network, output, labels, cells)
    return found


def proposal_losses(
    output: RegionOutput, labels: Tensor, cells: Cells
) -> tuple[Tensor, Tensor]:
    """Teach each pixel of a cell the cell's box, and how good its own guess is.

    Parameters
    ----------
    output
        What was said of B images.
    labels
        Their label images, (B, Y, X).
    cells
        The cells of these images.

    Returns
    -------
    tuple
        Cross-entropy of the objectness, whose target is the IoU of the box in cells
        and 0 in background, (); -ln IoU of the boxes, mean over the cells, ().
    """
    target = torch.zeros_like(output.objectness).flatten()
    box = output.boxes.sum() * 0
    if cells.count:
        true = boxes_of(cells, (labels.shape[-2], labels.shape[-1]))[cells.piece]
        iou = box_iou(output.boxes.flatten(0, 2)[cells.pixel], true).clamp(min=EPS)
        target[cells.pixel] = iou.detach().to(target.dtype)
        box = box + mean_by(-iou.log(), cells.piece, len(cells.frame)).mean()
    known = labels.flatten() >= 0
    if not known.any():
        return output.objectness.sum() * 0, box
    guess = output.objectness.flatten()[known]
    return F.binary_cross_entropy_with_logits(guess, target[known]), box


def mask_loss(logit: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of mask logits, mean over the regions.

    Parameters
    ----------
    logit
        Mask score plus log kernel, (R, S, S).
    masks
        True masks, (R, S, S); -1 takes no part.

    Returns
    -------
    Tensor
        ().
    """
    entropy = F.binary_cross_entropy_with_logits(
        logit, masks.clamp(min=0), reduction="none"
    )
    return _mean_known(entropy, masks)


def kernel_mask_loss(
    distance: Tensor, masks: Tensor, kernel: LaplacianKernel
) -> Tensor:
    """Cross-entropy of the seed's kernel against the mask, mean over the regions.

    Parameters
    ----------
    distance
        Distance of each point's embedding from the seed's, (R, S, S), px.
    masks
        True masks, (R, S, S); -1 takes no part.
    kernel
        The kernel with its learned width.

    Returns
    -------
    Tensor
        ().
    """
    inside = -kernel.log(distance)
    near = kernel(distance.clamp(min=NEAREST)).clamp(max=1 - 1e-4)
    entropy = torch.where(masks > 0, inside, -torch.log1p(-near))
    return _mean_known(entropy, masks)


def _mean_known(entropy: Tensor, masks: Tensor) -> Tensor:
    if not len(masks):
        return entropy.sum() * 0
    known = (masks >= 0).to(entropy.dtype)
    each = (entropy * known).flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)
    return each.mean()


def _at(maps: Tensor, cells: Cells) -> Tensor:
    """Take maps, (B, D, Y, X), at the cell pixels, (P, D)."""
    return maps.movedim(1, -1).flatten(0, 2)[cells.pixel]


def _seed_map_losses(
    network: RegionNetwork, output: RegionOutput, labels: Tensor, cells: Cells
) -> dict[str, Tensor]:
    """Losses of the pixel heads, from whose seed map the proposals come."""
    pixel, kernel = output.pixel, network.backbone.kernel
    assert kernel is not None  # checked when the network was built
    assert pixel.offset is not None
    assert pixel.seed is not None
    assert pixel.foreground is not None
    votes = _at(pixel.offset, cells) + losses.positions(cells, pixel.offset)
    attraction, centre = losses.attraction_loss(votes, cells)
    near = kernel.between(votes, centre[cells.piece]).exp()
    seed = losses.seed_loss(pixel.seed[:, 0], labels, near, cells)
    return {
        "vote": attraction / network.settings.embedding_scale,
        "vote kernel": losses.kernel_loss(votes, centre, cells, kernel),
        "seed": seed,
        "foreground": losses.foreground_loss(pixel.foreground[:, 0], labels),
    }
