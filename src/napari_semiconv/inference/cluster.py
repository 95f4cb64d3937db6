"""Outputs of the network into cells: one protocol, several engines."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import BadSettingsError
from ..settings import SegmentSettings
from .stream import FrameOutput

Labels = NDArray[np.int32]


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


def engine_for(settings: SegmentSettings, *, with_votes: bool) -> Engine:
    """Build the engine the user chose.

    Parameters
    ----------
    settings
        All segmentation settings.
    with_votes
        Whether the network has semi-convolutional heads.

    Raises
    ------
    BadSettingsError
        When the network lacks what the engine needs.
    """
    from .hdbscan import HdbscanEngine
    from .votes import VotesEngine

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
    return VotesEngine(settings.votes)


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
    pieces, owners = connected_pieces(labels)
    if not len(owners):
        return labels
    area = np.bincount(pieces.ravel(), minlength=len(owners) + 1)[1:]
    best = np.zeros(int(owners.max()) + 1, np.int64)
    np.maximum.at(best, owners, area)
    keep = (area == best[owners]) & (area >= smallest)
    clean = np.concatenate([[0], np.where(keep, owners, 0)])[pieces].astype(np.int32)
    return _fill(clean)


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
    flat = labels.ravel()
    bins = (int(flat.max(initial=0)) if count is None else count) + 1
    total = np.stack(
        [np.bincount(flat, plane.ravel(), bins) for plane in embedding], 1
    )[1:]
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (total / np.maximum(length, 1e-6)).astype(np.float32)
    return unit


def connected_pieces(labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find connected pieces of equal label, (Y, X), and the label of each."""
    # Doubling the grid puts a background line between touching pieces of two labels.
    height, width = labels.shape
    same = np.zeros((2 * height - 1, 2 * width - 1), bool)
    inside = labels > 0
    same[::2, ::2] = inside
    same[1::2, ::2] = (labels[1:] == labels[:-1]) & inside[1:]
    same[::2, 1::2] = (labels[:, 1:] == labels[:, :-1]) & inside[:, 1:]
    numbered, count = ndimage.label(same)
    pieces = numbered[::2, ::2]
    owners = np.zeros(count, np.int64)
    owners[pieces[inside] - 1] = labels[inside]
    return pieces, owners


def _fill(labels: Labels) -> Labels:
    """Give background that one cell alone encloses to that cell."""
    holes, count = ndimage.label(labels == 0)
    if count < 2:
        return labels
    edge = np.unique(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]]))
    around = ndimage.grey_dilation(labels, footprint=CROSS)
    most = ndimage.maximum(around, holes, np.arange(count + 1))
    padded = np.where(labels == 0, np.iinfo(np.int32).max, labels)
    least = ndimage.minimum(
        ndimage.grey_erosion(padded, footprint=CROSS), holes, np.arange(count + 1)
    )
    single = np.asarray(most == least)
    single[edge] = False
    single[0] = False
    fill = np.where(single, np.asarray(most), 0).astype(np.int32)
    return np.where(labels == 0, fill[holes], labels)


CROSS = ndimage.generate_binary_structure(2, 1)
