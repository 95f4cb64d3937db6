"""Which constraints the labels of a frame do not hold: the judge of every engine."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...labels import Labels, areas_of, numbers_in
from .model import Constraints, Count, Pixels

# A cell lies where cells were taken away from this share of its pixels there.
GONE = 0.5


@dataclass(frozen=True, eq=False)
class Violation:
    """A constraint that labels do not hold.

    Parameters
    ----------
    what
        What is wrong, in words.
    pixels
        Where, row and column, (N, 2).
    count
        Number of the region, from 1; 0 for other constraints.
    """

    what: str
    pixels: Pixels
    count: int = 0


def violations(labels: Labels, constraints: Constraints) -> list[Violation]:
    """Find the constraints that the labels of a frame do not hold.

    Parameters
    ----------
    labels
        Cells, (Y, X), in pixels of the movie.
    constraints
        The user's constraints on the frame.
    """
    return [
        *_violated_claims(labels, constraints),
        *_violated_closed(labels, constraints),
        *_violated_counts(labels, constraints),
        *_violated_gone(labels, constraints),
    ]


def _violated_claims(labels: Labels, constraints: Constraints) -> Iterator[Violation]:
    claims = constraints.claims
    cells = np.zeros(len(claims), np.int64)
    for row, claim in enumerate(claims):
        here = labels[tuple(claim.pixels.T)]
        cells[row] = here[0]
        if here.min() == 0 or here.min() != here.max():
            yield Violation("pixels of one cell are not in one", claim.pixels)
    yield from _violated_confirmed(labels, constraints, cells)
    shared = constraints.apart & (cells[:, None] == cells) & (cells > 0)
    for one, other in np.argwhere(np.triu(shared)).tolist():
        both = [claims[one].pixels[:1], claims[other].pixels[:1]]
        yield Violation("pixels of two cells are in one", np.concatenate(both))


def _violated_confirmed(
    labels: Labels, constraints: Constraints, cells: NDArray[np.int64]
) -> Iterator[Violation]:
    confirmed = [
        (claim, int(cell))
        for claim, cell in zip(constraints.claims, cells, strict=True)
        if claim.fixed and cell
    ]
    if not confirmed:
        return
    areas = areas_of(labels, np.array([cell for _, cell in confirmed]))
    for (claim, _), area in zip(confirmed, areas.tolist(), strict=True):
        if area != len(claim.pixels):
            yield Violation("a confirmed cell has other pixels", claim.pixels)


def _violated_closed(labels: Labels, constraints: Constraints) -> Iterator[Violation]:
    taken = constraints.closed & (labels > 0)
    if taken.any():
        yield Violation("a cell lies where none is", np.argwhere(taken))


def _violated_counts(labels: Labels, constraints: Constraints) -> Iterator[Violation]:
    for number, count in enumerate(constraints.counts, 1):
        if count.cells and not _holds(labels, count, constraints.confirmed):
            where = np.argwhere(count.mask)
            yield Violation("a region has another number of cells", where, number)


def _holds(labels: Labels, count: Count, confirmed: Labels) -> bool:
    inside = np.where(count.mask[count.box], labels[count.box], 0)
    present = numbers_in(inside)
    if len(present) != count.cells:
        return False
    if areas_of(labels, present).sum() != np.count_nonzero(inside):
        return False
    # A confirmed mask is as it is, in one part or in several.
    inside[confirmed[count.box] > 0] = 0
    return all(ndimage.label(inside == n)[1] == 1 for n in numbers_in(inside))


def _violated_gone(labels: Labels, constraints: Constraints) -> Iterator[Violation]:
    for label in cells_in_gone(labels, constraints):
        yield Violation(
            "a cell lies where one was taken away", np.argwhere(labels == label)
        )


def cells_in_gone(labels: Labels, constraints: Constraints) -> list[int]:
    """List cells that lie where one was taken away and that have no other constraint.

    Parameters
    ----------
    labels
        Cells, (Y, X).
    constraints
        The user's constraints on the frame.
    """
    if constraints.gone is None:
        return []
    present, inside = np.unique(labels[constraints.gone], return_counts=True)
    inside, present = inside[present > 0], present[present > 0]
    most = inside >= GONE * areas_of(labels, present)
    named = {*np.unique(labels[constraints.regions > 0]).tolist()}
    for claim in constraints.claims:
        named |= {*labels[tuple(claim.pixels.T)].tolist()}
    return [label for label in present[most].tolist() if label not in named]
