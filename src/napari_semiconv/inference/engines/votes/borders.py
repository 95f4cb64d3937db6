"""Whether two neighbouring segments are one cell: what network and votes say of both.

A logistic regression on five observations decides. It was fitted on frames that the
default model was trained on; `python -m benchmarks borders` counts its mistakes and
those of two plain thresholds, and fits it anew.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from ..regions import Regions, areas_of
from ..tensors import FINE, Planes, fixed, places, tally, total
from .peaks import Peaks
from .splitting import dot, sums_of, unit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# What one unit of each observation adds to the log-odds, in the order of
# `Borders.observed`, and the log-odds when all are zero.
WEIGHTS = np.array([4.0, 5.7, 4.8, -72.8, -1.7])
START = -7.8
AREA = 4  # the observation that changes while segments are joined


@dataclass(frozen=True)
class Borders:
    """Observations on each pair of segments that touch.

    Parameters
    ----------
    pairs
        Numbers of the segments, smaller first, (N, 2).
    flat
        Height of the pass between their peaks of votes over that of the lower peak,
        (N,); 0 where the peaks do not meet, 1 where both share one.
    alike
        Cosine of their mean embeddings, (N,).
    seed
        Mean of the seed map along the border, the lower side counting, (N,).
    jump
        Mean distance between votes of pixels that face each other across the border,
        (N,), cells.
    area
        Logarithm of their common area over that of a usual cell, (N,).
    """

    pairs: Integers
    flat: Floats
    alike: Floats
    seed: Floats
    jump: Floats
    area: Floats

    @property
    def observed(self) -> Floats:
        """All observations, (N, 5)."""
        return np.stack([self.flat, self.alike, self.seed, self.jump, self.area], 1)

    @property
    def odds(self) -> Floats:
        """Log-odds that both segments are one cell, (N,)."""
        odds: Floats = START + self.observed @ WEIGHTS
        return odds

    @property
    def chance(self) -> Floats:
        """Chance that both segments are one cell, (N,)."""
        chance: Floats = expit(self.odds)
        return chance


@dataclass(frozen=True)
class Joined:
    """Which segments are one cell, and how sure each pair was.

    Parameters
    ----------
    group
        Smallest segment of the cell that each segment is in, (n + 1,); 0 is itself.
    areas
        Area of the cell that each such smallest segment stands for, (n + 1,), px.
    before
        Area of each segment, (n + 1,), px.
    joined
        Whether a pair was joined itself, (N,).
    odds
        Log-odds of each pair when it was joined, with the areas of what both had become
        a part of; of those that were not, as measured, (N,).
    """

    group: Integers
    areas: Integers
    before: Integers
    joined: NDArray[np.bool_]
    odds: Floats


def join(areas: Integers, borders: Borders, chance: float) -> Joined:
    """Decide which segments are one cell, the surest pair first.

    Each pair is weighed with the areas of what both have become a part of, so that no
    chain of likely pairs ends in a cell of unlikely size. A pair that is the surest of
    all that are left on both of its sides cannot be changed by any other: all such
    pairs are decided at once, round after round, which ends as one by one would.

    Parameters
    ----------
    areas
        Area of each segment, (n + 1,), px; the first is that of no segment.
    borders
        What was observed on segments that touch.
    chance
        Least chance of a pair that is joined.
    """
    least = log_odds(chance)
    group, total = np.arange(len(areas)), areas.astype(np.int64)
    odds, joined = borders.odds, np.zeros(len(borders.pairs), bool)
    apart = areas[borders.pairs].sum(1)
    left = np.argsort(-odds, kind="stable")
    left = left[odds[left] > least]
    while True:
        ends = group[borders.pairs[left]]
        left, ends = (part[ends[:, 0] != ends[:, 1]] for part in (left, ends))
        if not len(left):
            return Joined(group, total, areas, joined, odds)
        surest = _surest(ends, len(areas))
        low, high = np.sort(ends[surest], 1).T
        row = left[surest]
        growth = np.log((total[low] + total[high]) / apart[row])
        now = borders.odds[row] + WEIGHTS[AREA] * growth
        likely = now > least
        joined[row[likely]], odds[row[likely]] = True, now[likely]
        parent = np.arange(len(areas))
        parent[high[likely]] = low[likely]
        total[low[likely]] += total[high[likely]]
        group = parent[group]
        left = left[~surest]


def _surest(ends: Integers, count: int) -> NDArray[np.bool_]:
    """Whether a pair comes before all others on both of its sides, (N,)."""
    rank = np.arange(len(ends))
    first = np.full(count, len(ends))
    np.minimum.at(first, ends, rank[:, None])
    surest: NDArray[np.bool_] = (first[ends] == rank[:, None]).all(1)
    return surest


def log_odds(chance: float) -> float:
    """Logarithm of a chance over its opposite; infinite at 0 and 1."""
    with np.errstate(divide="ignore"):
        return float(np.log(chance) - np.log1p(-chance))


def measure_borders(
    regions: Regions, of_peak: Tensor, peaks: Peaks, maps: Planes
) -> Borders:
    """Observe all segments that touch.

    Sums are made where the maps are, and the few numbers of each pair are brought to
    the host at once.

    Parameters
    ----------
    regions
        Segments, the first ``regions.cells`` of which are no background; they are
        numbered from 1 in what is found.
    of_peak
        Peak of each of these segments, (n,).
    peaks
        Where their votes fall.
    maps
        What the network predicts for the frame.
    """
    touching = regions.pairs[:, 1] < regions.cells
    border = (touching.cumsum(0) - 1)[regions.pair]
    face = places(touching[regions.pair])
    here, there, border = regions.here[face], regions.there[face], border[face]
    pairs = regions.pairs[touching]
    first, second = pairs.unbind(1)
    count = len(pairs)
    seed = maps.seed.flatten()
    low = torch.minimum(seed[here], seed[there])
    inside = places(regions.image < regions.cells)
    codes = maps.embedding.flatten(1).index_select(1, inside)
    owner = regions.image.flatten()[inside]
    mean = unit(sums_of(codes, owner, regions.cells))
    areas = areas_of(regions)
    columns = (
        first + 1,
        second + 1,
        tally(border, count),
        _flatness(of_peak[first], of_peak[second], peaks),
        dot(mean[:, first], mean[:, second]),
        total(border, fixed(low), count),
        total(border, fixed(_jumps(here, there, maps)), count),
        areas[first] + areas[second],
    )
    table = torch.stack([column.to(torch.float64) for column in columns]).cpu().numpy()
    length = table[2] * FINE
    return Borders(
        pairs=table[:2].T.astype(np.int64),
        flat=table[3],
        alike=table[4],
        seed=table[5] / length,
        jump=table[6] / length / maps.cell_size,
        area=np.log(table[7] / (np.pi / 4 * maps.cell_size**2)),
    )


def _jumps(here: Tensor, there: Tensor, maps: Planes) -> Tensor:
    """Distance between the votes of neighbouring pixels, (F,), px."""
    across = (there - here == 1) & (maps.shape[1] > 1)
    down, right = (
        axis[there] - axis[here] + step.to(torch.float32)
        for axis, step in zip(maps.offset.flatten(1), (~across, across), strict=True)
    )
    square: Tensor = down * down + right * right
    return square.sqrt()


def _flatness(one: Tensor, other: Tensor, peaks: Peaks) -> Tensor:
    """Height of the pass between two peaks over that of the lower one, (N,)."""
    count = len(peaks.heights)
    known = peaks.pairs[:, 0] * count + peaks.pairs[:, 1]
    wanted = torch.minimum(one, other) * count + torch.maximum(one, other)
    # One more, that no pair has, so that there is always a place to look.
    known = torch.cat([known, known.new_full((1,), count * count)])
    row = torch.searchsorted(known, wanted)
    passes = torch.cat([peaks.passes, peaks.passes.new_zeros(1)])
    saddle = torch.where(known[row] == wanted, passes[row], 0.0)
    lower = torch.minimum(peaks.heights[one], peaks.heights[other])
    # Two kinds of embedding on one peak have no pass between them at all.
    return torch.where(one == other, 1.0, saddle / lower.clamp(min=1e-6))
