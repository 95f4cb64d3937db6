"""Clusters of successive frames into cells that hang together."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from ....labels import Labels
from ..regions import Regions, areas_of, fill_holes, find_regions
from ..tensors import tensor_of, unite


def separate(frames: Sequence[Labels], smallest: float) -> list[Labels]:
    """Make every connected piece of a cluster a cell, one over all frames it overlaps.

    Far cells may be of one cluster, since embeddings are used again at a distance.
    Where a cell is in one piece in one frame and in several in the other, as when it
    divides, the largest piece keeps the number.

    Parameters
    ----------
    frames
        Clusters, 0 background, each (Y, X).
    smallest
        Least area of a cell, px.

    Returns
    -------
    list
        Cells of each frame, (Y, X), with their holes filled; the same number is the
        same cell.
    """
    found = [find_regions(tensor_of(labels)) for labels in frames]
    counts = [regions.cells for regions in found]
    before = np.concatenate([[0], np.cumsum(counts)])
    ends = [
        overlaps(one, other) + torch.tensor(before[i : i + 2])
        for i, (one, other) in enumerate(pairwise(found))
    ]
    pairs = torch.cat([*ends, torch.zeros((0, 2), dtype=torch.int64)])
    group = unite(int(before[-1]), pairs[:, 0], pairs[:, 1]).numpy()
    cells, fresh = [], int(before[-1])
    for regions, begin, end in zip(found, before[:-1], before[1:], strict=True):
        area = areas_of(regions)[: regions.cells].numpy()
        number = group[begin:end] + 1
        # Largest first; of equal ones the first in the frame.
        order = np.lexsort((np.arange(len(area)), -area))
        _, largest = np.unique(number[order], return_index=True)
        rest = np.ones(len(area), bool)
        rest[order[largest]] = False
        number = np.where(rest, fresh + 1 + np.arange(len(area)), number)
        fresh += len(area)
        cells.append(_painted(regions, np.where(area >= smallest, number, 0)))
    return cells


def overlaps(one: Regions, other: Regions) -> torch.Tensor:
    """Pairs of pieces of one label that share a pixel in two frames, (E, 2)."""
    first, second = one.image.flatten(), other.image.flatten()
    shared = (first < one.cells) & (second < other.cells)
    first, second = first[shared], second[shared]
    alike = one.labels[first] == other.labels[second]
    key = (first * max(other.cells, 1) + second)[alike]
    # Pixels side by side mostly are of the same pair.
    key = torch.unique(torch.unique_consecutive(key))
    low = torch.div(key, max(other.cells, 1), rounding_mode="floor")
    return torch.stack([low, key - low * max(other.cells, 1)], 1)


def follow(before: Labels, after: Labels, shift: NDArray[np.float32] | None) -> Labels:
    """Find cells again that moved too far to be of one cluster in both frames.

    A cell without a counterpart takes the number of the one, without a counterpart
    too, on which most of its pixels fall; of several that of most pixels.

    Parameters
    ----------
    before, after
        Cells of two successive frames, (Y, X); the same number is the same cell.
    shift
        From each pixel of the later frame to its place in the earlier one, (2, Y, X),
        px; None for none.

    Returns
    -------
    Labels
        Cells of the later frame, (Y, X).
    """
    count = int(max(before.max(initial=0), after.max(initial=0))) + 1
    lost = np.bincount(before.ravel(), minlength=count) > 0
    new = np.bincount(after.ravel(), minlength=count) > 0
    lost, new = lost & ~new, new & ~lost
    lost[0] = new[0] = False
    if not (lost.any() and new.any()):
        return after
    pixels = np.flatnonzero(new[after])
    place = np.stack(np.divmod(pixels, after.shape[1]))
    if shift is not None:
        place = place + np.rint(shift.reshape(2, -1)[:, pixels]).astype(np.int64)
    ends = np.array(after.shape)[:, None]
    here = ((place >= 0) & (place < ends)).all(axis=0)
    seen = before[tuple(place[:, here])].astype(np.int64)
    key = after.ravel()[pixels[here]].astype(np.int64) * count + seen
    pair, shared = np.unique(key[lost[seen]], return_counts=True)
    area = np.bincount(after.ravel(), minlength=count)
    most = 2 * shared > area[pair // count]
    order = np.argsort(-shared[most], kind="stable")
    new_one, old_one = np.divmod(pair[most][order], count)
    _, first = np.unique(old_one, return_index=True)
    lookup = np.arange(count, dtype=np.int32)
    lookup[new_one[first]] = old_one[first]
    return lookup[after]


def renumbered(frames: Sequence[Labels]) -> list[Labels]:
    """Give cells new numbers from 1 without gaps, alike in all frames."""
    top = max(int(labels.max(initial=0)) for labels in frames)
    counts = [np.bincount(labels.ravel(), minlength=top + 1) for labels in frames]
    used = np.sum(counts, axis=0) > 0
    used[0] = False
    lookup = np.where(used, np.cumsum(used), 0).astype(np.int32)
    return [lookup[labels] for labels in frames]


def _painted(regions: Regions, number: NDArray[np.int64]) -> Labels:
    cell = torch.zeros_like(regions.labels)
    cell[: regions.cells] = torch.from_numpy(number)
    cell = fill_holes(regions, cell).to(torch.int32)
    labels: Labels = cell[regions.image].numpy()
    return labels
