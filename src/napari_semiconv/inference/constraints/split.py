"""Cells split where the user asks for it: by what the network found, then by shape."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import MCP
from skimage.segmentation import watershed

from ...labels import Labels
from ..engines.regions import connected_components

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]
# A pixel is sure of its part when the others are so much worse; the rest goes by shape.
SURE = 0.25
ROUNDS = 6  # of two-means


def split_by_seeds(mask: Mask, seeds: Labels, codes: Floats, size: float) -> Labels:
    """Part pixels among seeds.

    Pixels join the seed that is nearest in what the network predicts and on the way
    there through the mask. Where that helps little, the border lies in the waist.

    Parameters
    ----------
    mask
        Pixels to part, (Y, X), connected.
    seeds
        Numbered seeds on the mask, (Y, X), each connected.
    codes
        What tells pixels of two cells apart, (D, Y, X).
    size
        Diameter of a usual cell, px.

    Returns
    -------
    Labels
        Number of the seed of each pixel, (Y, X); each part is connected.
    """
    numbers = np.unique(seeds[mask & (seeds > 0)])
    if len(numbers) < 2:
        return np.where(mask, numbers.max(initial=0), 0).astype(np.int32)
    far = np.stack([far_from(mask, seeds == n, codes, size) for n in numbers])
    order = np.where(mask, np.sort(far, axis=0), 0)
    sure = mask & (order[1] - order[0] > SURE)
    cores = np.where(sure, numbers[far.argmin(0)], 0)
    cores = np.where((seeds > 0) & mask, seeds, cores).astype(np.int32)
    pieces, _ = connected_components(cores)
    cores[~np.isin(pieces, pieces[(seeds > 0) & mask])] = 0
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    parts = watershed(-depth, cores, connectivity=1, mask=mask)
    return np.asarray(parts, np.int32)


def far_from(mask: Mask, seed: Mask, codes: Floats, size: float) -> NDArray[np.float64]:
    """Tell how far pixels are from a seed, in codes and on the way through the mask.

    Parameters
    ----------
    mask
        Pixels one may go through, (Y, X).
    seed
        Where to start, (Y, X).
    codes
        What tells pixels of two cells apart, (D, Y, X).
    size
        Diameter of a usual cell, px.

    Returns
    -------
    NDArray
        (Y, X), infinite outside of the mask.
    """
    near = seed & mask
    mean = codes[:, near].mean(1)
    differ = np.sqrt(((codes - mean[:, None, None]) ** 2).sum(0))
    steps = MCP(np.where(mask, 1.0, -1.0), fully_connected=False)
    way, _ = steps.find_costs(np.argwhere(near))
    far: NDArray[np.float64] = np.where(mask, differ + way / size, np.inf)
    return far


def halve(mask: Mask, seeds: Labels, codes: Floats, size: float) -> Labels | None:
    """Part connected pixels in two, or into one part for each seed if there are more.

    Parameters
    ----------
    mask
        Pixels to part, (Y, X), connected.
    seeds
        Numbered seeds that must stay whole, (Y, X), each connected.
    codes
        What tells pixels of two cells apart, (D, Y, X).
    size
        Diameter of a usual cell, px.

    Returns
    -------
    Labels
        Parts, (Y, X), each connected; None when it cannot be split.
    """
    place = ndimage.find_objects(mask.astype(np.int8))[0]
    parts = _halved(mask[place], seeds[place], codes[:, *place], size)
    if parts is None:
        return None
    whole = np.zeros(mask.shape, np.int32)
    whole[place] = parts
    return whole


def _halved(mask: Mask, seeds: Labels, codes: Floats, size: float) -> Labels | None:
    seeds = np.where(mask, seeds, 0).astype(np.int32)
    free = mask & (seeds == 0)
    if np.count_nonzero(mask) < 2 or (seeds.any() and not free.any()):
        several = len(np.unique(seeds[seeds > 0])) > 1
        return seeds if several else None
    if not seeds.any():
        seeds = _two_seeds(mask, codes, size)
    elif seeds[seeds > 0].min() == seeds.max():
        far = far_from(mask, seeds > 0, codes, size)
        far[~free] = -1
        seeds = seeds.copy()
        seeds[np.unravel_index(int(far.argmax()), far.shape)] = seeds.max() + 1
    return split_by_seeds(mask, seeds, codes, size)


def _two_seeds(mask: Mask, codes: Floats, size: float) -> Labels:
    """Two connected seeds, (Y, X), by two-means of codes and place."""
    place = np.argwhere(mask)
    points = np.concatenate([codes[:, mask].T, place / size], 1).astype(np.float64)

    def farthest(point: Floats) -> int:
        return int(((points - point) ** 2).sum(1).argmax())

    first = points[farthest(points.mean(0))]
    second = points[farthest(first)]
    ends = farthest(second), farthest(first)
    for _ in range(ROUNDS):
        other = ((points - first) ** 2).sum(1) > ((points - second) ** 2).sum(1)
        if other.all() or not other.any():
            break
        first, second = points[~other].mean(0), points[other].mean(0)
    seeds = np.zeros(mask.shape, np.int32)
    seeds[mask] = np.where(other, 2, 1)
    pieces, owners = connected_components(seeds)
    areas = np.bincount(pieces.ravel())[1:]
    kept = np.zeros(mask.shape, np.int32)
    for number in (1, 2):
        if (owners == number).any():
            largest = int(np.where(owners == number, areas, 0).argmax()) + 1
            kept[pieces == largest] = number
    if len(np.unique(kept[kept > 0])) == 2:
        return kept
    # All codes are the same: any two pixels do.
    kept[:] = 0
    kept[tuple(place[ends[0]])] = 1
    kept[tuple(place[ends[1] if ends[1] != ends[0] else ends[0] - 1])] = 2
    return kept
