"""Make a lineage of label images: which frames each label truly has pixels in."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError
from ..tracking.lineage import Lineage, Track

Labels = NDArray[np.int32]

LARGEST_LABEL = int(np.iinfo(np.int32).max)


def as_labels(pixels: NDArray[Any], what: str) -> Labels:
    """Take an image as labels, (Y, X), int32.

    Parameters
    ----------
    pixels
        Whole numbers from 0, (Y, X).
    what
        What the user calls the image.

    Raises
    ------
    BadInputError
        When they are no whole numbers, or some are negative or too large.
    """
    if pixels.dtype.kind not in "bui" or pixels.ndim != 2:
        raise BadInputError(
            f"{what}: expected labels, whole numbers in 2D, found {pixels.dtype} in "
            f"{pixels.ndim}D. Save the labels as 16- or 32-bit integers."
        )
    if pixels.dtype.kind == "i" or pixels.dtype.itemsize > 2:
        low, high = int(pixels.min(initial=0)), int(pixels.max(initial=0))
        if low < 0 or high > LARGEST_LABEL:
            raise BadInputError(
                f"{what}: expected labels from 0 to {LARGEST_LABEL}, found "
                f"{low if low < 0 else high}. Number the cells anew."
            )
    return pixels.astype(np.int32, copy=False)


def labels_in(labels: Labels) -> list[int]:
    """List the labels of a frame, (Y, X), ascending, without the background."""
    found: list[int] = np.unique(labels).tolist()
    return found[1:] if found and found[0] == 0 else found


def lineage_of_labels(
    read: Callable[[int], Labels],
    frames: Iterable[int],
    parents: Mapping[int, int] | None = None,
) -> Lineage:
    """Look through frames and note where each label has pixels.

    Parameters
    ----------
    read
        Gives the labels, (Y, X), of a frame.
    frames
        The frames to look at, ascending; in all others are no cells.
    parents
        Parent of each label that has one; none when not given.

    Returns
    -------
    Lineage
        One track a label, with gaps where it has no pixels for a while.
    """
    seen: dict[int, list[int]] = defaultdict(list)
    for frame in frames:
        for label in labels_in(read(frame)):
            seen[label].append(frame)
    known = parents or {}
    return Lineage(
        Track.of(label, there, known.get(label, 0)) for label, there in seen.items()
    )
