"""What cells are linked by: shapes, tracks they may belong to, signs of division."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ...labels import Labels, centroids_in, dense
from ...settings import LinkSettings

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


def division_features(mother: Bodies, first: Bodies, second: Bodies) -> Floats:
    """Describe what a division would look like, (P, 6), one row per possible one.

    Columns: change of total area (log), inequality of the daughters (log), larger
    daughter over mother (log), distance of the daughters' middle from the mother,
    distance between the daughters (both in diameters of the mother), and how much
    more elongated the daughters together are than the mother was (log).
    """
    total = first.areas + second.areas
    larger = np.maximum(first.areas, second.areas)
    smaller = np.minimum(first.areas, second.areas)
    middle = (first.centres + second.centres) / 2 - mother.centres
    apart = first.centres - second.centres
    return np.stack(
        [
            np.log(total / mother.areas),
            np.log(smaller / larger),
            np.log(larger / mother.areas),
            np.hypot(*middle.T) / mother.diameters,
            np.hypot(*apart.T) / mother.diameters,
            np.log(_elongation(_union_spreads(first, second)))
            - np.log(_elongation(mother.spreads)),
        ],
        axis=1,
    )


def _union_spreads(first: Bodies, second: Bodies) -> Floats:
    share = (first.areas / (first.areas + second.areas))[:, None]
    apart = first.centres - second.centres
    lever = np.stack([apart[:, 0] ** 2, apart[:, 1] ** 2, apart[:, 0] * apart[:, 1]], 1)
    within = share * first.spreads + (1 - share) * second.spreads
    return within + share * (1 - share) * lever


def _elongation(spreads: Floats) -> Floats:
    """Length over width of ellipses with these second moments, (N,)."""
    yy, xx, yx = spreads.T
    mean, swing = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    ratio: Floats = np.sqrt((mean + swing) / np.maximum(mean - swing, 1e-3))
    return ratio


def division_evidence(
    mother: Bodies, first: Bodies, second: Bodies, settings: LinkSettings
) -> Floats:
    """Weigh how likely cells are the daughters of a cell, (P,), above 0 is likely.

    The weights were fitted to simulated movies with lost cells and cells cut in two by
    mistake. Two daughters are round: their centres lie 0.7 diameters of the mother
    apart or more, while the halves of a cell cut in two lie closer.

    Parameters
    ----------
    mother, first, second
        The possible mother and her possible daughters, row by row.
    settings
        Least area of the smaller daughter over the larger.
    """
    features = division_features(mother, first, second)
    growth, inequality, _, off_middle, apart, stretch = features.T
    evidence = (
        4.4
        - 3 * np.abs(growth - 0.05)
        + 2 * inequality
        - 11 * np.maximum(off_middle - 0.08, 0)
        - 30 * np.maximum(0.7 - apart, 0)
        - 8 * np.maximum(apart - 0.95, 0)
        + 2.5 * np.clip(stretch, -0.3, 0.5)
    )
    # Areas of cells that reach out of the frame say little.
    cut_off = mother.at_border | first.at_border | second.at_border
    least = np.log(np.maximum(settings.daughter_ratio, 1e-9))
    fits = (np.log(0.5) < growth) & (growth < np.log(1.75)) & (inequality >= least)
    likely = np.where(cut_off, evidence + 2 * np.abs(growth) - 1, evidence)
    possible = fits | (cut_off & (inequality > np.log(0.15)))
    weighed: Floats = np.where(possible, likely, -np.inf)
    return weighed


def possible_divisions(
    mothers: Bodies, cells: Bodies, origins: Floats
) -> tuple[Integers, Integers, Integers]:
    """List the mothers and pairs of cells that are worth weighing.

    Parameters
    ----------
    mothers
        Cells of the previous frame.
    cells
        Cells of this frame.
    origins
        Where each cell is thought to have lain in the previous frame, its centre when
        nothing is known, (N, 2), px.

    Returns
    -------
    tuple
        Rows of the mother, of the first and of the second cell, each (P,).
    """
    cell, mother = _small_cells_near(mothers, cells, origins)
    # Each daughter of a mother is paired with those listed after her.
    order = np.argsort(mother, kind="stable")
    cell, mother = cell[order], mother[order]
    last = np.searchsorted(mother, mother, side="right")
    partners = last - np.arange(len(mother)) - 1
    first = np.repeat(np.arange(len(mother)), partners)
    begins = np.repeat(np.cumsum(partners) - partners, partners)
    second = first + 1 + np.arange(len(first)) - begins
    one, other = cell[first], cell[second]
    centre = mothers.centres[mother[first]]
    left, right = cells.centres[one] - centre, cells.centres[other] - centre
    opposite = (left * right).sum(1) < 0
    return mother[first][opposite], one[opposite], other[opposite]


def _small_cells_near(
    mothers: Bodies, cells: Bodies, origins: Floats
) -> tuple[Integers, Integers]:
    if not len(mothers.areas) or not len(cells.areas):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    reach = 1.3 * mothers.diameters
    found = cKDTree(origins).query_ball_point(mothers.centres, reach)
    sizes = [len(rows) for rows in found]
    mother = np.repeat(np.arange(len(found)), sizes)
    cell = np.array([row for rows in found for row in rows], np.int64)
    small = (cells.areas[cell] < 0.95 * mothers.areas[mother]) | cells.at_border[cell]
    return cell[small], mother[small]
