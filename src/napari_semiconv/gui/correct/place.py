"""Places in the movie that are clicked or dragged over."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A place in a frame.

    Parameters
    ----------
    frame
        Index of the frame.
    y, x
        Row and column, px; parts of pixels count.
    label
        The cell there, or 0.
    """

    frame: int
    y: float
    x: float
    label: int = 0

    @property
    def pixel(self) -> tuple[int, int]:
        """Row and column of the pixel it lies in."""
        return round(self.y), round(self.x)
