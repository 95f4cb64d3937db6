"""HDBSCAN on images: ways to make it fast, against the package on all pixels.

All ways get the same real embeddings of simulated frames, two at a time, at the
network's resolution. Each is scored by the adjusted Rand index against the truth, over
the true cell pixels, and timed in the same run, in seconds of the processor.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from napari_semiconv.inference.engines.hdbscan.engine import (
    HdbscanEngine,
    Window,
    cells_of,
)
from napari_semiconv.inference.engines.regions import tidy
from napari_semiconv.inference.engines.votes.engine import VotesEngine
from napari_semiconv.inference.stream.stream import FrameOutput, Stream
from napari_semiconv.labels import Labels
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.settings import VotesSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate

from ..clusterings import REFERENCE, SLOW, WAYS, Way
from ..report import Report, Row

SIZES = ((512, 100), (1024, 500))
T = TypeVar("T")
WARM_UP = 2  # frames that the network sees before the two
NOTES = (
    "Seconds are those of the processor, so that other work disturbs less.",
    "Numbers is what the package does, codes in and cluster numbers out. Whole is the "
    "engine: foreground, codes, numbers, connected pieces and holes.",
    "Faster is against all pixels by votes, in numbers and whole. Network is whole "
    "over the forward pass of one frame: a pair is clustered for each new frame.",
    "ARI is over both frames together, where a cell must keep its number, and the "
    "mean of the two frames alone. The votes engine sees frames alone.",
    "Pieces apart: cells are the connected pieces of clusters, as with groups; else "
    "only the largest piece of a cluster is a cell.",
)


@dataclass(frozen=True)
class Case:
    """Two frames as the network sees them.

    Parameters
    ----------
    outputs
        What the network says.
    truth
        True cells, (2, Y, X).
    forward
        Seconds of the network for one frame.
    """

    outputs: list[FrameOutput]
    truth: NDArray[np.int32]
    forward: float


@dataclass(frozen=True)
class Trial:
    """One way on one case: times in s and scores."""

    numbers: float
    whole: float
    both: float
    alone: float
    points: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--kind", default="nuclei", help="of simulated cells")
    parser.add_argument("--movies", type=int, default=2, help="of each size")
    parser.add_argument("--repeats", type=int, default=5, help="of fast ways")
    parser.add_argument("--seed", type=int, default=0, help="of the first movie")
    parser.add_argument("--threads", type=int, help="of torch; all cores if left")
    parser.add_argument(
        "--small", action="store_true", help="512 x 512 px only, which is shorter"
    )


def run(options: argparse.Namespace) -> Report:
    """Compare the ways on frames of two sizes."""
    if options.threads:
        torch.set_num_threads(options.threads)
    model = load_model(options.model, "cpu")
    rows: list[Row] = []
    for side, cells in SIZES[:1] if options.small else SIZES:
        ways = [way for way in WAYS if side == SIZES[0][0] or way.name not in SLOW]
        cases = [
            simulated(model, options.kind, (side, cells), options.seed + number)
            for number in range(options.movies)
        ]
        rows += measured(f"2 x {side} x {side} px, {cells} cells", cases, ways, options)
    keys = ("model", "kind", "movies", "repeats", "seed")
    settings = {key: getattr(options, key) for key in keys} | {
        "threads": torch.get_num_threads(),
        "cell_px": model.info.cell_size,
    }
    return Report(rows, settings, NOTES)


def simulated(model: Model, kind: str, size: tuple[int, int], seed: int) -> Case:
    """Simulate frames with cells as large as the network knows them, and run it."""
    side, cells = size
    movie = simulate(
        SyntheticSettings.model_validate(
            {
                "kind": kind,
                "frames": WARM_UP + 2,
                "height": side,
                "width": side,
                "cells": cells,
                "diameter": model.info.cell_size,
                "cycle": 200,
            }
        ),
        seed,
    )
    stream, outputs, seconds = Stream(model, model.info.cell_size), [], []
    for image in movie.images:
        begin = time.process_time()
        outputs.append(stream.push(image))
        seconds.append(time.process_time() - begin)
    truth = np.asarray(movie.labels[-2:], np.int32)
    return Case(outputs[-2:], truth, statistics.median(seconds))


def measured(
    frames: str, cases: Sequence[Case], ways: Sequence[Way], options: argparse.Namespace
) -> Iterator[Row]:
    """Lay out one row for each way, and one for the votes engine."""
    tried = {
        way.name: [trial(way, case, options.repeats) for case in cases] for way in ways
    }
    tried["votes engine"] = [votes_engine(case, options.repeats) for case in cases]
    base = tried.get(REFERENCE)
    forward = [case.forward for case in cases]
    for name, trials in tried.items():
        row: dict[str, str | int | float | None] = {"frames": frames, "way": name}
        row["points"] = round(mean([t.points for t in trials])) or None
        row["ARI_both"] = mean([t.both for t in trials])
        row["ARI_alone"] = mean([t.alone for t in trials])
        row["numbers_s"] = mean([t.numbers for t in trials]) or None
        row["whole_s"] = mean([t.whole for t in trials])
        row["faster"] = row["faster_whole"] = None
        if base:
            row["faster_whole"] = ratio([b.whole for b in base], trials, "whole")
            if trials[0].numbers:
                row["faster"] = ratio([b.numbers for b in base], trials, "numbers")
        row["network"] = mean([t.whole for t in trials]) / mean(forward)
        yield row


def mean(values: Sequence[float]) -> float:
    """Average, as a plain number."""
    return float(statistics.mean(values))


def ratio(base: Sequence[float], trials: Sequence[Trial], name: str) -> float:
    """How often the reference takes as long, over all movies."""
    return sum(base) / sum(float(getattr(trial, name)) for trial in trials)


def trial(way: Way, case: Case, repeats: int) -> Trial:
    """Cluster two frames in one way; slow ways are timed once."""
    engine = HdbscanEngine(way.settings)
    size = case.outputs[0].cell_size
    smallest = way.settings.smallest * np.pi / 4 * size**2
    times = 1 if way.name in SLOW else repeats

    def finish(window: Window, numbers: NDArray[np.int32]) -> list[Labels]:
        if way.apart:
            return cells_of(window, numbers, case.outputs, smallest)
        return [tidy(image, smallest) for image in window.images(numbers)]

    before, window = timed(lambda: engine.gather(case.outputs), times)
    least = round(smallest * len(case.outputs))
    middle, found = timed(lambda: way.number(window, size, least), times)
    after, cells = timed(lambda: finish(window, found.numbers), times)
    scores = scored(case.truth, cells)
    return Trial(middle, before + middle + after, *scores, found.points)


def votes_engine(case: Case, repeats: int) -> Trial:
    """Let the votes engine find the cells of both frames."""
    engine = VotesEngine(VotesSettings())
    whole, cells = timed(lambda: [engine.cells(o) for o in case.outputs], repeats)
    return Trial(0.0, whole, *scored(case.truth, cells), 0)


def timed(work: Callable[[], T], times: int) -> tuple[float, T]:
    """Do some work a few times; tell the median seconds and what came of it."""
    seconds, result = [], work() if times > 1 else None
    for _ in range(times):
        begin = time.process_time()
        result = work()
        seconds.append(time.process_time() - begin)
    assert result is not None
    return statistics.median(seconds), result


def scored(truth: NDArray[np.int32], cells: Sequence[Labels]) -> tuple[float, float]:
    """Give the adjusted Rand index of both frames together, and the mean of each."""
    found, inside = np.stack(cells), truth > 0
    alone = [
        adjusted_rand_score(true[true > 0], image[true > 0])
        for true, image in zip(truth, found, strict=True)
    ]
    return float(adjusted_rand_score(truth[inside], found[inside])), mean(alone)
