"""How large a usual cell is, asked of the network itself at several scales.

Told that cells are small, the network finds larger ones; told that they are large, it
finds smaller ones. In between lies the size at which it finds them as large as it was
told. Where there is nothing to see it finds cells of any size, but hesitantly: so it
looks where most happens, and what it is sure of counts most.

The constants were fitted on frames and stills that the default model was trained on,
for the weights of several trainings alike, with ``python -m benchmarks sizes --fit``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import UnreadableFrameError
from ..labels import Labels
from ..movie import Array, Movie
from ..network.frames import finite
from ..network.weights import Model
from ..settings import VOTES, RegionSettings, VotesSettings
from .engines.region import RegionEngine
from .engines.votes.engine import VotesEngine
from .stream.stream import Floats, FrameOutput, Stream, resize

SMALLEST, STEP = 8.0, 1.5  # px; factor between the sizes that are tried
LARGEST = 0.75  # of the shorter side of a frame
WINDOW = 256  # px at the resolution of the network that are looked at
LOOKS, WINDOWS = 2, 2  # frames that are looked at, and windows in each
HARDLY = 0.2  # foreground that is doubtful, but not nothing
Window = tuple[slice, slice]
COARSE = 512  # px; longer frames are shrunk to find out where most happens
BRIGHT = 99.0  # percentile; what stands out more counts no more
APART = 0.5  # of a window's side: least distance of two windows


@dataclass(frozen=True)
class Belief:
    """What is made of the cells found; the usual values were fitted.

    Parameters
    ----------
    larger
        Logarithm of how much larger than told cells of the right size are found.
    width
        Power of its area by which a cell counts: 0.5 is its width. Pieces and specks
        are many, but small.
    few
        Power of the number of cells by which a look counts.
    sure
        Power of the certainty by which a look counts.
    """

    larger: float = 0.05
    width: float = 0.5
    few: float = 0.25
    sure: float = 2.0


USUAL = Belief()


@dataclass(frozen=True)
class Look:
    """What was found at one scale.

    Parameters
    ----------
    assumed
        Diameter that cells would have if they fitted this scale, px.
    areas
        Areas of the cells found, (N,), px².
    certainty
        How sure the network is, 0 to 1.
    """

    assumed: float
    areas: NDArray[np.float64]
    certainty: float


@dataclass(frozen=True)
class Point:
    """A scale with what is made of the cells found there.

    Parameters
    ----------
    assumed
        Diameter that the network was told, px.
    found
        Diameter of the cell in the middle, px.
    evidence
        How much it counts.
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
        A model with the heads of the votes or the region engine; one without expects
        its own size.
    frames
        Frames to look at; the first and the middle one of them are used.

    Returns
    -------
    float
        Diameter, px; that of the model when no cell is found. A model that was taught
        expects the cells that it was taught with: what was measured on cells that
        somebody outlined is not guessed anew.
    """
    if model.info.taught_size is not None:
        return model.info.taught_size
    usual = model.info.cell_size
    if finder_of(model) is None:
        return usual
    return believe(look_around(movie, model, frames or range(len(movie))), usual)


def look_around(movie: Movie, model: Model, frames: range) -> list[Look]:
    """Look at some of the frames at every scale, ascending."""
    images = images_of(movie, frames)
    return [look_at(images, model, size) for size in sizes_for(movie.frame_shape)]


def images_of(movie: Movie, frames: range) -> list[Array]:
    """Read the first and the middle one of some frames, each (Y, X)."""
    chosen = sorted({frames[len(frames) * i // LOOKS] for i in range(LOOKS)})
    return [readable(movie, range(t, frames.stop)) for t in chosen]


def windows_of(image: Array, model: Model, size: float) -> list[Window]:
    """Choose what the network sees of a frame whose cells have a diameter, px."""
    return liveliest(image, round(WINDOW * size / model.info.cell_size), WINDOWS)


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


def believe(looks: Sequence[Look], usual: float, belief: Belief = USUAL) -> float:
    """Choose the diameter at which cells are found as large as the network was told.

    Parameters
    ----------
    looks
        What was found at each scale, scales ascending.
    usual
        Diameter to fall back on when no cell was found at any scale, px.
    belief
        What is made of the cells found.

    Returns
    -------
    float
        Diameter, px.
    """
    points = [point_of(look, belief) for look in looks if len(look.areas)]
    if not points:
        return usual
    between = [crossing(*pair, belief.larger) for pair in pairwise(points)]
    crossings = [point for point in between if point is not None]
    if not crossings:
        # No scale is right, or there is only one: what is found says most.
        return max(points, key=lambda point: point.evidence).found
    return max(crossings, key=lambda point: point.evidence).assumed


def point_of(look: Look, belief: Belief = USUAL) -> Point:
    """Make a point of a look that found cells: the middle cell, and how much it counts.

    In the middle is the cell on both sides of which cells count alike.
    """
    areas = np.sort(look.areas)
    weight = np.cumsum(areas**belief.width)
    middle = areas[np.searchsorted(weight, weight[-1] / 2)]
    evidence = len(areas) ** belief.few * look.certainty**belief.sure
    return Point(look.assumed, float(np.sqrt(4 / np.pi * middle)), float(evidence))


def crossing(
    finer: Point, coarser: Point, larger: float = USUAL.larger
) -> Point | None:
    """Find the scale between two at which cells are found as large as told.

    None when they are found larger at both, smaller at both, or the wrong way round:
    smaller where the network was told that they are small.
    """
    above, below = (np.log(p.found / p.assumed) - larger for p in (finer, coarser))
    if not above >= 0 > below:
        return None
    share = above / (above - below)

    def between(one: float, other: float) -> float:
        return float(one ** (1 - share) * other**share)

    return Point(
        between(finer.assumed, coarser.assumed),
        between(finer.found, coarser.found),
        between(finer.evidence, coarser.evidence),
    )


def look_at(images: Sequence[Array], model: Model, size: float) -> Look:
    """Run the model on windows of each image as if cells had a diameter.

    Parameters
    ----------
    images
        Frames, each (Y, X).
    model
        The model.
    size
        Assumed diameter, px.
    """
    scale = size / model.info.cell_size
    find = finder_of(model)
    assert find is not None  # other models are not asked
    areas: list[NDArray[np.float64]] = []
    sure = []
    for image in images:
        for window in windows_of(image, model, size):
            output = Stream(model, size).push(image[window])
            labels = find(output)
            if labels.any():
                counts = np.unique(labels[labels > 0], return_counts=True)[1]
                areas.append(counts.astype(np.float64) * scale**2)
                sure.append(certainty(output.foreground))
    if not areas:
        return Look(size, np.zeros(0), 0.0)
    return Look(size, np.concatenate(areas), float(np.mean(sure)))


def finder_of(model: Model) -> Callable[[FrameOutput], Labels] | None:
    """Choose what finds cells frame by frame with a model; None when nothing does."""
    heads = model.info.network.heads
    if not VOTES.misfit(heads):
        return VotesEngine(VotesSettings()).cells
    if model.network.region is None:
        return None
    engine = RegionEngine(model.network.region, RegionSettings())
    return lambda output: engine.cluster([output])[0][0]


def certainty(foreground: Floats) -> float:
    """How decided a foreground map is, 0 to 1.

    Parameters
    ----------
    foreground
        Probability of being in a cell, (Y, X).

    Returns
    -------
    float
        Certainty over the whole frame, times that where there may be cells.
    """
    decided = np.abs(2 * foreground - 1)
    where = foreground > HARDLY
    if not where.any():
        return 0.0
    return float(decided.mean() * decided[where].mean())


def liveliest(image: Array, side: int, count: int) -> list[Window]:
    """Choose the windows of an image in which most stands out from its surroundings.

    Parameters
    ----------
    image
        Frame, (Y, X).
    side
        Height and width of a window, px; less where the image is smaller.
    count
        How many windows; fewer where there is no room for more.

    Returns
    -------
    list
        Rows and columns of each window, the liveliest first; the whole image when it
        fits into one.
    """
    height, width = (min(side, n) for n in image.shape)
    shrink = min(1.0, COARSE / max(image.shape))
    rows, columns = (max(1, round(n * shrink)) for n in image.shape)
    tall, wide = (max(1, round(n * shrink)) for n in (height, width))
    coarse = resize(finite(image), (rows, columns))
    life = _sums(_detail(coarse, min(tall, wide)), tall, wide)
    found: list[Window] = []
    while len(found) < count and np.isfinite(life).any():
        row, column = np.unravel_index(int(life.argmax()), life.shape)
        top = min(round(row / shrink), image.shape[0] - height)
        left = min(round(column / shrink), image.shape[1] - width)
        found.append((slice(top, top + height), slice(left, left + width)))
        near = (_near(row, APART * tall), _near(column, APART * wide))
        life[near] = -np.inf
    return found


def _near(place: np.intp, reach: float) -> slice:
    return slice(max(0, int(place - reach)), int(place + reach) + 1)


def _detail(image: Floats, around: int) -> Floats:
    """How far each pixel stands out from what is around it, (Y, X)."""
    smooth = ndimage.gaussian_filter(image, 1)
    detail = np.abs(smooth - ndimage.uniform_filter(smooth, around))
    # A single bright speck must not outweigh many cells.
    calm: Floats = np.minimum(detail, np.float32(np.percentile(detail, BRIGHT)))
    return calm


def _sums(image: Floats, tall: int, wide: int) -> NDArray[np.float64]:
    """Sum over the window that begins at each pixel, for those that lie within."""
    total = np.pad(image.cumsum(0, dtype=float).cumsum(1), ((1, 0), (1, 0)))
    strips = total[tall:] - total[:-tall]
    sums: NDArray[np.float64] = strips[:, wide:] - strips[:, :-wide]
    return sums
