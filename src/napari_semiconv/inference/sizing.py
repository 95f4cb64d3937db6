"""How large a usual cell is, asked of the network itself at several scales."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UnreadableFrameError
from ..movie import Array, Movie
from ..network.weights import Model
from ..settings import VotesSettings
from .stream import Floats, Stream
from .votes import VotesEngine

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST, STEP = 8.0, 1.5  # px; factor between the sizes that are tried
LARGEST = 0.6  # of the shorter side of a frame
WINDOW = 256  # px at the resolution of the network that are looked at
LOOKS = 2  # frames that are looked at
# Cells on the right scale are found a little larger than told, within this tolerance.
# Both were fitted on frames that the default model was trained on.
LARGER, TOLERANCE = 0.3, 0.5
FEW = 0.5  # power of the number of cells that counts as evidence
HARDLY = 0.2  # foreground that is doubtful, but not nothing


@dataclass(frozen=True)
class Look:
    """What was found at one scale.

    Parameters
    ----------
    assumed
        Diameter that cells would have if they fitted this scale, px.
    found
        Diameter of the cells found, px.
    evidence
        How many cells were found and how sure the network is of them.
    """

    assumed: float
    found: float
    evidence: float


def estimate_cell_size(
    movie: Movie, model: Model, frames: range | None = None
) -> float:
    """Estimate the diameter of a usual cell.

    The network was trained on cells of one size, so it is tried at several scales; the
    size is right where the cells that it finds have the size that it was told.

    Parameters
    ----------
    movie
        The movie.
    model
        A model with semi-convolutional heads; one without expects its own size.
    frames
        Frames to look at; the first and the middle one of them are used.

    Returns
    -------
    float
        Diameter, px; that of the model when no cell is found.
    """
    usual = model.info.cell_size
    if not model.info.network.offsets:
        return usual
    frames = frames or range(len(movie))
    chosen = sorted({frames[0], frames[len(frames) // 2]})[:LOOKS]
    images = [readable(movie, range(t, frames.stop)) for t in chosen]
    looks = [look_at(images, model, size) for size in sizes_for(movie.frame_shape)]
    return believe(looks, usual)


def readable(movie: Movie, frames: range) -> Array:
    """Read the first frame, (Y, X), that is not damaged.

    Raises
    ------
    UnreadableFrameError
        When none of the frames can be read; tells of the first.
    """
    for t in frames:
        try:
            return movie.frame(t)
        except UnreadableFrameError:
            # The run itself stops at the damaged frame, or skips it and says so.
            continue
    return movie.frame(frames[0])


def sizes_for(shape: tuple[int, int]) -> list[float]:
    """Diameters to try on frames of a shape, px, ascending."""
    largest = max(SMALLEST, LARGEST * min(shape))
    count = int(np.log(largest / SMALLEST) / np.log(STEP)) + 1
    return [SMALLEST * STEP**i for i in range(count)]


def believe(looks: list[Look], usual: float) -> float:
    """Choose the diameter that agrees best with what was found at its scale.

    Parameters
    ----------
    looks
        What was found at each scale.
    usual
        Diameter to fall back on when no cell was found at any scale, px.

    Returns
    -------
    float
        Diameter, px.
    """
    good = [look for look in looks if look.evidence > 0]
    if not good:
        return usual
    # The cells found say it more finely than the grid of scales.
    return max(good, key=lambda look: look.evidence * agreement(look)).found


def agreement(look: Look) -> float:
    """How well the cells found fit the scale, 0 to 1."""
    off = np.log(look.found / look.assumed) - LARGER
    return float(np.exp(-((off / TOLERANCE) ** 2)))


def look_at(images: list[Array], model: Model, size: float) -> Look:
    """Run the model on a window of each image as if cells had a diameter.

    Parameters
    ----------
    images
        Frames, each (Y, X).
    model
        The model.
    size
        Assumed diameter, px.
    """
    usual = model.info.cell_size
    areas: list[NDArray[np.int64]] = []
    trust = []
    for image in images:
        cut = central(image, round(WINDOW * size / usual))
        output = Stream(model, size).push(cut)
        labels = VotesEngine(VotesSettings()).cluster([output])[0]
        if labels.any():
            areas.append(np.unique(labels[labels > 0], return_counts=True)[1])
            trust.append(certainty(output.foreground))
    if not areas:
        return Look(size, size, 0.0)
    area = np.concatenate(areas)
    diameter = float(np.sqrt(4 / np.pi * np.median(area)))
    evidence = float(len(area) ** FEW * np.mean(trust))
    return Look(size, diameter * size / usual, evidence)


def certainty(foreground: Floats) -> float:
    """How decided a foreground map is, 0 to 1.

    Parameters
    ----------
    foreground
        Probability of being in a cell, (Y, X).

    Returns
    -------
    float
        Certainty over the whole frame to the fourth power, times that where there may
        be cells; the powers were fitted with the constants above.
    """
    decided = np.abs(2 * foreground - 1)
    where = foreground > HARDLY
    if not where.any():
        return 0.0
    return float(decided.mean() ** 4 * decided[where].mean())


def central(image: Array, side: int) -> Array:
    """Cut the middle out of an image, (Y, X), at most ``side`` px high and wide."""
    rows, columns = (
        slice((n - min(n, side)) // 2, (n - min(n, side)) // 2 + min(n, side))
        for n in image.shape
    )
    return image[rows, columns]
