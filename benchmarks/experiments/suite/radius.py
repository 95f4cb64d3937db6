"""Neighbour radius and embedding size: which crowded cells are told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from ...report import Row
from ..crowds import DIAMETER, Seen, crowd, crowded, look, means, measure
from ..finding import Finding, Scale
from ..panels import tint
from ..stills import Plan, test_pictures, train

ALL = 100.0  # cell diameters: wider than any picture
RADII = (1.0, 2.0, 4.0, ALL)  # cell diameters
SIZES = (4, 8, 16, 32)
USUAL_RADIUS, USUAL_SIZE = 2.0, 8
SMALL = Plan(
    crowd,
    side=64,
    steps=500,
    batch=2,
    pictures=150,
    held_out=8,
    channels=(16, 24, 32, 48),
    smallest=25,
)
FULL = Plan(
    crowd,
    side=128,
    steps=4000,
    batch=16,
    rate=2e-3,
    pictures=2000,
    held_out=30,
    channels=(32, 48, 64, 96, 128),
    smallest=25,
    sample=10_000,
)
# Of the plan, but of no use here.
OTHER_METHODS = (
    "highest rate",
    "tuning pictures",
    "neighbour radius (px)",
    "vote margin (px)",
    "region grid",
)
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")


@dataclass(frozen=True)
class Setup:
    """What is varied.

    Parameters
    ----------
    radius
        Neighbour radius, cell diameters.
    size
        Channels of the embedding.
    """

    radius: float
    size: int

    def plan(self, base: Plan) -> Plan:
        """Give the plan of a training."""
        return replace(base, radius=self.radius * DIAMETER, embedding=self.size)


def setups(*, full: bool) -> list[Setup]:
    """List every pair of radius and size, or the usual row and column alone."""
    pairs = [Setup(radius, size) for size in SIZES for radius in RADII]
    if full:
        return pairs
    return [p for p in pairs if p.radius == USUAL_RADIUS or p.size == USUAL_SIZE]


def run(scale: Scale) -> Finding:
    """Train and test every setup with every seed on the same crowds."""
    base, count = (FULL, 3) if scale.full else (SMALL, 2)
    seen = {
        setup: [
            trial(setup.plan(base), seed, scale.device)
            for seed in range(scale.seed, scale.seed + count)
        ]
        for setup in setups(full=scale.full)
    }
    told = dict(base.told())
    for other in OTHER_METHODS:
        del told[other]
    told |= {"cell diameter (px)": DIAMETER, "training seeds": count}
    return Finding(rows(seen, base), told, lambda: draw(seen, base))


def trial(plan: Plan, seed: int, device: str) -> Seen:
    """Train one network and look at the test pictures with it."""
    network = train("cosine", plan, seed, device)
    return measure(list(look(network, test_pictures(plan))), plan)


def rows(seen: Mapping[Setup, Sequence[Seen]], base: Plan) -> list[Row]:
    """Lay out one row for each setup: means and deviations over the seeds."""
    pictures = test_pictures(base)
    return [
        {
            "radius (cells)": _named(setup.radius),
            "embedding size": setup.size,
            "must differ": round(crowded(pictures, setup.radius * DIAMETER), 1),
            **means([one.scores for one in found]),
        }
        for setup, found in seen.items()
    ]


def draw(seen: Mapping[Setup, Sequence[Seen]], base: Plan) -> Figure:
    """Draw what each radius found in one picture, and the measures of all setups."""
    figure = Figure(figsize=(11, 8), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1.2, 1])
    _show_cells(above, seen, base)
    panels = below.subplots(1, 3)
    by_radius = {_named(r): seen[Setup(r, USUAL_SIZE)] for r in RADII}
    by_size = {str(size): seen[Setup(USUAL_RADIUS, size)] for size in SIZES}
    apart = ("touching told apart", "all told apart")
    quality = ("ARI", "ARI with place", "SEG", "SEG with place")
    for panel, found, names, label in (
        (panels[0], by_radius, apart, "neighbour radius, cells"),
        (panels[1], by_radius, quality, "neighbour radius, cells"),
        (panels[2], by_size, quality, "embedding size"),
    ):
        _curves(panel, found, names)
        panel.set_xlabel(label)
    panels[0].legend(frameon=False, fontsize=8)
    panels[2].legend(frameon=False, fontsize=8)
    return figure


def _show_cells(
    figure: SubFigure, seen: Mapping[Setup, Sequence[Seen]], base: Plan
) -> None:
    """Show a picture and its truth, and what each radius makes of it, both ways."""
    picture = test_pictures(base)[0]
    panels = figure.subplots(2, len(RADII) + 1)
    for panel in panels.flat:
        panel.set(xticks=[], yticks=[])
    panels[0, 0].imshow(picture.image, cmap="gray")
    panels[0, 0].set_title("picture; below its truth", fontsize=9)
    panels[1, 0].imshow(tint(picture.labels, picture.labels), interpolation="nearest")
    for column, radius in enumerate(RADII, 1):
        shown = seen[Setup(radius, USUAL_SIZE)][0].shown
        for row, labels in enumerate(shown):
            coloured = tint(labels, picture.labels)
            panels[row, column].imshow(coloured, interpolation="nearest")
        panels[0, column].set_title(f"radius {_named(radius)}", fontsize=9)
    panels[0, 1].set_ylabel("embedding alone", fontsize=9)
    panels[1, 1].set_ylabel("with place", fontsize=9)


def _curves(
    panel: Axes, found: Mapping[str, Sequence[Seen]], names: Sequence[str]
) -> None:
    """Draw mean lines and a dot per seed of some measures."""
    for name, colour in zip(names, COLOURS, strict=False):
        values = [[one.scores[name] for one in several] for several in found.values()]
        panel.plot([sum(v) / len(v) for v in values], color=colour, label=name)
        for place, each in enumerate(values):
            panel.plot([place] * len(each), each, "o", ms=4, color=colour)
    panel.set_xticks(range(len(found)), list(found))
    panel.set_ylim(0, 1)
    panel.grid(axis="y", alpha=0.3)


def _named(radius: float) -> str:
    return "all" if radius == ALL else f"{radius:g}"
