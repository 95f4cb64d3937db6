"""What the user says of the cells of one frame, to be held exactly by every engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import BadInputError, counted
from ...labels import FEW, LARGEST_TABLE, Labels, Mask, numbers_in

Pixels = NDArray[np.int64]


def is_among(
    image: NDArray[np.integer[Any]], numbers: NDArray[np.integer[Any]]
) -> Mask:
    """Tell where an image has one of some numbers above 0."""
    if len(numbers) <= FEW:
        found = np.zeros(image.shape, bool)
        for number in numbers[numbers > 0].tolist():
            found |= image == number
        return found
    top = int(image.max(initial=0))
    if top > LARGEST_TABLE:
        return np.isin(image, numbers[numbers > 0])
    table = np.zeros(top + 1, bool)
    table[numbers[(numbers > 0) & (numbers <= top)]] = True
    among: Mask = table[image]
    return among


@dataclass(frozen=True, eq=False)
class Count:
    """How many cells lie in a region.

    Exactly ``cells`` cells have a pixel in the region; each of them has no pixel
    outside and, unless its mask is settled, is connected by faces. What of the region
    is background is left open. A region of as many pixels as cells can always be met.

    Parameters
    ----------
    mask
        The region, (Y, X).
    cells
        How many; with 0 the region is empty.
    """

    mask: Mask
    cells: int

    @cached_property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns that hold the region."""
        rows, columns = (np.flatnonzero(self.mask.any(axis)) for axis in (1, 0))
        if not len(rows):
            return slice(0, 0), slice(0, 0)
        rows, columns = rows[[0, -1]].tolist(), columns[[0, -1]].tolist()
        return slice(rows[0], rows[1] + 1), slice(columns[0], columns[1] + 1)


@dataclass(frozen=True, eq=False)
class Claim:
    """Pixels that one cell has.

    Parameters
    ----------
    pixels
        Row and column, (N, 2).
    fixed
        Label in the settled masks, whose pixels these are; 0 when the cell may have
        others as well.
    """

    pixels: Pixels
    fixed: int = 0


@dataclass(frozen=True, eq=False)
class Constraints:
    """What the user says of the cells of one frame, in pixels of the movie.

    Parameters
    ----------
    shape
        Height and width of the frame, px.
    joined
        Groups of pixels, each (N, 2), row and column: one cell has all of a group.
    parted
        Groups of pixels, each (N, 2): each pixel has a cell, no two have the same.
    fixed
        Settled masks, (Y, X), 0 elsewhere: a cell has the pixels of a label and no
        others. None for none.
    empty
        Pixels, (Y, X), that no cell has. None for none.
    absent
        Points, (N, 2), where no cell is: what is found there goes as a whole, as far
        as the user says nothing else of it.
    gone
        Where cells were taken away, (Y, X): no cell has half of its pixels or more
        there, but those that other constraints speak of. None for none.
    counts
        How many cells lie in regions that do not overlap.

    Raises
    ------
    BadInputError
        When a pixel or mask does not fit the frame.
    """

    shape: tuple[int, int]
    joined: Sequence[Pixels] = ()
    parted: Sequence[Pixels] = ()
    fixed: Labels | None = None
    empty: Mask | None = None
    absent: Pixels = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    gone: Mask | None = None
    counts: Sequence[Count] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "joined", tuple(self._pixels(group) for group in self.joined))
        put(self, "parted", tuple(self._pixels(group) for group in self.parted))
        put(self, "absent", self._pixels(self.absent))
        put(self, "counts", tuple(self.counts))
        masks = [m for m in (self.fixed, self.empty, self.gone) if m is not None]
        for mask in (*masks, *(count.mask for count in self.counts)):
            if mask.shape != self.shape:
                raise BadInputError(
                    f"A mask of a constraint: expected the shape {self.shape} of the "
                    f"frame, found {mask.shape}. Use masks of this movie."
                )
        if any(count.cells < 0 for count in self.counts):
            raise BadInputError(
                "A number of cells in a region: expected 0 or more, found less. Say "
                "how many cells there are."
            )

    def __bool__(self) -> bool:
        """Whether anything is said."""
        masks = (self.fixed, self.empty, self.gone)
        groups = (*self.joined, *self.parted, self.absent)
        said = any(m is not None and m.any() for m in masks)
        return said or any(map(len, groups)) or bool(self.counts)

    def and_also(self, other: "Constraints") -> "Constraints":
        """Say both; settled masks that overlap must be of the same label.

        Raises
        ------
        BadInputError
            When settled masks of two labels overlap.
        """
        return replace(
            self,
            joined=(*self.joined, *other.joined),
            parted=(*self.parted, *other.parted),
            fixed=_both_fixed(self.fixed, other.fixed),
            empty=_either(self.empty, other.empty),
            absent=np.concatenate([self.absent, other.absent]),
            gone=_either(self.gone, other.gone),
            counts=(*self.counts, *other.counts),
        )

    @cached_property
    def settled(self) -> Labels:
        """Settled masks, (Y, X)."""
        if self.fixed is None:
            return np.zeros(self.shape, np.int32)
        return self.fixed

    @cached_property
    def closed(self) -> Mask:
        """Pixels that no cell has, (Y, X): empty ones and regions of no cells."""
        closed = np.zeros(self.shape, bool)
        if self.empty is not None:
            closed |= self.empty
        for count in self.counts:
            if count.cells == 0:
                closed |= count.mask
        closed[tuple(self.absent.T)] = True
        return closed

    @cached_property
    def regions(self) -> Labels:
        """Number of the count, from 1, whose region a pixel is in, (Y, X)."""
        regions = np.zeros(self.shape, np.int32)
        for number, count in enumerate(self.counts, 1):
            if regions[count.mask].any():
                raise BadInputError(
                    "Regions with a number of cells: expected regions that do not "
                    "overlap, found two that do. Draw them apart."
                )
            regions[count.mask] = number
        return regions

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Pixels that must share a cell, put together as far as they hang together."""
        return self._judged[0]

    @cached_property
    def apart(self) -> Mask:
        """Which claims must not share a cell, (N, N)."""
        return self._judged[1]

    def check(self) -> None:
        """Make sure that nothing said contradicts anything else.

        Raises
        ------
        BadInputError
            When two things cannot both hold; the text names one such pair.
        """
        assert len(self.claims) == len(self.apart)
        if self.closed.any() or self.counts:
            for claim in self.claims:
                self._check_place(claim)
        for number, count in enumerate(self.counts, 1):
            self._check_count(number, count)

    @cached_property
    def _judged(self) -> tuple[tuple[Claim, ...], Mask]:
        families = _Families()
        for group in self.joined:
            families.join([self._key(pixel) for pixel in group.tolist()])
        for group in self.parted:
            for pixel in group.tolist():
                families.join([self._key(pixel)])
        for label in numbers_in(self.settled).tolist():
            families.join([(label, 0)])
        keys = families.groups()
        claims = tuple(self._claim(group) for group in keys)
        place = {key: i for i, group in enumerate(keys) for key in group}
        settled = np.array([claim.fixed > 0 for claim in claims], bool)
        apart: Mask = settled[:, None] & settled & ~np.eye(len(claims), dtype=bool)
        for group in self.parted:
            rows = [place[self._key(pixel)] for pixel in group.tolist()]
            self._part(apart, rows, group)
        return claims, apart

    def _key(self, pixel: list[int]) -> tuple[int, int]:
        """Name of a settled mask or of a pixel outside of them."""
        y, x = pixel
        label = int(self.settled[y, x])
        return (label, 0) if label else (0, y * self.shape[1] + x)

    def _claim(self, keys: list[tuple[int, int]]) -> Claim:
        if len(keys) == 1 and keys[0][0]:
            return Claim(self._masks[keys[0][0]], keys[0][0])
        labels = sorted({label for label, _ in keys if label})
        if len(labels) > 1:
            raise BadInputError(
                f"Pixels that are said to be one cell lie in the settled cells "
                f"{labels[0]} and {labels[1]}: expected one. Merge these cells first, "
                f"or take a pixel away."
            )
        flat = np.array([place for label, place in keys if not label], np.int64)
        pixels = np.stack(np.divmod(flat, self.shape[1]), 1)
        if not labels:
            return Claim(pixels)
        if len(pixels):
            raise BadInputError(
                f"{_said(pixels[0])} is said to belong to cell {labels[0]}, whose mask "
                f"is settled without it: expected a pixel of the mask. Redraw the "
                f"cell, or take its confirmation back."
            )
        return Claim(self._masks[labels[0]], labels[0])

    @cached_property
    def _masks(self) -> dict[int, Pixels]:
        """Pixels of each settled mask, found all at once."""
        places = np.flatnonzero(self.settled)
        labels = self.settled.ravel()[places]
        order = np.argsort(labels, kind="stable")
        numbers, first = np.unique(labels[order], return_index=True)
        parts = np.split(np.stack(np.divmod(places, self.shape[1]), 1)[order], first)
        return dict(zip(numbers.tolist(), parts[1:], strict=True))

    def _part(self, apart: Mask, rows: list[int], group: Pixels) -> None:
        for i, one in enumerate(rows):
            for j, other in enumerate(rows[:i]):
                if one == other:
                    raise BadInputError(
                        f"{_said(group[j])} and {_said(group[i])} are said to be of "
                        f"two cells, and of one: expected one of both. Take one back."
                    )
                apart[one, other] = apart[other, one] = True

    def _check_place(self, claim: Claim) -> None:
        where = tuple(claim.pixels.T)
        shut = self.closed[where]
        if shut.any():
            raise BadInputError(
                f"{_said(claim.pixels[shut][0])} is said to be of a cell, and to be "
                f"of none: expected one of both. Take one back."
            )
        numbers = np.unique(self.regions[where])
        if len(numbers) > 1:
            raise BadInputError(
                f"{_cell(claim)} reaches out of a region in which exactly "
                f"{counted(self.counts[numbers[-1] - 1].cells, 'cell')} should lie: "
                f"expected it inside or outside. Draw the region around the whole cell."
            )

    def _check_count(self, number: int, count: Count) -> None:
        room = int((count.mask & ~self.closed).sum())
        inside = [
            i
            for i, claim in enumerate(self.claims)
            if len(claim.pixels) and self.regions[tuple(claim.pixels[0])] == number
        ]
        settled = sum(self.claims[i].fixed > 0 for i in inside)
        if settled > count.cells or room < count.cells:
            found = f"{counted(settled, 'settled cell')} and {room} px"
            raise BadInputError(
                f"A region in which exactly {counted(count.cells, 'cell')} should lie: "
                f"expected room for them, found {found}. Draw it anew, or say another "
                f"number."
            )

    def _pixels(self, points: ArrayLike) -> Pixels:
        pixels = np.asarray(points, np.int64).reshape(-1, 2)
        outside = (pixels < 0).any(1) | (pixels >= np.array(self.shape)).any(1)
        if outside.any():
            raise BadInputError(
                f"{_said(pixels[outside][0])} lies outside the frame: expected 0 to "
                f"{self.shape[0] - 1} and 0 to {self.shape[1] - 1}. Choose one inside."
            )
        return pixels


class _Families:
    """Keys that hang together, in the order in which they were first named."""

    def __init__(self) -> None:
        self._heads: dict[tuple[int, int], tuple[int, int]] = {}

    def join(self, keys: Iterable[tuple[int, int]]) -> None:
        first: tuple[int, int] | None = None
        for key in keys:
            head = self._head(self._heads.setdefault(key, key))
            first = head if first is None else first
            self._heads[head] = first

    def groups(self) -> list[list[tuple[int, int]]]:
        found: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for key in self._heads:
            found.setdefault(self._head(key), []).append(key)
        return list(found.values())

    def _head(self, key: tuple[int, int]) -> tuple[int, int]:
        while self._heads[key] != key:
            self._heads[key] = self._heads[self._heads[key]]
            key = self._heads[key]
        return key


def _said(pixel: NDArray[Any]) -> str:
    return f"The pixel (y {pixel[0]}, x {pixel[1]})"


def _cell(claim: Claim) -> str:
    if claim.fixed:
        return f"The settled cell {claim.fixed}"
    return f"The cell at {_said(claim.pixels[0]).removeprefix('The ')}"


def _either(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other


def _both_fixed(one: Labels | None, other: Labels | None) -> Labels | None:
    if one is None or other is None:
        return other if one is None else one
    clash = (one > 0) & (other > 0) & (one != other)
    if clash.any():
        pixel = np.argwhere(clash)[0]
        raise BadInputError(
            f"{_said(pixel)} is settled to be of cell {one[tuple(pixel)]} and of cell "
            f"{other[tuple(pixel)]}: expected one of both. Take one back."
        )
    return np.where(one > 0, one, other)
