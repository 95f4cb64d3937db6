"""Foreground parted by the hills that its votes fall on, and by embedding."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ....settings import VotesSettings
from ..regions import Regions, find_regions
from ..tensors import Planes
from .borders import Borders
from .observing import measure_borders
from .peaks import (
    APART,
    MARGIN,
    Hills,
    Votes,
    cast_votes,
    find_hills,
    nearest_hill,
    reach_of,
    vote_map,
)
from .splitting import split_pieces


@dataclass(frozen=True)
class Pieces:
    """Connected pieces of the foreground.

    Parameters
    ----------
    regions
        The pieces and the background between them; no pieces when there is no hill.
    of_hill
        Hill of each piece, (n,).
    votes
        Where the votes of the pixels fall.
    density
        Map of votes, (Y, X), votes per px.
    hills
        Where they gather.
    borders
        What is observed on pieces that touch.
    """

    regions: Regions
    of_hill: Tensor
    votes: Votes
    density: Tensor
    hills: Hills
    borders: Borders


def find_pieces(planes: Planes, settings: VotesSettings) -> Pieces:
    """Part the foreground of a frame.

    Parameters
    ----------
    planes
        What the network says of it, with at least one pixel of foreground.
    settings
        Thresholds.
    """
    size = planes.cell_size
    blur, apart = settings.smoothing * size, max(1, round(APART * size))
    margin = math.ceil(MARGIN * size)
    votes = cast_votes(planes, margin, reach_of(blur) + apart)
    weight = planes.seed.flatten().index_select(0, votes.pixels)
    density = vote_map(votes, weight, blur)
    hills = find_hills(density, apart, settings.least_votes)
    labels = torch.zeros(planes.shape, dtype=torch.int32, device=density.device)
    of_piece = torch.zeros_like(votes.pixels[:0])
    if len(hills.heights):
        # Every vote belongs somewhere: beyond the hills the nearest one takes it.
        owner = nearest_hill(votes, hills)
        codes = planes.embedding.flatten(1).index_select(1, votes.pixels)
        owner, of_piece = split_pieces(codes, owner, len(hills.heights), size)
        labels.view(-1)[votes.pixels] = (owner + 1).to(torch.int32)
    # A cell without a hill of its own must not vanish as a far part of another.
    regions = find_regions(labels)
    of_hill = of_piece[regions.labels[: regions.cells] - 1]
    borders = measure_borders(regions, of_hill, hills, planes)
    return Pieces(regions, of_hill, votes, density, hills, borders)
