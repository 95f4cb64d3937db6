"""Simulated crowds of points that wander, divide and vanish, and candidate links."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_semiconv.tracking.solver.problem import Options, Problem

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Shares of cells that are missed, false, that divide and that vanish, per frame.
MISSED, FALSE, DIVIDING, VANISHING = 0.03, 0.02, 0.01, 0.009
# Distance between sisters, in spacings of cells, and doubt about the place of a cell.
APART, NOISE = 0.6, 0.05
# Linking is less sure of where cells go than it could be.
DOUBT = 2.0
# Frames that a link may bridge, and candidates by distance: next frame, later frames.
NEAREST = {1: 4, 2: 2}
REACH = 1.2
# As linking has it: worth of a link and of a division, off for a missing frame.
WORTH, DIVISION_WORTH, GAP_COST = 4.5, 5.0, 1.0


@dataclass(frozen=True)
class Crowd:
    """Cells that were seen, in order of frame, with their truth.

    Parameters
    ----------
    frame
        Frame of each cell, (N,).
    place
        Where it is, (N, 2), in spacings of cells.
    spread
        How far a cell is expected to go along an axis, in spacings.
    links, divisions
        Pairs of rows that are one cell, at most 2 frames apart; mothers with their two
        daughters in the next frame.
    """

    frame: Integers
    place: Floats
    spread: float
    links: set[tuple[int, int]]
    divisions: set[tuple[int, int, int]]


def make_crowd(frames: int, cells: int, wander: float, seed: int) -> Crowd:
    """Simulate a crowd.

    Parameters
    ----------
    frames, cells
        Frames, and cells in each of them, about.
    wander
        Standard deviation of a step along each axis, in spacings of cells.
    seed
        Of all that is random.
    """
    rng = np.random.default_rng(seed)
    size = np.sqrt(cells)
    place, name = rng.uniform(0, size, (cells, 2)), np.arange(cells)
    mothers: dict[int, int] = {}
    seen, names = [], []
    for _ in range(frames):
        shown = rng.random(len(name)) > MISSED
        false = rng.uniform(0, size, (rng.poisson(FALSE * cells), 2))
        seen.append(np.concatenate([place[shown], false]))
        seen[-1] += rng.normal(0, NOISE, seen[-1].shape)
        names.append(np.concatenate([name[shown], np.full(len(false), -1)]))
        place = np.clip(place + rng.normal(0, wander, place.shape), 0, size)
        crowded = len(name) / cells
        stay = rng.random(len(name)) > VANISHING * crowded
        place, name = place[stay], name[stay]
        splits = rng.random(len(name)) < DIVIDING / max(crowded, 0.5)
        angle = rng.uniform(0, 2 * np.pi, splits.sum())
        side = APART / 2 * np.stack([np.sin(angle), np.cos(angle)], 1)
        first = max(mothers, default=cells) + 1
        new = np.arange(first, first + 2 * splits.sum())
        mothers |= dict(
            zip(new.tolist(), np.tile(name[splits], 2).tolist(), strict=True)
        )
        middle = place[splits]
        place = np.concatenate([place[~splits], middle + side, middle - side])
        name = np.concatenate([name[~splits], new])
    frame = np.repeat(np.arange(frames), [len(x) for x in seen])
    truth = _truth(names, mothers)
    spread = DOUBT * float(np.hypot(wander, NOISE))
    return Crowd(frame, np.concatenate(seen), spread, *truth)


def _truth(
    names: list[Integers], mothers: dict[int, int]
) -> tuple[set[tuple[int, int]], set[tuple[int, int, int]]]:
    links: set[tuple[int, int]] = set()
    divisions: set[tuple[int, int, int]] = set()
    seen: dict[int, tuple[int, int]] = {}
    row = 0
    for frame, here in enumerate(names):
        born: dict[int, list[int]] = {}
        for name in here.tolist():
            last = seen.get(name)
            if name >= 0 and last is not None and frame - last[0] <= max(NEAREST):
                links.add((last[1], row))
            mother = seen.get(mothers.get(name, -1))
            if name >= 0 and last is None and mother and mother[0] == frame - 1:
                born.setdefault(mother[1], []).append(row)
            if name >= 0:
                seen[name] = frame, row
            row += 1
        divisions |= {(m, *sorted(d)) for m, d in born.items() if len(d) == 2}
    return links, divisions


def make_problem(crowd: Crowd) -> Problem:
    """List candidate links and divisions by distance, as linking does."""
    frames = int(crowd.frame[-1]) + 1
    start = np.searchsorted(crowd.frame, np.arange(frames + 1))
    found: list[Floats] = []
    for frame in range(frames):
        for step, count in NEAREST.items():
            if frame + step < frames:
                here = np.arange(start[frame], start[frame + 1])
                there = np.arange(start[frame + step], start[frame + step + 1])
                near = _near(crowd, here, there, count)
                found.append(_links(crowd, *near, step))
                if step == 1:
                    found.append(_divisions(crowd, here, there))
    before, after, sister = np.concatenate(found, 1)[:3].astype(np.int64)
    gain = np.concatenate(found, 1)[3]
    return Problem(crowd.frame, Options(before, after, sister, gain))


def _near(
    crowd: Crowd, here: Integers, there: Integers, count: int
) -> tuple[Integers, Integers, Floats]:
    tree = cKDTree(crowd.place[there])
    away, place = tree.query(crowd.place[here], k=count, distance_upper_bound=REACH)
    known = np.isfinite(away)
    before = np.repeat(here, known.sum(1))
    return before, there[place[known]], away[known]


def _links(
    crowd: Crowd, before: Integers, after: Integers, away: Floats, step: int
) -> Floats:
    doubt = crowd.spread * np.sqrt(step)
    gain = WORTH - (away / doubt) ** 2 / 2 - GAP_COST * (step - 1)
    alone = np.full(len(gain), -1)
    return np.stack([before, after, alone, gain])[:, gain > 0]


def _divisions(crowd: Crowd, here: Integers, there: Integers) -> Floats:
    """Pairs of the three nearest cells as daughters."""
    tree = cKDTree(crowd.place[there])
    away, place = tree.query(crowd.place[here], k=3, distance_upper_bound=REACH)
    found = []
    for one, two in ((0, 1), (0, 2), (1, 2)):
        known = np.isfinite(away[:, one]) & np.isfinite(away[:, two])
        first, second = there[place[known, one]], there[place[known, two]]
        a, b = crowd.place[first], crowd.place[second]
        aside = np.hypot(*((a + b) / 2 - crowd.place[here[known]]).T) / crowd.spread
        odd = (np.hypot(*(a - b).T) - APART) / (1.5 * NOISE)
        gain = DIVISION_WORTH - aside**2 / 2 - odd**2 / 2
        keep = gain > 0
        found.append(np.stack([here[known], first, second, gain])[:, keep])
    return np.concatenate(found, 1)
