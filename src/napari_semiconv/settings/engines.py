"""Engines, which turn what the network says of frames into cells: a line for each.

A new engine is a file or folder in ``inference/engines`` and a line in `ENGINES`, with
its settings, if it has any of its own, beside it. All lists of engines, in the window,
on the command line, in the settings and in the documentation, are made from the table,
which loads no implementation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, cast

from .base import Settings, setting

Position = Literal["auto", "vote", "pixel"]
ClusteredAs = Literal["groups", "pixels"]
Own = TypeVar("Own", bound=Settings, covariant=True)


class VotesSettings(Settings):
    """Votes engine: semi-convolutional votes and seeds (after Novotny et al. 2018).

    The usual values were chosen on frames that the default model was trained on and on
    simulated ones.
    """

    foreground: float = setting(
        0.6, "Foreground", "Least foreground probability of a cell pixel.", gt=0, lt=1
    )
    smoothing: float = setting(
        0.05,
        "Vote smoothing",
        "Blur of the vote map, in cell diameters.",
        "cells",
        gt=0,
    )
    least_votes: float = setting(
        0.8, "Least votes", "Least height of a seed.", "votes per px", ge=0
    )
    join: float = setting(
        0.6,
        "Join pieces",
        "Touching pieces are one cell when the chance of it, from votes, seeds and "
        "embeddings along their border, is higher.",
        ge=0,
        le=1,
    )
    smallest: float = setting(
        0.15,
        "Smallest cell",
        "Smaller pieces are dropped, in usual cells.",
        "cells",
        ge=0,
    )
    on_device: bool = setting(
        False,
        "Find cells on the device",
        "Do this work where the network runs, not on the CPU. The result is to be the "
        "same; it has not been tried on a graphics card yet.",
    )


class HdbscanSettings(Settings):
    """HDBSCAN on embedding and place, frame pairs together (Payer et al. 2018).

    Both weights of the place were chosen on frames that the default model was trained
    on and on simulated ones.
    """

    foreground: float = setting(
        0.5, "Foreground", "Least foreground probability of a cell pixel.", gt=0, lt=1
    )
    clustered: ClusteredAs = setting(
        "groups",
        "Clustered",
        "What is clustered: groups of like pixels with their neighbours, fast, or "
        "single pixels by the hdbscan package, the slow reference.",
    )
    position: Position = setting(
        "auto",
        "Place",
        "Place of a pixel in its code: where its vote falls, so that offset and "
        "embedding are clustered together, or its own as published; auto takes votes "
        "where the model has them.",
    )
    embedding_weight: float = setting(
        1.0, "Embedding weight", "Factor on the unit embedding.", ge=0
    )
    coordinate_weight: float = setting(
        0.02,
        "Coordinate weight",
        "Factor on the pixel's own place (c of the paper).",
        "1/px",
        ge=0,
    )
    vote_weight: float = setting(
        0.2, "Vote weight", "Factor on the place where the vote falls.", "1/px", ge=0
    )
    smallest: float = setting(
        0.1,
        "Smallest cell",
        "Least cluster size (m of the paper), in usual cells.",
        "cells",
        gt=0,
    )
    most_pixels: int = setting(
        20_000,
        "Most pixels",
        "Of single pixels: above this many in a frame pair a regular sample is "
        "clustered and the rest joins the nearest cluster; 0 takes all.",
        "px",
        ge=0,
    )


class PayerSettings(Settings):
    """What the published procedures set anew for each data set (Payer 2018, 2019).

    Pixels are those of the network unless said. The usual values are those that the
    authors gave for single images (c and m) and for nuclei (the rest).
    """

    coordinate_weight: float = setting(
        0.01, "Coordinate weight", "Factor on pixel coordinates (c).", "1/px", ge=0
    )
    smallest: int = setting(
        50,
        "Smallest cell",
        "Least cluster size in a frame pair (m of 2018), least cell there (2019).",
        "px",
        ge=2,
    )
    smoothing: float = setting(
        1.0, "Smoothing", "Blur of the masks when they are enlarged.", "px", ge=0
    )
    border_y: int = setting(
        0,
        "Border, top and bottom",
        "Cells wholly in this strip are dropped; in 2019 pixels of the movie.",
        "px",
        ge=0,
    )
    border_x: int = setting(
        0,
        "Border, left and right",
        "Cells wholly in this strip are dropped; in 2019 pixels of the movie.",
        "px",
        ge=0,
    )
    parent_dilation: int = setting(
        3, "Parent dilation", "A new cell grows by this to find its parent.", "px", ge=0
    )
    parent_frames: int = setting(
        2, "Parent frames", "Frames before a birth searched for it.", "frames", ge=1
    )
    shortest_track: int = setting(
        1,
        "Shortest track",
        "Shorter tracks without a parent are dropped.",
        "frames",
        ge=1,
    )
    most_pixels: int = setting(
        20_000,
        "Most pixels",
        "Above this many foreground pixels of a frame pair a regular sample is "
        "clustered by HDBSCAN; 0 takes all, as published.",
        "px",
        ge=0,
    )


@dataclass(frozen=True)
class EngineInfo(Generic[Own]):
    """What is known of an engine without loading it.

    Parameters
    ----------
    name
        Its name in settings and on the command line.
    title
        Its name in the window.
    summary
        One sentence on what it does.
    module
        Its module in ``inference/engines``; see the protocol there for what it offers.
    part
        Field of `SegmentSettings` that holds its own settings.
    settings
        Class of these.
    heads
        Heads that it reads and that not every network has.
    heads_are
        These in words, as in "a model with ...".
    whole
        Whether it decides when it has seen all frames; it cannot go on from a state.
    links
        Whether it links cells into tracks by itself, so that the settings of linking
        are not used.
    """

    name: str
    title: str
    summary: str
    module: str
    part: str
    settings: type[Own]
    heads: tuple[str, ...] = ()
    heads_are: str = ""
    whole: bool = False
    links: bool = False

    def own(self, settings: Settings) -> Own:
        """Take the engine's own settings out of `SegmentSettings`."""
        return cast("Own", getattr(settings, self.part))

    def misfit(self, heads: Iterable[str]) -> str:
        """Say why a network with some heads does not do; empty when it does."""
        present = {*heads}
        if present.issuperset(self.heads):
            return ""
        fit = [e.name for e in ENGINES.values() if present.issuperset(e.heads)]
        return (
            f"The engine '{self.name}' needs a model with {self.heads_are}, found one "
            f"without. Choose another model, or the engine {' or '.join(fit)}."
        )


VOTES = EngineInfo(
    "votes",
    "Votes (fast)",
    "Every pixel votes for the centre of its cell; cells are where votes gather.",
    module="votes.engine",
    part="votes",
    settings=VotesSettings,
    heads=("offset", "seed"),
    heads_are="semi-convolutional heads",
)
HDBSCAN = EngineInfo(
    "hdbscan",
    "HDBSCAN",
    "Pixels of two successive frames that are alike and near are clustered together.",
    module="hdbscan.engine",
    part="hdbscan",
    settings=HdbscanSettings,
)
PAYER_2018 = EngineInfo(
    "payer2018",
    "Published 2018",
    "The procedure of Payer et al. 2018 as published, links included.",
    module="payer.published",
    part="payer",
    settings=PayerSettings,
    whole=True,
    links=True,
)
PAYER_2019 = EngineInfo(
    "payer2019",
    "Published 2019",
    "The procedure of Payer et al. 2019 as published, links included.",
    module="payer.published",
    part="payer",
    settings=PayerSettings,
    whole=True,
    links=True,
)

ENGINES: dict[str, EngineInfo[Settings]] = {
    engine.name: engine for engine in (VOTES, HDBSCAN, PAYER_2018, PAYER_2019)
}
