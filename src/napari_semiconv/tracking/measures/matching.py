"""Which cells of a result cover which cells of the truth, frame by frame."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from ...labels import areas_in, overlap

Labels = NDArray[Any]
Indices = NDArray[np.int64]
Table = NDArray[np.int64]


class LabelMovie(Protocol):
    """Label images of a movie with their tracks, read one frame at a time."""

    @property
    def frames(self) -> int:
        """Number of frames."""

    @property
    def table(self) -> Table:
        """Rows of label, first frame, last frame, parent, (N, 4)."""

    def labels(self, frame: int) -> Labels:
        """Read the label image of one frame, (Y, X), 0 = background."""


@dataclass(frozen=True)
class Overlaps:
    """Areas of the cells of one frame in truth and result, and what they share.

    Parameters
    ----------
    truth
        Labels of the true cells, (R,), ascending.
    result
        Labels of the cells found, (S,), ascending.
    truth_area
        Their areas, (R,), in px.
    result_area
        Their areas, (S,), in px.
    pairs
        Index of the true cell and of the found cell of each pair that shares pixels,
        (K, 2).
    shared
        Area shared by each pair, (K,), in px.
    """

    truth: Indices
    result: Indices
    truth_area: Indices
    result_area: Indices
    pairs: Indices
    shared: Indices

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each pair, (K,)."""
        total = self.truth_area[self.pairs[:, 0]] + self.result_area[self.pairs[:, 1]]
        return np.asarray(self.shared / (total - self.shared), np.float64)

    @property
    def dice(self) -> NDArray[np.float64]:
        """Dice coefficient of each pair, (K,)."""
        total = self.truth_area[self.pairs[:, 0]] + self.result_area[self.pairs[:, 1]]
        return np.asarray(2 * self.shared / total, np.float64)

    @property
    def covers(self) -> NDArray[np.bool_]:
        """Whether the found cell covers more than half of the true one, (K,)."""
        covered = 2 * self.shared > self.truth_area[self.pairs[:, 0]]
        return np.asarray(covered, np.bool_)


def measure_overlaps(truth: Labels, result: Labels) -> Overlaps:
    """Measure what the cells of two label images of one frame share.

    Parameters
    ----------
    truth
        True labels, (Y, X), 0 = background.
    result
        Labels found, (Y, X), 0 = background.

    Raises
    ------
    BadInputError
        When the images differ in size.
    """
    if truth.shape != result.shape:
        raise BadInputError(
            f"Expected a result of the size of the truth, {truth.shape} px, found "
            f"{result.shape} px. Compare results of the same movie."
        )
    for image in (truth, result):
        if (least := int(image.min(initial=0))) < 0:
            raise BadInputError(
                f"Expected labels from 0, found {least}. Paint what is not a cell "
                "with 0."
            )
    truth_labels, truth_area = areas_in(truth)
    result_labels, result_area = areas_in(result)
    both = overlap(truth, result)
    places = [
        np.searchsorted(labels, column)
        for labels, column in zip(
            (truth_labels, result_labels), both.pairs.T, strict=True
        )
    ]
    return Overlaps(
        truth_labels,
        result_labels,
        truth_area,
        result_area,
        np.stack(places, 1),
        both.shared,
    )


@dataclass(frozen=True)
class FrameMatch:
    """Cells of one frame in truth and result, and who is found by whom.

    Parameters
    ----------
    truth
        Labels of the true cells, ascending.
    result
        Labels of the cells found, ascending.
    partner
        For each true cell that is found, the label that covers more than half of it.
    """

    truth: tuple[int, ...]
    result: tuple[int, ...]
    partner: dict[int, int]

    @cached_property
    def sole(self) -> dict[int, int]:
        """Partners that cover no other true cell: true label to found label."""
        uses = Counter(self.partner.values())
        return {true: found for true, found in self.partner.items() if uses[found] == 1}


def match_frame(overlaps: Overlaps) -> FrameMatch:
    """Match true cells by majority of their pixels, as the challenge does."""
    pairs = overlaps.pairs[overlaps.covers]
    true, found = overlaps.truth[pairs[:, 0]], overlaps.result[pairs[:, 1]]
    return FrameMatch(
        tuple(overlaps.truth.tolist()),
        tuple(overlaps.result.tolist()),
        dict(zip(true.tolist(), found.tolist(), strict=True)),
    )


def cut_table(table: Table, frames: range) -> Table:
    """Restrict tracks to some frames and count these from 0.

    Parameters
    ----------
    table
        Rows of label, first frame, last frame, parent, (N, 4).
    frames
        Successive frames to keep.

    Returns
    -------
    Table
        The tracks seen in these frames, (M, 4); parents not seen there become 0.
    """
    inside = (table[:, 2] >= frames.start) & (table[:, 1] < frames.stop)
    cut = table[inside].copy()
    cut[cut[:, 1] < frames.start, 3] = 0
    cut[~np.isin(cut[:, 3], cut[:, 0]), 3] = 0
    cut[:, 1:3] = np.clip(cut[:, 1:3], frames.start, frames.stop - 1) - frames.start
    return cut


def check_table(name: str, table: Table, cells: list[tuple[int, ...]]) -> None:
    """Make sure that tracks and painted labels tell the same story.

    Parameters
    ----------
    name
        What the user calls it: "result" or "truth".
    table
        Rows of label, first frame, last frame, parent, (N, 4).
    cells
        Labels painted in each frame.

    Raises
    ------
    BadInputError
        At the first track that is not as the Cell Tracking Challenge format asks.
    """
    rows = {label: (begin, end, parent) for label, begin, end, parent in table.tolist()}
    if len(rows) != len(table):
        raise BadInputError(f"The {name}: expected one row per track, found two alike.")
    for label, (begin, _, parent) in rows.items():
        if parent and (parent not in rows or rows[parent][1] >= begin):
            raise BadInputError(
                f"The {name}: expected parent {parent} of track {label} to be a track "
                f"that ends before frame {begin}. Correct its row in the track table."
            )
    for frame, painted in enumerate(cells):
        listed = {n for n, (begin, end, _) in rows.items() if begin <= frame <= end}
        if differing := sorted(listed.symmetric_difference(painted)):
            raise BadInputError(
                f"The {name}: track {differing[0]} is either painted in frame {frame} "
                "and not in the track table, or the other way round. Write the masks "
                "and the table anew from one source."
            )
