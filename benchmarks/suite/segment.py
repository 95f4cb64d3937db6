"""Seconds per 512 x 512 frame with about 50 cells, and memory on short and long movies.

Reading, network, clustering, linking and writing are included; loading the model is
not. Each length of movie runs in a process of its own, so that its peak is known.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_semiconv.compute.run_writer import RunWriter
from napari_semiconv.network.weights import load_model
from napari_semiconv.project.runs.store import RunStore

from .. import baselines
from ..movies import long_movie
from ..pipeline import add_pipeline_options, pipeline_settings, run_timed
from ..report import Report, Row, peak_memory

MODULE = "benchmarks.suite.segment"
LIMIT_MB = 1536
EARLY = 50


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    add_pipeline_options(parser)
    parser.add_argument(
        "--lengths", default="50,1000", help="movie lengths in frames, with commas"
    )
    parser.add_argument("--threads", type=int, help="of the network; all cores if left")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated movie")


def run(options: argparse.Namespace) -> Report:
    """Measure each length in a fresh process, and the fixed work before and after."""
    lengths = [max(2, int(length)) for length in options.lengths.split(",")]
    given = vars(options)
    before = in_a_process(baselines.MODULE, given)
    runs = [in_a_process(MODULE, given | {"frames": n}) for n in lengths]
    after = in_a_process(baselines.MODULE, given)
    fixed = {key: (before[key] + after[key]) / 2 for key in before}
    rows: list[Row] = [
        {
            "frames": n,
            "median_s_per_frame": found["median"],
            "mean_s_per_frame": found["mean"],
            "cpu_s_per_frame": found["cpu"],
            "first_frame_s": found["first"],
            "slowest_tenth_s": found["slowest_tenth"],
            "times_convolutions": found["median"] / fixed["convolutions"],
            "times_classical": found["median"] / fixed["classical"],
            "peak_MB_after_50_frames": found["early_peak"],
            "peak_MB": found["peak"],
            "cells_per_frame": found["cells"],
        }
        for n, found in zip(lengths, runs, strict=True)
    ]
    keys = ("model", "engine", "device", "cell_size", "seed")
    settings = {key: getattr(options, key) for key in keys} | {
        "frame": "512 x 512 px, about 50 cells, simulated",
        "threads": int(fixed["threads"]),
        "cell_size_px": runs[0]["cell_size"],
        "convolutions_s": fixed["convolutions"],
        "classical_s": fixed["classical"],
        "memory_limit_MB": LIMIT_MB,
    }
    notes = [
        "The first frame, in which the cell size is estimated, counts for memory only.",
        "Convolutions are four of 3 x 3 and 32 channels on a frame; classical is blur, "
        "threshold and watershed of a frame. Both are timed before and after the runs.",
        f"Convolutions took {before['convolutions']:.3f} s before and "
        f"{after['convolutions']:.3f} s after; if these differ, other work disturbed.",
    ]
    return Report(rows, settings, notes)


def in_a_process(module: str, options: dict[str, Any]) -> dict[str, float]:
    """Run a module of this package with options and read what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(options)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(options: dict[str, Any]) -> dict[str, float]:
    """Segment a simulated movie into a run that is deleted afterwards."""
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    movie = long_movie(options["frames"], options["seed"])
    model = load_model(options["model"], options["device"])
    frames = range(len(movie))
    settings = pipeline_settings(options)
    times, cells, early_peak, size = [], [], 0.0, 0.0
    busy = 0.0
    with tempfile.TemporaryDirectory() as folder:
        writer = RunWriter(RunStore.create(Path(folder) / "run", movie, {}, {}))
        for result, seconds in run_timed(movie, model, settings, frames):
            begin = time.perf_counter()
            writer.write(result.frame, result.labels, result.lineage)
            times.append(seconds + time.perf_counter() - begin)
            cells.append(np.unique(result.labels[result.labels > 0]).size)
            size = result.cell_size
            # From the end of the first frame on.
            busy = busy or time.process_time()
            if result.frame == EARLY - 1:
                early_peak = peak_memory()
        writer.close()
    busy, peak = time.process_time() - busy, peak_memory()
    first, *times = times
    return {
        "median": statistics.median(times),
        "mean": statistics.mean(times),
        "cpu": busy / len(times),
        "first": first,
        "slowest_tenth": sorted(times)[int(0.9 * len(times))],
        "early_peak": early_peak or peak,
        "peak": peak,
        "cells": statistics.mean(cells),
        "cell_size": size,
    }


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
