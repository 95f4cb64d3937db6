"""Windows of a frame in which most is to be seen."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..movie import Array
from ..network.frames import finite
from .stream.stream import Floats, resize

Window = tuple[slice, slice]
COARSE = 512  # px; longer frames are shrunk to find out where most happens
BRIGHT = 99.0  # percentile; what stands out more counts no more
APART = 0.5  # of a window's side: least distance of two windows


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
