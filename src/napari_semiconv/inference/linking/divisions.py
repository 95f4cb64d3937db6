"""Possible divisions between two frames, and how likely each is.

How likely is a logistic regression of what masks tell, fitted by
``python -m benchmarks links`` to true divisions of real and simulated movies, and to
all other pairs of cells near one, cells cut in two among them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ...tracking.solver.problem import Options
from .candidates import Scene, overlaps
from .features import Bodies, Floats, Integers

FITTED = Path(__file__).with_name("divisions.json")
# A division has to win against all else that its cells may be as well, so that less
# than even odds are enough.
FAVOUR = 1.0
# The most that the evidence can add to the gain of a division: less than a link over a
# gap gains where a cell comes back at its place.
MOST_EVIDENCE = 2.2
# Off the evidence where a track lost a moment ago lies under the mother.
SWALLOWED = 4.0
# How far from the mother, in her diameters, daughters are looked for, and how much
# larger than her one may be: cells round up and shrink before they divide.
REACH, LARGEST = 1.8, 1.3
# Distances of daughters, in diameters of the mother, beyond which each counts anew.
CLOSE, FAR = 0.7, 1.4
# What is measured, with the least and the largest value that counts.
FEATURES: dict[str, tuple[float, float]] = {
    "growth": (-3, 2),
    "inequality": (-3, 0),
    "larger": (-3, 1.5),
    "off_middle": (0, 2.5),
    "apart": (0, 3.5),
    "stretch": (-1.5, 2),
    "least_inside": (0, 1),
    "most_inside": (0, 1),
    "covered": (0, 1.5),
    "alone": (0, 1),
    "rival": (0, 1),
    "at_border": (0, 1),
}


@dataclass(frozen=True)
class Divisions:
    """Possible divisions before all that speaks against them is known.

    Parameters
    ----------
    mother, first, second
        Rows of the track and of two cells, (P,).
    better
        What the better of both gains as the mother going on, (P,).
    evidence
        Log-odds that they are her daughters, (P,).
    """

    mother: Integers
    first: Integers
    second: Integers
    better: Floats
    evidence: Floats

    @classmethod
    def joined(cls, parts: Sequence["Divisions"]) -> "Divisions":
        """Put them one after another; none when there are no parts."""
        none = np.zeros(0, np.int64)
        parts = [cls(none, none, none, np.zeros(0), np.zeros(0)), *parts]
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))

    def shifted(self, before: int, after: int) -> "Divisions":
        """Count the rows of mothers and daughters from other numbers than 0."""
        return replace(
            self,
            mother=self.mother + before,
            first=self.first + after,
            second=self.second + after,
        )

    def options(self, doubt: Floats) -> Options:
        """Weigh them, less what is doubtful of each, (P,)."""
        evidence = self.evidence - doubt
        # A division must beat the better of the two as the mother going on.
        gain = self.better + np.minimum(evidence, MOST_EVIDENCE)
        keep = (evidence > 0) & (gain > 0)
        return Options(self.mother, self.first, self.second, gain).take(keep)


def list_divisions(scene: Scene, links: Options) -> Divisions:
    """List possible divisions, given the links of the same scene."""
    mother, first, second = possible_divisions(scene)
    evidence = FAVOUR + weigh(division_features(scene, mother, first, second))
    evidence[~_fits(scene, mother, first, second)] = -np.inf
    evidence -= _origin_misfit(scene, mother, first)
    evidence -= _origin_misfit(scene, mother, second)
    single = np.zeros((len(scene.cells.areas), len(scene.known.labels)))
    single[links.after, links.before] = links.gain
    better = np.maximum(single[first, mother], single[second, mother])
    return Divisions(mother, first, second, better, evidence)


def division_features(
    scene: Scene, mother: Integers, first: Integers, second: Integers
) -> Floats:
    """Describe what divisions would look like, by masks alone, (P, 12).

    Columns, as in `FEATURES`: change of the total area, inequality of the daughters,
    larger daughter over mother, how much more elongated the daughters together are than
    the mother (all as logarithms), distance of the daughters' middle from the mother
    and between the daughters (in diameters of the mother), least and most share of a
    daughter within the mother, share of the mother that both cover, IoU of the better
    one with her, IoU of either with another cell, and whether any lies at the border.

    Parameters
    ----------
    scene
        Two successive frames.
    mother, first, second
        Rows of the mothers and of the two cells, (P,).
    """
    seen = scene.by_masks
    mothers = seen.known.bodies.take(mother)
    one, other = (_moved(seen, rows) for rows in (first, second))
    larger = np.maximum(one.areas, other.areas)
    middle = (one.centres + other.centres) / 2 - mothers.centres
    apart = one.centres - other.centres
    both, sizes, areas = seen.pixels
    inside = np.stack([both[rows, mother] for rows in (first, second)])
    shares = inside / np.maximum([sizes[first], sizes[second]], 1)
    iou = overlaps(seen)
    rivals = [_of_others(iou[rows], mother) for rows in (first, second)]
    return np.column_stack(
        [
            np.log((one.areas + other.areas) / mothers.areas),
            np.log(np.minimum(one.areas, other.areas) / larger),
            np.log(larger / mothers.areas),
            np.hypot(*middle.T) / mothers.diameters,
            np.hypot(*apart.T) / mothers.diameters,
            np.log(_elongation(_union_spreads(one, other)))
            - np.log(_elongation(mothers.spreads)),
            shares.min(0),
            shares.max(0),
            inside.sum(0) / np.maximum(areas[mother], 1),
            np.maximum(iou[first, mother], iou[second, mother]),
            np.maximum(*rivals),
            mothers.at_border | one.at_border | other.at_border,
        ]
    )


def terms_of(features: Floats) -> dict[str, Floats]:
    """Give the terms of the regression, (P,) each: features, squares and bends."""
    low, high = np.array(list(FEATURES.values())).T
    values = dict(zip(FEATURES, np.clip(features, low, high).T, strict=True))
    return {
        **values,
        "change": np.abs(values["growth"]),
        **{f"{n}^2": values[n] ** 2 for n in ("off_middle", "apart", "stretch")},
        "alone^2": values["alone"] ** 2,
        "close": np.maximum(CLOSE - values["apart"], 0),
        "far": np.maximum(values["apart"] - FAR, 0),
    }


def weigh(features: Floats) -> Floats:
    """Weigh how likely divisions are, (P,), as log-odds."""
    weights = _fitted()
    total = np.full(len(features), weights[""])
    for name, values in terms_of(features).items():
        total += weights[name] * values
    return total


@cache
def _fitted() -> dict[str, float]:
    """Weight of each term; the constant has no name."""
    known: dict[str, float] = json.loads(FITTED.read_text(encoding="utf-8"))
    return known


def forget() -> None:
    """Read the weights anew: they were fitted again."""
    _fitted.cache_clear()


def possible_divisions(scene: Scene) -> tuple[Integers, Integers, Integers]:
    """List the mothers and pairs of cells that are worth weighing.

    Returns
    -------
    tuple
        Rows of the mother, of the first and of the second cell, each (P,).
    """
    cell, mother = _cells_near(scene)
    # Each daughter of a mother is paired with those listed after her.
    order = np.argsort(mother, kind="stable")
    cell, mother = cell[order], mother[order]
    last = np.searchsorted(mother, mother, side="right")
    partners = last - np.arange(len(mother)) - 1
    first = np.repeat(np.arange(len(mother)), partners)
    begins = np.repeat(np.cumsum(partners) - partners, partners)
    second = first + 1 + np.arange(len(first)) - begins
    one, other = cell[first], cell[second]
    centre = scene.known.bodies.centres[mother[first]]
    left, right = (scene.by_masks.origins[rows] - centre for rows in (one, other))
    opposite = (left * right).sum(1) < 0
    return mother[first][opposite], one[opposite], other[opposite]


def _cells_near(scene: Scene) -> tuple[Integers, Integers]:
    present = np.flatnonzero(scene.gaps == 0)
    mothers, cells = scene.known.bodies.take(present), scene.bodies
    if not len(present) or not len(cells.areas):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    reach = REACH * mothers.diameters
    found = cKDTree(scene.origins).query_ball_point(mothers.centres, reach)
    sizes = [len(rows) for rows in found]
    mother = np.repeat(np.arange(len(found)), sizes)
    cell = np.array([row for rows in found for row in rows], np.int64)
    small = cells.areas[cell] < LARGEST * mothers.areas[mother]
    small |= cells.at_border[cell]
    return cell[small], present[mother[small]]


def _fits(
    scene: Scene, mother: Integers, first: Integers, second: Integers
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the daughters are as alike as was asked for, (P,)."""
    one, other = scene.bodies.areas[first], scene.bodies.areas[second]
    alike: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.minimum(
        one, other
    ) >= scene.settings.daughter_ratio * np.maximum(one, other)
    # Areas of cells that reach out of the frame say little.
    return (
        alike
        | scene.known.bodies.at_border[mother]
        | scene.bodies.at_border[first]
        | scene.bodies.at_border[second]
    )


def _moved(scene: Scene, rows: Integers) -> Bodies:
    """Cells where they are thought to have lain a frame ago."""
    return replace(scene.bodies.take(rows), centres=scene.origins[rows])


def _of_others(iou: Floats, mother: Integers) -> Floats:
    """Most that each cell overlaps with any but the mother, (P,)."""
    rest = iou.copy()
    rest[np.arange(len(mother)), mother] = 0
    most: Floats = rest.max(1, initial=0)
    return most


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


def _origin_misfit(scene: Scene, mother: Integers, cell: Integers) -> Floats:
    """Evidence against a daughter whose motion points elsewhere, (P,)."""
    apart = scene.cells.origins[cell] - scene.known.bodies.centres[mother]
    distance = np.hypot(*apart.T) / scene.known.bodies.diameters[mother]
    misfit: Floats = np.nan_to_num(6 * np.maximum(distance - 0.4, 0))
    return misfit
