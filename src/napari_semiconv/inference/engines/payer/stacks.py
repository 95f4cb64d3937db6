"""Published clustering of successive frames (Payer et al. 2018, 2019)."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ....settings import PayerSettings
from ...stream.stream import Floats, FrameOutput
from ..hdbscan.engine import hdbscan_numbers
from .meanshift import mean_shift
from .tiles import StackTile, merge_tiles, tiles_of

Stack = NDArray[np.int32]

# 2018: pixels and clusters whose dot product with the background reaches this.
BACKGROUND_DOT = 0.95
# 2019: pixels whose squared first component stays below this are cells.
FOREGROUND_SQUARE = 0.5


class StackClusterer(Protocol):
    """Finds the cells of a few successive frames together."""

    def cluster(self, outputs: Sequence[FrameOutput]) -> Stack:
        """Find cells; connected numbers from 1, 0 background, (T, Y, X)."""


def background_2018(outputs: Sequence[FrameOutput]) -> Floats:
    """Median of all embeddings of some frames, component by component, (D,).

    As published it is not normalised again, and it is wrong where cells cover more
    than half of the frames (5.1.3).
    """
    planes = np.stack([o.embedding for o in outputs], 1)  # (D, T, Y, X)
    median: Floats = np.median(planes.reshape(len(planes), -1), axis=1)
    return median


class Clusterer2018:
    """HDBSCAN on embedding and coordinates of a frame pair (Payer et al. 2018).

    Parameters
    ----------
    settings
        Weight of the coordinates and least cluster size of the data set.
    """

    def __init__(self, settings: PayerSettings) -> None:
        self._settings = settings
        self._background: Floats | None = None

    def cluster(self, outputs: Sequence[FrameOutput]) -> Stack:
        """Find cells; see `StackClusterer`. The first stack sets the background."""
        if self._background is None:
            self._background = background_2018(outputs)
        embedding = np.stack([o.embedding for o in outputs], 1)  # (D, T, Y, X)
        inside = np.tensordot(self._background, embedding, 1) < BACKGROUND_DOT
        weight, least = self._settings.coordinate_weight, self._settings.smallest
        found = hdbscan_numbers(
            codes_of(embedding, inside, weight), least, self._settings.most_pixels
        )
        found = without_background(found, embedding[:, inside].T, self._background)
        stack = np.zeros(inside.shape, np.int32)
        stack[inside] = found
        return components(stack, least / 2)


class Clusterer2019:
    """Mean shift on embedding and coordinates, tile by tile (Payer et al. 2019).

    The network has seen the whole frame; only the clustering goes by tiles, whose
    corners the coordinates are counted from.

    Parameters
    ----------
    settings
        Weight of the coordinates and least cell of the data set.
    """

    def __init__(self, settings: PayerSettings) -> None:
        self._settings = settings
        # Published unseeded; seeded here, so that a run can be repeated.
        self._rng = np.random.default_rng(0)

    def cluster(self, outputs: Sequence[FrameOutput]) -> Stack:
        """Find cells; see `StackClusterer`."""
        embedding = np.stack([o.embedding for o in outputs], 1)  # (D, T, Y, X)
        inside = embedding[0] ** 2 < FOREGROUND_SQUARE
        shape = (inside.shape[1], inside.shape[2])
        tiles = [
            StackTile(
                place, shape, self._cells(embedding[:, :, *place], inside[:, *place])
            )
            for place in tiles_of(shape)
        ]
        return merge_tiles(tiles, inside.shape)

    def _cells(self, embedding: Floats, inside: NDArray[np.bool_]) -> Stack:
        codes = codes_of(embedding, inside, self._settings.coordinate_weight)
        stack = np.zeros(inside.shape, np.int32)
        stack[inside] = mean_shift(codes, self._rng)[0]
        return components(stack, self._settings.smallest)


def codes_of(embedding: Floats, inside: NDArray[np.bool_], weight: float) -> Floats:
    """Put unit embedding and weighted y and x of the pixels inside together.

    Parameters
    ----------
    embedding
        (D, T, Y, X).
    inside
        (T, Y, X).
    weight
        Factor on y and x, 1/px.

    Returns
    -------
    Floats
        (P, D + 2).
    """
    _, y, x = np.nonzero(inside)
    place = np.stack([y, x], 1) * weight
    return np.concatenate([embedding[:, inside].T, place], 1).astype(np.float32)


def without_background(
    numbers: NDArray[np.int32], embedding: Floats, background: Floats
) -> NDArray[np.int32]:
    """Drop clusters whose mean embedding lies along the background (2018).

    Parameters
    ----------
    numbers
        Cluster of each pixel, (P,), 0 is noise.
    embedding
        Of each pixel, (P, D).
    background
        (D,).
    """
    along = embedding @ background
    count = np.maximum(np.bincount(numbers), 1)
    drop = np.bincount(numbers, along) / count >= BACKGROUND_DOT
    return np.where(drop[numbers] if len(numbers) else False, 0, numbers)


def components(stack: Stack, smallest: float) -> Stack:
    """Split numbers into pieces that hang together by faces, in space and time.

    Parameters
    ----------
    stack
        Cluster numbers, (T, Y, X), 0 background.
    smallest
        Pieces with fewer pixels are dropped.

    Returns
    -------
    Stack
        Pieces numbered from 1, (T, Y, X).
    """
    inside = stack > 0
    count = int(np.count_nonzero(inside))
    place = np.full(stack.shape, -1)
    place[inside] = np.arange(count)
    ends = []
    for axis in range(stack.ndim):
        here = np.moveaxis(place, axis, 0)
        number = np.moveaxis(stack, axis, 0)
        same = (number[1:] == number[:-1]) & (number[1:] > 0)
        ends.append(np.stack([here[1:][same], here[:-1][same]]))
    one, other = np.concatenate(ends, 1)
    graph = coo_array((np.ones(len(one), bool), (one, other)), (count, count))
    _, piece = connected_components(graph, directed=False)
    keep = np.bincount(piece) >= smallest
    renumbered = np.where(keep, np.cumsum(keep), 0)
    found = np.zeros(stack.shape, np.int32)
    found[inside] = renumbered[piece]
    return found
