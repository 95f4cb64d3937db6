"""Whether two neighbouring pieces are one cell: what network and votes say of both.

A logistic regression on five observations decides. It was fitted on frames that the
default model was trained on; `python -m benchmarks borders` counts its mistakes and
those of two plain thresholds, and fits it anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ....labels import Labels

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# What one unit of each observation adds to the log-odds, in the order of
# `Borders.observed`, and the log-odds when all are zero.
WEIGHTS = np.array([4.0, 5.7, 4.8, -72.8, -1.7])
START = -7.8
AREA = 4  # the observation that changes while pieces are joined


@dataclass(frozen=True)
class Borders:
    """Observations on each pair of pieces that touch.

    Parameters
    ----------
    pairs
        Numbers of the pieces, smaller first, (N, 2).
    flat
        Height of the pass between their hills of votes over that of the lower hill,
        (N,); 0 where the hills do not meet, 1 where both share one.
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
        """Log-odds that both pieces are one cell, (N,)."""
        odds: Floats = START + self.observed @ WEIGHTS
        return odds

    @property
    def chance(self) -> Floats:
        """Chance that both pieces are one cell, (N,)."""
        chance: Floats = expit(self.odds)
        return chance


@dataclass(frozen=True)
class Joined:
    """Which pieces are one cell, and how sure each pair was.

    Parameters
    ----------
    group
        Smallest piece of the cell that each piece is in, (n + 1,); 0 is itself.
    areas
        Area of the cell that each such smallest piece stands for, (n + 1,), px.
    before
        Area of each piece, (n + 1,), px.
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


def join_pieces(labels: Labels, borders: Borders, chance: float) -> Labels:
    """Join pieces, the surest pair first, while the cells that arise stay likely.

    See `join`.

    Parameters
    ----------
    labels
        Pieces, (Y, X), numbered 1 to n.
    borders
        What was observed on those that touch.
    chance
        Least chance of a pair that is joined.

    Returns
    -------
    Labels
        (Y, X), numbered by the smallest piece of each cell.
    """
    found = join(np.bincount(labels.ravel()), borders, chance)
    return found.group[labels].astype(np.int32)


def join(areas: Integers, borders: Borders, chance: float) -> Joined:
    """Decide which pieces are one cell, the surest pair first.

    Each pair is weighed with the areas of what both have become a part of, so that no
    chain of likely pairs ends in a cell of unlikely size. A pair that is the surest of
    all that are left on both of its sides cannot be changed by any other: all such
    pairs are decided at once, round after round, which ends as one by one would.

    Parameters
    ----------
    areas
        Area of each piece, (n + 1,), px; the first is that of no piece.
    borders
        What was observed on pieces that touch.
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
        ahead = np.arange(len(areas))
        ahead[high[likely]] = low[likely]
        total[low[likely]] += total[high[likely]]
        group = ahead[group]
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
