"""Simulated movies as training material."""

import numpy as np

from ..synthetic import CELL_KINDS, SyntheticMovie, random_settings, simulate
from .truth import Recording, rescale, rescale_labels

MOVIES = 6  # of each kind
FRAMES = 12


def simulated_recordings(
    size: float, seed: int, movies: int = MOVIES
) -> list[Recording]:
    """Simulate movies of every kind of cell.

    Parameters
    ----------
    size
        Diameter to which larger cells are rescaled, px.
    seed
        Seed of the simulation.
    movies
        Movies of each kind.

    Returns
    -------
    list
        Recordings named ``simulated KIND``, all frames outlined.
    """
    found = []
    for place, kind in enumerate(CELL_KINDS):
        for number in range(movies):
            own = 10_000 * seed + 100 * place + number
            movie = simulate(random_settings(own, kind, FRAMES), own)
            if movie.labels.any():
                found.append(simulated_recording(movie, f"simulated {kind}", size))
    return found


def simulated_recording(movie: SyntheticMovie, name: str, size: float) -> Recording:
    """Make training material of a simulated movie, with cells no larger than size."""
    areas = np.concatenate(
        [np.unique(f[f > 0], return_counts=True)[1] for f in movie.labels]
    )
    diameter = float(np.sqrt(4 * np.median(areas) / np.pi))
    factor = min(size / diameter, 1.0)
    return Recording(
        name,
        [rescale(image.astype(np.float32), factor) for image in movie.images],
        [rescale_labels(labels, factor) for labels in movie.labels],
        [True] * len(movie.images),
        movie.table,
        factor * diameter,
    )
