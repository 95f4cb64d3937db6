"""What the network predicts for the cells of a frame: the solver links by it."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .lineage import Lineage

Floats = NDArray[np.float32]

# Scores of a cell for review, 0 to 1, kept with its track frame by frame; NaN where
# nothing is known. Low ones are worth a look.
SCORES = ("sure", "persistence", "margin", "link")


@dataclass(frozen=True)
class Evidence:
    """What the network predicts for the cells of one frame.

    Parameters
    ----------
    labels
        Label of each cell in the masks it belongs to, (n,), ascending.
    embeddings
        Unit mean embeddings, (n, D); D may be 0.
    motion
        From the centre of each cell to where it lay one frame before, y and x, (n, 2),
        px of the movie; NaN where unknown.
    sure
        How sure the network is that each is a cell, (n,), 0 to 1.
    persistence
        How clearly each stands out as one cluster, (n,), 0 to 1; NaN is unknown.
    margin
        How clearly its pixels belong to it and not to the next cell, (n,), 0 to 1; NaN
        is unknown.
    joint_match
        Label of the cell of the frame before that was found together with it as one, by
        an engine that looks at pairs of frames, (n,); 0 is none.
    joint_overlap
        IoU of that cell with what was found in its place, (n,).
    """

    labels: NDArray[np.int64]
    embeddings: Floats
    motion: Floats
    sure: Floats
    persistence: Floats
    margin: Floats
    joint_match: NDArray[np.int64]
    joint_overlap: Floats

    @classmethod
    def none(cls, size: int = 0) -> "Evidence":
        """Nothing is known of any cell; embeddings would have ``size`` channels."""
        empty = np.zeros(0, np.float32)
        return cls(
            np.zeros(0, np.int64),
            np.zeros((0, size), np.float32),
            np.zeros((0, 2), np.float32),
            empty,
            empty,
            empty,
            np.zeros(0, np.int64),
            empty,
        )

    def of_cells(self, labels: NDArray[np.int64]) -> "Evidence":
        """Give a row to each cell of a frame, (n,), labels ascending.

        Of cells without evidence numbers are NaN, and no other cell is joined to them.
        """
        _, here, there = np.intersect1d(labels, self.labels, return_indices=True)
        parts = []
        for known in (getattr(self, field.name) for field in fields(self)[1:]):
            nothing = np.nan if known.dtype.kind == "f" else 0
            part = np.full((len(labels), *known.shape[1:]), nothing, known.dtype)
            part[here] = known[there]
            parts.append(part)
        return Evidence(labels, *parts)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Evidence":
        """Choose cells by row."""
        return Evidence(*(getattr(self, field.name)[rows] for field in fields(self)))

    def named(self, labels: NDArray[np.int64]) -> "Evidence":
        """Say the same of cells that have other labels, (n,), put in order."""
        order = np.argsort(labels, kind="stable")
        parts = [getattr(self, field.name)[order] for field in fields(self)[1:]]
        return Evidence(labels[order], *parts)


def scored(lineage: Lineage) -> Lineage:
    """Say what the scores of the tracks mean, where there are none so far."""
    return lineage if lineage.score_names else Lineage(lineage.tracks, SCORES)
