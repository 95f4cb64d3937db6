"""What every export takes and every import gives: masks of all frames and tracks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..movie import Movie
from ..tracking.lineage import Lineage


@dataclass(frozen=True)
class TrackedMovie:
    """Masks and lineage of a movie, masks read one frame at a time.

    Parameters
    ----------
    name
        What the user calls it.
    shape
        Frames, height and width, (T, Y, X).
    read
        Gives the labels, (Y, X), int32, of a frame; 0 is background.
    lineage
        Tracks and parents: exactly the frames each label has pixels in.
    pixel_size
        Height and width of a pixel, in um; None when unknown.
    frame_interval
        Time between frames, in s; None when unknown.
    movie
        The movie the cells belong to; None when it is not at hand.
    """

    name: str
    shape: tuple[int, int, int]
    read: Callable[[int], NDArray[Any]]
    lineage: Lineage
    pixel_size: tuple[float, float] | None = None
    frame_interval: float | None = None
    movie: Movie | None = None

    def __len__(self) -> int:
        """Count the frames."""
        return self.shape[0]

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Height and width of a frame, in px."""
        return self.shape[1:]
