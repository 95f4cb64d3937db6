"""How a movie is segmented and tracked."""

from typing import TYPE_CHECKING, Literal

from pydantic import create_model

from .base import Settings, setting
from .engines import ENGINES, EngineInfo

if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[tuple(ENGINES)]
SolverName = Literal["global", "greedy"]
# By cell size, or height and width that the published networks saw.
Resize = Literal["cells", "256x256", "384x512", "512x512", "576x720", "700x1100"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
PrecisionName = Literal["auto", "float32", "bfloat16"]
# Side of the tiles, px.
Tile = Literal["auto", "256", "512", "1024", "2048", "4096"]
LookAhead = Literal["auto", "on", "off"]


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
        "How what the network says becomes cells.",
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
