"""Frames that do not fit, cut into tiles for the network and put together again.

Not to be confused with the tiles that the procedure of 2019 clusters by (`tiles`): here
the network itself sees one tile after the other. All borders lie at multiples of its
stride, so that each level of what it remembers is cut along whole pixels. What a tile
says and remembers within its halo is dropped. What is remembered is put together to
maps of the whole frame, so the halo of a tile goes on from what its neighbours
remember, and nothing that is remembered depends on how the frame was cut.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Window = tuple[slice, slice]
Tensors = Sequence[Tensor]


@dataclass(frozen=True)
class Tile:
    """A part of a frame.

    Parameters
    ----------
    outer
        Rows and columns that the network sees, px.
    core
        Rows and columns that are kept, px of the frame.
    """

    outer: Window
    core: Window

    @property
    def inner(self) -> Window:
        """Rows and columns that are kept, px of the tile."""
        rows, columns = (
            slice(core.start - outer.start, core.stop - outer.start)
            for core, outer in zip(self.core, self.outer, strict=True)
        )
        return rows, columns


def tiles_of(
    shape: tuple[int, int], side: int | None, stride: int, halo: int
) -> list[Tile]:
    """Cut a frame into tiles of about equal size.

    Parameters
    ----------
    shape
        Height and width of the frame, px; multiples of ``stride``.
    side
        Longest side of a tile, halo included, px; None for the whole frame.
    stride
        All borders are multiples of it, px.
    halo
        What a tile sees beyond what is kept of it, px; rounded up to the stride. Where
        two of them would leave nothing to keep, a stride is kept all the same.

    Returns
    -------
    list of Tile
        Row by row; the kept parts cover each pixel of the frame once.
    """
    halo = -(-halo // stride) * stride
    rows, columns = (_spans(length, side, stride, halo) for length in shape)
    return [
        Tile((row[0], column[0]), (row[1], column[1]))
        for row in rows
        for column in columns
    ]


def _spans(
    length: int, side: int | None, stride: int, halo: int
) -> list[tuple[slice, slice]]:
    """List what is seen and what is kept of each tile, along one axis."""
    if side is None or length <= side:
        return [(slice(0, length), slice(0, length))]
    most = max(stride, (side - 2 * halo) // stride * stride)
    count = -(-length // most)
    step = -(-length // (count * stride)) * stride
    return [
        (slice(max(0, start - halo), min(length, stop + halo)), slice(start, stop))
        for start in range(0, length, step)
        for stop in [min(length, start + step)]
    ]


def cut(memory: Tensors, tile: Tile, shape: tuple[int, int]) -> list[Tensor]:
    """Cut what is remembered of a frame to what a tile sees.

    Parameters
    ----------
    memory
        State of each level, (1, C, Y / n, X / n) or empty.
    tile
        The tile.
    shape
        Height and width of the frame, Y and X, px.
    """
    return [
        level[..., *scaled(tile.outer, shape[0] // level.shape[-2])]
        if level.numel()
        else level
        for level in memory
    ]


class Mosaic:
    """Maps of a whole frame, put together in main memory from those of its tiles.

    Parameters
    ----------
    shape
        Height and width of the frame, px.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._shape = shape
        self.maps: dict[str, Tensor] = {}

    def put(self, maps: Mapping[str, Tensor], tile: Tile) -> None:
        """Keep what a tile says of its core.

        Parameters
        ----------
        maps
            By name, each (1, C, y / n, x / n) of all that the tile sees, or empty.
        tile
            The tile.
        """
        height = tile.outer[0].stop - tile.outer[0].start
        for name, found in maps.items():
            if not found.numel():
                self.maps[name] = found.cpu()
                continue
            scale = height // found.shape[-2]
            whole = self.maps.get(name)
            if whole is None:
                sides = [side // scale for side in self._shape]
                whole = torch.empty(*found.shape[:2], *sides, dtype=found.dtype)
                self.maps[name] = whole
            inner = found[..., *scaled(tile.inner, scale)]
            whole[..., *scaled(tile.core, scale)] = inner.cpu()


def scaled(window: Window, scale: int) -> Window:
    """Give the rows and columns of a level that is ``scale`` times coarser."""
    rows, columns = (slice(s.start // scale, s.stop // scale) for s in window)
    return rows, columns
