"""Outputs of the network into cells: one protocol, several engines."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import BadSettingsError
from ...settings import SegmentSettings
from ..stream.stream import FrameOutput
from .votes.regions import areas_of, fill_holes, find_regions
from .votes.tensors import highest, lowest, one_thread, tensor_of

Labels = NDArray[np.int32]


class Sure(Protocol):
    """How sure an engine is of the cells of a frame."""

    @property
    def numbers(self) -> NDArray[np.int32]:
        """Cell numbers, rising, (n,)."""

    @property
    def persistence(self) -> NDArray[np.float64]:
        """How clearly each stands out as one cluster, (n,), 0 to 1."""

    @property
    def margin(self) -> NDArray[np.float64]:
        """How far each is from the second-best way to draw it, (n,), up to 1."""


class Engine(Protocol):
    """Turns the outputs of a window of frames into cells."""

    @property
    def window(self) -> int:
        """Frames clustered together; successive windows share all but one."""

    def cluster(self, outputs: Sequence[FrameOutput]) -> list[Labels]:
        """Find the cells of a window of frames.

        Parameters
        ----------
        outputs
            One to ``window`` successive frames.

        Returns
        -------
        list
            Cell numbers of each frame, (Y, X), 0 background; the same number in two
            frames is the same cell.
        """

    def cluster_scored(
        self, outputs: Sequence[FrameOutput]
    ) -> Sequence[tuple[Labels, Sure | None]]:
        """Find the cells of a window of frames, and how sure each is; None: not known.

        Parameters
        ----------
        outputs
            One to ``window`` successive frames.
        """


def engine_for(
    settings: SegmentSettings, *, with_votes: bool, device: torch.device | str = "cpu"
) -> Engine:
    """Build the engine the user chose.

    Parameters
    ----------
    settings
        All segmentation settings.
    with_votes
        Whether the network has semi-convolutional heads.
    device
        Where the votes engine works, the CPU or a CUDA card; HDBSCAN knows the CPU
        alone.

    Raises
    ------
    BadSettingsError
        When the network lacks what the engine needs.
    """
    from .hdbscan.engine import HdbscanEngine
    from .votes.engine import VotesEngine

    if settings.engine == "hdbscan":
        if settings.hdbscan.position == "vote" and not with_votes:
            raise BadSettingsError(
                "The place 'vote' needs a model with semi-convolutional heads, found "
                "one without. Choose the place 'pixel' or another model."
            )
        return HdbscanEngine(settings.hdbscan)
    if not with_votes:
        raise BadSettingsError(
            "The votes engine needs a model with semi-convolutional heads, found one "
            "without. Choose the engine 'hdbscan' or another model."
        )
    return VotesEngine(settings.votes, device)


@one_thread()
def tidy(labels: Labels, smallest: float) -> Labels:
    """Keep the largest piece of each cell, fill its holes and drop small cells.

    Parameters
    ----------
    labels
        Cell numbers, (Y, X).
    smallest
        Least area of a cell, px.

    Returns
    -------
    Labels
        (Y, X), numbers kept.
    """
    regions = find_regions(tensor_of(labels))
    owner, area = regions.labels, areas_of(regions)
    if not regions.cells:
        return labels
    count = int(owner.max()) + 1
    # Of two pieces of equal area the first one is kept.
    number = torch.arange(len(owner))
    largest = area == highest(owner, area, count, 0)[owner]
    first = lowest(owner, torch.where(largest, number, len(owner)), count, len(owner))
    keep = (number == first[owner]) & (area >= smallest)
    cell = fill_holes(regions, torch.where(keep, owner, 0))
    found: Labels = cell.to(torch.int32)[regions.image].numpy()
    return found


def mean_embeddings(
    labels: Labels, embedding: NDArray[np.float32], count: int | None = None
) -> NDArray[np.float32]:
    """Average the unit embeddings of each cell.

    Parameters
    ----------
    labels
        Cell numbers, (Y, X), 1 to n.
    embedding
        Unit embeddings, (D, Y, X).
    count
        Number of cells n; the largest label when None.

    Returns
    -------
    NDArray
        (n, D); zero for a number without pixels.
    """
    inside = np.flatnonzero(labels)
    flat = labels.ravel()[inside]
    bins = (int(flat.max(initial=0)) if count is None else count) + 1
    total = np.stack(
        [np.bincount(flat, plane.ravel()[inside], bins) for plane in embedding], 1
    )[1:]
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (total / np.maximum(length, 1e-6)).astype(np.float32)
    return unit


@one_thread()
def connected_pieces(labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find connected pieces of equal label, (Y, X), and the label of each."""
    regions = find_regions(tensor_of(labels))
    image = torch.where(regions.image < regions.cells, regions.image + 1, 0)
    return image.numpy(), regions.labels[: regions.cells].numpy()
