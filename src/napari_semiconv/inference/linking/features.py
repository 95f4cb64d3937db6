"""What cells are linked by: shapes, tracks they may belong to, signs of division."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...labels import Labels, centroids_in, dense

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class FrameCells:
    """Cells of one frame, at the resolution of the network.

    Parameters
    ----------
    labels
        0 is background, then 1 to n, (Y, X).
    centres
        y and x, (n, 2), px.
    areas
        (n,), px.
    embeddings
        Unit mean embeddings, (n, D); D may be 0.
    origins
        Where the motion head says each centre lay in the previous frame, (n, 2), px;
        NaN is unknown.
    scores
        Confidence from 0 to 1, (n,).
    """

    labels: Labels
    centres: Floats
    areas: Floats
    embeddings: Floats
    origins: Floats
    scores: Floats


def number_cells(
    labels: Labels,
) -> tuple[Labels, Integers, Floats, Floats]:
    """Give the cells of a frame numbers, and measure where they are.

    Parameters
    ----------
    labels
        Any positive labels, (Y, X), 0 is background.

    Returns
    -------
    tuple
        The cells renumbered 1 to n, (Y, X); the label each had, ascending, (n,);
        centres, y and x, (n, 2), px; areas, (n,), px.
    """
    found, numbered = dense(labels)
    _, areas, centres = centroids_in(numbered)
    return numbered, found, centres, areas.astype(np.float64)


@dataclass(frozen=True)
class Bodies:
    """Shape of the cells of one frame, one row per cell.

    Parameters
    ----------
    centres
        y and x, (N, 2), px.
    areas
        (N,), px.
    spreads
        Second moments yy, xx and yx about the centre, (N, 3), px².
    at_border
        Whether the cell touches the edge of the frame, so that part of it may lie
        outside, (N,).
    """

    centres: Floats
    areas: Floats
    spreads: Floats
    at_border: NDArray[np.bool_]

    @property
    def diameters(self) -> Floats:
        """Diameter of a disk of the same area, (N,), px."""
        return np.sqrt(4 / np.pi * self.areas)

    def take(self, rows: Integers) -> "Bodies":
        """Choose cells by row."""
        return Bodies(
            self.centres[rows],
            self.areas[rows],
            self.spreads[rows],
            self.at_border[rows],
        )

    def and_also(self, other: "Bodies") -> "Bodies":
        """Append other cells."""
        return Bodies(
            np.concatenate([self.centres, other.centres]),
            np.concatenate([self.areas, other.areas]),
            np.concatenate([self.spreads, other.spreads]),
            np.concatenate([self.at_border, other.at_border]),
        )


def measure_bodies(labels: NDArray[np.int32], centres: Floats, areas: Floats) -> Bodies:
    """Measure the shape of all cells of a frame.

    Parameters
    ----------
    labels
        0 is background, then 1 to N, (Y, X).
    centres
        y and x, (N, 2), px.
    areas
        (N,), px.
    """
    y, x = np.nonzero(labels)
    cell = labels[y, x] - 1
    count = len(centres)
    down, right = y - centres[cell, 0], x - centres[cell, 1]
    pixels = np.maximum(np.bincount(cell, minlength=count), 1)
    moments = [
        np.bincount(cell, weight, count) / pixels
        for weight in (down * down, right * right, down * right)
    ]
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    at_border = np.zeros(count, bool)
    at_border[border[border > 0] - 1] = True
    # A pixel is a square, not a point.
    spreads = np.stack(moments, 1) + np.array([1 / 12, 1 / 12, 0])
    return Bodies(centres, areas, spreads, at_border)


@dataclass(frozen=True)
class Known:
    """Tracks that may go on: first those of the last frame, by cell, then lost ones.

    Parameters
    ----------
    labels
        Track labels, (m,).
    seen
        Last frame of each, (m,).
    bodies
        Shapes when last seen.
    usual_areas
        Areas, averaged over the last frames, (m,), px.
    drifts
        Mean steps of the last frames, (m, 2), px per frame.
    embeddings
        When last seen, (m, D).
    """

    labels: Integers
    seen: Integers
    bodies: Bodies
    usual_areas: Floats
    drifts: Floats
    embeddings: Floats

    def take(self, rows: Integers) -> "Known":
        """Choose tracks by row."""
        return Known(
            self.labels[rows],
            self.seen[rows],
            self.bodies.take(rows),
            self.usual_areas[rows],
            self.drifts[rows],
            self.embeddings[rows],
        )

    def and_also(self, other: "Known") -> "Known":
        """Append other tracks."""
        return Known(
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.seen, other.seen]),
            self.bodies.and_also(other.bodies),
            np.concatenate([self.usual_areas, other.usual_areas]),
            np.concatenate([self.drifts, other.drifts]),
            np.concatenate([self.embeddings, other.embeddings]),
        )


def known_after(
    frame: int,
    labels: Integers,
    cells: FrameCells,
    bodies: Bodies,
    past: Sequence[Known],
    pairs: tuple[Integers, Integers],
) -> Known:
    """Describe the cells of a frame as later frames may go on from them.

    Parameters
    ----------
    frame
        Index of the frame.
    labels, cells, bodies
        Its cells, and their labels, (n,).
    past
        What was known before.
    pairs
        Rows of what was known, one after another, and of the cells that go on from
        them, (K,) each.
    """
    usual, drifts = bodies.areas.copy(), np.zeros_like(bodies.centres)
    before, on = pairs
    if len(on):
        old = past[0]
        for more in past[1:]:
            old = old.and_also(more)
        usual[on] = 0.5 * usual[on] + 0.5 * old.usual_areas[before]
        steps = bodies.centres[on] - old.bodies.centres[before]
        steps /= (frame - old.seen[before])[:, None]
        drifts[on] = 0.5 * steps + 0.5 * old.drifts[before]
    seen = np.full(len(labels), frame)
    return Known(labels, seen, bodies, usual, drifts, cells.embeddings)
