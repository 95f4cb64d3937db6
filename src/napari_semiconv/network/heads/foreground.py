"""Cells against background."""

from torch import Tensor

from ...settings import NetworkSettings
from .. import losses
from .base import Example, Head, register


class ForegroundHead(Head):
    """Logit of being in a cell."""

    name = "foreground"

    def channels(self, settings: NetworkSettings) -> int:
        """Have one."""
        del settings
        return 1

    def read(self, maps: Tensor) -> Tensor:
        """Bring logits to 0 to 1."""
        return maps.sigmoid()

    def losses(self, example: Example) -> dict[str, Tensor]:
        """Take cross-entropy and soft Dice."""
        logit = example.maps["foreground"][:, 0]
        return {"foreground": losses.foreground_loss(logit, example.labels)}


register(ForegroundHead())
