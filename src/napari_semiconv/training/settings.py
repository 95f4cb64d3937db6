"""Settings of training."""

from typing import Any, Literal

from pydantic import model_validator

from ..settings import (
    Bandwidth,
    DeviceName,
    KernelName,
    MemoryKind,
    NetworkSettings,
    Operator,
    Settings,
    setting,
)
from .published import PUBLISHED

Centre = Literal["mean", "centroid", "medoid"]
Optimiser = Literal["adamw", "adam", "nadam"]
Precision = Literal["auto", "float32", "bfloat16"]
# Settings of the network that a training may change.
OF_NETWORK = ("operator", "bandwidth", "kernel", "embedding_size", "memory")


def of_network(name: str, **rule: Any) -> Any:
    """Declare a setting of the network that a training may change; None leaves it."""
    field = NetworkSettings.model_fields[name]
    return setting(
        None,
        str(field.title),
        str(field.description),
        empty="that of the preset",
        **rule,
    )


class TrainSettings(Settings):
    """All that decides how a model is trained.

    With a preset that is a published network, the usual values are those that it was
    published with.
    """

    preset: str = setting(
        "compact",
        "Preset",
        "Shape of the network; with payer2018 and payer2019 the rest is as published "
        "too, as far as it is not chosen.",
    )
    start: str = setting(
        "",
        "Start from",
        "Model, by name or folder, whose network and weights the training begins with; "
        "empty for a new one.",
    )
    steps: int = setting(6_000, "Steps", "Batches to learn from.", "steps", ge=1)
    batch: int = setting(4, "Batch", "Clips that a step learns from.", "clips", ge=1)
    frames: int = setting(3, "Clip length", "Frames of a clip.", "frames", ge=1)
    crop: int = setting(128, "Crop", "Height and width of a clip.", "px", ge=16)
    cell_size: float = setting(
        24.0, "Cell size", "Diameter to which usual cells are rescaled.", "px", gt=4
    )
    optimiser: Optimiser = setting(
        "adamw",
        "Optimiser",
        "AdamW; or Adam or Nadam, as published, whose decay is a loss on the kernels.",
    )
    learning_rate: float = setting(1.5e-3, "Learning rate", "Highest rate.", gt=0)
    weight_decay: float = setting(
        1e-4, "Weight decay", "How strongly weights are drawn to zero.", ge=0
    )
    schedule: Literal["falling", "step"] = setting(
        "falling",
        "Schedule",
        "The rate falls to zero in the end, or to a tenth after half of the steps, as "
        "published.",
    )
    warm_up: int = setting(
        200, "Warm-up", "Steps until the highest rate.", "steps", ge=0
    )
    cool_down: float = setting(
        0.6,
        "Cool-down",
        "Share of the steps over which a falling rate falls.",
        gt=0,
        le=1,
    )
    neighbour_radius: float = setting(
        3.0, "Neighbour radius", "Cells within it must differ.", "cells", gt=0
    )
    pull: Literal["cos", "cos2"] = setting(
        "cos", "Pull term", "1 - cos (2018) or 1 - cos squared (2019)."
    )
    background: Literal["mean", "fixed"] = setting(
        "fixed",
        "Background",
        "Direction of the background's embeddings: their own mean (2018) or the first "
        "axis (2019).",
    )
    neighbour_rule: Literal["2018", "2019"] = setting(
        "2018",
        "Neighbour rule",
        "A circle around the cell in all frames (2018), or its dilated mask and a "
        "circle in the frames it lives in and those beside them (2019).",
    )
    neighbour_dilation: int = setting(
        5, "Neighbour dilation", "Dilation of the mask in the 2019 rule.", "px", ge=0
    )
    most_cells: int = setting(
        0,
        "Most cells",
        "Cells of a clip, drawn by chance, that the embedding loss is taken of; the "
        "others stay neighbours. 0 takes all.",
        "cells",
        ge=0,
    )
    cell_loss: Literal["attraction", "lovasz"] = setting(
        "attraction",
        "Cell loss",
        "What votes are trained by: attraction to their centre, or the Lovasz hinge of "
        "the kernel around it against the mask (Neven et al. 2019).",
    )
    centre: Centre = setting(
        "mean",
        "Centre",
        "What the votes of a cell are drawn to: their mean, wherever it lies, or the "
        "centroid or the medoid of the cell.",
    )
    repulsion: float = setting(
        0.0,
        "Repulsion",
        "Weight of the loss that drives centres of neighbours apart; 0 is none.",
        ge=0,
    )
    repulsion_margin: float = setting(
        0.5,
        "Repulsion margin",
        "Centres of neighbours farther apart than this are left alone.",
        "cells",
        gt=0,
    )
    operator: Operator | None = of_network("operator")
    bandwidth: Bandwidth | None = of_network("bandwidth")
    kernel: KernelName | None = of_network("kernel")
    embedding_size: int | None = of_network("embedding_size", ge=2)
    memory: MemoryKind | None = of_network("memory")
    blur: float = setting(
        1.5, "Blur", "Strongest blur of three clips in ten.", "px", ge=0
    )
    elastic: float = setting(
        3.0,
        "Elastic",
        "Elastic deformation: standard deviation of the shift of each node of a grid, "
        "in recordings, which are kept 1.33 times finer than clips.",
        "px",
        ge=0,
    )
    elastic_nodes: int = setting(
        5, "Elastic nodes", "Nodes along each side of that grid.", "nodes", ge=4
    )
    elastic_share: float = setting(
        0.4, "Elastic share", "Share of the clips that are deformed.", ge=0, le=1
    )
    simulated: float = setting(
        0.2, "Simulated share", "Share of the clips that are simulated.", ge=0, le=1
    )
    anywhere: float = setting(
        0.05,
        "Anywhere",
        "Share of the clips that are cut anywhere, whether there is a cell or none.",
        ge=0,
        le=1,
    )
    held_out: float = setting(
        0.2,
        "Held out",
        "Share of the last frames of each movie, and of stills, never trained on.",
        ge=0,
        lt=1,
    )
    save_every: int = setting(
        500, "Save every", "Steps between checkpoints.", "steps", ge=1
    )
    average: float = setting(
        0.998,
        "Weight average",
        "Decay of the averaged weights that become the model.",
        ge=0,
        lt=1,
    )
    seed: int = setting(0, "Seed", "Seed of every random choice.", ge=0)
    device: DeviceName = setting("auto", "Device", "Where the network is trained.")
    precision: Precision = setting(
        "auto",
        "Precision",
        "Of the network's arithmetic: bfloat16 where the processor or card multiplies "
        "it, else float32. Losses and scores are always worked out in float32.",
    )
    workers: int = setting(
        1,
        "Workers",
        "Processes that draw clips while the network learns; clips are the same for "
        "any number. 0 draws them in between.",
        "processes",
        ge=0,
    )

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {**PUBLISHED.get(str(given.get("preset")), {}), **given}
