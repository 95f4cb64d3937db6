"""Movies to measure speed and memory on: simulated, of any length, always the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_semiconv.movie import Movie
from napari_semiconv.synthetic import SyntheticSettings, simulate

SIZE, CELLS, DIAMETER = 512, 50, 36.0
# So many different frames are simulated; longer movies go through them to and fro.
SIMULATED = 24


def fifty_cells(frames: int, seed: int) -> NDArray[np.uint16]:
    """Simulate frames of 512 x 512 px with about 50 cells, (T, Y, X)."""
    settings = SyntheticSettings(
        frames=frames,
        height=SIZE,
        width=SIZE,
        cells=CELLS,
        diameter=DIAMETER,
        # Longer than the movie lasts, so that there are about as many cells throughout.
        cycle=200,
    )
    return simulate(settings, seed).images


@dataclass(frozen=True)
class ToAndFro:
    """A long movie from few frames: played forwards, then backwards, then again.

    Parameters
    ----------
    images
        The frames, (T, Y, X).
    length
        Frames of the long movie.
    """

    images: NDArray[np.uint16]
    length: int

    @property
    def axes(self) -> str:
        """Axis letters in memory order."""
        return "TYX"

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return (self.length, *self.images.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return np.dtype(self.images.dtype)

    def plane(self, position: Mapping[str, int]) -> NDArray[np.uint16]:
        """Read one frame, (Y, X)."""
        last = len(self.images) - 1
        step = position["T"] % (2 * last)
        return np.asarray(self.images[min(step, 2 * last - step)]).copy()


def long_movie(frames: int, seed: int) -> Movie:
    """Make a movie of 512 x 512 px with about 50 cells, of any length."""
    source = ToAndFro(fifty_cells(SIMULATED, seed), frames)
    return Movie(name="simulated", source=source, axes="TYX")
