"""Heads: from features to offset, motion, seed, foreground and kernel width."""

import math

from torch import Tensor, nn

from ..settings import NetworkSettings
from .hourglass import Conv
from .semiconv import LearnedOperator, pixel_grid

HIDDEN = 32
SIGMA = 4.0  # px; the width that each cell's kernel begins with
OUTPUTS = {"offset": 2, "motion": 2, "seed": 1, "foreground": 1}


class PixelHeads(nn.Module):
    """Semi-convolutional and foreground heads on the features of the last hourglass.

    Parameters
    ----------
    settings
        Shape of the network.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.scale = settings.offset_scale
        self.hidden = Conv(settings.channels[0], HIDDEN, normalise=settings.normalise)
        own_width = settings.bandwidth == "cell"
        self.outputs = OUTPUTS | ({"bandwidth": 1} if own_width else {})
        self.out = nn.Conv2d(HIDDEN, sum(self.outputs.values()), 1)
        # Zero offsets at the start: the operator begins as the identity grid.
        nn.init.normal_(self.out.weight, std=1e-3)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]
        learned = settings.operator == "learned"
        self.operator = LearnedOperator(2) if learned else None

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Work out the maps of one frame.

        Parameters
        ----------
        features
            Output of the hourglass, (B, F, Y, X).

        Returns
        -------
        dict
            ``offset`` and ``motion``, (B, 2, Y, X), px: where the cell's centre lies
            now and lay in the frame before, seen from the pixel; ``seed`` and
            ``foreground``, (B, 1, Y, X), logits; with a width for each cell also
            ``bandwidth``, (B, 1, Y, X), the logarithm of the kernel width in px.
        """
        maps = self.out(self.hidden(features)).split(list(self.outputs.values()), 1)
        found = dict(zip(self.outputs, maps, strict=True))
        found["offset"] = found["offset"] * self.scale
        found["motion"] = found["motion"] * self.scale
        if self.operator is not None:
            votes = self.operator(found["offset"])
            found["offset"] = votes - pixel_grid(votes)
        if "bandwidth" in found:
            found["bandwidth"] = found["bandwidth"] + math.log(SIGMA)
        return found
