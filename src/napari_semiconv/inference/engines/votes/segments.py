"""Foreground parted into segments: by the peaks its votes belong to, by embedding."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ....settings import VotesSettings
from ..regions import Regions, find_regions
from ..tensors import Planes
from .borders import Borders, measure_borders
from .peaks import (
    APART,
    MARGIN,
    Peaks,
    Votes,
    cast_votes,
    find_peaks,
    nearest_peak,
    reach_of,
    vote_map,
)
from .splitting import split_segments


@dataclass(frozen=True)
class Segments:
    """Connected segments of the foreground.

    Parameters
    ----------
    regions
        The segments and the background between them; no segments when there is no peak.
    of_peak
        Peak of each segment, (n,).
    votes
        Where the votes of the pixels fall.
    density
        Map of votes, (Y, X), votes per px.
    peaks
        Where they gather.
    borders
        What is observed on segments that touch.
    """

    regions: Regions
    of_peak: Tensor
    votes: Votes
    density: Tensor
    peaks: Peaks
    borders: Borders


def find_segments(planes: Planes, settings: VotesSettings) -> Segments:
    """Part the foreground of a frame.

    Parameters
    ----------
    planes
        What the network predicts for it, with at least one pixel of foreground.
    settings
        Thresholds.
    """
    size = planes.cell_size
    blur, apart = settings.smoothing * size, max(1, round(APART * size))
    margin = math.ceil(MARGIN * size)
    votes = cast_votes(planes, margin, reach_of(blur) + apart)
    weight = planes.seed.flatten().index_select(0, votes.pixels)
    density = vote_map(votes, weight, blur)
    peaks = find_peaks(density, apart, settings.least_votes)
    labels = torch.zeros(planes.shape, dtype=torch.int32, device=density.device)
    of_segment = torch.zeros_like(votes.pixels[:0])
    if len(peaks.heights):
        # Every vote belongs somewhere: beyond the peaks the nearest one takes it.
        owner = nearest_peak(votes, peaks)
        codes = planes.embedding.flatten(1).index_select(1, votes.pixels)
        owner, of_segment = split_segments(codes, owner, len(peaks.heights), size)
        labels.view(-1)[votes.pixels] = (owner + 1).to(torch.int32)
    # A cell without a peak of its own must not vanish as a far part of another.
    regions = find_regions(labels)
    of_peak = of_segment[regions.labels[: regions.cells] - 1]
    borders = measure_borders(regions, of_peak, peaks, planes)
    return Segments(regions, of_peak, votes, density, peaks, borders)
