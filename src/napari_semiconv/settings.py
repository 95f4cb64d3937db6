"""Settings as values: one frozen class per stage.

They are the form on screen, the command-line options, the record kept with a result
and the page in the documentation.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

MemoryKind = Literal["gru", "lstm", "none"]
Layout = Literal["miccai", "mia"]
EngineName = Literal["votes", "hdbscan", "payer2018", "payer2019"]
Position = Literal["pixel", "vote"]
# By cell size, or height and width that the published networks saw.
Resize = Literal["cells", "256x256", "384x512", "512x512", "576x720", "700x1100"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
Proposals = Literal["boxes", "seeds"]
Operator = Literal["additive", "learned"]
Bandwidth = Literal["shared", "cell"]


def setting(
    default: Any, title: str, description: str, unit: str = "", **rule: Any
) -> Any:
    """Declare one setting with its name, meaning and unit for the user."""
    extra: dict[str, Any] | None = {"unit": unit} if unit else None
    return Field(
        default, title=title, description=description, json_schema_extra=extra, **rule
    )


class Settings(BaseModel):
    """Base of all settings: immutable, complete and written to disk as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkSettings(Settings):
    """Shape of the recurrent stacked hourglass (Payer et al. 2018, 2019).

    With equal ``channels`` on all levels, one convolution, no normalisation and memory
    on every level this is the published network.
    """

    layout: Layout = setting(
        "miccai",
        "Layout",
        "Placing of the first and last convolutions: as published in 2018 (miccai) or "
        "2019 (mia).",
    )
    image_channels: int = setting(1, "Image channels", "Channels of a frame.", ge=1)
    stacks: int = setting(2, "Stacks", "Hourglasses one after the other.", ge=1, le=4)
    channels: tuple[int, ...] = setting(
        (64,) * 7, "Channels", "Feature channels of each level, finest first."
    )
    convolutions: int = setting(
        1, "Convolutions", "Convolutions per level on the way down.", ge=1, le=4
    )
    normalise: bool = setting(
        False,
        "Normalise",
        "Group normalisation after each convolution (not published).",
    )
    memory: MemoryKind = setting(
        "gru", "Memory", "What carries the past on the skip paths."
    )
    memory_from: int = setting(
        0, "Memory from level", "Finest level that has a memory.", ge=0
    )
    state_limit: float | None = setting(
        None,
        "State limit",
        "Bound of the memory's candidate; none as published, where a state can grow "
        "without end over long movies.",
        gt=0,
    )
    embedding_size: int = setting(
        16, "Embedding size", "Channels of the cosine embedding.", ge=1
    )
    offsets: bool = setting(
        False,
        "Semi-convolutional heads",
        "Adds the offset, motion, seed and foreground heads (Novotny et al. 2018).",
    )
    offset_scale: float = setting(
        16.0,
        "Offset scale",
        "Pixels that one unit of the offset head means.",
        "px",
        gt=0,
    )
    operator: Operator = setting(
        "additive",
        "Operator",
        "How position enters a vote: added, or through a learned function that begins "
        "as the sum and knows where in the frame a pixel lies.",
    )
    bandwidth: Bandwidth = setting(
        "shared",
        "Bandwidth",
        "One kernel width for all, or a map of it with one for each cell.",
    )

    @field_validator("channels")
    @classmethod
    def _has_levels(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 1:
            raise ValueError(
                "expected at least one level, each with one channel or more"
            )
        return value

    @property
    def stride(self) -> int:
        """Frame height and width must be multiples of this, in px."""
        return int(2 ** (len(self.channels) - 1))


NETWORK_PRESETS: dict[str, NetworkSettings] = {
    "compact": NetworkSettings(
        image_channels=2,
        stacks=1,
        channels=(16, 32, 64, 96, 96),
        convolutions=2,
        normalise=True,
        memory_from=1,
        state_limit=20.0,
        embedding_size=8,
        offsets=True,
    ),
    "payer2018": NetworkSettings(),
    "payer2019": NetworkSettings(layout="mia"),
    "tiny": NetworkSettings(
        image_channels=2,
        stacks=1,
        channels=(16, 16, 16),
        normalise=True,
        state_limit=20.0,
        embedding_size=8,
        offsets=True,
    ),
}


class RegionSettings(Settings):
    """The region version: boxes, soft seeds and kernel masks (Novotny et al. 2018)."""

    proposals: Proposals = setting(
        "boxes",
        "Proposals",
        "Where boxes come from: a proposal head (boxes), or the votes around each peak "
        "of the seed map (seeds), which needs the semi-convolutional heads.",
    )
    embedding_size: int = setting(
        8,
        "Embedding size",
        "Channels of the semi-convolutional embedding, two of them geometric.",
        ge=2,
    )
    hidden: int = setting(32, "Hidden channels", "Channels inside each head.", ge=1)
    crop: int = setting(
        28, "Crop", "Side of the grid on which a region is looked at.", "samples", ge=4
    )
    box_scale: float = setting(
        16.0,
        "Box scale",
        "Distance to a box's side that the proposal head begins with.",
        "px",
        gt=0,
    )
    embedding_scale: float = setting(
        16.0,
        "Embedding scale",
        "Pixels that one unit of the embedding head means.",
        "px",
        gt=0,
    )
    sigma: float = setting(
        4.0, "Kernel width", "Width that the kernel begins with.", "px", gt=0
    )
    gradient_scale: float = setting(
        0.1,
        "Gradient scale",
        "Factor on the gradient from the embedding head into the backbone.",
        ge=0,
    )
    least_score: float = setting(
        0.3, "Least score", "Least score of a proposal.", gt=0, lt=1
    )
    most_overlap: float = setting(
        0.6,
        "Most overlap",
        "IoU above which the worse of two proposals is dropped.",
        gt=0,
        le=1,
    )
    candidates: int = setting(
        500, "Candidates", "Best proposals that are compared with one another.", ge=1
    )
    most_regions: int = setting(
        100, "Most regions", "Most regions per frame.", "cells", ge=1
    )
    mask: float = setting(0.5, "Mask", "Least probability of a mask pixel.", gt=0, lt=1)
    least_free: float = setting(
        0.5,
        "Least free",
        "A cell is painted when at least this share of its mask is not taken by cells "
        "of higher score.",
        ge=0,
        le=1,
    )
    smallest: int = setting(
        8, "Smallest cell", "Masks with fewer pixels are dropped.", "px", ge=1
    )


class VotesSettings(Settings):
    """Votes engine: semi-convolutional seeds and kernel (Novotny et al. 2018).

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
        0.5,
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


class HdbscanSettings(Settings):
    """HDBSCAN on embedding and place, frame pairs together (Payer et al. 2018)."""

    foreground: float = setting(
        0.5, "Foreground", "Least foreground probability of a cell pixel.", gt=0, lt=1
    )
    position: Position = setting(
        "pixel",
        "Place",
        "Place of a pixel in its code: its own as published, or where its vote falls, "
        "so that offset and embedding are clustered together.",
    )
    embedding_weight: float = setting(
        1.0, "Embedding weight", "Factor on the unit embedding.", ge=0
    )
    coordinate_weight: float = setting(
        0.05,
        "Coordinate weight",
        "Factor on the place (c of the paper).",
        "1/px",
        ge=0,
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
        "Above this many foreground pixels of a frame pair a regular sample is "
        "clustered and the rest joins the nearest cluster.",
        "px",
        ge=100,
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
        "height x width in px whatever the aspect, as published.",
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

    @property
    def network_shape(self) -> tuple[int, int] | None:
        """Height and width that frames are resized to, px; None goes by cell size."""
        if self.resize == "cells":
            return None
        height, width = map(int, self.resize.split("x"))
        return height, width
