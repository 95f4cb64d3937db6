"""Seconds, memory and F1 of the lineages of simulated crowds, against greedy links.

Cells are points that wander, divide and vanish; some are missed and some are false. The
greedy lineage takes the best options into each frame and never looks back. Each
size runs in a process of its own, so that its peak is known.
"""

import argparse
import json
import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np

from napari_semiconv.tracking.problem import Booleans, Problem
from napari_semiconv.tracking.solve import solve

from ..crowds import Crowd, make_crowd, make_problem
from ..report import Report, Row, peak_memory
from .segment import in_a_process

MODULE = "benchmarks.suite.lineage"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument(
        "--sizes", default="200x500,1000x1000", help="frames x cells, with commas"
    )
    parser.add_argument("--wander", type=float, default=0.12, help="step, in spacings")
    parser.add_argument("--seconds", type=float, help="limit of each; none if left")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated crowds")


def run(options: argparse.Namespace) -> Report:
    """Solve each size in a fresh process."""
    rows: list[Row] = []
    for size in options.sizes.split(","):
        frames, cells = (int(x) for x in size.split("x"))
        given = {"frames": frames, "cells": cells} | vars(options)
        rows.append(in_a_process(MODULE, given))
    keys = ("wander", "seconds", "seed")
    notes = [
        "Greedy: the options of largest total gain into each frame, one after another.",
        "gap is what a better lineage could gain at most, in parts per million of the "
        "total gain; 0 is proven to be the best.",
        "solve_s is the lineage alone, margin_s what its margins took; peak_MB counts "
        "the simulated crowd and its candidates too.",
    ]
    return Report(rows, {key: getattr(options, key) for key in keys}, notes)


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """Solve one crowd, greedily and as a whole."""
    crowd = make_crowd(
        options["frames"], options["cells"], options["wander"], options["seed"]
    )
    problem = make_problem(crowd)
    start = time.perf_counter()
    greedy = take_frame_by_frame(problem)
    greedy_seconds = time.perf_counter() - start
    before, busy = peak_memory(), time.process_time()
    solution = solve(problem, seconds=options["seconds"])
    busy = time.process_time() - busy
    told = solution.statistics
    gained = float(problem.gain[solution.taken].sum())
    scores = {
        f"{kind}_F1_{name}": value
        for name, taken in (("solved", solution.taken), ("greedy", greedy))
        for kind, value in score(crowd, problem, taken).items()
    }
    return {
        "frames": options["frames"],
        "cells": len(problem.frame),
        "options_per_cell": len(problem.gain) / len(problem.frame),
        "solve_s": told.seconds,
        "margin_s": told.margin_seconds,
        "cpu_s": busy,
        "times_greedy": told.seconds / greedy_seconds,
        "gap_ppm": 1e6 * solution.gap / gained,
        "windows": told.windows,
        "largest_component": told.largest,
        "programmes": told.programmes,
        "integer": told.integer,
        "problem_MB": before,
        "peak_MB": peak_memory(),
        **scores,
    }


def take_frame_by_frame(problem: Problem) -> Booleans:
    """Take the options of largest total gain into each frame, and never look back."""
    used = np.zeros(len(problem.frame), bool)
    taken = np.zeros(len(problem.gain), bool)
    into = problem.frame[problem.after]
    order = np.argsort(into, kind="stable")
    edges = np.searchsorted(into[order], np.arange(problem.frame[-1] + 2))
    for begin, end in pairwise(edges):
        rows = order[begin:end]
        rows = rows[~used[problem.before[rows]]]
        own = [x[rows] for x in (problem.before, problem.after, problem.sister)]
        cells, place = np.unique(np.concatenate(own), return_inverse=True)
        before, after, sister = place.reshape(3, -1) - int(-1 in cells)
        cells = cells[cells >= 0]
        frame = problem.frame[cells]
        part = Problem(frame, before, after, sister, problem.gain[rows])
        chosen = solve(part, margins=False).taken
        taken[rows[chosen]] = True
        used[problem.before[rows[chosen]]] = True
    return taken


def score(crowd: Crowd, problem: Problem, taken: Booleans) -> dict[str, float]:
    """F1 of links and of divisions whose three cells were seen."""
    pair = problem.sister >= 0
    links = taken & ~pair
    found = {*zip(problem.before[links], problem.after[links], strict=True)}
    rows = np.flatnonzero(taken & pair)
    split = {
        (problem.before[r], *sorted((problem.after[r], problem.sister[r])))
        for r in rows.tolist()
    }
    return {"link": f1(found, crowd.links), "division": f1(split, crowd.divisions)}


def f1(found: set[Any], true: set[Any]) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * len(found & true) / max(len(found) + len(true), 1)


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
