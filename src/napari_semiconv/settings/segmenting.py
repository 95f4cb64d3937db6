"""How a movie is segmented and tracked."""

from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import create_model, model_validator

from .base import Settings, setting
from .engines import ENGINES, EngineInfo

if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[tuple(ENGINES)]
# Fields of earlier releases, which never changed what is found.
RETIRED = {"look_ahead"}
SolverName = Literal["global", "greedy"]
# By cell size, or height and width that the published networks saw.
Resize = Literal["cells", "256x256", "384x512", "512x512", "576x720", "700x1100"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
PrecisionName = Literal["auto", "float32", "bfloat16"]
# Side of the tiles, px.
Tile = Literal["auto", "256", "512", "1024", "2048", "4096"]


class LinkSettings(Settings):
    """How cells of successive frames become tracks."""

    solver: SolverName = setting(
        "global",
        "Solver",
        "Decide tracks when all frames are there, weighed together (global), or each "
        "frame for good as it comes (greedy), which is faster.",
        advanced="links",
        choices={
            "global": (
                "All frames together",
                "Links, gaps and divisions of all frames are weighed together.",
            ),
            "greedy": (
                "Frame by frame",
                "Each frame is decided for good as it comes, which is faster.",
            ),
        },
    )
    least_overlap: float = setting(
        0.1,
        "Smallest overlap",
        "Least share of a cell, moved as the network says, that must lie on the same "
        "cell of the frame before (IoU).",
        advanced="links",
        ge=0,
        le=1,
    )
    most_gap: int = setting(
        2,
        "Longest gap",
        "Frames in which a cell may be missing and still be the same cell.",
        "frames",
        advanced="links",
        ge=0,
    )
    most_distance: float = setting(
        1.5,
        "Longest move",
        "How far a cell may move from one frame to the next.",
        "cells",
        advanced="links",
        gt=0,
    )
    divisions: bool = setting(
        True, "Find divisions", "Look for cells that divide in two.", advanced="links"
    )
    daughter_ratio: float = setting(
        0.4,
        "Size ratio of daughters",
        "Least area of the smaller daughter over that of the larger one.",
        advanced="links",
        ge=0,
        le=1,
    )
    merges: bool = setting(
        False,
        "Report merges",
        "Tell, with the global solver, where a track seems to end by going into "
        "another cell. Two cells never become one track.",
        advanced="links",
    )
    least_sure: float = setting(
        0.0,
        "Drop doubtful cells",
        "Leave out, with the global solver, cells that are seen in one frame only and "
        "that the network finds less likely than this; 0 keeps every cell.",
        advanced="links",
        ge=0,
        le=1,
    )


if TYPE_CHECKING:

    class OfEngines(Settings):
        """Read through `EngineInfo.own`, so that no engine is named here."""
else:
    OfEngines = create_model(
        "OfEngines",
        __base__=Settings,
        **{e.part: (e.settings, e.settings()) for e in ENGINES.values()},
    )


class SegmentSettings(OfEngines):
    """All that decides how a movie is segmented and tracked."""

    model: str = setting("default", "Model", "Name or folder of the model.")
    engine: EngineName = setting(
        "votes",
        "Engine",
        "How cells are found in what the network predicts for a frame.",
        advanced="masks",
    )
    device: DeviceName = setting(
        "auto", "Device", "Where the network runs.", advanced="speed"
    )
    cell_size: float | None = setting(
        None,
        "Cell size",
        "Diameter of a usual cell; estimated from the movie when empty.",
        "px",
        gt=0,
    )
    resize: Resize = setting(
        "cells",
        "Frame size",
        "Bring frames to a size at which cells are as large as the network knows them "
        "(cells), or to a height x width in px whatever the aspect, as published; then "
        "the cell size is not used.",
        advanced="published",
        choices={
            "cells": (
                "By cell size",
                "Cells become as large as the network knows them.",
            ),
            **{
                size: (
                    f"{size.replace('x', ' x ')} px",
                    "Every frame becomes that high and wide, as published; the cell "
                    "size is not used.",
                )
                for size in get_args(Resize)[1:]
            },
        },
    )
    memory_span: int = setting(
        8,
        "Memory span",
        "Frames after which the network's memory starts anew, warmed on the frames "
        "before; 0 carries it through the whole movie, as published.",
        "frames",
        advanced="masks",
        ge=0,
    )
    skip_unreadable: bool = setting(
        False,
        "Skip unreadable frames",
        "Treat frames that cannot be read as empty, instead of stopping there.",
        advanced="masks",
    )
    link: LinkSettings = LinkSettings()
    precision: PrecisionName = setting(
        "auto",
        "Precision",
        "Numbers the network computes with; auto takes bfloat16 on CUDA cards that "
        "have it and float32 elsewhere. What it remembers is always float32.",
        advanced="speed",
        choices={
            "auto": (
                "Automatic",
                "16 bits on CUDA cards that have them, 32 bits elsewhere.",
            ),
            "float32": ("32 bits (float32)", "The most exact."),
            "bfloat16": (
                "16 bits (bfloat16)",
                "Faster and with less memory on most devices, a little less exact.",
            ),
        },
    )
    tile: Tile = setting(
        "auto",
        "Tile size",
        "Side in px of the tiles that larger frames are computed in, as the network "
        "sees them, halo included; auto computes frames of up to 8 megapixels whole, "
        "larger ones in tiles of 2048. Smaller tiles need less memory.",
        advanced="speed",
        choices={
            "auto": (
                "Automatic",
                "Frames of up to 8 megapixels whole, larger ones in tiles of 2048 px.",
            ),
            **{
                side: (
                    f"{side} x {side} px",
                    "Larger frames are computed in tiles of this size.",
                )
                for side in get_args(Tile)[1:]
            },
        },
    )

    @model_validator(mode="before")
    @classmethod
    def _without_retired(cls, given: Any) -> Any:
        """Read settings that earlier releases stored."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if name not in RETIRED}

    @property
    def engine_info(self) -> EngineInfo[Settings]:
        """What is known of the chosen engine."""
        return ENGINES[self.engine]

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


# What is decided after the network has seen a frame; all else changes what it says.
AFTER_NETWORK = frozenset(
    {"engine", "link", *(engine.part for engine in ENGINES.values())}
)
