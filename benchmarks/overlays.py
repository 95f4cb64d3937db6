"""Pictures to look at: true outlines green, found ones magenta, both white."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.io import imsave
from skimage.segmentation import find_boundaries

# Frames up to this height are drawn twice as large, so that outlines can be told apart.
SMALL = 600


def write_overlay(
    path: Path, image: NDArray[Any], truth: NDArray[Any], found: NDArray[Any]
) -> None:
    """Draw the outlines of truth and result over a frame.

    Parameters
    ----------
    path
        PNG file to write.
    image
        The frame, (Y, X), or (Y, X, RGB).
    truth
        True labels, (Y, X).
    found
        Labels found, (Y, X).
    """
    grey = image.mean(-1) if image.ndim == 3 else image
    low, high = np.nanpercentile(grey, (0.5, 99.7))
    shade = np.clip((grey - low) / max(high - low, 1e-6), 0, 1) * 0.8
    times = 2 if len(grey) <= SMALL else 1
    enlarged = shade.repeat(times, 0).repeat(times, 1)
    picture = np.repeat(enlarged[..., None], 3, axis=2)
    true_edge, found_edge = (_outlines(labels, times) for labels in (truth, found))
    picture[true_edge] = 0, 1, 0
    picture[found_edge] = 1, 0, 1
    picture[true_edge & found_edge] = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, (picture * 255).astype(np.uint8), check_contrast=False)


def _outlines(labels: NDArray[Any], times: int) -> NDArray[np.bool_]:
    enlarged = labels.repeat(times, 0).repeat(times, 1)
    return np.asarray(find_boundaries(enlarged, mode="inner"))
