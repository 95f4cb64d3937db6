"""The semi-convolutional vote (Novotny et al. 2018): where the cell's centre lies."""

import torch
from torch import Tensor, nn

from ...settings import NetworkSettings
from .. import losses
from ..semiconv import LearnedOperator, pixel_grid
from .base import PIXELS, Example, Head, register


class OffsetHead(Head):
    """From the pixel to its cell's centre, y and x in px."""

    name = "offset"

    def channels(self, settings: NetworkSettings) -> int:
        """Have two, y and x."""
        del settings
        return 2

    def scale(self, raw: Tensor, settings: NetworkSettings) -> Tensor:
        """Bring offsets to px."""
        return raw * settings.offset_scale

    def operator(self, settings: NetworkSettings) -> nn.Module | None:
        """Build the learned operator, where the position is not just added."""
        return LearnedOffset() if settings.operator == "learned" else None

    def losses(self, example: Example) -> dict[str, Tensor]:
        """Draw votes to their centre, or make the kernel around it the mask."""
        assert example.kernel is not None  # every network with offsets has one
        choices, cells = example.choices, example.cells
        points, centre = example.points
        if choices.cell_loss == "lovasz":
            everywhere = example.maps["offset"] + pixel_grid(example.maps["offset"])
            if example.looks is not None:
                everywhere = torch.cat([everywhere, example.looks], 1)
            hinge = losses.lovasz_loss(
                everywhere, example.labels, centre, cells, example.kernel, example.width
            )
            found = {"lovasz": hinge}
        else:
            pulled, _ = losses.attraction_loss(example.votes, cells, example.centre)
            learned = losses.kernel_loss(
                points, centre, cells, example.kernel, example.width
            )
            found = {"attraction": pulled / PIXELS, "kernel": 0.5 * learned}
        if choices.repulsion:
            margin = choices.repulsion_margin * choices.cell_size
            apart = losses.repulsion_loss(
                example.centre, cells, example.adjacent, margin
            )
            found["repulsion"] = choices.repulsion * apart / PIXELS**2
        return found


class LearnedOffset(LearnedOperator):
    """The learned operator, whose votes are told as offsets again."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, features: Tensor) -> Tensor:
        """Change offsets, (B, 2, Y, X), px."""
        votes = super().forward(features)
        return votes - pixel_grid(votes)


register(OffsetHead())
