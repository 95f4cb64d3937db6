"""Run the pipeline for a benchmark, with every frame timed."""

import argparse
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from napari_semiconv.inference.result import FrameResult
from napari_semiconv.io.cells.ctc.tracked import PiecewiseTracks
from napari_semiconv.io.cells.tracked import TrackedMovie, lineage_of_labels
from napari_semiconv.io.evaluation import PlacedTracks
from napari_semiconv.movie import Movie
from napari_semiconv.network.weights import Model
from napari_semiconv.settings import LinkSettings, SegmentSettings, VotesSettings

from .in_process import segment_and_solve


def add_pipeline_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that decide how movies are segmented."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--engine", choices=("votes", "hdbscan"), default="votes")
    parser.add_argument("--solver", choices=("global", "greedy"), default="global")
    parser.add_argument(
        "--precision", choices=("auto", "float32", "bfloat16"), default="auto"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps or auto")
    parser.add_argument(
        "--cell-size", default="auto", help="diameter in px, or auto to estimate it"
    )
    parser.add_argument(
        "--smoothing", type=float, help="vote smoothing, in cell diameters"
    )


def pipeline_settings(options: Mapping[str, Any]) -> SegmentSettings:
    """Turn the options into settings."""
    size, smoothing = options["cell_size"], options.get("smoothing")
    votes = VotesSettings() if smoothing is None else VotesSettings(smoothing=smoothing)
    return SegmentSettings(
        model=str(options["model"]),
        engine=options["engine"],
        device=options["device"],
        precision=options.get("precision", "auto"),
        cell_size=None if size == "auto" else float(size),
        votes=votes,
        link=LinkSettings(solver=options.get("solver", "global")),
    )


def run_timed(
    movie: Movie, model: Model, settings: SegmentSettings, frames: range
) -> Iterator[tuple[FrameResult, float]]:
    """Segment and track, telling for each frame how long it took, in s.

    The time of a frame is that until it was first seen; frames come as they stay.
    """
    begin, times = time.perf_counter(), {}
    for result in segment_and_solve(movie, model, settings, frames):
        times.setdefault(result.frame, time.perf_counter() - begin)
        if result.final:
            yield result, times[result.frame]
        begin = time.perf_counter()


def placed(results: Iterable[FrameResult]) -> PlacedTracks:
    """Gather successive frames in memory, to be compared with the truth."""
    found, parents, first = [], {}, None
    for result in results:
        first = result.frame if first is None else first
        if result.frame != first + len(found):
            raise ValueError(f"expected frame {first + len(found)}, not {result.frame}")
        found.append(result.labels)
        parents = {t.label: t.parent for t in result.lineage.tracks.values()}
    lineage = lineage_of_labels(enumerate(found), parents)
    shape = (len(found), *found[0].shape)
    tracked = TrackedMovie("result", shape, found.__getitem__, lineage)
    return PlacedTracks(PiecewiseTracks(tracked), first or 0)
