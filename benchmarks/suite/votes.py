"""Time of each stage of the votes engine and of linking, over the network's own.

Frames are simulated with cells as large as the network knows them, so that network,
engine and linking work on the same pixels. Each stage is timed inside whole runs of the
engine, frame after frame, and told as a share of the network's forward pass on the same
frames in the same run.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from napari_semiconv.inference import describing
from napari_semiconv.inference.engines.votes import engine, segments
from napari_semiconv.inference.engines.votes.engine import VotesEngine
from napari_semiconv.inference.linking.linker import Linker
from napari_semiconv.inference.stream.stream import FrameOutput, Stream
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.settings import LinkSettings, VotesSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate

from ..report import Report, Row

SIZES = ((512, 100), (1024, 500))
# What is timed: the module that calls it, its name there, and what it does.
STAGES = (
    (engine, "to_tensors", "to the device"),
    (segments, "cast_votes", "cast votes"),
    (segments, "vote_map", "map of votes"),
    (segments, "find_peaks", "peaks"),
    (segments, "nearest_peak", "nearest peak"),
    (segments, "split_segments", "split by embedding"),
    (segments, "find_regions", "connected segments"),
    (segments, "measure_borders", "borders"),
    (engine, "join", "join"),
    (engine, "_labels", "fill and label"),
    (engine, "measure_certainty", "scores"),
)
Times = dict[str, list[float]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--frames", type=int, default=5, help="timed, of each size")
    parser.add_argument("--threads", type=int, help="of torch; all cores if left")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated movies")


def run(options: argparse.Namespace) -> Report:
    """Time the stages on frames of two sizes."""
    if options.threads:
        torch.set_num_threads(options.threads)
    model = load_model(options.model, options.device)
    rows = [row for size in SIZES for row in measure(size, model, options)]
    keys = ("model", "device", "frames", "seed")
    settings = {key: getattr(options, key) for key in keys} | {
        "threads": torch.get_num_threads(),
        "cell_px": model.info.cell_size,
    }
    notes = (
        "Medians over the frames, the first one left out. Clustering is all stages "
        "without the scores; linking measures the cells and decides their tracks.",
    )
    return Report(rows, settings, notes)


def measure(
    size: tuple[int, int], model: Model, options: argparse.Namespace
) -> list[Row]:
    """Time network, engine and linking on frames of one size."""
    side, cells = size
    movie = simulate(
        SyntheticSettings(
            frames=options.frames + 1,
            height=side,
            width=side,
            cells=cells,
            diameter=model.info.cell_size,
            cycle=200,
        ),
        options.seed,
    ).images
    times, found = time_all(movie, model)
    forward = statistics.median(times["network"][1:])
    clustering = sum(
        statistics.median(times[what][1:]) for _, _, what in STAGES if what != "scores"
    )
    listed = {what: statistics.median(taken[1:]) for what, taken in times.items()}
    listed["clustering"] = clustering
    listed["clustering and linking"] = clustering + listed["linking"]
    return [
        {
            "frame": f"{side} x {side}",
            "stage": what,
            "cells": round(found),
            "ms": 1000 * taken,
            "share_of_network": taken / forward,
        }
        for what, taken in listed.items()
    ]


def time_all(images: np.ndarray[Any, Any], model: Model) -> tuple[Times, float]:
    """Run all frames through; seconds of each stage, and cells per frame."""
    times: Times = defaultdict(list)
    stream = Stream(model, model.info.cell_size)
    engine = VotesEngine(VotesSettings(), model.device)
    linker = Linker(LinkSettings(), model.info.cell_size)
    counts = []

    def network(image: np.ndarray[Any, Any]) -> FrameOutput:
        return stream.push(image)

    def link(frame: int, labels: engine.Labels, output: FrameOutput) -> None:
        cells, numbers = describing.describe(labels, output)
        linker.link(frame, cells)
        counts.append(len(numbers))

    watch = Watch(times, model.device)
    with watch.on_stages():
        for frame, image in enumerate(images):
            output = watch.timed("network", network)(image)
            labels, _ = engine.cluster([output])[0]
            watch.timed("linking", link)(frame, labels, output)
    return times, statistics.mean(counts)


class Watch:
    """Notes how long functions take; waits for a card before and after.

    Parameters
    ----------
    times
        Where to note it, by stage, in s.
    device
        Where the work is done.
    """

    def __init__(self, times: Times, device: torch.device) -> None:
        self._times, self._device = times, device

    def timed(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function note its time."""

        def call(*given: Any, **named: Any) -> Any:
            self._wait()
            begin = time.perf_counter()
            found = function(*given, **named)
            self._wait()
            self._times[what].append(time.perf_counter() - begin)
            return found

        return call

    @contextmanager
    def on_stages(self) -> Iterator[None]:
        """Time the stages of the engine from inside."""
        with ExitStack() as stack:
            for module, name, what in STAGES:
                timed = self.timed(what, getattr(module, name))
                stack.enter_context(patch.object(module, name, timed))
            yield

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()
