"""Crossing thin worms: cosine, semi-convolutional, joint and region, by AP."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from napari_semiconv.settings import RegionHeadSettings
from napari_semiconv.tracking.measures.instances import InstanceTally
from napari_semiconv.tracking.measures.matching import measure_overlaps

from ...report import Row
from ..finding import Finding, Scale
from ..panels import COLOURS, show_pictures
from ..pictures import Picture, worms
from ..stills import METHODS, Labels, Method, Plan, test_pictures
from ..trials import Trial, compare, gap_between_votes, spread, told

THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
SMALL = Plan(
    worms,
    side=80,
    steps=700,
    batch=4,
    rate=8e-3,
    pictures=600,
    held_out=48,
    radius=40.0,
    quick=True,
    sample=1500,
    region=RegionHeadSettings(crop=28),
)
FULL = Plan(
    worms,
    side=128,
    steps=4000,
    batch=16,
    rate=4e-3,
    pictures=4000,
    tuning=24,
    held_out=200,
    channels=(32, 48, 64, 96, 128),
    radius=64.0,
    margin=32.0,
    quick=True,
)


def run(scale: Scale) -> Finding:
    """Train five ways on simulated worms and score them on held-out pictures."""
    plan, count = (FULL, 3) if scale.full else (SMALL, 3)
    seeds = range(scale.seed, scale.seed + count)
    trials = compare(plan, seeds, scale.device, score, "mean", scale.kept)
    return Finding(
        [_row(trials, method) for method in METHODS],
        told(plan, trials),
        lambda: draw(test_pictures(plan), trials),
    )


def score(tests: Sequence[Picture], found: Sequence[Labels]) -> Mapping[str, float]:
    """AP at each threshold and their mean."""
    tally = InstanceTally(THRESHOLDS)
    for picture, labels in zip(tests, found, strict=True):
        tally.add(measure_overlaps(picture.labels, labels))
    values = {f"{threshold}": tally.ap(threshold) or 0.0 for threshold in THRESHOLDS}
    return {**values, "mean": sum(values.values()) / len(values)}


def draw(pictures: Sequence[Picture], trials: Sequence[Trial]) -> Figure:
    """Draw three pictures in colours, AP by threshold, and its mean by seed."""
    figure = Figure(figsize=(12, 8.2), layout="constrained")
    curves, means = show_pictures(figure, pictures, trials, 3)
    for place, method in enumerate(METHODS):
        values = [spread(trials, method, f"{threshold}") for threshold in THRESHOLDS]
        low, high = ([m + sign * s for m, s in values] for sign in (-1, 1))
        colour = COLOURS[method]
        curves.plot(THRESHOLDS, [m for m, _ in values], color=colour, label=method)
        curves.fill_between(THRESHOLDS, low, high, color=colour, alpha=0.2)
        each = [trial.scores["mean"] for trial in trials if trial.method == method]
        means.plot([place] * len(each), each, "o", color=colour)
    curves.set(xlabel="IoU from which a worm is found", ylabel="AP")
    curves.set_ylim(bottom=0)
    curves.legend(frameon=False)
    means.set_xticks(range(len(METHODS)), METHODS)
    means.set(ylabel="mean AP, one dot per seed")
    means.set_ylim(bottom=0)
    return figure


def _row(trials: Sequence[Trial], method: Method) -> Row:
    row: dict[str, str | float | None] = {"method": method}
    for threshold in THRESHOLDS:
        row[f"AP {threshold}"], _ = spread(trials, method, f"{threshold}")
    row["mean AP"], row["± mean AP"] = spread(trials, method, "mean")
    row["votes apart (px)"] = gap_between_votes(trials, method)
    return row
