"""Identical dots on a grid: convolutional against semi-convolutional, by k-means."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from napari_semiconv.network.losses import Cells

from ..finding import Finding, Scale
from ..panels import TINTS
from ..pooled import Padding, Pooled, Scene, centres, codes_of, learn, objects_on_grid

POOLINGS = 2
EMBEDDINGS = ("conv", "semi-conv", "places alone")
COLOURS = ("#0072b2", "#e69f00", "#999999")


@dataclass(frozen=True)
class Place:
    """Where the dots lie and what the network can know of the border.

    Parameters
    ----------
    name
        What is asked there.
    spacing
        Distance of neighbouring dots, px.
    padding
        Of the network's convolutions.
    """

    name: str
    spacing: int
    padding: Padding


PLACES = (
    Place("equal phases, no border", 16, "circular"),
    Place("unequal phases, no border", 17, "circular"),
    Place("equal phases, border of zeros", 16, "zeros"),
)


@dataclass(frozen=True)
class Plan:
    """How large the experiment is.

    Parameters
    ----------
    side
        Dots along each side of the grid; the test has half as many again.
    radius
        Of a dot, px.
    steps
        Training steps.
    width
        Feature channels.
    """

    side: int = 8
    radius: int = 4
    steps: int = 250
    width: int = 16


SMALL = Plan()
FULL = Plan(steps=2000, width=64)


@dataclass(frozen=True)
class Verdict:
    """How well the dots of a scene were told apart.

    Parameters
    ----------
    rand
        Adjusted Rand index of the clusters.
    gap
        Least distance of two dots' mean embeddings over the mean distance of a pixel
        to its own.
    found
        Cluster of each pixel, (Y, X), 0 is background.
    """

    rand: float
    gap: float
    found: NDArray[np.int64]


@dataclass(frozen=True)
class Trial:
    """One embedding, at one place, with one seed.

    Parameters
    ----------
    place, embedding
        What was tried.
    known
        Adjusted Rand index on the grid that was learned from.
    new
        What came of the larger grid.
    """

    place: Place
    embedding: str
    known: float
    new: Verdict


def run(scale: Scale) -> Finding:
    """Train both on a grid of dots and cluster a larger grid with the true number."""
    plan, count = (FULL, 5) if scale.full else (SMALL, 3)
    trials = [
        compare(plan, place, embedding, seed, scale.device)
        for place in PLACES
        for embedding in EMBEDDINGS
        for seed in range(scale.seed, scale.seed + count)
    ]
    settings = {
        "dots learned from": plan.side**2,
        "dots of the test": _larger(plan.side) ** 2,
        "radius (px)": plan.radius,
        "poolings": POOLINGS,
        "steps": plan.steps,
        "channels": plan.width,
        "embedding size": 8,
        "training seeds": count,
    }
    return Finding(rows_of(trials), settings, lambda: draw(trials))


def compare(
    plan: Plan, place: Place, embedding: str, seed: int, device: str = "cpu"
) -> Trial:
    """Train one embedding and take the larger grid apart by it."""
    torch.manual_seed(seed)
    network = Pooled(POOLINGS, padding=place.padding, width=plan.width).to(device)
    known, new = (
        objects_on_grid(side, side, place.spacing, plan.radius)
        for side in (plan.side, _larger(plan.side))
    )
    places = embedding != "conv"
    if embedding == "places alone":
        torch.nn.init.zeros_(network.out.weight)
        torch.nn.init.zeros_(network.out.bias)  # type: ignore[arg-type]
    else:
        learn(network, known, plan.steps, places=places)
    before = judge(network, known, seed, places=places)
    after = judge(network, new, seed, places=places)
    return Trial(place, embedding, before.rand, after)


def _larger(side: int) -> int:
    return side + side // 2


@torch.no_grad()
def judge(network: Pooled, scene: Scene, seed: int, *, places: bool) -> Verdict:
    """Cluster the pixels of a scene and compare with its dots."""
    cells = Cells.of(scene.labels.to(next(network.parameters()).device))
    codes = codes_of(network, scene, cells, places=places)
    truth = cells.cell.cpu().numpy()
    points = codes.cpu().double().numpy()
    clusters = k_means(points, cells.count, seed)
    middle = centres(codes, cells)
    within = np.linalg.norm(points - middle[truth], axis=1).mean()
    found = np.zeros(scene.labels.numel(), np.int64)
    found[cells.pixel.cpu().numpy()] = clusters + 1
    return Verdict(
        float(adjusted_rand_score(truth, clusters)),
        float(pdist(middle).min() / max(within, 1e-9)),
        found.reshape(scene.labels.shape[1:]),
    )


def k_means(points: NDArray[np.float64], count: int, seed: int) -> NDArray[np.int64]:
    """Cluster points, (P, D), into a known number, the best of four starts, (P,)."""
    with warnings.catch_warnings():
        # Equal embeddings of equal dots are fewer than dots: that is what is asked.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(count, n_init=4, random_state=seed).fit_predict(points)
    return np.asarray(found, np.int64)


def rows_of(trials: Sequence[Trial]) -> list[dict[str, str | float]]:
    """Mean and standard deviation over the seeds, a row per place and embedding."""
    rows: list[dict[str, str | float]] = []
    for place in PLACES:
        for embedding in EMBEDDINGS:
            own = [t for t in trials if (t.place, t.embedding) == (place, embedding)]
            rand = [trial.new.rand for trial in own]
            rows.append(
                {
                    "dots": place.name,
                    "embedding": embedding,
                    "learned grid": float(np.mean([t.known for t in own])),
                    "new grid": float(np.mean(rand)),
                    "± new grid": float(np.std(rand)),
                    "gap over spread": float(np.mean([t.new.gap for t in own])),
                }
            )
    return rows


def draw(trials: Sequence[Trial]) -> Figure:
    """Draw the clusters of each embedding where phases are equal, and all indices."""
    figure = Figure(figsize=(10, 6.6), layout="constrained")
    grid = figure.add_gridspec(2, 3, height_ratios=[1.2, 1])
    wide = figure.add_subplot(grid[1, :])
    for column, embedding in enumerate(EMBEDDINGS):
        own = [trial for trial in trials if trial.embedding == embedding]
        panel = figure.add_subplot(grid[0, column])
        panel.set_axis_off()
        panel.set_title(f"{embedding}, {own[0].place.name}", fontsize=10)
        panel.imshow(_tinted(own[0].new.found), interpolation="nearest")
        for number, place in enumerate(PLACES):
            each = [trial.new.rand for trial in own if trial.place == place]
            label = embedding if number == 0 else None
            at = [number + 0.15 * (column - 1)] * len(each)
            wide.plot(at, each, "o", color=COLOURS[column], label=label)
    wide.set_xticks(range(len(PLACES)), [place.name for place in PLACES])
    wide.set(ylabel="adjusted Rand index, one dot per seed", ylim=(-0.05, 1.05))
    wide.legend(frameon=False, loc="center right")
    return figure


def _tinted(found: NDArray[np.int64]) -> NDArray[np.uint8]:
    # Clusters are more than colours; neighbours in number lie anywhere.
    colour = np.where(found > 0, (found - 1) % (len(TINTS) - 1) + 1, 0)
    return TINTS[colour]
