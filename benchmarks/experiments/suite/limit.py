"""The limit of pooling: how many identical objects l poolings can tell apart."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from napari_semiconv.network.losses import Cells

from ..finding import Finding, Scale
from ..pooled import (
    MARGIN,
    Pooled,
    Scene,
    centres,
    codes_of,
    count_apart,
    learn,
    objects_on_grid,
)

FACTOR = 2
# Odd, so that the objects lie at all phases of every pooling.
SPACING = 9
RADIUS = 3
# Codes of objects that differ by less than this share of their spread are the same.
SAME = 1e-5
COLOURS = {1: "#0072b2", 2: "#e69f00"}


@dataclass(frozen=True)
class Plan:
    """How large the experiment is.

    Parameters
    ----------
    poolings
        Numbers of poolings to try, by dimensions.
    objects
        Objects along each axis.
    steps
        Training steps.
    width
        Feature channels.
    """

    poolings: dict[int, Sequence[int]]
    objects: int = 16
    steps: int = 250
    width: int = 16


SMALL = Plan({1: (0, 1, 2, 3), 2: (0, 1, 2, 3)})
FULL = Plan({1: (0, 1, 2, 3), 2: (0, 1, 2, 3)}, steps=4000, width=64)


@dataclass(frozen=True)
class Trial:
    """One network with one seed.

    Parameters
    ----------
    dimensions, poolings
        Of the network.
    distinct
        Different embeddings of objects before training.
    trained
        Objects whose mean embeddings training drew apart by half the margin.
    """

    dimensions: int
    poolings: int
    distinct: int
    trained: int

    @property
    def bound(self) -> int:
        """Objects that cannot be exceeded, f^(d l) (Rumberger et al. 2021)."""
        return int(FACTOR ** (self.dimensions * self.poolings))


def run(scale: Scale) -> Finding:
    """Count the objects that networks with more and more poolings tell apart."""
    plan, count = (FULL, 3) if scale.full else (SMALL, 2)
    trials = [
        count_objects(plan, dimensions, poolings, seed, scale.device)
        for dimensions, several in plan.poolings.items()
        for poolings in several
        for seed in range(scale.seed, scale.seed + count)
    ]
    settings = {
        "factor of a pooling": FACTOR,
        "objects along each axis": plan.objects,
        "spacing (px)": SPACING,
        "radius (px)": RADIUS,
        "steps": plan.steps,
        "channels": plan.width,
        "embedding size": 8,
        "training seeds": count,
    }
    return Finding(rows_of(trials), settings, lambda: draw(trials))


def count_objects(
    plan: Plan, dimensions: int, poolings: int, seed: int, device: str = "cpu"
) -> Trial:
    """Count what one network tells apart by chance, and after training."""
    torch.manual_seed(seed)
    network = Pooled(poolings, dimensions, width=plan.width).to(device)
    rows = plan.objects if dimensions == 2 else 1
    scene = objects_on_grid(rows, plan.objects, SPACING, RADIUS)
    distinct = count_distinct(network, scene)
    cells = learn(network, scene, plan.steps, places=False)
    with torch.no_grad():
        middle = centres(codes_of(network, scene, cells, places=False), cells)
    return Trial(dimensions, poolings, distinct, count_apart(middle, MARGIN / 2))


@torch.no_grad()
def count_distinct(network: Pooled, scene: Scene) -> int:
    """Count objects that differ at all, pixel by pixel, in double precision."""
    exact = copy.deepcopy(network).cpu().double()
    cells = Cells.of(scene.labels)
    codes = codes_of(exact, scene, cells, places=False).numpy()
    order = np.argsort(cells.cell.numpy(), kind="stable")
    whole = codes[order].reshape(cells.count, -1)  # all pixels of an object in a row
    return count_apart(whole, SAME * float(np.linalg.norm(whole, axis=1).mean()))


def rows_of(trials: Sequence[Trial]) -> list[dict[str, str | float]]:
    """Range of the counts over the seeds, a row per network."""
    rows: list[dict[str, str | float]] = []
    for key in dict.fromkeys((t.dimensions, t.poolings) for t in trials):
        own = [t for t in trials if (t.dimensions, t.poolings) == key]
        rows.append(
            {
                "d": key[0],
                "l": key[1],
                "bound f^(d·l)": own[0].bound,
                "different before training": _range([t.distinct for t in own]),
                "apart after training": _range([t.trained for t in own]),
            }
        )
    return rows


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def draw(trials: Sequence[Trial]) -> Figure:
    """Draw counts against the bound, by poolings and dimensions."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    panel = figure.subplots()
    for dimensions, colour in COLOURS.items():
        own = [trial for trial in trials if trial.dimensions == dimensions]
        levels = [trial.poolings for trial in own]
        known = f"d = {dimensions}: "
        panel.plot(levels, [t.bound for t in own], color=colour, label=known + "bound")
        panel.plot(
            levels, [t.distinct for t in own], "o", color=colour, markersize=11,
            fillstyle="none", label=known + "different before training",
        )  # fmt: skip
        panel.plot(
            levels, [t.trained for t in own], "x", color=colour, markersize=7,
            label=known + "apart after training",
        )  # fmt: skip
    panel.set_yscale("log", base=2)
    panel.set(xlabel="poolings l", ylabel="identical objects told apart")
    panel.set_xticks(sorted({trial.poolings for trial in trials}))
    panel.legend(frameon=False, fontsize=8)
    return figure
