"""How good masks will be, asked of the network itself before anything is computed.

A network that knows what it sees finds the same cells when it is told that they are a
little larger or smaller, and is decided about each pixel. Both fall together where it
is out of its depth, so they tell how well masks will overlap the true ones.

The constants were fitted on frames and stills whose truth is known, with
``python -m benchmarks outlook --fit``.
"""

from dataclasses import dataclass

import numpy as np

from ..labels import Labels, areas_in, overlap
from ..movie import Array, Movie
from ..network.weights import Model
from .sizing import HARDLY, finder_of, images_of, windows_of
from .stream.stream import Floats, Stream

# Sizes that the network is told besides the one chosen, as shares of it.
OTHERS = (0.85, 1.2)


@dataclass(frozen=True)
class Signs:
    """What is seen of how well a network knows some frames.

    Parameters
    ----------
    agreement
        Mean Jaccard index of each cell with the one found in its place when the network
        is told another size, 0 to 1.
    decided
        How far the foreground is from undecided where there may be cells, 0 to 1.
    """

    agreement: float
    decided: float


@dataclass(frozen=True)
class Calibration:
    """What signs say of the overlap with true masks: a logistic curve of their sum.

    Parameters
    ----------
    base, agreement, decided
        The constant, and the weight of each sign.
    """

    base: float = -8.0
    agreement: float = 4.5
    decided: float = 6.4

    def overlap(self, signs: Signs) -> float:
        """Give the expected Jaccard index of found and true masks, 0 to 1 (SEG)."""
        total = self.agreement * signs.agreement + self.decided * signs.decided
        return float(1 / (1 + np.exp(-(self.base + total))))


USUAL = Calibration()


def outlook(movie: Movie, model: Model, size: float, frames: range) -> float | None:
    """Tell how well masks will overlap the true ones.

    Parameters
    ----------
    movie
        The movie.
    model
        A model with the heads of the votes or the region engine.
    size
        Diameter of a usual cell, px.
    frames
        Frames to look at; the first and the middle one of them are used.

    Returns
    -------
    float or None
        Expected SEG, 0 to 1; None when no cell is found, or the model finds none frame
        by frame.
    """
    signs = signs_of(movie, model, size, frames)
    return None if signs is None else USUAL.overlap(signs)


def signs_of(movie: Movie, model: Model, size: float, frames: range) -> Signs | None:
    """Look for the signs, as `outlook` does; None when there is no cell to judge by."""
    find = finder_of(model)
    if find is None:
        return None
    overlaps: list[float] = []
    decided: list[Floats] = []
    for image in images_of(movie, frames):
        for window in windows_of(image, model, size):
            part: Array = image[window]
            output = Stream(model, size).push(part)
            labels = find(output)
            doubtful = output.foreground[output.foreground > HARDLY]
            decided.append(np.abs(2 * doubtful - 1))
            for share in OTHERS:
                other = find(Stream(model, share * size).push(part))
                overlaps += _overlaps(labels, _like(other, labels.shape))
    if not overlaps:
        return None
    return Signs(float(np.mean(overlaps)), float(np.concatenate(decided).mean()))


def _like(labels: Labels, shape: tuple[int, ...]) -> Labels:
    """Show labels, (Y, X), at another resolution."""
    rows, columns = (
        np.minimum(((np.arange(n) + 0.5) * m / n).astype(int), m - 1)
        for n, m in zip(shape, labels.shape, strict=True)
    )
    return labels[np.ix_(rows, columns)]


def _overlaps(one: Labels, other: Labels) -> list[float]:
    """Jaccard index of each cell of both with the one that overlaps it best."""
    best: list[float] = []
    for first, second in ((one, other), (other, one)):
        labels, areas = areas_in(first)
        others, sizes = areas_in(second)
        both = overlap(first, second)
        row = np.searchsorted(labels, both.pairs[:, 0])
        column = np.searchsorted(others, both.pairs[:, 1])
        index = both.shared / (areas[row] + sizes[column] - both.shared)
        found = np.zeros(len(labels))
        np.maximum.at(found, row, index)
        best += found.tolist()
    return best
