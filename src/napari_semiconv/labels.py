"""Label images: which cells are in them, where, how large, and under which number.

A label image holds a whole number a pixel; 0 is background. Memory and time do not
depend on how large a label is: up to 2^20 a table of counts is quickest, above it the
pixels are sorted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import BadInputError

Labels = NDArray[np.int32]
Image = NDArray[np.integer[Any]]
Integers = NDArray[np.int64]
Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

LARGEST_LABEL = int(np.iinfo(np.int32).max)
# Labels up to this are counted in a table of 8 MB; larger ones are sorted.
LARGEST_TABLE = 1 << 20
FEW = 6  # labels up to which each is looked for by itself
# Up to this label boxes are listed for all numbers, present or not.
_LARGEST_LIST = 1 << 16


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


def areas_in(image: Image) -> tuple[Integers, Integers]:
    """Labels above 0 in an image of any shape, ascending, (N,), and areas, (N,), px."""
    if image.min(initial=0) >= 0 and image.max(initial=0) <= LARGEST_TABLE:
        counts = np.bincount(image.ravel(), minlength=1)
        counts[0] = 0
        labels = np.flatnonzero(counts)
        return labels, counts[labels]
    found, areas = np.unique(image[image > 0], return_counts=True)
    return found.astype(np.int64), areas.astype(np.int64)


def numbers_in(image: Image) -> Integers:
    """Labels above 0 in an image of any shape, ascending, (N,)."""
    return areas_in(image)[0]


def labels_in(image: Image) -> list[int]:
    """List the labels above 0 in an image of any shape, ascending."""
    labels: list[int] = areas_in(image)[0].tolist()
    return labels


def areas_of(image: Image, labels: ArrayLike) -> Integers:
    """Areas, (N,), px, of some labels in an image; 0 of those that are not there."""
    wanted = np.asarray(labels, np.int64)
    if len(wanted) <= FEW:
        few = [np.count_nonzero(image == n) if n else 0 for n in wanted.tolist()]
        return np.array(few, np.int64)
    present, areas = areas_in(image)
    if not len(present):
        return np.zeros(len(wanted), np.int64)
    place = np.minimum(np.searchsorted(present, wanted), len(present) - 1)
    return np.where(present[place] == wanted, areas[place], 0)


def dense(image: Image) -> tuple[Integers, Labels]:
    """Renumber the labels of an image 1 to N in ascending order.

    Parameters
    ----------
    image
        Labels of any shape; what is below 0 is background too.

    Returns
    -------
    tuple
        The labels, ascending, (N,), and the image with their places from 1.
    """
    present = numbers_in(image)
    return present, _placed(image, present)


def _placed(image: Image, present: Integers) -> Labels:
    """Place from 1 of each pixel's label among ``present``, which has all of them."""
    if not len(present):
        return np.zeros(image.shape, np.int32)
    if image.min(initial=0) >= 0 and present[-1] <= LARGEST_TABLE:
        table = np.zeros(int(present[-1]) + 1, np.int32)
        table[present] = np.arange(1, len(present) + 1)
        return table[image]
    placed = (np.searchsorted(present, image) + 1).astype(np.int32)
    return np.where(image > 0, placed, np.int32(0))


def centroids_in(image: Image) -> tuple[Integers, Integers, Values]:
    """Find the middle of each cell.

    Parameters
    ----------
    image
        Labels, (Y, X).

    Returns
    -------
    tuple
        Labels, ascending, (N,); areas, (N,), in px; mean y and x, (N, 2), in px, the
        centre of the first pixel being 0, 0.
    """
    present, areas = areas_in(image)
    flat = np.flatnonzero(image.ravel() > 0)
    owner = _placed(image.ravel()[flat], present) - 1
    y, x = np.divmod(flat, image.shape[1])
    sums = [np.bincount(owner, axis, len(present)) for axis in (y, x)]
    return present, areas, np.stack(sums, 1) / areas[:, None]


def boxes_in(image: Image) -> dict[int, tuple[slice, slice]]:
    """Least box, rows and columns, of each cell of an image, (Y, X), by label."""
    from scipy.ndimage import find_objects

    if image.max(initial=0) <= _LARGEST_LIST:
        found = enumerate(find_objects(image), 1)
        return {label: box for label, box in found if box is not None}
    present, numbered = dense(image)
    return dict(zip(present.tolist(), find_objects(numbered), strict=True))


def relabelled(
    image: Labels, names: Mapping[int, int], *, others_stay: bool = True
) -> Labels:
    """Give labels other numbers.

    Parameters
    ----------
    image
        Labels of any shape.
    names
        New number of each label; 0, or less, makes it background.
    others_stay
        Whether labels without a new number stay, or become background.

    Returns
    -------
    Labels
        A new image, or the same when nothing changes.
    """
    if not names:
        return image if others_stay else np.zeros_like(image)
    rows = np.array(sorted(names.items()), np.int64)
    new = np.maximum(rows[:, 1], 0).astype(np.int32)
    top = max(int(image.max(initial=0)), int(rows[-1, 0]))
    if top > LARGEST_TABLE:
        place = np.minimum(np.searchsorted(rows[:, 0], image), len(rows) - 1)
        others = image if others_stay else np.int32(0)
        return np.where(rows[place, 0] == image, new[place], others)
    table = (np.arange if others_stay else np.zeros)(top + 1, dtype=np.int32)
    table[rows[:, 0]] = new
    return table[image]


@dataclass(frozen=True)
class Contingency:
    """Which labels of two images of one shape share pixels, and how many.

    Parameters
    ----------
    pairs
        Label in the first image and in the second, (K, 2), ascending.
    shared
        Pixels that have both, (K,).
    """

    pairs: Integers
    shared: Integers


def overlap(first: Image, second: Image) -> Contingency:
    """Count which labels above 0 of two images lie on one another.

    Parameters
    ----------
    first, second
        Labels of any one shape.
    """
    both = (first > 0) & (second > 0)
    other = second[both].astype(np.int64)
    # Both labels of a pixel in one number, which is quicker to count than a pair.
    width = int(other.max(initial=0)) + 1
    keys, shared = areas_in(first[both].astype(np.int64) * width + other)
    return Contingency(np.stack(np.divmod(keys, width), 1), shared)


def pieces_in(mask: ArrayLike, *, corners: bool = False) -> tuple[Labels, Integers]:
    """Part a mask into what hangs together.

    Parameters
    ----------
    mask
        Which pixels, (Y, X).
    corners
        Whether pixels that touch by a corner hang together, or by a side alone.

    Returns
    -------
    tuple
        The pieces, numbered 1 to N in the order in which a reader meets them, (Y, X);
        areas, (N,), in px.
    """
    from scipy.ndimage import label

    around = np.ones((3, 3)) if corners else None
    pieces, count = label(np.asarray(mask, bool), around)
    return pieces, np.bincount(pieces.ravel(), minlength=count + 1)[1:]


def largest_piece(mask: ArrayLike) -> Mask:
    """Keep the largest piece of a mask, (Y, X), that hangs together by sides.

    Of several as large the first is kept.
    """
    pieces, areas = pieces_in(mask)
    if len(areas) <= 1:
        return np.asarray(mask, bool)
    found: Mask = pieces == areas.argmax() + 1
    return found
