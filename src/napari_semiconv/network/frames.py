"""Frames as the network sees them: rescaled by cell size and normalised."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float32]
# Percentiles of the slightly blurred frame: hot pixels and noise do not move them.
LOW, MIDDLE, HIGH = 0.5, 50.0, 99.8
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
BLUR = 1.0  # px at the resolution of the network
WINDOW = 2.5  # cell diameters around a pixel that set its local contrast
FLOOR = 0.03  # least local contrast, as a share of the frame's range


def finite(frame: NDArray[Any]) -> Image:
    """Return a frame as float32 with NaN and infinite pixels set to its median.

    Parameters
    ----------
    frame
        Frame of any type, (Y, X).

    Returns
    -------
    Image
        (Y, X); all zero when no pixel is finite.
    """
    image = np.asarray(frame, np.float32)
    good = np.isfinite(image)
    if good.all():
        return image
    fill = np.median(image[good]) if good.any() else 0.0
    return np.where(good, image, np.float32(fill))


def without_hot_pixels(frame: Image) -> Image:
    """Lower single pixels that outshine all their neighbours by the frame's own range.

    Parameters
    ----------
    frame
        Frame at the resolution of the camera, (Y, X).

    Returns
    -------
    Image
        (Y, X); hot pixels take the brightest neighbour's value.
    """
    around = ndimage.maximum_filter(frame, footprint=RING, mode="reflect")
    calm = np.minimum(frame, around)
    low, high = np.percentile(calm, [LOW, HIGH])
    return np.where(frame - around > high - low, around, frame)


def frame_range(frame: Image) -> tuple[float, float]:
    """Middle and range of grey levels, robust to noise and hot pixels.

    Returns
    -------
    tuple
        Median, and distance of the outer percentiles; 0 for a flat frame.
    """
    smooth = ndimage.gaussian_filter(frame, BLUR)
    low, middle, high = np.percentile(smooth, [LOW, MIDDLE, HIGH])
    return float(middle), float(high - low)


def normalise(frame: Image, channels: int, cell_size: float) -> Image:
    """Normalise a frame that has the resolution of the network.

    Parameters
    ----------
    frame
        Frame, (Y, X).
    channels
        1 for the frame against its own range; 2 adds the frame against its
        surroundings, which shows dim cells as well as bright ones.
    cell_size
        Diameter of a usual cell, px.

    Returns
    -------
    Image
        (C, Y, X); all zero for a flat frame.
    """
    middle, width = frame_range(frame)
    return normalise_by(frame, middle, width, channels, cell_size)


def normalise_by(
    frame: Image, middle: float, width: float, channels: int, cell_size: float
) -> Image:
    """Normalise a frame, or a part of one, by grey levels that are known already.

    Parameters
    ----------
    frame
        Frame, (Y, X).
    middle
        Grey level that becomes 0.
    width
        Range of grey levels that becomes 1; 0 gives an all-zero frame.
    channels
        See `normalise`.
    cell_size
        Diameter of a usual cell, px.

    Returns
    -------
    Image
        (C, Y, X).
    """
    if width <= 0:
        return np.zeros((channels, *frame.shape), np.float32)
    whole = (frame - np.float32(middle)) / np.float32(width)
    # A hot pixel must not swamp the first layer.
    np.clip(whole, -4, 4, out=whole)
    if channels == 1:
        return whole[None]
    size = round(WINDOW * cell_size)
    near = ndimage.uniform_filter(whole, size, mode="reflect")
    spread = ndimage.uniform_filter((whole - near) ** 2, size, mode="reflect")
    local = (whole - near) / (np.sqrt(np.maximum(spread, 0)) + np.float32(FLOOR))
    return np.stack([whole, 0.5 * local]).astype(np.float32, copy=False)
