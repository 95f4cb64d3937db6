"""Engines, which turn what the network predicts for frames into cells: a line for each.

A new engine is a file or folder in ``inference/engines`` and a line in `ENGINES`, with
its settings, if it has any of its own, beside it. All lists of engines, in the window,
on the command line, in the settings and in the documentation, are made from the table,
which loads no implementation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, cast

from .base import Settings, setting
from .region import RegionSettings

Position = Literal["auto", "vote", "pixel"]
ClusteredAs = Literal["groups", "pixels"]
Own = TypeVar("Own", bound=Settings, covariant=True)


class VotesSettings(Settings):
    """Votes engine: semi-convolutional votes and seeds (after Novotny et al. 2018).

    The usual values were chosen on frames that the default model was trained on and on
    simulated ones.
    """

    foreground: float = setting(
        0.6,
        "Foreground threshold",
        "A pixel is in a cell when the network finds that at least this likely. Lower "
        "it when cells come out too small.",
        advanced="masks",
        gt=0,
        lt=1,
    )
    smoothing: float = setting(
        0.05,
        "Smoothing of votes",
        "Width of the blur of the map of votes. A larger one finds fewer centres.",
        "cells",
        advanced="masks",
        gt=0,
    )
    least_votes: float = setting(
        0.8,
        "Seed threshold",
        "Votes that must gather in one place to be the centre of a cell. Lower it when "
        "faint cells are missed.",
        "per px",
        advanced="masks",
        ge=0,
    )
    join: float = setting(
        0.6,
        "Joining threshold",
        "Two segments that touch become one cell when that is more likely than this. "
        "Raise it when neighbours are merged, lower it when cells are cut.",
        advanced="masks",
        ge=0,
        le=1,
    )
    smallest: float = setting(
        0.15,
        "Smallest cell",
        "Cells of a smaller area are dropped; 1 is the area of a usual cell.",
        "cells",
        advanced="masks",
        ge=0,
    )
    on_device: bool = setting(
        False,
        "Find cells on the device",
        "Do this work where the network runs, not on the processor. The result is to "
        "be the same; it has not been tried on a graphics card yet.",
        advanced="speed",
    )


class HdbscanSettings(Settings):
    """HDBSCAN on embedding and position, frame pairs together (Payer et al. 2018).

    Both weights of the position were chosen on frames that the default model was
    trained on and on simulated ones.
    """

    foreground: float = setting(
        0.5,
        "Foreground threshold",
        "A pixel is in a cell when the network finds that at least this likely. Lower "
        "it when cells come out too small.",
        advanced="masks",
        gt=0,
        lt=1,
    )
    clustered: ClusteredAs = setting(
        "groups",
        "What is clustered",
        "Groups of pixels that are alike, which is fast, or every single pixel by the "
        "hdbscan package, which is the slow reference.",
        advanced="masks",
        choices={
            "groups": ("Groups of pixels", "Pixels that are alike count as one: fast."),
            "pixels": ("Every pixel", "By the hdbscan package: the slow reference."),
        },
    )
    position: Position = setting(
        "auto",
        "Position of a pixel",
        "Where its vote falls (vote), or its own place, as published (pixel); auto "
        "takes votes where the model has them.",
        advanced="masks",
        choices={
            "auto": ("Automatic", "Where its vote falls, if the model has votes."),
            "vote": ("Where its vote falls", "Needs a model with votes."),
            "pixel": ("Its own place", "As published."),
        },
    )
    embedding_weight: float = setting(
        1.0,
        "Weight of the embedding",
        "Factor on the embedding, which has length 1.",
        advanced="masks",
        ge=0,
    )
    coordinate_weight: float = setting(
        0.02,
        "Weight of a pixel's own place",
        "Factor on the position of a pixel when it is its own place (c of the paper).",
        "1/px",
        advanced="masks",
        ge=0,
    )
    vote_weight: float = setting(
        0.2,
        "Weight of a vote",
        "Factor on the position of a pixel when it is where its vote falls.",
        "1/px",
        advanced="masks",
        ge=0,
    )
    smallest: float = setting(
        0.1,
        "Smallest cell",
        "Least size of a cluster (m of the paper); 1 is the area of a usual cell.",
        "cells",
        advanced="masks",
        gt=0,
    )
    most_pixels: int = setting(
        20_000,
        "Most single pixels",
        "When single pixels are clustered and a frame pair has more, a regular sample "
        "is clustered and the rest joins the nearest cluster; 0 takes all.",
        "px",
        advanced="speed",
        ge=0,
    )


class PayerSettings(Settings):
    """What the published procedures set anew for each data set (Payer 2018, 2019).

    Pixels are those of the network unless noted. The usual values are those that the
    authors gave for single images (c and m) and for nuclei (the rest).
    """

    coordinate_weight: float = setting(
        0.01,
        "Weight of the position (c)",
        "Factor on the coordinates of a pixel beside its embedding.",
        "1/px",
        advanced="published",
        ge=0,
    )
    smallest: int = setting(
        50,
        "Smallest cell (m)",
        "Least size of a cluster in a frame pair (2018), or of a cell there (2019).",
        "px",
        advanced="published",
        ge=2,
    )
    smoothing: float = setting(
        1.0,
        "Smoothing of outlines",
        "Blur of the masks when they are enlarged to the size of the movie.",
        "px",
        advanced="published",
        ge=0,
    )
    border_y: int = setting(
        0,
        "Border at top and bottom",
        "Cells wholly in this strip are dropped; in 2019 pixels of the movie.",
        "px",
        advanced="published",
        ge=0,
    )
    border_x: int = setting(
        0,
        "Border at left and right",
        "Cells wholly in this strip are dropped; in 2019 pixels of the movie.",
        "px",
        advanced="published",
        ge=0,
    )
    parent_dilation: int = setting(
        3,
        "Reach of a new cell",
        "A new cell is grown by this to find the cell it comes from.",
        "px",
        advanced="published",
        ge=0,
    )
    parent_frames: int = setting(
        2,
        "Frames searched for a parent",
        "Frames before the first one of a cell in which its parent is looked for.",
        "frames",
        advanced="published",
        ge=1,
    )
    shortest_track: int = setting(
        1,
        "Shortest track",
        "Shorter tracks without a parent are dropped.",
        "frames",
        advanced="published",
        ge=1,
    )
    most_pixels: int = setting(
        20_000,
        "Most pixels",
        "When a frame pair has more foreground pixels, HDBSCAN clusters a regular "
        "sample; 0 takes all, as published.",
        "px",
        advanced="published",
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
REGION = EngineInfo(
    "region",
    "Regions",
    "Every cell has a box, found first, and in it a seed whose kernel is its mask.",
    module="region",
    part="region",
    settings=RegionSettings,
    heads=("region",),
    heads_are="the heads of the region version",
)

ENGINES: dict[str, EngineInfo[Settings]] = {
    engine.name: engine for engine in (VOTES, HDBSCAN, REGION, PAYER_2018, PAYER_2019)
}
