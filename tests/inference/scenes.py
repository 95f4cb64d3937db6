"""Small scenes by chance: cells, what an engine made of them, and true corrections."""

import numpy as np
from scipy import ndimage

from napari_semiconv.inference.constraints.model import Constraints, Count

from .perfect import perfect_output

SIZE = 9.0


def truth_of(rng, shape):
    """Cells that touch here and there, (Y, X), each connected by faces."""
    labels = np.zeros(shape, np.int32)
    y, x = np.indices(shape)
    for number in range(1, int(rng.integers(3, 8))):
        cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        ry, rx = rng.uniform(2, 6, 2)
        inside = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
        pieces, count = ndimage.label(inside & (labels == 0))
        if count:
            labels[pieces == np.bincount(pieces.ravel())[1:].argmax() + 1] = number
    return labels


def mistaken(rng, truth):
    """What an engine may have found: cells joined, cut, missed, shifted, invented."""
    labels = truth.copy()
    numbers = np.unique(truth[truth > 0])
    for number in numbers.tolist():
        kind = rng.integers(5)
        mask = labels == number
        if kind == 0:
            labels[mask] = rng.choice(numbers)
        elif kind == 1:
            labels[mask & (np.indices(truth.shape)[1] % 7 > 3)] = number + 50
        elif kind == 2:
            labels[mask] = 0
    labels = np.roll(labels, tuple(rng.integers(-1, 2, 2)), (0, 1))
    if rng.integers(2):
        y, x = (int(rng.integers(n - 4)) for n in truth.shape)
        labels[y : y + 4, x : x + 4] = 99
    return labels


def output_of(truth, factor=1.0):
    """What a good network says of it at another resolution."""
    shape = [max(8, round(n * factor)) for n in truth.shape]
    rows, columns = (
        (np.arange(n) * m // n) for n, m in zip(shape, truth.shape, strict=True)
    )
    return perfect_output(truth[np.ix_(rows, columns)], SIZE * factor)


def corrections(rng, truth):
    """Constraints that are all true, so that they can hold together."""
    numbers = rng.permutation(np.unique(truth[truth > 0]))
    pixels = {n: rng.permutation(np.argwhere(truth == n)) for n in numbers.tolist()}
    empty = np.zeros(truth.shape, bool)
    y, x = (int(rng.integers(n - 3)) for n in truth.shape)
    empty[y : y + 3, x : x + 3] = truth[y : y + 3, x : x + 3] == 0
    bare = rng.permutation(np.argwhere(truth == 0))
    must = [pixels[n][: int(rng.integers(1, 4))] for n in numbers[:2].tolist()]
    cannot = [np.array([p[-1] for p in list(pixels.values())[:3]])]
    return Constraints(
        truth.shape,
        must_link=[j for j in must if rng.integers(2)],
        cannot_link=cannot if rng.integers(2) else [],
        fixed=np.where(np.isin(truth, numbers[2:4]), truth, 0).astype(np.int32),
        empty=empty if rng.integers(2) else None,
        absent=bare[: int(rng.integers(0, 3))],
        counts=[count_of(rng, truth)] if rng.integers(2) else [],
    )


def count_of(rng, truth):
    """How many cells there are around a place, with some background."""
    at = rng.choice(np.argwhere(truth >= 0))
    near = np.hypot(*(np.indices(truth.shape) - at[:, None, None])) < rng.uniform(2, 9)
    cells = np.unique(truth[near & (truth > 0)])
    mask = np.isin(truth, cells[cells > 0]) | (near & (truth == 0))
    return Count(mask, int((cells > 0).sum()))
