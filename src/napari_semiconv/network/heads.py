"""Heads: from features to embedding, offset, motion, seed and foreground."""

from torch import Tensor, nn

from ..settings import NetworkSettings
from .hourglass import Conv

HIDDEN = 32
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
        self.out = nn.Conv2d(HIDDEN, sum(OUTPUTS.values()), 1)
        # Zero offsets at the start: the operator begins as the identity grid.
        nn.init.normal_(self.out.weight, std=1e-3)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

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
            ``foreground``, (B, 1, Y, X), logits.
        """
        maps = self.out(self.hidden(features)).split(list(OUTPUTS.values()), 1)
        found = dict(zip(OUTPUTS, maps, strict=True))
        found["offset"] = found["offset"] * self.scale
        found["motion"] = found["motion"] * self.scale
        return found
