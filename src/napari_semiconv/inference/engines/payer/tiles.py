"""Overlapping tiles of a frame, and their cells put together (Payer et al. 2019)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.int32]

# Side and step of the tiles, and the strip along inner edges that other tiles see
# better, px.
TILE, STRIDE, STRIP = 256, 128, 32
# A component that larger ones have taken this share of is the same cell again.
TAKEN = 0.5


@dataclass(frozen=True)
class StackTile:
    """Cells of one tile.

    Parameters
    ----------
    place
        Rows and columns of the frame.
    shape
        Height and width of the frame, px.
    stack
        Cell numbers, (T, Y, X).
    """

    place: tuple[slice, slice]
    shape: tuple[int, int]
    stack: Stack

    def good(self) -> NDArray[np.int64]:
        """Numbers of cells that no inner edge cuts and that do not hug one, (K,)."""
        inside = self.stack > 0
        deep = np.broadcast_to(self.depth(), self.stack.shape)[inside]
        numbers = self.stack[inside]
        count = int(numbers.max(initial=0)) + 1
        least, most = np.full(count, TILE), np.full(count, -1)
        np.minimum.at(least, numbers, deep)
        np.maximum.at(most, numbers, deep)
        return np.flatnonzero((least > 0) & (most >= STRIP))

    def depth(self) -> NDArray[np.int64]:
        """Distance of each pixel from the nearest inner edge, (Y, X), px.

        An inner edge has frame beyond it. All four are treated alike: the published
        mask cleared one column on the left where a strip was meant.
        """
        rows, columns = (
            _depth_along(place, size)
            for place, size in zip(self.place, self.shape, strict=True)
        )
        return np.minimum(rows[:, None], columns)


def _depth_along(place: slice, size: int) -> NDArray[np.int64]:
    length = place.stop - place.start
    along, far = np.arange(length), np.full(length, TILE)
    before = along if place.start > 0 else far
    after = along[::-1] if place.stop < size else far
    return np.minimum(before, after)


def tiles_of(shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Rows and columns of the tiles that cover a frame, the last ones flush with it."""
    spans = []
    for size in shape:
        starts = [*range(0, max(1, size - TILE), STRIDE), max(0, size - TILE)]
        spans.append([slice(n, min(n + TILE, size)) for n in sorted({*starts})])
    return [(rows, columns) for rows in spans[0] for columns in spans[1]]


def merge_tiles(tiles: Sequence[StackTile], shape: tuple[int, ...]) -> Stack:
    """Put the cells of overlapping tiles together; where they conflict the larger wins.

    Parameters
    ----------
    tiles
        Cells of each tile.
    shape
        Frames, height and width of the whole.

    Returns
    -------
    Stack
        Cells numbered from 1, (T, Y, X).
    """
    if len(tiles) == 1:
        return tiles[0].stack
    areas = [np.bincount(tile.stack.ravel()) for tile in tiles]
    candidates = [
        (int(areas[i][number]), i, int(number))
        for i, tile in enumerate(tiles)
        for number in tile.good()
    ]
    whole, count = np.zeros(shape, np.int32), 0
    for area, i, number in sorted(candidates, key=lambda c: (-c[0], c[1:])):
        view = whole[:, *tiles[i].place]
        free = (tiles[i].stack == number) & (view == 0)
        if np.count_nonzero(free) > (1 - TAKEN) * area:
            count += 1
            view[free] = count
    return whole
