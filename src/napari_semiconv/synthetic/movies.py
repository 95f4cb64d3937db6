"""Simulated movies: pictures, masks and lineage together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .conditions import SyntheticSettings
from .dish import Dish
from .drawing import Canvas, Labels
from .optics import Optics


@dataclass(frozen=True)
class SyntheticMovie:
    """A simulated movie and all that is true about it.

    Parameters
    ----------
    images
        What the microscope saw, (T, Y, X).
    labels
        Track of each pixel, (T, Y, X), 0 is background.
    table
        Rows of label, first frame, last frame, parent, (N, 4). Every track has pixels
        in each of its frames; a parent has exactly two daughters.
    settings
        What was asked for.
    """

    images: NDArray[np.uint16]
    labels: Labels
    table: NDArray[np.int64]
    settings: SyntheticSettings


def simulate(settings: SyntheticSettings, seed: int) -> SyntheticMovie:
    """Simulate a cell movie together with its masks and lineage.

    Parameters
    ----------
    settings
        What the movie shows.
    seed
        The same seed and settings give the same movie.
    """
    rng = np.random.default_rng(seed)
    dish = Dish(settings, rng)
    optics = Optics(settings, rng)
    images, labels = [], []
    for frame in range(settings.frames):
        if frame:
            dish.step()
        paint = Canvas.of(dish.cells, settings, optics.tile)
        images.append(optics.expose(paint))
        labels.append(paint.labels)
    tracks, table = _visible_tracks(np.stack(labels), dish.parents)
    return SyntheticMovie(np.stack(images), tracks, table, settings)


def _visible_tracks(
    seen: Labels, parents: dict[int, int]
) -> tuple[Labels, NDArray[np.int64]]:
    """Give each track as seen its number; a cell that comes back is a new one."""
    present = np.zeros((len(seen), len(parents) + 1), bool)  # (T, labels)
    for frame, labels in enumerate(seen):
        present[frame, labels] = True
    present[:, 0] = False
    before = np.vstack([np.zeros_like(present[:1]), present[:-1]])
    births = np.argwhere((present & ~before).T)  # sorted by cell, then frame
    names = np.zeros(present.shape, np.int32)
    rows = []
    for number, (cell, begin) in enumerate(births, 1):
        gone = np.flatnonzero(~present[begin:, cell])
        end = begin + (gone[0] if len(gone) else len(seen) - begin) - 1
        names[begin : end + 1, cell] = number
        parent = parents[int(cell)] if begin else 0
        rows.append((number, begin, end, names[begin - 1, parent] if parent else 0))
    table = np.array(rows, np.int64).reshape(-1, 4)
    tracks = np.stack([names[t][labels] for t, labels in enumerate(seen)])
    return tracks, _with_pairs_only(table)


def _with_pairs_only(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Forget a parent of which only one daughter was in view at birth."""
    parent, counts = np.unique(table[:, 3], return_counts=True)
    table[np.isin(table[:, 3], parent[counts != 2]), 3] = 0
    return table
