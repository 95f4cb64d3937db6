"""How long it takes from starting the computing process to the first frame's cells."""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tifffile

from napari_semiconv.compute.messages import (
    Failed,
    MovieChoice,
    Preview,
    Previewed,
    Request,
    Warm,
    child_command,
    read_message,
)
from napari_semiconv.errors import SemiconvError
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.settings import SegmentSettings

from ..movies import fifty_cells
from ..report import Report, Row

FRAME = 4


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--engine", choices=("votes", "hdbscan"), default="votes")
    parser.add_argument("--runs", type=int, default=3, help="fresh processes")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated movie")


def run(options: argparse.Namespace) -> Report:
    """Measure as the window does: load the network, then preview, then once more."""
    settings = SegmentSettings(model=options.model, engine=options.engine, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "movie.tif"
        images = fifty_cells(2 * FRAME, options.seed)
        tifffile.imwrite(path, images, metadata={"axes": "TYX"})
        choice = MovieChoice.of(open_movie(path), path)
        runs = [_one_process(choice, settings) for _ in range(options.runs)]
    rows: list[Row] = [
        {
            "step": step,
            "median_s": statistics.median(run[i] for run in runs),
            "worst_s": max(run[i] for run in runs),
        }
        for i, step in enumerate(
            (
                "process start to first preview, cell size estimated",
                "second preview in the same process",
            )
        )
    ]
    return Report(
        rows=rows,
        settings={
            "frame": "512 x 512 px, about 50 cells, simulated",
            "seed": options.seed,
            "model": options.model,
            "engine": options.engine,
            "runs": options.runs,
        },
    )


def _one_process(choice: MovieChoice, settings: SegmentSettings) -> tuple[float, float]:
    """Time the first and the second preview of a fresh process, in s."""
    output = choice.path.with_name("preview.npy")
    first = Preview(movie=choice, settings=settings, frame=FRAME, output=output)
    second = first.model_copy(update={"frame": FRAME + 1})
    begin = time.perf_counter()
    with _child() as child:
        _ask(child, Warm(settings=settings), first)
        ready = time.perf_counter()
        _ask(child, second)
        return ready - begin, time.perf_counter() - ready


@contextmanager
def _child() -> Iterator["subprocess.Popen[str]"]:
    child = subprocess.Popen(
        child_command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ.copy(),
    )
    try:
        yield child
    finally:
        child.communicate(timeout=60)


def _ask(child: "subprocess.Popen[str]", *requests: Request) -> None:
    """Send requests and wait until a frame is previewed."""
    if child.stdin is None or child.stdout is None:
        raise SemiconvError("The computing process has no pipe to speak through.")
    for request in requests:
        child.stdin.write(request.model_dump_json() + "\n")
    child.stdin.flush()
    for line in child.stdout:
        message = read_message(line)
        if isinstance(message, Failed):
            raise SemiconvError(message.message)
        if isinstance(message, Previewed):
            return
    raise SemiconvError("The computing process ended without a preview.")
