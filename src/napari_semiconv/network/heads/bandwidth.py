"""A kernel width for each cell (Neven et al. 2019)."""

import math

from torch import Tensor

from ...settings import NetworkSettings
from .base import Example, Head, register

SIGMA = 4.0  # px; the width that each cell's kernel begins with
# Neven et al. weigh the variance of s by 10; log sigma is -5 s and a constant.
SMOOTHNESS = 10 / 5**2


class BandwidthHead(Head):
    """Logarithm of the kernel width in px.

    The width of a cell takes part in the losses of votes and seed map, see
    `Example.width`.
    """

    name = "bandwidth"

    def channels(self, settings: NetworkSettings) -> int:
        """Have one."""
        del settings
        return 1

    def scale(self, raw: Tensor, settings: NetworkSettings) -> Tensor:
        """Count from the width that kernels begin with."""
        del settings
        return raw + math.log(SIGMA)

    def losses(self, example: Example) -> dict[str, Tensor]:
        """Make the map even within each cell."""
        found = example.smoothness_and_width
        assert found is not None  # this network has the map
        return {"smoothness": SMOOTHNESS * found[0]}


register(BandwidthHead())
