"""Boxes around cells: made, compared, thinned out, and cut from maps.

A box is top, left, bottom, right in px. Pixel centres lie at integers, so the box of
one pixel at (y, x) is y - 0.5, x - 0.5, y + 0.5, x + 0.5.

Where torchvision is installed its operators do the work, as they are faster; they give
the same numbers.
"""

from functools import cache
from importlib import import_module
from types import ModuleType

import torch
from torch import Tensor

from .losses import Cells

EPS = 1e-6


@cache
def torchvision_ops() -> ModuleType | None:
    """Find the operators of torchvision; None when it is absent or does not load."""
    try:
        return import_module("torchvision.ops")
    # A torchvision that was built for another torch fails with a RuntimeError.
    except (ImportError, RuntimeError):
        return None


def boxes_of(cells: Cells, shape: tuple[int, int]) -> Tensor:
    """Find the box of each piece, (M, 4), px.

    Parameters
    ----------
    cells
        The cells of some label images.
    shape
        Height and width of an image, px.
    """
    height, width = shape
    place = cells.pixel % (height * width)
    position = torch.stack([place // width, place % width], 1).float()  # (P, 2)
    pieces, group = len(cells.frame), cells.piece[:, None].expand(-1, 2)
    empty = position.new_zeros((pieces, 2))
    low = empty.scatter_reduce(0, group, position, "amin", include_self=False)
    high = empty.scatter_reduce(0, group, position, "amax", include_self=False)
    return torch.cat([low - 0.5, high + 0.5], 1)


def area(boxes: Tensor) -> Tensor:
    """Area of boxes, (..., 4), in px; zero for those turned inside out."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def box_iou(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union of boxes that broadcast, (..., 4) and (..., 4)."""
    low = torch.maximum(one[..., :2], other[..., :2])
    high = torch.minimum(one[..., 2:], other[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    return shared / (area(one) + area(other) - shared).clamp(min=EPS)


def clip_boxes(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    """Cut boxes, (R, 4), at the rim of an image of some height and width, px."""
    height, width = shape
    most = boxes.new_tensor([height - 0.5, width - 0.5]).repeat(2)
    return torch.minimum(boxes.clamp(min=-0.5), most)


def suppress(boxes: Tensor, scores: Tensor, most_overlap: float) -> Tensor:
    """Keep the best of boxes that overlap: non-maximum suppression.

    Parameters
    ----------
    boxes
        Boxes, (R, 4), px.
    scores
        Their scores, (R,).
    most_overlap
        IoU above which the worse of two boxes goes.

    Returns
    -------
    Tensor
        Indices of the boxes that stay, (K,), best first.
    """
    if ops := torchvision_ops():
        corners = boxes.float()[:, [1, 0, 3, 2]]
        found: Tensor = ops.nms(corners, scores.float(), most_overlap)
        return found
    return greedy_suppress(boxes, scores, most_overlap)


def greedy_suppress(boxes: Tensor, scores: Tensor, most_overlap: float) -> Tensor:
    """Do what `suppress` does without torchvision."""
    order = scores.argsort(descending=True, stable=True)
    overlap = box_iou(boxes[order, None], boxes[order][None]) > most_overlap
    gone = torch.zeros(len(order), dtype=torch.bool)
    kept = []
    for i, row in enumerate(overlap.cpu()):
        if not gone[i]:
            kept.append(i)
            gone |= row
    return order[torch.tensor(kept, dtype=torch.long, device=order.device)]


def sample_points(boxes: Tensor, size: int) -> Tensor:
    """Place a regular grid of points in each box, at the middles of its bins.

    Parameters
    ----------
    boxes
        Boxes, (R, 4), px.
    size
        Bins along each side S.

    Returns
    -------
    Tensor
        y and x of the points, (R, S, S, 2), px.
    """
    middle = (torch.arange(size, device=boxes.device, dtype=boxes.dtype) + 0.5) / size
    low, side = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    axes = low[:, :, None] + side[:, :, None] * middle  # (R, 2, S)
    y = axes[:, 0, :, None].expand(-1, -1, size)
    x = axes[:, 1, None, :].expand(-1, size, -1)
    return torch.stack([y, x], -1)


def crop_regions(features: Tensor, boxes: Tensor, image: Tensor, size: int) -> Tensor:
    """Cut boxes out of maps by bilinear interpolation: RoI align, one point per bin.

    Parameters
    ----------
    features
        Maps, (B, C, Y, X).
    boxes
        Boxes, (R, 4), px, within the map.
    image
        Which of the B maps each box lies in, (R,).
    size
        Side of a crop S.

    Returns
    -------
    Tensor
        Crops, (R, C, S, S).
    """
    if (ops := torchvision_ops()) and len(boxes):
        # torchvision puts the centre of the first pixel at one half.
        corners = boxes[:, [1, 0, 3, 2]] + 0.5
        rows = torch.cat([image[:, None].to(boxes.dtype), corners], 1)
        found: Tensor = ops.roi_align(
            features, rows, size, sampling_ratio=1, aligned=True
        )
        return found
    return bilinear(features, sample_points(boxes, size), image)


def bilinear(features: Tensor, points: Tensor, image: Tensor) -> Tensor:
    """Interpolate maps at points; beyond the rim the rim goes on.

    Parameters
    ----------
    features
        Maps, (B, C, Y, X).
    points
        y and x, (R, S, S, 2), px.
    image
        Which of the B maps each row of points lies in, (R,).

    Returns
    -------
    Tensor
        Values, (R, C, S, S).
    """
    height, width = features.shape[-2:]
    flat = features.movedim(1, -1).flatten(0, 2)  # (B Y X, C)
    y = points[..., 0].clamp(0, height - 1)
    x = points[..., 1].clamp(0, width - 1)
    top, left = y.floor().long(), x.floor().long()
    bottom, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    down, along = (y - top)[..., None], (x - left)[..., None]
    first = image[:, None, None] * (height * width)

    def at(row: Tensor, column: Tensor) -> Tensor:
        return flat[first + row * width + column]  # (R, S, S, C)

    upper = at(top, left) * (1 - along) + at(top, right) * along
    lower = at(bottom, left) * (1 - along) + at(bottom, right) * along
    return (upper * (1 - down) + lower * down).movedim(-1, 1)


def crop_masks(labels: Tensor, cell: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Cut the mask of one cell per box: which points lie in a pixel of that cell.

    Parameters
    ----------
    labels
        The label image that each box lies in, (R, Y, X).
    cell
        Label of the cell of each box, (R,).
    boxes
        Boxes, (R, 4), px.
    size
        Side of a crop S.

    Returns
    -------
    Tensor
        1 in the cell, 0 elsewhere, and -1 where nothing is annotated, (R, S, S).
    """
    height, width = labels.shape[-2:]
    points = sample_points(boxes, size).round().long()
    y = points[..., 0].clamp(0, height - 1)
    x = points[..., 1].clamp(0, width - 1)
    row = torch.arange(len(labels), device=labels.device)[:, None, None]
    found = labels[row, y, x]
    inside = (found == cell[:, None, None]).to(boxes.dtype)
    return torch.where(found < 0, -1.0, inside)
