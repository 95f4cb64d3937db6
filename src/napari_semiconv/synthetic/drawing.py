"""What lies under each pixel of a simulated frame."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..labels import boxes_in, largest_piece
from .conditions import SyntheticSettings
from .dish import Cell

Image = NDArray[np.float32]
Labels = NDArray[np.int32]
Window = tuple[slice, slice]
ROD = 0.28  # half of a rod's width, in cell diameters
FILAMENT = 0.75  # rods higher than this are filaments, three times as long
Pixel = TypeVar("Pixel", bound=np.generic)


@dataclass
class Canvas:
    """All that is to be seen in a frame, before any optics, each (Y, X).

    The canvas is larger than the view by ``pad`` px on each side, so that light from
    just outside reaches in.

    Parameters
    ----------
    owner
        Label of the cell at each pixel, 0 is background.
    level
        Depth in the cell: 0 at its centre, 1 at its rim and outside.
    grain
        Texture of the cell, about normal.
    brightness, round, height
        Of the cell at each pixel; ``round`` is 1 in a cell about to divide.
    pad
        Width of the canvas beyond the view, px.
    """

    owner: Labels
    level: Image
    grain: Image
    brightness: Image
    round: Image
    height: Image
    pad: int

    @classmethod
    def of(
        cls, cells: list[Cell], settings: SyntheticSettings, tile: Image
    ) -> "Canvas":
        """Draw all cells, each in its own window.

        Parameters
        ----------
        cells
            Cells in and around the view.
        settings
            What the movie shows.
        tile
            Repeating texture from which the grain is cut, (Y, X).
        """
        pad = int(settings.diameter / 2) + 4
        shape = (settings.height + 2 * pad, settings.width + 2 * pad)
        grain, bright, upright, height = np.zeros((4, *shape), np.float32)
        owner, level = np.zeros(shape, np.int32), np.ones(shape, np.float32)
        paint = cls(owner, level, grain, bright, upright, height, pad)
        for cell in cells:
            paint._draw(cell, settings, tile)
        return paint

    @property
    def labels(self) -> Labels:
        """Label of each pixel of the view, one connected piece per cell, (Y, X)."""
        labels = self.crop(self.owner).copy()
        for label, window in boxes_in(labels).items():
            mask = labels[window] == label
            labels[window][mask & ~largest_piece(mask)] = 0
        return labels

    def crop(self, image: NDArray[Pixel]) -> NDArray[Pixel]:
        """Cut the view out of a canvas, (Y, X)."""
        return image[self.pad : -self.pad, self.pad : -self.pad]

    def _draw(self, cell: Cell, settings: SyntheticSettings, tile: Image) -> None:
        radius = cell.radius(settings.diameter)
        long = settings.kind == "elongated"
        reach = radius * (1.55 * max(cell.aspect, 1.3) ** 0.5 + 0.1)
        if settings.kind == "rods":
            reach = _rod_length(cell, radius, settings.diameter) + radius
        if long and cell.rounding < 1:
            reach = max(reach, radius * 3 * float(cell.arms[:, 1].max()))
        centre = cell.position + self.pad
        window = _window(centre, reach, self.owner.shape)
        if window is None:
            return
        y = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None]
        x = np.arange(window[1].start, window[1].stop, dtype=np.float32)
        y, x = y - np.float32(centre[0]), x - np.float32(centre[1])
        if settings.kind == "rods":
            level = _rod_level(cell, y, x, radius, settings.diameter)
        else:
            shape = _spindle_level if long else _round_level
            level = shape(cell, y, x, radius, settings.roughness)
        # Where cells meet, each pixel goes to the cell it lies deeper in.
        row, column = np.nonzero(level < self.level[window])
        here = row + window[0].start, column + window[1].start
        self.level[here] = level[row, column]
        self.owner[here] = cell.label
        along, across = _turn(y[row, 0], x[column], cell.angle)
        place = np.stack([across, along]) + cell.grain[:, None]
        self.grain[here] = tile[tuple(place.astype(int) % len(tile))]
        self.brightness[here] = cell.brightness
        self.round[here] = cell.rounding
        self.height[here] = cell.height


def _window(
    centre: NDArray[np.float64], reach: float, shape: tuple[int, ...]
) -> Window | None:
    top, left = (max(int(c - reach), 0) for c in centre)
    bottom, right = (
        min(int(c + reach) + 2, n) for c, n in zip(centre, shape, strict=True)
    )
    if bottom <= top or right <= left:
        return None
    return slice(top, bottom), slice(left, right)


def _turn(y: Image, x: Image, angle: float) -> tuple[Image, Image]:
    """Coordinates along and across a direction, px."""
    sin, cos = np.float32(np.sin(angle)), np.float32(np.cos(angle))
    return x * cos + y * sin, y * cos - x * sin


def _round_level(
    cell: Cell, y: Image, x: Image, radius: float, roughness: float
) -> Image:
    """Depth in an ellipse with a wavy outline, below 1 inside."""
    aspect = cell.aspect + (1.15 - cell.aspect) * cell.rounding
    # Just before the split the mother stretches along the coming axis.
    last = min(max((cell.age - 1) * cell.cycle + 1.2, 0.0), 1.0)
    stretch = np.float32((aspect + 0.5 * last) ** 0.5)
    size = np.float32(radius * (1 - 0.12 * cell.rounding))
    along, across = _turn(y, x, cell.angle)
    point = along / stretch + 1j * (across * stretch)
    depth = np.abs(point)
    rim = point / np.maximum(depth, np.float32(1e-3))
    strength = roughness * 0.6 * (1 - cell.rounding) / np.arange(2, 6)
    a, b, c, d = ((cell.waves[0] - 1j * cell.waves[1]) * strength).astype(np.complex64)
    outline = 1 + ((((d * rim + c) * rim + b) * rim + a) * rim * rim).real
    level: Image = depth / (size * np.clip(outline, 0.5, 1.5))
    return level


def _spindle_level(
    cell: Cell, y: Image, x: Image, radius: float, roughness: float
) -> Image:
    """Depth in a body with tapering bent arms, below 1 inside."""
    body = _round_level(cell, y, x, radius * (0.45 + 0.45 * cell.rounding), roughness)
    for angle, length, bend in cell.arms:
        reach = np.float32(2.6 * radius * length * (1 - cell.rounding))
        if reach < 0.5 * radius:
            continue
        along, across = _turn(y, x, cell.angle + angle)
        along = along / reach
        across = across - np.float32(bend) * reach * along**2
        width = np.float32(0.36 * radius) * np.clip(1 - along, 0.02, 1) ** 0.7
        middle = np.where(along < 0, np.float32(9), 0.4 + 0.6 * along)
        body = np.minimum(body, np.maximum(np.abs(across) / width, middle))
    return body


def _rod_length(cell: Cell, radius: float, diameter: float) -> float:
    """Half the straight part of a rod of the area of a disk of that radius, px."""
    wide = ROD * diameter
    half = float(max(0.1 * wide, np.pi * (radius**2 - wide**2) / (4 * wide)))
    return 3 * half if cell.height > FILAMENT else half


def _rod_level(cell: Cell, y: Image, x: Image, radius: float, diameter: float) -> Image:
    """Depth in a bent rod with round ends that pinches off in its middle at last."""
    half, wide = _rod_length(cell, radius, diameter), ROD * diameter
    along, across = _turn(y, x, cell.angle)
    bend = np.float32(0.12 * float(np.clip(cell.waves[0, 0], -1.5, 1.5)) / half)
    across = across - bend * along**2
    over = np.maximum(np.abs(along) - np.float32(half), 0)
    level = np.hypot(over, across) / np.float32(wide)
    pinch = np.float32(0.5 * cell.rounding * (cell.age > 0.5))
    waist: Image = level * (
        1 + pinch * np.exp(-4 * np.square(along / np.float32(wide)))
    )
    return waist
