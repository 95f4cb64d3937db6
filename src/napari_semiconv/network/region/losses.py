"""Losses of the region version (Novotny et al. 2018, section 4.2).

The embedding's attraction on the whole image, the mask with the kernel in its logit,
and the kernel of the soft seed against the mask; beside them those of the proposals.
Labels are integers: 0 is background, -1 is "not annotated" and takes no part.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import losses
from ..losses import Cells, mean_by
from ..semiconv import LaplacianKernel
from .network import RegionHeads, boxes_seen, embedding_of, seed_distance, soft_seed
from .rois import EPS, box_iou, boxes_of, clip_boxes, crop_masks

NEAREST = 0.1  # px; a kernel of exactly one would make a logarithm infinite


@dataclass(frozen=True)
class RegionTargets:
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
    ) -> "RegionTargets":
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
    heads: RegionHeads,
    maps: Mapping[str, Tensor],
    labels: Tensor,
    *,
    jitter: float = 0.1,
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Work out every loss of some images; the paper adds them up as they are.

    Parameters
    ----------
    heads
        The heads, in training mode.
    maps
        What they say of B images, see `RegionHeads.forward`.
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
    cells, every = Cells.of(labels), embedding_of(maps)
    objectness, box = proposal_losses(maps, labels, cells)
    pulled, _ = losses.attraction_loss(_at(every, cells), cells)
    size = heads.settings.crop
    regions = RegionTargets.around(
        labels, cells, size, jitter=jitter, generator=generator
    )
    score, embedding = heads.look(every, maps["features"], regions.boxes, regions.image)
    distance = seed_distance(soft_seed(score, embedding), embedding)
    return {
        "objectness": objectness,
        "box": box,
        "region attraction": pulled / heads.settings.embedding_scale,
        "region mask": mask_loss(score + heads.kernel.log(distance), regions.masks),
        "region kernel": kernel_mask_loss(distance, regions.masks, heads.kernel),
    }


def proposal_losses(
    maps: Mapping[str, Tensor], labels: Tensor, cells: Cells
) -> tuple[Tensor, Tensor]:
    """Teach each pixel of a cell the cell's box, and how good its own guess is.

    Parameters
    ----------
    maps
        What was said of B images, see `RegionHeads.forward`.
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
    objectness, boxes = maps["objectness"].flatten(), boxes_seen(maps)
    target = torch.zeros_like(objectness)
    box = boxes.sum() * 0
    if cells.count:
        true = boxes_of(cells, (labels.shape[-2], labels.shape[-1]))[cells.instance]
        iou = box_iou(boxes.flatten(0, 2)[cells.pixel], true).clamp(min=EPS)
        target[cells.pixel] = iou.detach().to(target.dtype)
        box = box + mean_by(-iou.log(), cells.instance, len(cells.frame)).mean()
    known = labels.flatten() >= 0
    if not known.any():
        return objectness.sum() * 0, box
    guess = objectness[known]
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
