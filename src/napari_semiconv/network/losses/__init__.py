"""Losses of both papers and their descendants, without loops over cells.

Labels are integers: 0 is background, -1 is "not annotated" and takes no part.
"""

from .bandwidth import lovasz_hinge, lovasz_loss, smoothness_loss
from .cells import EPS, Cells, mean_by, positions
from .centres import centres_of, repulsion_loss
from .cosine import Pull, cosine_embedding_loss, sample_cells
from .foreground import foreground_loss
from .neighbours import crowding, movie_neighbours, neighbours, neighbours_2019
from .votes import attraction_loss, kernel_loss, motion_loss, seed_loss

__all__ = [
    "EPS",
    "Cells",
    "Pull",
    "attraction_loss",
    "centres_of",
    "cosine_embedding_loss",
    "crowding",
    "foreground_loss",
    "kernel_loss",
    "lovasz_hinge",
    "lovasz_loss",
    "mean_by",
    "motion_loss",
    "movie_neighbours",
    "neighbours",
    "neighbours_2019",
    "positions",
    "repulsion_loss",
    "sample_cells",
    "seed_loss",
    "smoothness_loss",
]
