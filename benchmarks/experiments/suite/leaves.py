"""Overlapping leaves of rosettes: the same five ways, by SBD and |DiC|."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from napari_semiconv.settings import RegionHeadSettings
from napari_semiconv.tracking.measures.instances import InstanceTally
from napari_semiconv.tracking.measures.matching import measure_overlaps

from ...report import Row
from ..finding import Finding, Scale
from ..panels import COLOURS, show_pictures
from ..pictures import Picture, leaves
from ..stills import METHODS, Labels, Method, Plan, test_pictures
from ..trials import Trial, compare, gap_between_votes, spread, told

SMALL = Plan(
    leaves,
    side=80,
    steps=400,
    batch=4,
    rate=8e-3,
    pictures=400,
    held_out=48,
    radius=40.0,
    quick=True,
    sample=1500,
    region=RegionHeadSettings(crop=24),
)
FULL = Plan(
    leaves,
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
    region=RegionHeadSettings(crop=28),
)
# Bars would end a cell of the table.
COLUMNS = {"SBD": "SBD", "abs DiC (leaves)": "|DiC|"}


def run(scale: Scale) -> Finding:
    """Train five ways on simulated rosettes and score them on held-out pictures."""
    plan, count = (FULL, 3) if scale.full else (SMALL, 3)
    seeds = range(scale.seed, scale.seed + count)
    trials = compare(plan, seeds, scale.device, score, "SBD", scale.kept)
    return Finding(
        [_row(trials, method) for method in METHODS],
        told(plan, trials),
        lambda: draw(test_pictures(plan), trials),
    )


def score(tests: Sequence[Picture], found: Sequence[Labels]) -> Mapping[str, float]:
    """Symmetric best Dice and absolute difference in count, mean over pictures."""
    tally = InstanceTally()
    for picture, labels in zip(tests, found, strict=True):
        tally.add(measure_overlaps(picture.labels, labels))
    return {"SBD": tally.sbd or 0.0, "|DiC|": tally.count_error or 0.0}


def draw(pictures: Sequence[Picture], trials: Sequence[Trial]) -> Figure:
    """Draw three pictures in colours, and both measures with one dot per seed."""
    figure = Figure(figsize=(12, 8.2), layout="constrained")
    panels = show_pictures(figure, pictures, trials, 3)
    for panel, (column, name) in zip(panels, COLUMNS.items(), strict=True):
        for place, method in enumerate(METHODS):
            each = [trial.scores[name] for trial in trials if trial.method == method]
            panel.plot([place] * len(each), each, "o", color=COLOURS[method])
        panel.set_xticks(range(len(METHODS)), METHODS)
        label = column.replace("abs DiC", "|DiC|")
        panel.set_ylabel(f"{label}, one dot per seed")
        panel.set_ylim(bottom=0)
    panels[0].set_ylim(0, 1.03)
    return figure


def _row(trials: Sequence[Trial], method: Method) -> Row:
    row: dict[str, str | float | None] = {"method": method}
    for column, name in COLUMNS.items():
        row[column], row[f"± {column}"] = spread(trials, method, name)
    row["votes apart (px)"] = gap_between_votes(trials, method)
    return row
