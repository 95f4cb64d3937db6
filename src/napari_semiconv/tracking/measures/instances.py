"""SEG, AP at IoU thresholds, SBD and |DiC|: how well single cells are outlined."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from .matching import Overlaps

AP_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass
class InstanceTally:
    """Running sums over frames or still images, from which the measures follow.

    SEG needs no complete truth: cells without a true outline are not punished. The
    others do, so they are taken from images of which all cells are outlined.

    Parameters
    ----------
    thresholds
        Intersections over union from which a cell counts as found, for `ap`.
    """

    thresholds: Sequence[float] = AP_THRESHOLDS
    _cells: int = 0
    _iou: float = 0.0
    _hits: Counter[float] = field(default_factory=Counter)
    _listed: int = 0
    _dice: list[float] = field(default_factory=list)
    _count_errors: list[int] = field(default_factory=list)

    def add(self, overlaps: Overlaps, complete: bool = True) -> None:
        """Take in one image.

        Parameters
        ----------
        overlaps
            Its true and found cells.
        complete
            Whether the truth outlines all cells of the image.
        """
        self._cells += len(overlaps.truth)
        self._iou += float(overlaps.iou[overlaps.covers].sum())
        if not complete:
            return
        self._listed += len(overlaps.truth) + len(overlaps.result)
        for threshold in self.thresholds:
            self._hits[threshold] += _hits(overlaps, threshold)
        self._dice.append(symmetric_best_dice(overlaps))
        self._count_errors.append(abs(len(overlaps.result) - len(overlaps.truth)))

    @property
    def seg(self) -> float | None:
        """Mean IoU of the true cells with their majority partners, 0 if unmatched."""
        return self._iou / self._cells if self._cells else None

    def ap(self, threshold: float) -> float | None:
        """Score cells at one IoU threshold, TP / (TP + FP + FN) over all images.

        Parameters
        ----------
        threshold
            One of the thresholds of this tally.
        """
        hits = self._hits[threshold]
        return hits / (self._listed - hits) if self._listed else None

    @property
    def sbd(self) -> float | None:
        """Symmetric best Dice, mean over the images."""
        return float(np.mean(self._dice)) if self._dice else None

    @property
    def count_error(self) -> float | None:
        """Absolute difference in count, |DiC|, mean over the images, in cells."""
        return float(np.mean(self._count_errors)) if self._count_errors else None


def symmetric_best_dice(overlaps: Overlaps) -> float:
    """Score one image by the best Dice of each cell, the worse of both directions.

    Returns
    -------
    float
        From 0 to 1; 1 when neither truth nor result has a cell.
    """
    if not len(overlaps.truth) and not len(overlaps.result):
        return 1.0
    if not len(overlaps.truth) or not len(overlaps.result):
        return 0.0
    best_true = np.zeros(len(overlaps.truth))
    best_found = np.zeros(len(overlaps.result))
    np.maximum.at(best_true, overlaps.pairs[:, 0], overlaps.dice)
    np.maximum.at(best_found, overlaps.pairs[:, 1], overlaps.dice)
    return float(min(best_true.mean(), best_found.mean()))


def _hits(overlaps: Overlaps, threshold: float) -> int:
    """Most pairs of a true and a found cell that reach the threshold."""
    good = overlaps.pairs[overlaps.iou >= threshold]
    if not len(good):
        return 0
    shape = len(overlaps.truth), len(overlaps.result)
    graph = csr_array((np.ones(len(good), np.int8), (good[:, 0], good[:, 1])), shape)
    chosen = maximum_bipartite_matching(graph, perm_type="column")
    return int((chosen >= 0).sum())
