"""What saved states of a run cost in time and on disk, and how soon a cancel is over.

A run of the default engine over a simulated movie is kept in its result folder, as by
the child of the window. Then one is cancelled while it works on a frame.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import tifffile
import torch

from napari_semiconv.compute import keeper
from napari_semiconv.compute.child import Child
from napari_semiconv.compute.messages import (
    Failed,
    FrameDone,
    Message,
    MovieChoice,
    Segment,
)
from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.errors import ComputeError
from napari_semiconv.inference.run_state import load_run_state
from napari_semiconv.project.runs.states import RunStates

from ..movies import fifty_cells
from ..pipeline import add_pipeline_options, pipeline_settings
from ..report import Report, Row


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    add_pipeline_options(parser)
    parser.add_argument("--frames", type=int, default=60, help="length of the movie")
    parser.add_argument("--threads", type=int, help="of the network; all cores if left")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated movie")


def run(options: argparse.Namespace) -> Report:
    """Measure a whole run, then a cancelled one in a child process."""
    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "movie.tif"
        images = fifty_cells(options.frames, options.seed)
        tifffile.imwrite(path, images, metadata={"axes": "TYX"})
        request = Segment(
            movie=MovieChoice(path=path, name="movie", axes="TYX"),
            settings=pipeline_settings(vars(options)),
            output=folder / "whole",
        )
        row = {**whole_run(request), "cancel_s": cancelled_run(request)}
    keys = ("model", "engine", "device", "seed")
    settings = {key: getattr(options, key) for key in keys} | {
        "frame": "512 x 512 px, about 50 cells, simulated",
        "threads": torch.get_num_threads(),
        "most_share_percent": 100 * keeper.SHARE,
    }
    notes = [
        "The share is that of saving in the time from the first to the last frame.",
        "Cancelled is in the middle of a frame; it is over when the child answered "
        "or was ended.",
    ]
    return Report([row], settings, notes)


def whole_run(request: Segment) -> Row:
    """Run to the end; what the states cost, and how long the last takes to load."""
    costs: list[float] = []
    times: list[float] = []
    save = keeper.StateKeeper.save

    def timed_save(self: Any) -> None:
        begin = time.perf_counter()
        save(self)
        costs.append(time.perf_counter() - begin)

    def say(message: Message) -> None:
        if isinstance(message, Failed):
            raise ComputeError(message.message)
        if isinstance(message, FrameDone):
            times.append(time.perf_counter())

    keeper.StateKeeper.save = timed_save  # type: ignore[method-assign]
    try:
        Child(say).answer(request)
    finally:
        keeper.StateKeeper.save = save  # type: ignore[method-assign]
    states = RunStates(request.output).all()
    sizes = [path.stat().st_size for path in states.values()]
    begin = time.perf_counter()
    load_run_state(next(iter(states.values())))
    loaded = time.perf_counter() - begin
    seconds = times[-1] - times[0]
    return {
        "frames": len(times),
        "s_per_frame": seconds / (len(times) - 1),
        "states_saved": len(costs),
        "s_per_state": statistics.mean(costs),
        "share_percent": 100 * sum(costs) / seconds,
        "states_kept": len(sizes),
        "MB_per_state": max(sizes) / 1e6,
        "load_s": loaded,
    }


def cancelled_run(request: Segment) -> float:
    """Seconds from the cancel, half a frame after the fourth, to the end."""
    output = request.output.with_name("cancelled")
    last = begin = 0.0
    with Supervisor() as supervisor:
        for message in supervisor.follow(request.model_copy(update={"output": output})):
            if isinstance(message, FrameDone) and message.done == 4:
                time.sleep(message.seconds / 2)
                begin = time.perf_counter()
                supervisor.cancel()
            last = time.perf_counter()
    return last - begin
