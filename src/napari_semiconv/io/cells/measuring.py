"""Measure the cells of a frame: size, place, shape, brightness."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError, UnreadableFrameError
from ...labels import Labels, dense
from ...movie import Movie
from .tracked import TrackedMovie

Values = NDArray[np.float64]
# Pixels of a frame that its background is taken of.
MOST_BACKGROUND = 1 << 16


@dataclass(frozen=True)
class Measures:
    """What was measured of the cells of one frame, each (N,) by ascending label.

    Parameters
    ----------
    labels
        Labels of the cells.
    pixels
        Area, in px.
    centroids
        Mean y and x, (N, 2), in px; the centre of the first pixel is 0, 0.
    axes
        Length of the longer and the shorter axis, (N, 2), of the ellipse of the same
        second moments; in um when the pixel size is known, else in px.
    orientations
        Direction of the longer axis, in degrees from -90 to 90: 0 is along x, 90 along
        y, counter-clockwise as seen on screen.
    intensities
        Mean grey value of each channel, (N, channels); NaN where it cannot be read.
    backgrounds
        Median grey value of the pixels that no cell has, (channels,); NaN where there
        is none, or it cannot be read. Of many pixels `MOST_BACKGROUND` are looked at.
    """

    labels: list[int]
    pixels: Values
    centroids: Values
    axes: Values
    orientations: Values
    intensities: Values
    backgrounds: Values


def measure(
    labels: Labels,
    pixel_size: tuple[float, float] | None,
    channels: Sequence[NDArray[Any] | None],
) -> Measures:
    """Measure the cells of a frame.

    Parameters
    ----------
    labels
        Labels, (Y, X); 0 is background.
    pixel_size
        Height and width of a pixel, in um; None when unknown.
    channels
        Grey values, (Y, X), of each channel; None for one that cannot be read.
    """
    found, numbered = dense(labels)
    present: list[int] = found.tolist()
    inside = labels != 0
    # Numbered from 0: memory must not depend on how large a label is.
    places = numbered[inside] - 1
    pixels = np.bincount(places, minlength=len(present)).astype(float)

    def mean(values: NDArray[Any]) -> Values:
        return np.asarray(np.bincount(places, values, len(present)) / pixels)

    rows, columns = np.nonzero(inside)
    centroids = np.stack([mean(rows), mean(columns)], 1)
    height, width = pixel_size or (1.0, 1.0)
    y = (rows - centroids[places, 0]) * height
    x = (columns - centroids[places, 1]) * width
    axes, orientations = _ellipses(mean(y * y), mean(x * x), mean(y * x))
    grey = [
        np.full(len(present), np.nan) if values is None else mean(values[inside])
        for values in channels
    ]
    intensities = np.array(grey, float).reshape(len(channels), len(present)).T
    backgrounds = [_background(values, inside) for values in channels]
    return Measures(
        present,
        pixels,
        centroids,
        axes,
        np.degrees(orientations),
        intensities,
        np.array(backgrounds, float),
    )


def _background(values: NDArray[Any] | None, inside: NDArray[np.bool_]) -> float:
    outside = np.zeros(0) if values is None else values[~inside]
    if not len(outside):
        return float("nan")
    # Spread evenly: the median of a million pixels takes as long as all else.
    return float(np.median(outside[:: -(-len(outside) // MOST_BACKGROUND)]))


def _ellipses(yy: Values, xx: Values, yx: Values) -> tuple[Values, Values]:
    """Axes, (N, 2), and directions, in radians, of ellipses with these variances."""
    middle, spread = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    # The variance of a full ellipse along an axis is a sixteenth of its length squared.
    axes = 4 * np.sqrt(np.maximum([middle + spread, middle - spread], 0)).T
    # y points down on screen. The zero has no sign: upright is 90 degrees, never -90.
    return axes, np.arctan2(0.0 - 2 * yx, xx - yy) / 2


def channels_of(tracked: TrackedMovie) -> list[Movie]:
    """Give the movie once for each of its channels; nothing when it is not at hand.

    Raises
    ------
    BadInputError
        When it is not the movie of these cells: other frames.
    """
    movie = tracked.movie
    if movie is None:
        return []
    found = (len(movie), *movie.frame_shape)
    if found[0] < len(tracked) or found[1:] != tracked.frame_shape:
        raise BadInputError(
            f"{movie.name}: expected the movie of these cells, {len(tracked)} frames "
            f"of {tracked.frame_shape[0]} x {tracked.frame_shape[1]} px, found "
            f"{found[0]} of {found[1]} x {found[2]} px. Choose their movie, or export "
            f"without one."
        )
    return [movie.with_choices(channel=c) for c in range(movie.size("C"))]


def measured_frames(tracked: TrackedMovie) -> Iterator[Measures]:
    """Measure frame after frame, one in memory at a time.

    Raises
    ------
    BadInputError
        When the labels of a frame cannot be read, or the movie is another one.
    """
    movies = channels_of(tracked)
    for frame in range(len(tracked)):
        yield measured_frame(tracked, movies, frame)


def measured_frame(
    tracked: TrackedMovie, movies: Sequence[Movie], frame: int
) -> Measures:
    """Measure one frame.

    Parameters
    ----------
    tracked
        Masks and units.
    movies
        The movie of each channel, as `channels_of` gives them.
    frame
        Index of the frame.

    Raises
    ------
    BadInputError
        When its labels cannot be read.
    """
    channels = [_frame(movie, frame) for movie in movies]
    return measure(tracked.read(frame), tracked.pixel_size, channels)


def _frame(movie: Movie, frame: int) -> NDArray[Any] | None:
    try:
        return movie.frame(frame)
    except UnreadableFrameError:
        return None
