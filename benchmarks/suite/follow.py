"""How far a cell is followed rightly by the network on real movies, and when to stop.

Each cell of some held-out frames is followed from its true mask for some frames, also
beyond the first that is doubted. A mask is right when it shares half of its pixels with
the true one. Masks that agree less with the frame before than the program believes are
not shown to the user.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_semiconv.compute.following import BEFORE, BELIEVED
from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.following import Follower
from napari_semiconv.inference.stream.stream import Stream
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.labels import areas_in
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.settings import SegmentSettings

from ..annotated import data_folder, held_out_frames
from ..report import Report, Row

# Movies with full masks in every frame: folder, sequence.
MOVIES = (
    ("Fluo-N2DL-HeLa", "01"),
    ("Fluo-N2DL-HeLa", "03"),
    ("Fluo-N2DH-SIM+", "01"),
    ("PhC-T98G-movie", "01"),
    ("PhC-yeast-movie", "01"),
    ("PhC-Ecoli-movie", "01"),
)
LEVELS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
Labels = NDArray[np.int32]
# Least agreement so far, whether the mask is right, and ms.
Step = tuple[float, bool, float]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for the network")
    parser.add_argument("--frames", type=int, default=6, help="to follow each cell for")
    parser.add_argument("--starts", type=int, default=4, help="frames to begin in")
    parser.add_argument("--cells", type=int, default=20, help="of each such frame")
    parser.add_argument("--movies", nargs="*", help="some of the data sets")


def run(options: argparse.Namespace) -> Report:
    """Follow cells of each movie, and weigh where to stop."""
    model = load_model(options.model, options.device)
    rows: list[Row] = []
    everything: list[Step] = []
    for name, sequence in MOVIES:
        if options.movies and name not in options.movies:
            continue
        steps = list(_followed(model, name, sequence, options))
        everything += steps
        rows.append(_row(f"{name} {sequence}", steps, BELIEVED))
    rows += [_row("all", everything, level) for level in LEVELS]
    return Report(
        rows=rows,
        settings={
            "model": options.model,
            "frames_followed": options.frames,
            "starts": options.starts,
            "cells_of_each": options.cells,
            "believed_from": BELIEVED,
        },
        notes=["Truth of these movies is in part automatic: see their description."],
    )


def _followed(
    model: Model, name: str, sequence: str, options: argparse.Namespace
) -> Iterator[Step]:
    folder = data_folder() / name
    if not folder.is_dir():
        raise BadInputError(
            f"{folder}: expected the movie there, found no folder. Say with "
            f"SEMICONV_DATA where the data lie."
        )
    movie = open_movie(folder / sequence)
    last = held_out_frames(len(movie)).stop
    first = max(0, last - options.starts - options.frames)
    masks = folder / f"{sequence}_GT" / "SEG"
    truth: dict[int, Labels] = {
        t: tifffile.imread(masks / f"man_seg{t:03d}.tif").astype(np.int32)
        for t in range(first, last)
    }
    size = float(np.sqrt(4 / np.pi * np.median(areas_in(truth[first])[1])))
    stream = Stream.of(model, size, SegmentSettings(), memory_span=0)
    outputs = {
        t: stream.push(movie.frame(t)) for t in range(max(0, first - BEFORE), last)
    }
    random = np.random.default_rng(0)
    for start in range(first, first + options.starts):
        cells = np.intersect1d(truth[start], truth[start + 1])
        cells = random.permutation(cells[cells > 0])[: options.cells]
        for label in cells.tolist():
            follower, least = Follower(truth[start], label, outputs[start]), 1.0
            for frame in range(start + 1, min(start + 1 + options.frames, last)):
                begin = time.perf_counter()
                found = follower.step(outputs[frame])
                took = 1000 * (time.perf_counter() - begin)
                true = truth[frame] == label
                both, either = (found.mask & true).sum(), (found.mask | true).sum()
                # It is shown until the first frame that is doubted.
                least = min(least, found.agreement)
                yield least, bool(2 * both > either), took
                if not found.mask.any():
                    break


def _row(movie: str, steps: list[Step], level: float) -> Row:
    agreement, right, took = (np.array(part) for part in zip(*steps, strict=True))
    kept = agreement >= level
    return {
        "movie": movie,
        "from": level,
        "masks": len(steps),
        "right_percent": round(100 * float(right.mean()), 1),
        "shown_percent": round(100 * float(kept.mean()), 1),
        "right_of_shown_percent": round(100 * float(right[kept].mean()), 1),
        "right_of_hidden_percent": round(100 * float(right[~kept].mean()), 1)
        if (~kept).any()
        else None,
        "step_ms": round(float(np.median(took)), 1),
    }
