"""Edits of what was drawn: strokes of napari's brushes, and outlines by hand."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon2mask

from ...edits.base import Edit, Group
from ...edits.masks import Erase, Paint
from ...edits.region import Mask, Region
from ...errors import EditError
from ...labels import labels_in
from .place import Place

Labels = NDArray[np.int32]
# Pixels that an outline drawn by hand encloses at the least.
LEAST_AREA = 4


def edit_of_stroke(frame: int, before: Labels, after: Labels) -> Edit | None:
    """Make one edit of a stroke that painted, erased or filled; None when nothing.

    Parameters
    ----------
    frame
        Index of the frame.
    before, after
        Its labels, (Y, X).
    """
    changed = before != after
    edits: list[Edit] = [
        Paint(frame, label, Region.where(changed & (after == label)))
        for label in labels_in(after[changed])
    ]
    gone = changed & (after == 0)
    if gone.any():
        edits.append(Erase(frame, Region.where(gone)))
    if len(edits) > 1:
        return Group(tuple(edits), f"draw, frame {frame}")
    return edits[0] if edits else None


def enclosed(line: Iterable[Place], shape: tuple[int, int]) -> Mask:
    """Pixels, (Y, X), inside an outline that was dragged; its ends are joined.

    Raises
    ------
    EditError
        When it encloses hardly anything.
    """
    corners = np.array([(p.y, p.x) for p in line], float).reshape(-1, 2)
    mask: Mask = (
        polygon2mask(shape, corners) if len(corners) > 2 else np.zeros(shape, bool)
    )
    if mask.sum() < LEAST_AREA:
        raise EditError(
            "The outline: expected one around some pixels, found a line. Hold the "
            "mouse button down and drag around the cell."
        )
    return mask


def reshaped(region: Region, way: str) -> Region:
    """Let a region grow or shrink by a pixel, or smooth its outline.

    Parameters
    ----------
    region
        The region.
    way
        ``grow``, ``shrink`` or ``smooth``.
    """
    mask = np.pad(region.mask, 2)
    if way == "grow":
        mask = ndimage.binary_dilation(mask)
    elif way == "shrink":
        mask = ndimage.binary_erosion(mask)
    else:
        # Each pixel goes with the most of its neighbours; twice, for a round outline.
        for _ in range(2):
            mask = ndimage.uniform_filter(mask.astype(float), 5) > 0.5
    return Region(region.y - 2, region.x - 2, mask)
