"""How well a model finds the cells that it did not learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..inference.pipeline import segment_and_track
from ..labels import areas_in, overlap
from ..movie import movie_from_array
from ..network.weights import Model
from ..settings import SegmentSettings
from .examples import Check

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class CheckScore:
    """How well the cells of some frames were found.

    Parameters
    ----------
    cells
        Cells that were to be found.
    found
        Sum of the Jaccard indices of their masks; 0 counts for a cell that was missed.
    false
        Cells found where certainly none is.
    """

    cells: int = 0
    found: float = 0.0
    false: int = 0

    def __add__(self, other: "CheckScore") -> "CheckScore":
        return CheckScore(
            self.cells + other.cells, self.found + other.found, self.false + other.false
        )

    @property
    def masks(self) -> float:
        """Mean Jaccard index of the cells: SEG, as far as cells are known."""
        return self.found / self.cells if self.cells else float("nan")

    @property
    def value(self) -> float:
        """One number for both: each false cell counts as one more that was missed."""
        every = self.cells + self.false
        return self.found / every if every else float("nan")


def score_cells(found: Labels, truth: Labels) -> CheckScore:
    """Score the cells found in a frame.

    A cell is found by the one that covers more than half of it, as in SEG of the Cell
    Tracking Challenge. What lies mostly where nothing is known is not looked at.

    Parameters
    ----------
    found
        Labels of the cells found, (Y, X).
    truth
        Labels of cells that are known, (Y, X); 0 where certainly none is, -1 unknown.
    """
    labels, sizes = areas_in(np.maximum(truth, 0))
    known = dict(zip(labels.tolist(), sizes.tolist(), strict=True))
    labels, sizes = areas_in(found)
    all_found = dict(zip(labels.tolist(), sizes.tolist(), strict=True))
    both = overlap(truth, found)
    total, matched = 0.0, set()
    for (cell, other), shared in zip(
        both.pairs.tolist(), both.shared.tolist(), strict=True
    ):
        if 2 * shared > known[cell]:
            total += shared / (known[cell] + all_found[other] - shared)
            matched.add(other)
    inside, on_nothing = areas_in(np.where(truth == 0, found, 0))
    false = sum(
        2 * area > all_found[label]
        for label, area in zip(inside.tolist(), on_nothing.tolist(), strict=True)
        if label not in matched
    )
    return CheckScore(len(known), total, int(false))


def look(model: Model, checks: Sequence[Check]) -> tuple[CheckScore, list[Labels]]:
    """Find the cells of all checks, and score them.

    Parameters
    ----------
    model
        The model.
    checks
        The frames.

    Returns
    -------
    tuple
        The score of all, and the labels found in each, (Y, X).
    """
    score, found = CheckScore(), []
    for check in checks:
        movie = movie_from_array(np.stack(check.images), "TYX", check.name)
        settings = SegmentSettings(cell_size=check.cell_size)
        labels = np.zeros_like(check.truth)
        for result in segment_and_track(movie, model, settings):
            labels = result.labels
        found.append(labels)
        score += score_cells(labels, check.truth)
    return score, found
