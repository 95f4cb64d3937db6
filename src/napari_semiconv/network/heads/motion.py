"""Where the cell was one frame before."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...settings import NetworkSettings
from .. import losses
from .base import PIXELS, Example, Head, register


class MotionHead(Head):
    """From the pixel to the centre of its cell, or its mother, one frame before, px."""

    name = "motion"

    def channels(self, settings: NetworkSettings) -> int:
        """Have two, y and x."""
        del settings
        return 2

    def scale(self, raw: Tensor, settings: NetworkSettings) -> Tensor:
        """Bring motions to px."""
        return raw * settings.offset_scale

    def losses(self, example: Example) -> dict[str, Tensor]:
        """Measure the distance from where the cell or its mother was."""
        cells, motion = example.cells, example.maps["motion"]
        origin = example.at_cells(motion) + losses.positions(cells, motion)
        mother = _mothers(example.labels, example.parents)
        distance = losses.motion_loss(origin, example.centre, cells, mother)
        return {"motion": 0.5 * distance / PIXELS}


def _mothers(labels: Tensor, parents: Mapping[int, int]) -> Tensor:
    """Find the number of the cell that each cell was born from, (K,); -1 for none."""
    present = torch.unique(labels[labels > 0]).tolist()
    number = {label: i for i, label in enumerate(present)}
    mothers = [number.get(parents.get(label, 0), -1) for label in present]
    return torch.tensor(mothers, dtype=torch.long, device=labels.device)


register(MotionHead())
