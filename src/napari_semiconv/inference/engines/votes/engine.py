"""Votes engine: cells are where semi-convolutional votes gather."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ....labels import Labels
from ....network.weights import Model
from ....settings import VOTES, SegmentSettings, VotesSettings
from ...stream.stream import FrameOutput
from ..regions import Regions, areas_of, fill_holes
from ..tensors import one_thread, to_tensors
from .borders import Borders, Joined, join
from .certainty import Certainty, measure_certainty
from .segments import Segments, find_segments


class VotesEngine:
    """Finds cells where the votes of foreground pixels gather (Novotny et al. 2018).

    Each pixel points at its cell's centre. Peaks of the blurred vote map are seeds;
    each pixel joins the peak its vote belongs to. Touching cells may share a peak:
    segments with two kinds of cosine embedding are split. Long cells gather votes in
    several places: touching segments are one cell when votes, seeds and embeddings on
    both sides of their border say so.

    All work on pixels is done by the device, with the same result on each. A frame
    goes there in one transfer (see `to_tensors`; the CPU reads the arrays themselves);
    a few numbers of each pair of touching segments come back, and the labels.

    Parameters
    ----------
    settings
        Thresholds.
    device
        Where to work: the CPU or a CUDA card.
    """

    window = 1

    def __init__(
        self, settings: VotesSettings, device: torch.device | str = "cpu"
    ) -> None:
        self.settings = settings
        self.device = torch.device(device)
        self.foreground = settings.foreground

    def cells(self, output: FrameOutput) -> Labels:
        """Find the cells of one frame, (Y, X)."""
        with one_thread():
            return self._found(output)[0]

    def cluster(self, outputs: Sequence[FrameOutput]) -> list[tuple[Labels, Certainty]]:
        """Find the cells of one frame, and tell how sure each of them is.

        Parameters
        ----------
        outputs
            Successive frames.

        Returns
        -------
        list
            For each frame its cells, as of `cells`, and how sure they are.
        """
        with one_thread():
            return [self._scored(output) for output in outputs]

    def _scored(self, output: FrameOutput) -> tuple[Labels, Certainty]:
        labels, segments, joined = self._found(output)
        if segments is None or joined is None or not segments.regions.cells:
            return labels, Certainty.of_none()
        chance = self.settings.join
        return labels, measure_certainty(labels, segments, joined, chance)

    def _found(
        self, output: FrameOutput
    ) -> tuple[Labels, Segments | None, Joined | None]:
        inside = output.foreground > self.settings.foreground
        if not inside.any():
            return np.zeros(output.shape, np.int32), None, None
        segments = find_segments(to_tensors(output, inside, self.device), self.settings)
        regions = segments.regions
        areas = np.append(0, areas_of(regions)[: regions.cells].cpu().numpy())
        joined = join(areas, segments.borders, self.settings.join)
        least = self.settings.smallest * np.pi / 4 * output.cell_size**2
        return _labels(regions, joined, least), segments, joined


def build(settings: SegmentSettings, model: Model) -> VotesEngine:
    """Make the engine for a model; see `engines.protocol`."""
    own = VOTES.own(settings)
    return VotesEngine(own, model.device if own.on_device else "cpu")


def _labels(regions: Regions, joined: Joined, least: float) -> Labels:
    """Label cells by their smallest segment, without small ones and with no holes.

    Segments that were joined touch, so that every cell is connected.
    """
    kept = np.where(joined.areas[joined.group] >= least, joined.group, 0)
    cell = torch.zeros_like(regions.labels)
    cell[: regions.cells] = torch.from_numpy(kept[1:]).to(cell.device)
    cell = fill_holes(regions, cell).to(torch.int32)
    flat = cell.index_select(0, regions.image.flatten())
    labels: Labels = flat.reshape(regions.image.shape).cpu().numpy()
    return labels


def segments_of(
    output: FrameOutput, inside: NDArray[np.bool_], settings: VotesSettings
) -> tuple[Labels, Borders]:
    """Part the foreground by the peaks that its votes fall on, and by embedding.

    Parameters
    ----------
    output
        What the network predicts for the frame, with the semi-convolutional heads.
    inside
        Foreground, (Y, X), with at least one pixel.
    settings
        Thresholds.

    Returns
    -------
    tuple
        Segments, (Y, X), numbered from 1, and what is observed on those that touch.
    """
    with one_thread():
        segments = find_segments(
            to_tensors(output, inside, torch.device("cpu")), settings
        )
        image, cells = segments.regions.image, segments.regions.cells
        labels = torch.where(image < cells, image + 1, 0).to(torch.int32)
    return labels.numpy(), segments.borders
