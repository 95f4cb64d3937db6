"""Simulated still pictures of cells that cross and overlap, with their truth."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float32]
Labels = NDArray[np.int32]
Points = NDArray[np.float64]
Generator = np.random.Generator

# Share of a cell that must stay seen when another is laid over it. Worms cross; two
# that lie along one another could not be told apart by anybody.
WORM_SEEN = 0.75
LEAF_SEEN = 0.4
TRIES = 50


@dataclass(frozen=True)
class Picture:
    """A still picture and its truth.

    Parameters
    ----------
    image
        What the network sees, (Y, X), about from 0 to 1.
    labels
        Cells, the upper one where they overlap, (Y, X); 0 is background.
    """

    image: Image
    labels: Labels


Simulator = Callable[[Generator, int], Picture]


def worms(random: Generator, side: int) -> Picture:
    """Draw crossing thin worms as their bare foreground, like BBBC010.

    A worm under another may be in two pieces.

    Parameters
    ----------
    random
        Source of randomness.
    side
        Height and width, px.
    """
    labels = np.zeros((side, side), np.int32)
    for label in range(1, int(random.integers(4, 7)) + 1):
        _lay_on_top(labels, label, lambda: _worm(random, side))
    return Picture((labels > 0).astype(np.float32), labels)


def leaves(random: Generator, side: int) -> Picture:
    """Draw a rosette of leaves over soil, old ones long and low, like CVPPP.

    Parameters
    ----------
    random
        Source of randomness.
    side
        Height and width, px.
    """
    labels = np.zeros((side, side), np.int32)
    soil = ndimage.gaussian_filter(random.normal(size=labels.shape), 2)
    image = 0.2 + 0.25 * soil
    count = int(random.integers(5, 11))
    centre = side / 2 + random.uniform(-0.06, 0.06, 2) * side
    turn = random.uniform(0, 2 * np.pi)
    for label in range(1, count + 1):
        # Leaves follow one another by the golden angle, and the old ones are longer.
        angle = turn + label * 2.4 + random.normal(0, 0.15)
        length = side * (0.46 - 0.3 * (label - 1) / count) * random.uniform(0.85, 1.05)
        mask, shade = _leaf(random, side, centre, angle, length)
        bare = np.bincount(labels[mask], minlength=label)
        if _stays_seen(labels, bare, LEAF_SEEN):
            labels[mask] = label
            image[mask] = shade[mask]
    image += random.normal(0, 0.03, image.shape)
    return Picture(image.astype(np.float32), _renumber(labels))


def _lay_on_top(
    labels: Labels, label: int, draw: Callable[[], NDArray[np.bool_]]
) -> None:
    """Paint a new cell where it shares little with each one below it."""
    for _ in range(TRIES):
        mask = draw()
        hidden = np.bincount(labels[mask], minlength=label)
        own = mask.sum() - hidden[0] <= (1 - WORM_SEEN) * mask.sum()
        if own and _stays_seen(labels, hidden, WORM_SEEN):
            labels[mask] = label
            return


def _stays_seen(labels: Labels, hidden: NDArray[np.int64], least: float) -> bool:
    """Whether each cell keeps enough when as many of its pixels are hidden."""
    areas = np.bincount(labels.ravel(), minlength=len(hidden))
    return bool((hidden[1:] <= (1 - least) * areas[1 : len(hidden)]).all())


def _worm(random: Generator, side: int) -> NDArray[np.bool_]:
    length = random.uniform(0.4, 0.6) * side
    steps = int(length)
    # The bend changes slowly along the body, as muscles are long.
    bend = ndimage.gaussian_filter1d(random.normal(size=steps), 8) * 0.25
    heading = random.uniform(0, 2 * np.pi) + np.cumsum(bend)
    path = np.cumsum(np.stack([np.sin(heading), np.cos(heading)], 1), 0)
    room = side - 8 - np.ptp(path, axis=0)
    corner = 4 + random.uniform(0.15, 0.85, 2) * np.maximum(room, 0)
    path += corner - path.min(0)
    along = np.linspace(-1, 1, steps)
    width = random.uniform(1.9, 2.5) * (1 - 0.6 * np.abs(along) ** 3)
    return _tube(path, width, side)


def _tube(path: Points, width: NDArray[np.float64], side: int) -> NDArray[np.bool_]:
    """Mark what lies within a half width, (N,), px, of points, (N, 2), px."""
    y, x = np.arange(side)[:, None, None], np.arange(side)[:, None]
    near = (y - path[:, 0]) ** 2 + (x - path[:, 1]) ** 2 < width**2
    return np.asarray(near.any(2))


def _leaf(
    random: Generator, side: int, centre: Points, angle: float, length: float
) -> tuple[NDArray[np.bool_], Points]:
    """Blade on a thin stalk: its mask and its shading, both (Y, X)."""
    y, x = np.indices((side, side))
    down, right = y - centre[0], x - centre[1]
    along = (right * np.cos(angle) + down * np.sin(angle)) / length
    across = down * np.cos(angle) - right * np.sin(angle)
    blade = length * random.uniform(0.2, 0.27)
    half = blade * np.sqrt(np.clip(1 - ((along - 0.66) / 0.34) ** 2, 0, 1))
    stalk = np.where((along > 0) & (along < 0.66), max(0.03 * length, 1.0), 0)
    mask = np.abs(across) < np.maximum(half, stalk)
    rib = np.exp(-((across / 1.2) ** 2))
    shade = random.uniform(0.6, 0.8) + 0.12 * rib - 0.12 * np.abs(across) / blade
    return mask, shade


def _renumber(labels: Labels) -> Labels:
    """Give the cells that are there the labels 1, 2, ..."""
    there, numbers = np.unique(labels, return_inverse=True)
    first = 0 if there[0] == 0 else 1
    return np.asarray(numbers.reshape(labels.shape) + first, np.int32)
