"""Memory none, GRU and LSTM where single noisy frames are ambiguous: SEG, TRA, F1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.hourglass import Conv
from napari_semiconv.network.model_folder import ModelInfo
from napari_semiconv.network.weights import Model
from napari_semiconv.settings import (
    NETWORK_PRESETS,
    MemoryKind,
    NetworkSettings,
    SegmentSettings,
)
from napari_semiconv.training.clips import Clips
from napari_semiconv.training.objective import clip_losses
from napari_semiconv.training.settings import TrainSettings
from napari_semiconv.training.truth import Recording

from ..finding import Finding, Scale
from ..noisy import REAL, Noise, Trail, movies_for

LARGEST_GRADIENT = 2.0
WARM_UP = 30  # steps
MEASURES = {"SEG": "SEG", "TRA": "TRA", "division_f1": "division F1"}
COLOURS = ("#999999", "#0072b2", "#e69f00", "#009e73")


class SidePath(nn.Module):
    """Two convolutions with as many weights as a ConvGRU, and no memory.

    Parameters
    ----------
    channels
        Feature channels of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            Conv(channels, 3 * channels), Conv(3 * channels, channels)
        )

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Convolve the features, (B, C, Y, X); the state stays empty."""
        return self.convs(x), x.new_zeros(0)


@dataclass(frozen=True)
class Way:
    """What stands on the skip paths.

    Parameters
    ----------
    name
        For the table.
    memory
        Of the network's settings.
    wide
        Whether a path without memory gets as many weights as a GRU.
    """

    name: str
    memory: MemoryKind
    wide: bool = False


WAYS = (
    Way("none", "none"),
    Way("none, size of GRU", "none", wide=True),
    Way("GRU", "gru"),
    Way("LSTM", "lstm"),
)


@dataclass(frozen=True)
class Plan:
    """How large the experiment is.

    Parameters
    ----------
    steps, frames, crop, rate
        Training steps; frames, height and width (px) of a clip; highest learning rate.
    channels
        Feature channels of each level.
    noise
        The movies.
    """

    steps: int = 400
    frames: int = 5
    crop: int = 48
    rate: float = 3e-3
    channels: tuple[int, ...] = (16, 16, 16)
    noise: Noise = field(default_factory=Noise)

    def training(self, seed: int) -> TrainSettings:
        """Say how to train with a seed; real and simulated movies equally often."""
        return TrainSettings(
            steps=self.steps,
            frames=self.frames,
            crop=self.crop,
            cell_size=self.noise.cell,
            learning_rate=self.rate,
            simulated=1 / (1 + len(REAL)),
            seed=seed,
        )


SMALL = Plan()
FULL = Plan(
    steps=8000,
    frames=8,
    crop=128,
    rate=1.5e-3,
    channels=(32, 48, 64, 64),
    noise=Noise(cell=24.0, side=256, frames=24, movies=24),
)


@dataclass(frozen=True)
class Trial:
    """One way with one seed on one movie.

    Parameters
    ----------
    way, movie
        Their names.
    parameters
        Weights of the network.
    scores
        Measures by column of the table, None where the truth leaves one undefined; and
        the number of true divisions.
    """

    way: str
    movie: str
    parameters: int
    scores: Mapping[str, float | None]


def run(scale: Scale) -> Finding:
    """Train four ways with several seeds and score all of them on the same movies."""
    plan, count = (FULL, 5) if scale.full else (SMALL, 3)
    train, tests = movies_for(plan.noise)
    trials = [
        trial
        for seed in range(scale.seed, scale.seed + count)
        for way in WAYS
        for trial in compare(plan, way, seed, scale.device, train, tests)
    ]
    missing = [name for name in REAL if name not in {t.name for t in tests}]
    settings = {
        "steps": plan.steps,
        "frames of a clip": plan.frames,
        "crop (px)": plan.crop,
        "cell size (px)": plan.noise.cell,
        "noise over range": plan.noise.strength,
        "channels": "-".join(map(str, plan.channels)),
        "training seeds": count,
        "movies not there": ", ".join(missing) or "none",
    }
    return Finding(rows_of(trials), settings, lambda: draw(trials, tests))


def compare(
    plan: Plan,
    way: Way,
    seed: int,
    device: str,
    train: Sequence[Recording],
    tests: Sequence[Trail],
) -> list[Trial]:
    """Train one way with one seed and score it on every test movie."""
    network = learn(plan, way, seed, device, train)
    model = model_of(network, plan, device)
    weights = sum(p.numel() for p in network.parameters())
    return [Trial(way.name, test.name, weights, score(model, test)) for test in tests]


def model_of(network: Embedder, plan: Plan, device: str) -> Model:
    """Make a model, that is nowhere on disk, of a trained network."""
    info = ModelInfo("trained", Path(), network.settings, plan.noise.cell, "", "")
    return Model(info, network, torch.device(device))


def build(plan: Plan, way: Way) -> Embedder:
    """Make an untrained network with a memory, or none, on every level."""
    settings: NetworkSettings = NETWORK_PRESETS["tiny"].model_copy(
        update={"channels": plan.channels, "memory": way.memory}
    )
    network = Embedder(settings)
    if way.wide:
        for hourglass in network.stacks:
            hourglass.across = nn.ModuleList(SidePath(c) for c in plan.channels)
    return network


def learn(
    plan: Plan, way: Way, seed: int, device: str, train: Sequence[Recording]
) -> Embedder:
    """Train a network; the same seed shows every way the same clips."""
    settings = plan.training(seed)
    torch.manual_seed(seed)
    network = build(plan, way).to(device).train()
    clips = Clips(train, settings, network.settings.image_channels)
    optimiser = torch.optim.AdamW(
        network.parameters(), plan.rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(
            (step + 1) / WARM_UP, 1, (1 - step / plan.steps) / settings.cool_down
        ),
    )
    for step in range(plan.steps):
        losses = clip_losses(network, clips.draw(step), settings, torch.device(device))
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
    return network.eval()


def score(model: Model, test: Trail) -> dict[str, float | None]:
    """Segment and track a noisy movie and compare its scored frames with the truth."""
    settings = SegmentSettings(cell_size=model.info.cell_size)
    found = test.score(segment_and_track(test.movie, model, settings))
    scores = {column: found.as_dict()[name] for name, column in MEASURES.items()}
    if not found.divisions:
        scores["division F1"] = None  # no division that could be found
    return scores | {"divisions": found.divisions}


def rows_of(trials: Sequence[Trial]) -> list[dict[str, str | float | None]]:
    """Mean and standard deviation over the seeds, a row per movie and way."""
    rows: list[dict[str, str | float | None]] = []
    for key in dict.fromkeys((t.movie, t.way) for t in sorted(trials, key=_order)):
        own = [t for t in trials if (t.movie, t.way) == key]
        row: dict[str, str | float | None] = {
            "movie": key[0], "memory": key[1], "weights": own[0].parameters,
        }  # fmt: skip
        for column in MEASURES.values():
            known = [v for t in own if (v := t.scores[column]) is not None]
            row[column] = float(np.mean(known)) if known else None
            row[f"± {column}"] = float(np.std(known)) if known else None
        row["true divisions"] = own[0].scores["divisions"]
        rows.append(row)
    return rows


def _order(trial: Trial) -> int:
    return ("simulated", *REAL).index(trial.movie)


def draw(trials: Sequence[Trial], tests: Sequence[Trail]) -> Figure:
    """Draw a frame of each movie, and each measure with one dot per seed."""
    figure = Figure(figsize=(11, 3 * len(tests)), layout="constrained")
    panels = figure.subplots(len(tests), 1 + len(MEASURES), squeeze=False)
    for line, test in zip(panels, tests, strict=True):
        own = [trial for trial in trials if trial.movie == test.name]
        line[0].imshow(test.images[-1], cmap="gray")
        line[0].set_title(test.name, fontsize=10)
        line[0].set_axis_off()
        for panel, column in zip(line[1:], MEASURES.values(), strict=True):
            for place, way in enumerate(WAYS):
                each = [
                    v
                    for t in own
                    if t.way == way.name and (v := t.scores[column]) is not None
                ]
                panel.plot([place] * len(each), each, "o", color=COLOURS[place])
            names = [way.name.replace(", ", ",\n") for way in WAYS]
            panel.set_xticks(range(len(WAYS)), names, fontsize=8)
            panel.set(ylabel=column, ylim=(-0.03, 1.03), xlim=(-0.5, len(WAYS) - 0.5))
    return figure
