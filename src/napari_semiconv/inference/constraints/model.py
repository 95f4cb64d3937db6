"""The user's constraints on the cells of a frame, held exactly by every engine."""

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
    outside and, unless its mask is confirmed, is connected by faces. What of the region
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
        Label in the confirmed masks, whose pixels these are; 0 when the cell may have
        others as well.
    """

    pixels: Pixels
    fixed: int = 0


@dataclass(frozen=True, eq=False)
class Constraints:
    """The user's constraints on the cells of one frame, in pixels of the movie.

    Parameters
    ----------
    shape
        Height and width of the frame, px.
    must_link
        Groups of pixels, each (N, 2), row and column: one cell has all of a group.
    cannot_link
        Groups of pixels, each (N, 2): each pixel has a cell, no two have the same.
    fixed
        Confirmed masks, (Y, X), 0 elsewhere: a cell has the pixels of a label and no
        others. None for none.
    empty
        Pixels, (Y, X), that no cell has. None for none.
    absent
        Points, (N, 2), where no cell is: what is found there goes as a whole, but
        for cells of other constraints.
    gone
        Where cells were taken away, (Y, X): no cell has half of its pixels or more
        there, but those of other constraints. None for none.
    counts
        How many cells lie in regions that do not overlap.

    Raises
    ------
    BadInputError
        When a pixel or mask does not fit the frame.
    """

    shape: tuple[int, int]
    must_link: Sequence[Pixels] = ()
    cannot_link: Sequence[Pixels] = ()
    fixed: Labels | None = None
    empty: Mask | None = None
    absent: Pixels = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    gone: Mask | None = None
    counts: Sequence[Count] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "must_link", tuple(self._pixels(group) for group in self.must_link))
        put(
            self,
            "cannot_link",
            tuple(self._pixels(group) for group in self.cannot_link),
        )
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
                "A number of cells in a region: expected 0 or more, found less. Give "
                "the number of cells."
            )

    def __bool__(self) -> bool:
        """Whether there is any."""
        masks = (self.fixed, self.empty, self.gone)
        groups = (*self.must_link, *self.cannot_link, self.absent)
        marked = any(m is not None and m.any() for m in masks)
        return marked or any(map(len, groups)) or bool(self.counts)

    def and_also(self, other: "Constraints") -> "Constraints":
        """Put both together; confirmed masks that overlap must have the same label.

        Raises
        ------
        BadInputError
            When confirmed masks of two labels overlap.
        """
        return replace(
            self,
            must_link=(*self.must_link, *other.must_link),
            cannot_link=(*self.cannot_link, *other.cannot_link),
            fixed=_both_fixed(self.fixed, other.fixed),
            empty=_either(self.empty, other.empty),
            absent=np.concatenate([self.absent, other.absent]),
            gone=_either(self.gone, other.gone),
            counts=(*self.counts, *other.counts),
        )

    @cached_property
    def confirmed(self) -> Labels:
        """Confirmed masks, (Y, X)."""
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
        return self._claims_and_apart[0]

    @cached_property
    def apart(self) -> Mask:
        """Which claims must not share a cell, (N, N)."""
        return self._claims_and_apart[1]

    def check(self) -> None:
        """Make sure that no constraint contradicts another.

        Raises
        ------
        BadInputError
            When two cannot both hold; the text names them.
        """
        assert len(self.claims) == len(self.apart)
        if self.closed.any() or self.counts:
            for claim in self.claims:
                self._check_place(claim)
        for number, count in enumerate(self.counts, 1):
            self._check_count(number, count)

    @cached_property
    def _claims_and_apart(self) -> tuple[tuple[Claim, ...], Mask]:
        families = _Families()
        for group in self.must_link:
            families.join([self._key(pixel) for pixel in group.tolist()])
        for group in self.cannot_link:
            for pixel in group.tolist():
                families.join([self._key(pixel)])
        for label in numbers_in(self.confirmed).tolist():
            families.join([(label, 0)])
        keys = families.groups()
        claims = tuple(self._claim(group) for group in keys)
        place = {key: i for i, group in enumerate(keys) for key in group}
        confirmed = np.array([claim.fixed > 0 for claim in claims], bool)
        apart: Mask = confirmed[:, None] & confirmed & ~np.eye(len(claims), dtype=bool)
        for group in self.cannot_link:
            rows = [place[self._key(pixel)] for pixel in group.tolist()]
            self._part(apart, rows, group)
        return claims, apart

    def _key(self, pixel: list[int]) -> tuple[int, int]:
        """Name of a confirmed mask or of a pixel outside of them."""
        y, x = pixel
        label = int(self.confirmed[y, x])
        return (label, 0) if label else (0, y * self.shape[1] + x)

    def _claim(self, keys: list[tuple[int, int]]) -> Claim:
        if len(keys) == 1 and keys[0][0]:
            return Claim(self._masks[keys[0][0]], keys[0][0])
        labels = sorted({label for label, _ in keys if label})
        if len(labels) > 1:
            raise BadInputError(
                f"Pixels of one cell lie in the confirmed cells {labels[0]} and "
                f"{labels[1]}: expected one cell. Merge these cells first, or take a "
                f"pixel away."
            )
        flat = np.array([place for label, place in keys if not label], np.int64)
        pixels = np.stack(np.divmod(flat, self.shape[1]), 1)
        if not labels:
            return Claim(pixels)
        if len(pixels):
            raise BadInputError(
                f"{_place(pixels[0])} should belong to cell {labels[0]}, whose mask "
                f"is confirmed without it: expected a pixel of the mask. Redraw the "
                f"cell, or take its confirmation back."
            )
        return Claim(self._masks[labels[0]], labels[0])

    @cached_property
    def _masks(self) -> dict[int, Pixels]:
        """Pixels of each confirmed mask, found all at once."""
        places = np.flatnonzero(self.confirmed)
        labels = self.confirmed.ravel()[places]
        order = np.argsort(labels, kind="stable")
        numbers, first = np.unique(labels[order], return_index=True)
        parts = np.split(np.stack(np.divmod(places, self.shape[1]), 1)[order], first)
        return dict(zip(numbers.tolist(), parts[1:], strict=True))

    def _part(self, apart: Mask, rows: list[int], group: Pixels) -> None:
        for i, one in enumerate(rows):
            for j, other in enumerate(rows[:i]):
                if one == other:
                    raise BadInputError(
                        f"{_place(group[j])} and {_place(group[i])} should be of "
                        f"two cells, and of one: expected either. Take one back."
                    )
                apart[one, other] = apart[other, one] = True

    def _check_place(self, claim: Claim) -> None:
        where = tuple(claim.pixels.T)
        shut = self.closed[where]
        if shut.any():
            raise BadInputError(
                f"{_place(claim.pixels[shut][0])} should be of a cell, and of "
                f"none: expected either. Take one back."
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
        confirmed = sum(self.claims[i].fixed > 0 for i in inside)
        if confirmed > count.cells or room < count.cells:
            found = f"{counted(confirmed, 'confirmed cell')} and {room} px"
            raise BadInputError(
                f"A region in which exactly {counted(count.cells, 'cell')} should lie: "
                f"expected room for them, found {found}. Draw it anew, or give another "
                f"number."
            )

    def _pixels(self, points: ArrayLike) -> Pixels:
        pixels = np.asarray(points, np.int64).reshape(-1, 2)
        outside = (pixels < 0).any(1) | (pixels >= np.array(self.shape)).any(1)
        if outside.any():
            raise BadInputError(
                f"{_place(pixels[outside][0])} lies outside the frame: expected 0 to "
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


def _place(pixel: NDArray[Any]) -> str:
    return f"The pixel (y {pixel[0]}, x {pixel[1]})"


def _cell(claim: Claim) -> str:
    if claim.fixed:
        return f"The confirmed cell {claim.fixed}"
    return f"The cell at {_place(claim.pixels[0]).removeprefix('The ')}"


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
            f"{_place(pixel)} is confirmed to be of cell {one[tuple(pixel)]} and of "
            f"cell {other[tuple(pixel)]}: expected one cell. Take one back."
        )
    return np.where(one > 0, one, other)
