"""Where cells may be: boxes from a light head, or from the peaks of the seed map."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..settings import RegionSettings
from .embedder import Output
from .hourglass import Conv
from .kernels import VoteKernel
from .rois import clip_boxes, suppress
from .semiconv import pixel_grid

LARGEST = 5.0  # logarithm of a side over the box scale; keeps an early box finite
NEAR = 0.5  # least kernel between a vote and the seed it counts for
SEED_WINDOW = 5  # px within which a peak of the seed map is the only one


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

    def __init__(self, inside: int, settings: RegionSettings) -> None:
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
            Logit of the objectness, (B, Y, X), and boxes, (B, Y, X, 4), px.
        """
        found = self.out(self.hidden(features))
        reach = self.scale * found[:, 1:].clamp(max=LARGEST).exp()  # (B, 4, Y, X)
        here = pixel_grid(features)
        boxes = torch.cat([here - reach[:, :2], here + reach[:, 2:]], 1)
        return found[:, 0], boxes.movedim(1, -1)


def seed_proposals(
    output: Output, index: int, kernel: VoteKernel, settings: RegionSettings
) -> tuple[Tensor, Tensor]:
    """Make one box per peak of the seed map: around the pixels that vote for it.

    Parameters
    ----------
    output
        Output of a network with semi-convolutional heads.
    index
        Which of its frames.
    kernel
        The learned kernel of those heads; only votes count.
    settings
        Least score, and how many peaks are taken.

    Returns
    -------
    tuple
        Boxes, (N, 4), px, and their scores, (N,).
    """
    assert output.seed is not None  # a network without these heads is refused
    assert output.offset is not None
    assert output.foreground is not None
    seed = output.seed[index, 0].sigmoid()
    grid = pixel_grid(seed)
    votes = (grid + output.offset[index]).flatten(1).T  # (Y X, 2)
    top = F.max_pool2d(seed[None], SEED_WINDOW, 1, SEED_WINDOW // 2)[0]
    peak = torch.nonzero(((seed == top) & (seed > settings.least_score)).flatten())
    peak = peak.squeeze(1)
    scores, order = seed.flatten()[peak].sort(descending=True)
    peak, scores = peak[order][: settings.candidates], scores[: settings.candidates]
    inside = torch.nonzero(output.foreground[index, 0].flatten() > 0).squeeze(1)
    if not len(peak) or not len(inside):
        return seed.new_zeros((0, 4)), seed.new_zeros(0)
    distance = torch.cdist(votes[peak], votes[inside])  # (N, P)
    near = kernel.geometric.log(distance) > math.log(NEAR)
    place = grid.flatten(1)[:, inside]  # (2, P)
    outside = ~near[:, None]
    low = place.masked_fill(outside, math.inf).amin(2)
    high = place.masked_fill(outside, -math.inf).amax(2)
    some = near.any(1)
    return torch.cat([low - 0.5, high + 0.5], 1)[some], scores[some]


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
    kept = suppress(boxes, scores, settings.most_overlap)[: settings.most_regions]
    return boxes[kept], scores[kept]
