"""Milliseconds to work a correction into a 1024 x 1024 frame with some 400 cells.

The frame is simulated and seen by the network once. From the cells found, corrections
are drawn by chance: two clicks that part a cell, two that join neighbours, a number of
cells in a region, a drawn mask, a place without a cell. All holds exactly afterwards,
or the run ends with an error.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_semiconv.inference.constraints.model import Constraints, Count
from napari_semiconv.inference.constraints.resegment import resegment
from napari_semiconv.inference.engines.votes.engine import VotesEngine
from napari_semiconv.inference.pipeline import enlarge
from napari_semiconv.inference.stream.stream import FrameOutput, Stream
from napari_semiconv.network.weights import load_model
from napari_semiconv.settings import VotesSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate

from ..report import Report, Row

SIZE, CELLS, DIAMETER = 1024, 400, 36.0
LIMIT_MS = 100
Labels = NDArray[np.int32]
Times = tuple[float, float]  # by the clock and of the processor, ms
Make = Callable[[np.random.Generator, Labels], Constraints]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for the network")
    parser.add_argument("--corrections", type=int, default=60, help="of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of frame and corrections")


def run(options: argparse.Namespace) -> Report:
    """Cluster the frame, then work in one correction after the other, each anew."""
    output, shape = _seen(options)
    labels, whole = _clustered(output, shape)
    rng = np.random.default_rng(options.seed)
    rows: list[Row] = []
    everything: list[Times] = []
    for name, make in KINDS.items():
        times = [
            _timed(output, labels, make(rng, labels))
            for _ in range(options.corrections)
        ]
        everything += times
        rows.append(_row(name, times, whole))
    rows.append(_row("all", everything, whole))
    return Report(
        rows=rows,
        settings={
            "frame": f"{SIZE} x {SIZE} px, simulated",
            "network_sees": f"{output.shape[0]} x {output.shape[1]} px",
            "cells_found": len(np.unique(labels)) - 1,
            "model": options.model,
            "corrections_of_each_kind": options.corrections,
            "seed": options.seed,
            "whole_frame_clustered_ms": whole[0],
            "whole_frame_clustered_cpu_ms": whole[1],
            "limit_ms": LIMIT_MS,
        },
        notes=[
            "The whole frame is clustered by the votes engine and enlarged, without "
            "the network, which is not run in either case.",
            "Processor time leaves out what other programs take; with one thread it is "
            "the time on a computer that does nothing else.",
        ],
    )


def _seen(options: argparse.Namespace) -> tuple[FrameOutput, tuple[int, int]]:
    settings = SyntheticSettings(
        frames=3, height=SIZE, width=SIZE, cells=CELLS, diameter=DIAMETER, cycle=200
    )
    images = simulate(settings, options.seed).images
    stream = Stream(load_model(options.model, options.device), DIAMETER)
    outputs = [stream.push(image) for image in images]
    return outputs[-1], (SIZE, SIZE)


def _clustered(output: FrameOutput, shape: tuple[int, int]) -> tuple[Labels, Times]:
    settings = VotesSettings()
    engine, times = VotesEngine(settings), []
    for _ in range(5):
        begin = _now()
        found = engine.cells(output)
        labels = enlarge(found, output.foreground - settings.foreground, shape)
        times.append(_since(begin))
    clock, processor = (statistics.median(part) for part in zip(*times, strict=True))
    return labels, (clock, processor)


def _timed(output: FrameOutput, labels: Labels, told: Constraints) -> Times:
    begin = _now()
    resegment(output, labels, told)
    return _since(begin)


def _now() -> Times:
    return time.perf_counter(), time.process_time()


def _since(begin: Times) -> Times:
    clock, processor = (1000 * (b - a) for a, b in zip(begin, _now(), strict=True))
    return clock, processor


def _row(name: str, times: list[Times], whole: Times) -> Row:
    clock, processor = zip(*times, strict=True)
    return {
        "correction": name,
        "median_ms": statistics.median(clock),
        "worst_ms": max(clock),
        "median_cpu_ms": statistics.median(processor),
        "worst_cpu_ms": max(processor),
        "within_limit_percent": 100 * sum(t < LIMIT_MS for t in clock) / len(times),
        "whole_cpu_over_median": whole[1] / statistics.median(processor),
    }


def _cell(rng: np.random.Generator, labels: Labels) -> NDArray[np.bool_]:
    """Mask of a cell by chance, large enough to be clicked on twice."""
    while True:
        label = rng.choice(np.unique(labels[labels > 0]))
        mask = labels == label
        if mask.sum() >= 50:
            return np.asarray(mask)


def _ends(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Two pixels of a mask on either side of its middle, along its length."""
    places = np.argwhere(mask)
    centred = places - places.mean(0)
    along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    order = np.argsort(along)
    return places[order[[len(order) // 5, -len(order) // 5]]]


def _part(rng: np.random.Generator, labels: Labels) -> Constraints:
    return Constraints((SIZE, SIZE), cannot_link=[_ends(_cell(rng, labels))])


def _part_among_confirmed(rng: np.random.Generator, labels: Labels) -> Constraints:
    mask = _cell(rng, labels)
    fixed = np.where(mask, 0, labels).astype(np.int32)
    return Constraints((SIZE, SIZE), cannot_link=[_ends(mask)], fixed=fixed)


def _join(rng: np.random.Generator, labels: Labels) -> Constraints:
    one = np.argwhere(_cell(rng, labels)).mean(0)
    places = np.argwhere(labels > 0)
    far = np.hypot(*(places - one).T)
    near = places[(far > DIAMETER) & (far < 2 * DIAMETER)]
    there = places[far.argmin()]
    return Constraints((SIZE, SIZE), must_link=[[there, rng.choice(near)]])


def _count(rng: np.random.Generator, labels: Labels) -> Constraints:
    at = np.argwhere(_cell(rng, labels)).mean(0)
    y, x = np.ogrid[:SIZE, :SIZE]
    inside = np.hypot(y - at[0], x - at[1]) < DIAMETER
    cells = np.unique(labels[inside])
    mask = inside & (labels == 0) | np.isin(labels, cells[cells > 0])
    wanted = len(cells[cells > 0]) + int(rng.choice([-1, 1]))
    return Constraints((SIZE, SIZE), counts=[Count(mask, max(1, wanted))])


def _draw(rng: np.random.Generator, labels: Labels) -> Constraints:
    at = np.argwhere(_cell(rng, labels)).mean(0) + rng.normal(0, DIAMETER / 4, 2)
    y, x = np.ogrid[:SIZE, :SIZE]
    mask = np.hypot(y - at[0], x - at[1]) < DIAMETER / 2
    return Constraints((SIZE, SIZE), fixed=mask.astype(np.int32))


def _clear(rng: np.random.Generator, labels: Labels) -> Constraints:
    places = np.argwhere(_cell(rng, labels))
    return Constraints((SIZE, SIZE), absent=[rng.choice(places)])


KINDS: dict[str, Make] = {
    "part a cell": _part,
    "part a cell, all others confirmed": _part_among_confirmed,
    "join two cells": _join,
    "one cell more or less in a region": _count,
    "draw a mask": _draw,
    "no cell at a point": _clear,
}
