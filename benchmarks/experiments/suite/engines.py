"""Clustering engines on the same embeddings: quality, and time against votes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from napari_semiconv.inference.presets import PRESETS
from napari_semiconv.network.weights import load_model
from napari_semiconv.settings import HdbscanSettings, SegmentSettings
from napari_semiconv.synthetic import SyntheticSettings
from napari_semiconv.tracking.measures.evaluate import Scores

from ...report import Row
from ..cases import Case, real_cases, simulated_case
from ..finding import Finding, Scale
from ..panels import tint
from ..replay import Recording, play, record

# Single pixels, as published.
OWN_PLACE = HdbscanSettings(clustered="pixels", position="pixel")
JOINT = HdbscanSettings(clustered="pixels", position="vote")
VOTES_ALONE = JOINT.model_copy(update={"embedding_weight": 0.0})
WAYS: dict[str, SegmentSettings] = {
    "votes": SegmentSettings(),
    "HDBSCAN, own place": SegmentSettings(engine="hdbscan", hdbscan=OWN_PLACE),
    "HDBSCAN, votes alone": SegmentSettings(engine="hdbscan", hdbscan=VOTES_ALONE),
    "HDBSCAN, joint": SegmentSettings(engine="hdbscan", hdbscan=JOINT),
    "2018, whole": PRESETS["payer2018"],
    "2019, whole": PRESETS["payer2019"],
}
SHOWN = 5.0  # cell diameters that pictures show
SHIFTS = np.linspace(-0.3, 0.3, len(WAYS))
COLOURS = ("#000000", "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7")
SIMULATED = {
    "simulated nuclei": SyntheticSettings(
        kind="nuclei", height=192, width=192, cells=45, diameter=22, signal=5
    ),
    "simulated phase contrast": SyntheticSettings(
        kind="phase", height=192, width=192, cells=45, diameter=20, signal=8
    ),
    "simulated DIC": SyntheticSettings(
        kind="dic", height=288, width=288, cells=24, diameter=48, speed=0.05
    ),
}
REAL = ("Fluo-N2DH-SIM+", "Fluo-N2DH-GOWT1", "DIC-C2DH-HeLa", "Fluo-C2DL-MSC")
# About 400 cells per frame take HDBSCAN too long for the small version.
LARGE = ("PhC-C2DL-PSC",)


@dataclass(frozen=True)
class Trial:
    """One way on one movie.

    Parameters
    ----------
    case
        The movie and its truth.
    way
        How its embeddings became cells.
    scores
        Against the truth.
    seconds
        CPU time of all but the network, per frame, s.
    shown
        Labels of the last scored frame, (Y, X).
    """

    case: Case
    way: str
    scores: Scores
    seconds: float
    shown: NDArray[np.int32]


def run(scale: Scale) -> Finding:
    """Record the network on every movie and play it to every engine."""
    model = load_model("default", scale.device)
    trials: list[Trial] = []
    costs = {}
    for case in cases(scale):
        recording = record(case.movie, model, case.frames, case.cell_size)
        costs[case.name] = recording.seconds
        trials += [compare(case, recording, way) for way in WAYS]
    told = {"model": model.name, "weights": model.info.digest[:12]}
    seen = {trial.case.name for trial in trials}
    if missing := [name for name in REAL if name not in seen]:
        told["skipped, not in the data folder"] = " and ".join(missing)
    return Finding(rows(trials, costs), told, lambda: draw(trials))


def cases(scale: Scale) -> Iterator[Case]:
    """Simulate movies and open the real ones that are there."""
    frames, warm_up = (30, 8) if scale.full else (8, 2)
    for number, (name, settings) in enumerate(SIMULATED.items()):
        long = settings.model_copy(update={"frames": frames})
        yield simulated_case(name, long, 100 * scale.seed + number, warm_up)
    names, most = ((*REAL, *LARGE), 100) if scale.full else (REAL, 6)
    yield from real_cases(names, most, warm_up)


def compare(case: Case, recording: Recording, way: str) -> Trial:
    """Play a recording to one engine and score what it finds."""
    found, seconds = play(recording, WAYS[way])
    return Trial(case, way, case.score(found), seconds, found[-1].labels)


def rows(trials: Sequence[Trial], costs: Mapping[str, float]) -> list[Row]:
    """Lay out one row for each movie and way; times are told against votes."""
    base = {t.case.name: t.seconds for t in trials if t.way == "votes"}
    return [
        {
            "movie": trial.case.name,
            "frames": len(trial.case.scored),
            "cell (px)": round(trial.case.cell_size, 1),
            "way": trial.way,
            "SEG": trial.scores.SEG,
            "TRA": trial.scores.TRA,
            "AP 0.5": trial.scores.AP50,
            "time / votes": trial.seconds / base[trial.case.name],
            "network / votes": costs[trial.case.name] / base[trial.case.name],
        }
        for trial in trials
    ]


def draw(trials: Sequence[Trial]) -> Figure:
    """Draw the cells of two movies in colours, and scores and times of all."""
    figure = Figure(figsize=(12, 8.4), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[0.85, 1])
    names = list(dict.fromkeys(trial.case.name for trial in trials))
    _show_cells(above, trials, [names[0], *names[3:4]])
    panels = below.subplots(1, 3)
    measures: tuple[tuple[str, Callable[[Trial], float | None]], ...] = (
        ("SEG", lambda trial: trial.scores.SEG),
        ("TRA", lambda trial: trial.scores.TRA),
        ("time, CPU s per frame", lambda trial: trial.seconds),
    )
    for panel, (label, measure) in zip(panels, measures, strict=True):
        for way, colour, shift in zip(WAYS, COLOURS, SHIFTS, strict=True):
            values = [measure(trial) for trial in trials if trial.way == way]
            place = np.arange(len(names)) + shift
            known = [np.nan if value is None else value for value in values]
            panel.plot(place, known, "o", ms=5, color=colour, label=way)
        panel.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=8)
        panel.set_ylabel(label)
        panel.grid(axis="y", alpha=0.3)
    panels[0].set_ylim(0, 1)
    panels[1].set_ylim(0, 1)
    panels[2].set_ylim(0)
    points = panels[0].get_legend_handles_labels()
    below.legend(*points, loc="outside upper center", ncols=len(WAYS), frameon=False)
    return figure


def _show_cells(
    figure: SubFigure, trials: Sequence[Trial], names: Sequence[str]
) -> None:
    """Show the truth and what each way made of it, a row per movie."""
    panels = figure.subplots(len(names), len(WAYS) + 1, squeeze=False)
    for row, name in enumerate(names):
        own = [trial for trial in trials if trial.case.name == name]
        case = own[0].case
        whole = np.asarray(case.truth(case.scored[-1]), np.int32)
        part = _middle(whole.shape, SHOWN * case.cell_size)
        # Counted anew, so that cells side by side rarely share a colour.
        truth = np.unique(whole[part], return_inverse=True)[1].astype(np.int32)
        truth = truth.reshape(whole[part].shape) + int(whole[part].min() > 0)
        pictures = {"truth": truth} | {trial.way: trial.shown[part] for trial in own}
        for column, (title, labels) in enumerate(pictures.items()):
            panel = panels[row, column]
            panel.imshow(tint(labels, truth), interpolation="nearest")
            panel.set(xticks=[], yticks=[])
            if row == 0:
                panel.set_title(title, fontsize=9)
        panels[row, 0].set_ylabel(name, fontsize=9)


def _middle(shape: tuple[int, ...], side: float) -> tuple[slice, ...]:
    """Cut a square out of the middle of a frame, px."""
    return tuple(
        slice(max(0, int(n / 2 - side / 2)), int(n / 2 + side / 2)) for n in shape
    )
