"""The region version: its heads in a network, and its engine."""

from .base import Settings, setting


class RegionHeadSettings(Settings):
    """Heads of the region version: boxes and kernel masks (Novotny et al. 2018)."""

    embedding_size: int = setting(
        8,
        "Embedding size",
        "Channels of the semi-convolutional embedding, two of them geometric.",
        ge=2,
        le=256,
    )
    hidden: int = setting(
        32, "Hidden channels", "Channels inside each head.", ge=1, le=1024
    )
    crop: int = setting(
        28,
        "Crop",
        "Side of the grid on which a region is looked at.",
        "samples",
        ge=4,
        le=256,
    )
    box_scale: float = setting(
        16.0,
        "Box scale",
        "Distance to a box's side that the proposal head begins with.",
        "px",
        gt=0,
        le=10_000,
    )
    embedding_scale: float = setting(
        16.0,
        "Embedding scale",
        "Pixels that one unit of the embedding head means.",
        "px",
        gt=0,
        le=10_000,
    )
    sigma: float = setting(
        4.0, "Kernel width", "Width that the kernel begins with.", "px", gt=0, le=10_000
    )
    gradient_scale: float = setting(
        0.1,
        "Gradient scale",
        "Factor on the gradient from the embedding head into the backbone.",
        ge=0,
        le=10_000,
    )


class RegionSettings(Settings):
    """Region engine: one seed in each box, no clustering (Novotny et al. 2018).

    It needs a model that was trained with the preset ``region``. Pixels are those that
    the network sees.
    """

    least_score: float = setting(
        0.3,
        "Score threshold",
        "Boxes that the network is less sure of are dropped. Lower it when cells are "
        "missed.",
        advanced="masks",
        gt=0,
        lt=1,
    )
    most_overlap: float = setting(
        0.6,
        "Overlap of boxes",
        "IoU of two boxes above which the one with the lower score is dropped. Lower "
        "it when cells are found twice.",
        advanced="masks",
        gt=0,
        le=1,
    )
    mask: float = setting(
        0.5,
        "Mask threshold",
        "A pixel of a box is in its cell when that is at least this likely. Lower it "
        "when cells come out too small.",
        advanced="masks",
        gt=0,
        lt=1,
    )
    least_free: float = setting(
        0.5,
        "Free share",
        "A cell is dropped when cells of higher scores leave less of its mask.",
        advanced="masks",
        ge=0,
        le=1,
    )
    foreground: float = setting(
        0.5,
        "Foreground threshold",
        "Where cells end against the background when masks are enlarged to the size "
        "of the frame.",
        advanced="masks",
        gt=0,
        lt=1,
    )
    smallest: int = setting(
        45,
        "Smallest cell",
        "Masks of fewer pixels are dropped.",
        "px",
        advanced="masks",
        ge=1,
    )
    candidates: int = setting(
        20_000,
        "Most boxes compared",
        "Every pixel sees a box; so many of the best are compared with one another.",
        advanced="speed",
        ge=1,
    )
    most_regions: int = setting(
        2000,
        "Most cells of a frame",
        "No more are looked for.",
        "cells",
        advanced="speed",
        ge=1,
    )
