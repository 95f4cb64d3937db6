"""What every export takes and every import gives: masks of all frames and tracks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ...labels import Labels, labels_in
from ...movie import Movie
from ...tracking.lineage import Lineage, Track


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


def lineage_of_labels(
    frames: Iterable[tuple[int, Labels]], parents: Mapping[int, int] | None = None
) -> Lineage:
    """Look through frames and note where each label has pixels.

    Parameters
    ----------
    frames
        Index and labels, (Y, X), of each frame, ascending; in all others are no cells.
    parents
        Parent of each label that has one; none when not given.

    Returns
    -------
    Lineage
        One track a label, with gaps where it has no pixels for a while.
    """
    # First and last frame of each interval, one after the other: few for many frames.
    seen: dict[int, list[int]] = defaultdict(list)
    for frame, labels in frames:
        for label in labels_in(labels):
            ends = seen[label]
            if ends and ends[-1] == frame - 1:
                ends[-1] = frame
            else:
                ends += [frame, frame]
    known = parents or {}
    return Lineage(
        Track(
            label, tuple(zip(ends[::2], ends[1::2], strict=True)), known.get(label, 0)
        )
        for label, ends in seen.items()
    )
