"""Evidence that a cell became exactly two daughters."""

import numpy as np
from scipy.spatial import cKDTree

from ...settings import LinkSettings
from .cells import Bodies, Floats, Integers


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
