"""Masks of the network's resolution brought to the movie's, smoothed as published."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ....labels import Labels

Floats = NDArray[np.float32]
REACH = 3.0  # standard deviations that a blurred mask reaches out


def enlarge_smoothly(labels: Labels, shape: tuple[int, int], blur: float) -> Labels:
    """Blur each mask, interpolate it and give each pixel to the strongest (5.1.8).

    Parameters
    ----------
    labels
        At the resolution of the network, (Y, X), 0 background.
    shape
        Height and width of the movie's frames, px.
    blur
        Standard deviation of the blur, px of the network.

    Returns
    -------
    Labels
        Labels, of ``shape``; a very small cell may lose all its pixels.
    """
    if labels.shape == shape and not blur:
        return labels
    best, total = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    found = np.zeros(shape, np.int32)
    margin = int(np.ceil(REACH * blur)) + 1
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None:
            continue
        wide = tuple(
            slice(max(0, part.start - margin), min(size, part.stop + margin))
            for part, size in zip(box, labels.shape, strict=True)
        )
        mask = (labels[wide] == label).astype(np.float32)
        soft = ndimage.gaussian_filter(mask, blur, mode="nearest", truncate=REACH)
        place, strength = _interpolated(soft, wide, labels.shape, shape)
        stronger = strength > best[place]
        best[place] = np.where(stronger, strength, best[place])
        found[place] = np.where(stronger, label, found[place])
        total[place] += strength
    # The background holds what the masks leave of each pixel.
    return np.where(best > 1 - total, found, 0).astype(np.int32)


def _interpolated(
    patch: Floats,
    place: tuple[slice, ...],
    small: tuple[int, ...],
    large: tuple[int, ...],
) -> tuple[tuple[slice, ...], Floats]:
    """Interpolate a patch of the small image linearly; its place in the large one."""
    target = []
    for axis, (part, few, many) in enumerate(zip(place, small, large, strict=True)):
        first, last = (part.start * many) // few, -(-part.stop * many // few)
        target.append(slice(first, last))
        # Pixel centres are at integers in both images, their outer edges coincide.
        at = (np.arange(first, last) + 0.5) * few / many - 0.5 - part.start
        at = np.clip(at, 0, patch.shape[axis] - 1)
        low = np.minimum(at.astype(int), max(0, patch.shape[axis] - 2))
        high = np.minimum(low + 1, patch.shape[axis] - 1)
        part_high = (at - low).astype(np.float32)
        part_high = part_high[:, None] if axis == 0 else part_high
        below, above = patch.take(low, axis), patch.take(high, axis)
        patch = below * (1 - part_high) + above * part_high
    return tuple(target), patch
