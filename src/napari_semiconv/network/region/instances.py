"""From what the region version says to cells: one seed in a box, no clustering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...settings import RegionSettings
from .network import RegionHeads, boxes_seen, embedding_of, hard_seed, seed_distance
from .rois import clip_boxes, suppress


@dataclass(frozen=True)
class Instance:
    """A cell found in a frame.

    Parameters
    ----------
    box
        Its box, (4,), px.
    score
        How sure the box and the mask are, 0 to 1.
    window
        Rows and columns of the frame that its mask lies in.
    mask
        Which pixels of the window it covers, (h, w); masks of cells may overlap.
    """

    box: Tensor
    score: float
    window: tuple[slice, slice]
    mask: Tensor


@torch.no_grad()
def find_instances(
    heads: RegionHeads, maps: Mapping[str, Tensor], settings: RegionSettings
) -> list[Instance]:
    """Find the cells of one frame.

    Parameters
    ----------
    heads
        The heads, in evaluation mode.
    maps
        What they say of the frame, each (1, C, Y, X), see `RegionHeads.forward`.
    settings
        Thresholds.

    Returns
    -------
    list
        The cells, best first.
    """
    features = maps["features"]
    shape = features.shape[-2], features.shape[-1]
    boxes, scores = thin_out(
        boxes_seen(maps).flatten(0, 2),
        maps["objectness"].flatten().sigmoid(),
        shape,
        settings,
    )
    if not len(boxes):
        return []
    every = embedding_of(maps)
    image = torch.zeros(len(boxes), dtype=torch.long, device=boxes.device)
    score, embedding = heads.look(every, features, boxes, image)
    seed = hard_seed(score, embedding)
    found = []
    for i, box in enumerate(boxes):
        rows, columns = window = _window(box)
        # The score is known on the grid of the region; the kernel on every pixel.
        distance = seed_distance(seed[i : i + 1], every[:, :, rows, columns])
        logit = _at_pixels(score[i], box, window) + heads.kernel.log(distance)[0]
        chance = logit.sigmoid()
        mask = chance > settings.mask
        if (size := int(mask.sum())) >= settings.smallest:
            sure = float(scores[i]) * float((chance * mask).sum()) / size
            found.append(Instance(box, sure, window, mask))
    return sorted(found, key=lambda cell: -cell.score)


def thin_out(
    boxes: Tensor, scores: Tensor, shape: tuple[int, int], settings: RegionSettings
) -> tuple[Tensor, Tensor]:
    """Keep good boxes that are not too alike.

    Parameters
    ----------
    boxes
        Boxes, (N, 4), px.
    scores
        Their scores, 0 to 1, (N,).
    shape
        Height and width of the frame, px.
    settings
        Thresholds.

    Returns
    -------
    tuple
        Boxes, (K, 4), px, best first, and scores, (K,).
    """
    best = scores.argsort(descending=True, stable=True)[: settings.candidates]
    best = best[scores[best] > settings.least_score]
    boxes, scores = clip_boxes(boxes[best], shape), scores[best]
    kept = suppress(boxes, scores, settings.most_overlap, settings.most_regions)
    return boxes[kept], scores[kept]


def paint(
    found: Sequence[Instance], shape: tuple[int, int], settings: RegionSettings
) -> tuple[Tensor, list[float]]:
    """Make a label image of cells that may overlap: the higher score lies on top.

    Parameters
    ----------
    found
        Cells of one frame, best first.
    shape
        Height and width of the frame, px.
    settings
        How much of a cell must be left of it.

    Returns
    -------
    tuple
        Labels 1, 2, ..., best first, 0 is background, (Y, X), on the CPU; and the score
        of each cell that was painted.
    """
    labels = torch.zeros(shape, dtype=torch.long)
    scores: list[float] = []
    for cell in found:
        under = labels[cell.window]  # a view
        mask = cell.mask.cpu()
        free = mask & (under == 0)
        left = int(free.sum())
        if left >= max(settings.smallest, settings.least_free * int(mask.sum())):
            scores.append(cell.score)
            under[free] = len(scores)
    return labels, scores


def _window(box: Tensor) -> tuple[slice, slice]:
    """Pixels whose centres lie in a box, (4,), px."""
    top, left, bottom, right = box.tolist()
    # A box thinner than a pixel still has one.
    return (
        slice(y := round(top + 0.5), max(round(bottom + 0.5), y + 1)),
        slice(x := round(left + 0.5), max(round(right + 0.5), x + 1)),
    )


def _at_pixels(score: Tensor, box: Tensor, window: tuple[slice, slice]) -> Tensor:
    """Interpolate a score, (S, S), known at the points of a box, at pixels, (Y, X)."""
    axes = []
    for low, high, pixels in zip((0, 1), (2, 3), window, strict=True):
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
