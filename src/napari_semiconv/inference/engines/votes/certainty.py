"""How sure the votes engine is of each cell, for the list of suspects."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from ....labels import Labels
from ..protocol import CellScores
from ..tensors import highest, lowest, total
from .borders import AREA, WEIGHTS, Borders, Joined
from .segments import Segments

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Certainty(CellScores):
    """How sure each cell of a frame is; every value from 0, a guess, to 1.

    The persistence is the height of the cell's highest peak over the highest pass to
    that of another cell, over the height of the peak; NaN where cells share a peak,
    which then says nothing of either. The margin is the smaller of votes and borders.

    Parameters
    ----------
    votes
        Share of the pixels whose votes fall on a peak of the cell, higher than any
        pass to the peak of another cell, (n,).
    borders
        How far the decision about the most doubtful border is from being the other
        one, as a difference of chances over the largest there can be: a border inside
        the cell that was joined over, or one with a neighbour that was not, (n,).
    """

    votes: Floats
    borders: Floats

    @classmethod
    def of_none(cls) -> "Certainty":
        """Certainty of a frame without cells."""
        none = np.zeros(0)
        return cls(np.zeros(0, np.int32), none, none, none, none)


def measure_certainty(
    labels: Labels, segments: Segments, joined: Joined, chance: float
) -> Certainty:
    """Measure how sure the cells of a frame are.

    Parameters
    ----------
    labels
        Cells, (Y, X), numbered by the smallest of their segments.
    segments
        The segments of the frame.
    joined
        Which of them became one cell.
    chance
        Least chance of a pair that is joined.
    """
    votes, persistence = _of_votes(segments, joined)
    numbers = np.unique(labels)
    numbers = numbers[numbers > 0]
    borders = _of_borders(segments.borders, joined, chance)
    votes, borders = votes[numbers], borders[numbers]
    margin = np.minimum(votes, borders)
    return Certainty(numbers, persistence[numbers], margin, votes, borders)


def _of_votes(segments: Segments, joined: Joined) -> tuple[Floats, Floats]:
    """Share of clear votes, and persistence, of each cell by number, (n + 1,)."""
    peaks, votes, of_peak = segments.peaks, segments.votes, segments.of_peak
    group = torch.from_numpy(joined.group).to(of_peak.device)
    count, high = len(group), len(peaks.heights)
    # A peak that no segment stands on anybody may claim.
    first = lowest(of_peak, group[1:], high, count)
    last = highest(of_peak, group[1:], high, 0)
    foreign = first[peaks.pairs[:, 0]] != first[peaks.pairs[:, 1]]
    ends, height = peaks.pairs[foreign].flatten(), peaks.passes[foreign]
    rim = highest(ends, height.repeat_interleave(2), high, 0.0)
    rim = torch.where(first < last, peaks.heights, rim)
    region = segments.regions.image.flatten().index_select(0, votes.pixels)
    fallen = segments.density.flatten().index_select(0, votes.spots)
    on_peak = rim[of_peak].index_select(0, region)
    clear = total(region, fallen > on_peak, len(of_peak))
    cell = group[1:]
    peak = highest(cell, peaks.heights[of_peak], count, 0.0)
    top = torch.minimum(highest(cell, rim[of_peak], count, 0.0), peak)
    common = highest(cell, (first < last).to(peak.dtype)[of_peak], count, 0.0)
    table = torch.stack([total(cell, clear, count).to(peak.dtype), peak, top, common])
    share, peak_, top_, common_ = table.cpu().numpy().astype(np.float64)
    area = np.maximum(joined.areas, 1)
    stands = (peak_ - top_) / np.maximum(peak_, 1e-6)
    return share / area, np.where(common_ > 0, np.nan, stands)


def _of_borders(borders: Borders, joined: Joined, chance: float) -> Floats:
    """How far the most doubtful border of each cell is from the threshold, (n + 1,)."""
    ends = joined.group[borders.pairs]
    apart = ends[:, 0] != ends[:, 1]
    segments = joined.before[borders.pairs].sum(1)
    growth = np.log(joined.areas[ends].sum(1) / np.maximum(segments, 1))
    odds = np.where(apart, borders.odds + WEIGHTS[AREA] * growth, joined.odds)
    likely = expit(odds)
    room = np.where(apart, chance, 1 - chance)
    far = np.where(apart, chance - likely, likely - chance) / np.maximum(room, 1e-6)
    observed = apart | joined.joined
    doubt = np.ones(len(joined.group))
    np.minimum.at(doubt, ends[observed], np.clip(far[observed], 0, 1)[:, None])
    return doubt
