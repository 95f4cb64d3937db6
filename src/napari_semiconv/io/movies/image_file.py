"""What every reader of images hands back."""

from dataclasses import dataclass

from ...movie import PlaneSource


@dataclass(frozen=True)
class ImageFile:
    """Where the planes of a file lie, and what the file says of them.

    Parameters
    ----------
    source
        Reads single planes.
    pixel_size
        Height and width of a pixel, in um; None when unknown.
    frame_interval
        Time between frames, in s; None when unknown.
    notes
        Sentences on what was guessed.
    """

    source: PlaneSource
    pixel_size: tuple[float, float] | None = None
    frame_interval: float | None = None
    notes: tuple[str, ...] = ()
