"""Pieces in which two embeddings meet are parted: votes alone join touching cells."""

import numpy as np
from numpy.typing import NDArray

from .cluster import Labels

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Chosen on frames that the default model was trained on: mean length of the unit
# embeddings of a piece below which it is looked into, cosine of the two halves below
# which it is parted, and the least area of a half, in usual cells.
UNIFORM, DIFFERENT, LEAST = 0.95, 0.6, 0.1
ROUNDS = 6  # of two-means; most pieces settle after three


def split_pieces(
    labels: Labels, embedding: NDArray[np.float32], cell_size: float
) -> tuple[Labels, Integers]:
    """Part pieces that hold two kinds of embedding, all at once by two-means.

    Parameters
    ----------
    labels
        Pieces, (Y, X), numbered 1 to n.
    embedding
        Unit cosine embeddings, (D, Y, X).
    cell_size
        Diameter of a usual cell, px.

    Returns
    -------
    tuple
        Pieces, (Y, X), numbered 1 to m, the new ones last; the number that each had in
        ``labels``, (m,).
    """
    pixels = np.flatnonzero(labels)
    owner = labels.ravel()[pixels].astype(np.int64) - 1
    count = int(owner.max(initial=-1)) + 1
    same = np.arange(1, count + 1)
    least = LEAST * np.pi / 4 * cell_size**2
    codes = embedding.reshape(len(embedding), -1)[:, pixels].T.astype(np.float64)
    mixed = _mixed(codes, owner, count, least)
    chosen = mixed[owner]
    if not chosen.any():
        return labels, same
    pixels, codes = pixels[chosen], codes[chosen]
    which, group = np.unique(owner[chosen], return_inverse=True)
    other, alike = _two_means(codes, group, len(which))
    areas = np.bincount(group, minlength=len(which))
    part = np.bincount(group[other], minlength=len(which))
    parted = (alike < DIFFERENT) & (np.minimum(part, areas - part) >= least)
    fresh = np.zeros(len(which), np.int32)
    fresh[parted] = count + 1 + np.arange(np.count_nonzero(parted))
    found = labels.ravel().copy()
    moved = other & parted[group]
    found[pixels[moved]] = fresh[group[moved]]
    return found.reshape(labels.shape), np.concatenate([same, which[parted] + 1])


def _mixed(
    codes: Floats, owner: Integers, count: int, least: float
) -> NDArray[np.bool_]:
    """Whether a piece is large and uneven enough to be looked into, (n,)."""
    areas = np.bincount(owner, minlength=count)
    length = np.linalg.norm(_sums(codes, owner, count), axis=1)
    mixed: NDArray[np.bool_] = (length < UNIFORM * areas) & (areas >= 2 * least)
    return mixed


def _two_means(
    codes: Floats, group: Integers, count: int
) -> tuple[NDArray[np.bool_], Floats]:
    """Part each group in two by direction.

    Parameters
    ----------
    codes
        Unit embeddings, (P, D).
    group
        Group of each, (P,), every one of 0 to ``count`` - 1 present.
    count
        Number of groups.

    Returns
    -------
    tuple
        Whether each pixel is in the second half, (P,); cosine of the two mean
        directions of each group, (count,).
    """
    first = codes[_farthest(codes, group, _unit(_sums(codes, group, count)))]
    second = codes[_farthest(codes, group, first)]
    for _ in range(ROUNDS):
        other = _along(codes, first, group) < _along(codes, second, group)
        first = _unit(_sums(codes[~other], group[~other], count))
        second = _unit(_sums(codes[other], group[other], count))
    other = _along(codes, first, group) < _along(codes, second, group)
    return other, (first * second).sum(1)


def _farthest(codes: Floats, group: Integers, direction: Floats) -> Integers:
    """Row of the code of each group that differs most from its direction, (count,)."""
    order = np.lexsort((_along(codes, direction, group), group))
    return order[np.searchsorted(group[order], np.arange(len(direction)))]


def _along(codes: Floats, direction: Floats, group: Integers) -> Floats:
    along: Floats = np.einsum("pd,pd->p", codes, direction[group])
    return along


def _sums(codes: Floats, group: Integers, count: int) -> Floats:
    return np.stack([np.bincount(group, plane, count) for plane in codes.T], 1)


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.maximum(length, 1e-6)
    return unit
