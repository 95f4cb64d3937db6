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

from napari_semiconv.tracking.solver.choice import choose
from napari_semiconv.tracking.solver.problem import Booleans, Problem
from napari_semiconv.tracking.solver.solve import solve

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
    parser.add_argument("--seed", type=int, default=0, help="of the simulated crowds")


def run(options: argparse.Namespace) -> Report:
    """Solve each size in a fresh process."""
    rows: list[Row] = []
    for size in options.sizes.split(","):
        frames, cells = (int(x) for x in size.split("x"))
        given = {"frames": frames, "cells": cells} | vars(options)
        rows.append(in_a_process(MODULE, given))
    keys = ("wander", "seed")
    notes = [
        "Greedy: the options of largest total gain into each frame, one after another.",
        "gain_over_greedy is what the solved lineage gains more, in per cent.",
        "cpu_s is the lineage with its margins; longest_s the longest time without a "
        "word of progress; problem_MB and peak_MB, before and after, count the "
        "simulated crowd and its candidates too.",
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
    before, busy, moments = peak_memory(), time.process_time(), [time.perf_counter()]
    solution = solve(problem, tell=lambda *_: moments.append(time.perf_counter()))
    busy = time.process_time() - busy
    scores = {
        f"{kind}_F1_{name}": value
        for name, taken in (("solved", solution.taken), ("greedy", greedy))
        for kind, value in score(crowd, problem, taken).items()
    }
    gain, seconds = problem.options.gain, moments[-1] - moments[0]
    return {
        "frames": options["frames"],
        "cells": len(problem.frame),
        "options": len(gain),
        "solve_s": seconds,
        "cpu_s": busy,
        "longest_s": float(np.diff(moments).max()),
        "times_greedy": seconds / greedy_seconds,
        "gain_over_greedy": 100 * (solution.value / gain[greedy].sum() - 1),
        "problem_MB": before,
        "peak_MB": peak_memory(),
        **scores,
    }


def take_frame_by_frame(problem: Problem) -> Booleans:
    """Take the options of largest total gain into each frame, and never look back."""
    options, n = problem.options, len(problem.frame)
    ends = options.ends(n)
    used = np.zeros(n, bool)
    taken = np.zeros(len(options.gain), bool)
    into = problem.frame[options.after]
    order = np.argsort(into, kind="stable")
    edges = np.searchsorted(into[order], np.arange(problem.frame[-1] + 2))
    for begin, end in pairwise(edges):
        rows = order[begin:end]
        rows = rows[~used[options.before[rows]]]
        chosen = rows[choose(options.gain[rows], ends[rows]).taken]
        taken[chosen] = True
        used[options.before[chosen]] = True
    return taken


def score(crowd: Crowd, problem: Problem, taken: Booleans) -> dict[str, float]:
    """F1 of links and of divisions whose three cells were seen."""
    found = problem.options.take(taken)
    link, pair = found.take(found.sister < 0), found.take(found.sister >= 0)
    links = {*zip(link.before.tolist(), link.after.tolist(), strict=True)}
    divisions = {
        (mother, *sorted(daughters))
        for mother, *daughters in zip(
            pair.before.tolist(), pair.after.tolist(), pair.sister.tolist(), strict=True
        )
    }
    return {"link": f1(links, crowd.links), "division": f1(divisions, crowd.divisions)}


def f1(found: set[Any], true: set[Any]) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * len(found & true) / max(len(found) + len(true), 1)


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
