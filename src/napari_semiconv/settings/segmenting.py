"""How a movie is segmented and tracked."""

from typing import Literal

from .base import Settings, setting

EngineName = Literal["votes", "hdbscan", "payer2018", "payer2019"]
SolverName = Literal["global", "greedy"]
Position = Literal["auto", "vote", "pixel"]
ClusteredAs = Literal["groups", "pixels"]
# By cell size, or height and width that the published networks saw.
Resize = Literal["cells", "256x256", "384x512", "512x512", "576x720", "700x1100"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
PrecisionName = Literal["auto", "float32", "bfloat16"]
# Side of the tiles, px.
Tile = Literal["auto", "256", "512", "1024", "2048", "4096"]
LookAhead = Literal["auto", "on", "off"]


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


class LinkSettings(Settings):
    """How cells of successive frames become tracks."""

    solver: SolverName = setting(
        "global",
        "Solver",
        "How tracks are decided: all frames weighed together once they are there "
        "(global), or each frame for good as it comes (greedy, the fast choice).",
    )
    least_overlap: float = setting(
        0.1, "Least overlap", "Least IoU, motion applied, of a link.", ge=0, le=1
    )
    most_gap: int = setting(
        2,
        "Longest gap",
        "Frames a cell may be missing and still be the same.",
        "frames",
        ge=0,
    )
    most_distance: float = setting(
        1.5, "Farthest link", "Distance a cell may move between frames.", "cells", gt=0
    )
    divisions: bool = setting(
        True, "Divisions", "Look for cells that become exactly two daughters."
    )
    daughter_ratio: float = setting(
        0.4,
        "Daughter ratio",
        "Least area of the smaller daughter over the larger.",
        ge=0,
        le=1,
    )
    merges: bool = setting(
        False,
        "Merges",
        "Tell, with the global solver, where a track seems to end by going into "
        "another cell. Two cells never become one track.",
    )
    least_sure: float = setting(
        0.0,
        "Least sure",
        "Leave out, with the global solver, cells seen in one frame only that the "
        "network is less sure of; 0 keeps every cell.",
        ge=0,
        le=1,
    )


class SegmentSettings(Settings):
    """All that decides how a movie is segmented and tracked."""

    model: str = setting("default", "Model", "Name or folder of the model.")
    engine: EngineName = setting(
        "votes",
        "Engine",
        "How embeddings become cells; payer2018 and payer2019 are the published "
        "procedures whole, links included.",
    )
    device: DeviceName = setting("auto", "Device", "Where the network runs.")
    cell_size: float | None = setting(
        None,
        "Cell size",
        "Diameter of a usual cell; estimated from the movie when empty.",
        "px",
        gt=0,
    )
    resize: Resize = setting(
        "cells",
        "Resize",
        "What a frame is brought to for the network: cells of the size it knows, or a "
        "height x width in px whatever the aspect, as published; then the cell size is "
        "not used.",
    )
    memory_span: int = setting(
        8,
        "Memory span",
        "Frames after which the network's memory starts anew, warmed on the frames "
        "before; 0 carries it through the whole movie.",
        "frames",
        ge=0,
    )
    skip_unreadable: bool = setting(
        False, "Skip unreadable frames", "Treat frames that cannot be read as empty."
    )
    votes: VotesSettings = VotesSettings()
    hdbscan: HdbscanSettings = HdbscanSettings()
    payer: PayerSettings = PayerSettings()
    link: LinkSettings = LinkSettings()
    precision: PrecisionName = setting(
        "auto",
        "Precision",
        "Numbers the network computes with; auto takes bfloat16 on CUDA cards that "
        "have it and float32 elsewhere. What it remembers is always float32.",
    )
    tile: Tile = setting(
        "auto",
        "Tile",
        "Side in px of the tiles that larger frames are computed in, as the network "
        "sees them, halo included; auto computes frames of up to 8 megapixels whole, "
        "larger ones in tiles of 2048.",
    )
    look_ahead: LookAhead = setting(
        "auto",
        "Look ahead",
        "Run the network on the next frame while the cells of this one are sought; the "
        "result is the same.",
    )

    @property
    def network_shape(self) -> tuple[int, int] | None:
        """Height and width that frames are resized to, px; None goes by cell size."""
        if self.resize == "cells":
            return None
        height, width = map(int, self.resize.split("x"))
        return height, width

    @property
    def tile_side(self) -> int | None:
        """Side of the tiles that larger frames are computed in, px; None for auto."""
        return None if self.tile == "auto" else int(self.tile)
