"""Shape of the networks."""

from typing import Literal, Self

from pydantic import field_validator, model_validator

from .base import Settings, setting
from .region import RegionHeadSettings

MemoryKind = Literal["gru", "lstm", "none"]
Layout = Literal["miccai", "mia"]
Operator = Literal["additive", "learned"]
Bandwidth = Literal["shared", "cell"]
KernelName = Literal["laplacian", "gaussian", "bilateral"]

# Larger networks would need gigabytes before a frame is seen; the published ones have
# seven levels of 64 channels.
MOST_LEVELS, MOST_CHANNELS = 10, 1024


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
    image_channels: int = setting(
        1, "Image channels", "Channels of a frame.", ge=1, le=16
    )
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
        0, "Memory from level", "Finest level that has a memory.", ge=0, le=10
    )
    state_limit: float | None = setting(
        None,
        "State limit",
        "Bound of the memory's candidate; none as published, where a state can grow "
        "without end over long movies.",
        gt=0,
        le=10_000,
    )
    embedding_size: int = setting(
        16, "Embedding size", "Channels of the cosine embedding.", ge=1, le=256
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
        le=10_000,
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
    kernel: KernelName = setting(
        "laplacian",
        "Kernel",
        "How a cell fades with the distance d of votes from its centre: exp(-d / s), "
        "exp(-d^2 / 2 s^2), or the latter times the same of the cosine embedding "
        "(steered bilateral). Widths are learned.",
    )

    further_heads: tuple[str, ...] = setting(
        (),
        "Further heads",
        "Names of heads beside these, each a file of its own in the source.",
        max_length=16,
    )

    region: RegionHeadSettings | None = setting(
        None,
        "Region version",
        "Heads for boxes, masks and instance embedding, as below.",
    )

    @field_validator("channels")
    @classmethod
    def _has_levels(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not 1 <= len(value) <= MOST_LEVELS or not all(
            1 <= n <= MOST_CHANNELS for n in value
        ):
            raise ValueError(
                f"expected 1 to {MOST_LEVELS} levels, each with 1 to {MOST_CHANNELS} "
                f"channels"
            )
        return value

    @model_validator(mode="after")
    def _has_each_head_once(self) -> Self:
        if len(set(self.pixel_heads)) < len(self.pixel_heads):
            raise ValueError(f"expected each head once, found {self.pixel_heads}")
        return self

    @property
    def stride(self) -> int:
        """Frame height and width must be multiples of this, in px."""
        return int(2 ** (len(self.channels) - 1))

    @property
    def pixel_heads(self) -> tuple[str, ...]:
        """Names of the pixel heads, in the order of their channels."""
        own = ("offset", "motion", "seed", "foreground") if self.offsets else ()
        width = ("bandwidth",) if self.offsets and self.bandwidth == "cell" else ()
        return (*own, *width, *self.further_heads)

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of all heads, those of the region version together as ``region``."""
        region = () if self.region is None else ("region",)
        return (*self.pixel_heads, *region)


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
    "region": NetworkSettings(
        image_channels=2,
        stacks=1,
        channels=(16, 32, 64, 96, 96),
        convolutions=2,
        normalise=True,
        memory_from=1,
        state_limit=20.0,
        embedding_size=8,
        further_heads=("foreground", "motion"),
        region=RegionHeadSettings(),
    ),
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
