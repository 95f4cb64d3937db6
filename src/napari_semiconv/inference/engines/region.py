"""The region version (Novotny et al. 2018): a box, a seed and a mask for each cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...labels import Labels
from ...network.region import RegionHeads, find_instances, paint
from ...network.weights import Model
from ...settings import REGION, RegionSettings, SegmentSettings
from ..stream.stream import FrameOutput
from .protocol import CellScores


@dataclass(frozen=True)
class RegionEngine:
    """Finds the cells of one frame after the other.

    Parameters
    ----------
    heads
        Heads of the network, on its device.
    settings
        Thresholds.
    """

    heads: RegionHeads
    settings: RegionSettings

    @property
    def window(self) -> int:
        """One frame."""
        return 1

    @property
    def foreground(self) -> float:
        """Foreground probability at which cells end against the background."""
        return self.settings.foreground

    def cluster(
        self, outputs: Sequence[FrameOutput]
    ) -> list[tuple[Labels, CellScores]]:
        """Find the cells of a frame, see `Engine.cluster`; sure by box and mask."""
        (output,) = outputs
        device = self.heads.kernel.log_sigma.device
        maps = {
            name: torch.from_numpy(planes)[None].to(device)
            for name, planes in output.further.items()
        }
        found = find_instances(self.heads, maps, self.settings)
        labels, sure = paint(found, output.shape, self.settings)
        numbers = np.arange(1, len(sure) + 1, dtype=np.int32)
        unknown = np.full(len(sure), np.nan)
        scores = CellScores(numbers, np.array(sure, np.float64), unknown)
        return [(labels.numpy().astype(np.int32), scores)]


def build(settings: SegmentSettings, model: Model) -> RegionEngine:
    """Make the engine for a model that was trained with its heads."""
    assert model.network.region is not None  # the model was checked
    return RegionEngine(model.network.region, REGION.own(settings))
