"""How near the pixel's vote falls to its cell's centre (after Neven et al. 2019)."""

from torch import Tensor

from ...settings import NetworkSettings
from .. import losses
from .base import Example, Head, register


class SeedHead(Head):
    """Logit of the kernel between the pixel's vote and its cell's centre."""

    name = "seed"

    def channels(self, settings: NetworkSettings) -> int:
        """Have one."""
        del settings
        return 1

    def read(self, maps: Tensor) -> Tensor:
        """Bring logits to 0 to 1."""
        return maps.sigmoid()

    def losses(self, example: Example) -> dict[str, Tensor]:
        """Take the squared difference from the kernel, which is held fixed."""
        assert example.kernel is not None  # every network with offsets has one
        points, centre = example.points
        cells, width = example.cells, example.width
        own = None if width is None else width[cells.instance]
        near = example.kernel.between(points, centre[cells.instance], own).exp()
        seed = example.maps["seed"][:, 0]
        return {"seed": losses.seed_loss(seed, example.labels, near, cells)}


register(SeedHead())
