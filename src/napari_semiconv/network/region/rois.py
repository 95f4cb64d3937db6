"""Boxes around cells: made, compared, thinned out, and cut from maps.

A box is top, left, bottom, right in px. Pixel centres lie at integers, so the box of
one pixel at (y, x) is y - 0.5, x - 0.5, y + 0.5, x + 0.5.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import Cells

EPS = 1e-6


def boxes_of(cells: Cells, shape: tuple[int, int]) -> Tensor:
    """Find the box of each instance, (M, 4), px.

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
    instances, group = len(cells.frame), cells.instance[:, None].expand(-1, 2)
    empty = position.new_zeros((instances, 2))
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


def suppress(boxes: Tensor, scores: Tensor, most_overlap: float, most: int) -> Tensor:
    """Keep the best of boxes that overlap: non-maximum suppression.

    Parameters
    ----------
    boxes
        Boxes, (R, 4), px.
    scores
        Their scores, (R,).
    most_overlap
        IoU above which the worse of two boxes goes.
    most
        Most boxes that are kept.

    Returns
    -------
    Tensor
        Indices of the boxes that stay, (K,), best first.
    """
    left = scores.argsort(descending=True, stable=True)
    kept: list[Tensor] = []
    while len(left) and len(kept) < most:
        kept.append(left[0])
        left = left[1:][box_iou(boxes[left[0]], boxes[left[1:]]) <= most_overlap]
    return torch.stack(kept) if kept else left


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
    crops = features.new_zeros((len(boxes), features.shape[1], size, size))
    height, width = features.shape[-2:]
    # From -1 to 1 across the map, x first, as `grid_sample` counts.
    side = boxes.new_tensor([width, height])
    points = (2 * sample_points(boxes, size).flip(-1) + 1) / side - 1
    for index in torch.unique(image):
        own = torch.nonzero(image == index).squeeze(1)
        # The regions of a map lie in one tall picture, so that the map is not copied.
        tall = F.grid_sample(
            features[index, None],
            points[own].flatten(0, 1)[None].to(features.dtype),
            padding_mode="border",
            align_corners=False,
        )
        found = tall[0].view(-1, len(own), size, size).movedim(1, 0)
        crops = crops.index_copy(0, own, found)
    return crops


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
