"""Pixels of like code as few weighted points, with their neighbours on the grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .density import Floats, Integers, Points


@dataclass(frozen=True)
class SuperPixels:
    """Groups of pixels.

    Parameters
    ----------
    points
        The groups as points to cluster.
    owner
        Group of each pixel, (P,).
    """

    points: Points
    owner: Integers


def group_pixels(
    codes: NDArray[np.float32], place: Floats, embedding: Floats, side: float
) -> SuperPixels:
    """Group pixels whose places share a bin and whose embeddings point alike.

    Neighbouring cells may share a bin, above all of votes, so a bin is parted by
    embedding: by its component of greatest size and that one's sign, which is the
    nearest corner of a cross-polytope.

    Parameters
    ----------
    codes
        Code of each pixel, (C, P).
    place
        Place of each pixel, (2, P), px.
    embedding
        Embedding of each pixel, (D, P).
    side
        Side of a bin, px.

    Returns
    -------
    SuperPixels
        Groups in bins that touch, also by a corner, are neighbours.
    """
    first = place.min(axis=1, keepdims=True)
    bins = ((place - first) / side).astype(np.int64) + 1  # an empty bin around all
    rows, columns = (int(axis.max()) + 2 for axis in bins)
    largest = np.abs(embedding).argmax(axis=0)
    value = np.take_along_axis(embedding, largest[None], 0)[0]
    kinds = 2 * len(embedding)
    key = (bins[0] * columns + bins[1]) * kinds + 2 * largest + (value > 0)
    pixels = np.bincount(key, minlength=rows * columns * kinds)
    taken = np.flatnonzero(pixels)
    number = np.empty(len(pixels), np.int64)
    number[taken] = np.arange(len(taken))
    owner, weights = number[key], pixels[taken]
    means = _sums(owner, codes, len(taken)) / weights
    off = codes - means.astype(np.float32)[:, owner]
    square = np.einsum("cp,cp->p", off, off)
    spread = np.sqrt(np.bincount(owner, square, len(taken)) / weights)
    one, other = _neighbours(taken // kinds, rows, columns)
    points = Points(np.ascontiguousarray(means.T), weights, spread, one, other)
    return SuperPixels(points, owner)


def _sums(owner: Integers, codes: Floats, count: int) -> Floats:
    return np.stack([np.bincount(owner, axis, count) for axis in codes])


def _neighbours(bins: Integers, rows: int, columns: int) -> tuple[Integers, Integers]:
    """Pair the points of each bin, (N,) and rising, and of bins that touch."""
    first = np.concatenate([[0], np.cumsum(np.bincount(bins, None, rows * columns))])
    here = np.arange(len(bins))
    ones, others = [], []
    # The other half of the bins around has the same pairs the other way round.
    for step in (0, 1, columns - 1, columns, columns + 1):
        begin = first[bins + step] if step else here + 1
        many = first[bins + step + 1] - begin
        ends = np.cumsum(many)
        ones.append(np.repeat(here, many))
        others.append(np.repeat(begin - ends + many, many) + np.arange(ends[-1]))
    return np.concatenate(ones), np.concatenate(others)
