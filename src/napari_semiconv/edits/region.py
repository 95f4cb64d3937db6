"""Where pixels lie in a frame: boxes and masks in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels.

    Parameters
    ----------
    y, x
        First row and column.
    height, width
        In px.
    """

    y: int
    x: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index a frame with."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def around(self, other: "Box") -> "Box":
        """Give the least box that holds both."""
        y, x = min(self.y, other.y), min(self.x, other.x)
        bottom = max(self.y + self.height, other.y + other.height)
        right = max(self.x + self.width, other.x + other.width)
        return Box(y, x, bottom - y, right - x)

    def within(self, shape: tuple[int, ...]) -> "Box":
        """Cut off what lies outside a frame of a shape, (Y, X)."""
        y, x = min(max(self.y, 0), shape[0]), min(max(self.x, 0), shape[1])
        bottom = max(min(self.y + self.height, shape[0]), y)
        right = max(min(self.x + self.width, shape[1]), x)
        return Box(y, x, bottom - y, right - x)


@dataclass(frozen=True, eq=False)
class Region:
    """Some pixels of a frame.

    Parameters
    ----------
    y, x
        Row and column of the first pixel of the mask.
    mask
        Which pixels, (height, width).
    """

    y: int
    x: int
    mask: Mask

    @classmethod
    def where(cls, mask: ArrayLike) -> "Region":
        """Take the pixels of a frame, (Y, X), that are true, in the least box."""
        whole = np.asarray(mask, bool)
        rows = np.flatnonzero(whole.any(1))
        if not len(rows):
            return cls(0, 0, np.zeros((0, 0), bool))
        columns = np.flatnonzero(whole[rows[0] : rows[-1] + 1].any(0))
        y, x = int(rows[0]), int(columns[0])
        return cls(y, x, whole[y : rows[-1] + 1, x : columns[-1] + 1])

    @property
    def box(self) -> Box:
        """The rectangle of the mask."""
        return Box(self.y, self.x, *self.mask.shape)

    def within(self, shape: tuple[int, ...]) -> "Region":
        """Cut off what lies outside a frame of a shape, (Y, X)."""
        box = self.box.within(shape)
        y, x = box.y - self.y, box.x - self.x
        return Region(box.y, box.x, self.mask[y : y + box.height, x : x + box.width])

    def moved(self, y: int, x: int) -> "Region":
        """Shift it by rows and columns."""
        return Region(self.y + y, self.x + x, self.mask)

    def has(self, y: int, x: int) -> bool:
        """Tell whether a pixel is among them."""
        row, column = y - self.y, x - self.x
        inside = 0 <= row < self.mask.shape[0] and 0 <= column < self.mask.shape[1]
        return inside and bool(self.mask[row, column])

    @property
    def area(self) -> int:
        """Count its pixels."""
        return int(self.mask.sum())

    @property
    def centroid(self) -> tuple[float, float]:
        """Mean row and column of its pixels."""
        y, x = np.nonzero(self.mask)
        return float(y.mean() + self.y), float(x.mean() + self.x)
