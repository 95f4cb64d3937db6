"""SEG, TRA and the other measures on the held-out part of each annotated video.

The network sees some frames before the held-out ones too, so that its memory is warm,
but only the held-out frames are scored. Needs the real videos; see SEMICONV_DATA.
"""

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path

from tifffile import imread

from napari_semiconv.inference.result import FrameResult
from napari_semiconv.io.cells.ctc.folder import Truth, find_truth
from napari_semiconv.io.evaluation import Compared, PlacedTracks, compare, truth_in
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.tracking.measures.instances import InstanceTally
from napari_semiconv.tracking.measures.matching import measure_overlaps

from ..annotated import (
    Stills,
    Video,
    as_grey,
    data_folder,
    find_annotated,
    held_out_frames,
    held_out_outlines,
)
from ..overlays import write_overlay
from ..pipeline import add_pipeline_options, pipeline_settings, placed, run_timed
from ..report import Report, Row

SHOWN = {
    "SEG": "SEG",
    "TRA": "TRA",
    "DET": "DET",
    "LNK": "LNK",
    "CT": "CT",
    "TF": "TF",
    "BC1": "BC1",
    "CCA": "CCA",
    "division_precision": "div_P",
    "division_recall": "div_R",
    "division_f1": "div_F1",
    "divisions": "divisions",
    "AP50": "AP50",
    "SBD": "SBD",
    "DiC": "DiC",
    "outlined_frames": "outlined",
}
OF_OUTLINES = ("SEG", "AP50", "SBD", "DiC", "outlined")
OVERLAYS = 3


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    add_pipeline_options(parser)
    parser.add_argument("--videos", help="names or their beginnings, with commas")
    parser.add_argument(
        "--warm-up", type=int, default=10, help="frames before, unscored"
    )
    parser.add_argument(
        "--all-frames", action="store_true", help="score training frames too"
    )
    parser.add_argument(
        "--overlays", type=Path, metavar="DIR", help="draw outlines of some frames"
    )


def run(options: argparse.Namespace) -> Report:
    """Score every video and set of stills that is there."""
    names = (
        "engine",
        "solver",
        "device",
        "cell_size",
        "smoothing",
        "warm_up",
        "all_frames",
    )
    settings = {name: getattr(options, name) for name in names}
    folder = data_folder()
    if not folder.is_dir():
        note = "Skipped: the real videos are not here; say where with SEMICONV_DATA."
        return Report([], settings, [note])
    model = load_model(options.model, options.device)
    settings |= {"model": model.name, "weights": model.info.digest[:12]}
    rows = [
        _video(item, model, options)
        if isinstance(item, Video)
        else _stills(item, model, options)
        for item in find_annotated(folder, options.videos)
    ]
    return Report(rows, settings, _notes(options))


def _notes(options: argparse.Namespace) -> list[str]:
    scope = (
        "All frames are scored, those trained on too: these are not held-out scores."
        if options.all_frames
        else "Only frames and stills that were never trained on are scored."
    )
    return [
        scope,
        "SEG, AP50, SBD and DiC rest on the outlined frames; a dash says that none of "
        "the scored frames is outlined. Silver outlines were made by programs.",
    ]


def _video(video: Video, model: Model, options: argparse.Namespace) -> Row:
    movie, truth = open_movie(video.images), find_truth(video.truth)
    last = range(len(movie)) if options.all_frames else held_out_frames(len(movie))
    gold = not set(truth.outlines).isdisjoint(last)
    silver = not gold and video.silver.is_dir()
    row, times = _score(video, movie, model, options, last, silver)
    outlines = "silver" if silver else "gold" if gold else "none"
    if not gold and not silver and (earlier := held_out_outlines(truth, len(movie))):
        # No outline among the last frames: some earlier ones are held out for them.
        other, _ = _score(video, movie, model, options, earlier, silver=False)
        row |= {name: other[name] for name in OF_OUTLINES}
        outlines = f"gold, {earlier.start}:{earlier.stop}"
    return row | {"outlines": outlines, "s_per_frame": statistics.median(times)}


def _score(
    video: Video,
    movie: Movie,
    model: Model,
    options: argparse.Namespace,
    scored: range,
    silver: bool,
) -> tuple[Row, list[float]]:
    """Segment and score a range of frames; the seconds of each frame come along."""
    frames = range(max(0, scored.start - options.warm_up), scored.stop)
    times, size = [], 0.0

    def results() -> Iterator[FrameResult]:
        nonlocal size
        settings = pipeline_settings(vars(options))
        for found, seconds in run_timed(movie, model, settings, frames):
            times.append(seconds)
            size = found.cell_size
            yield found

    masks = placed(results())
    measured = compare(
        Compared(video.name, masks, range(masks.begin, masks.frames), {}),
        truth_in(video.truth, silver),
        scored,
    )
    if options.overlays:
        truth = find_truth(video.truth, silver)
        _draw(options.overlays / video.name, movie, truth, masks, scored)
    scores = measured.as_dict()
    row: Row = {
        "video": video.name,
        "frames": len(scored),
        "cell_px": round(size, 1),
        **{short: scores[name] for name, short in SHOWN.items()},
    }
    return row, times


def _draw(
    place: Path, movie: Movie, truth: Truth, found: PlacedTracks, scored: range
) -> None:
    """Draw the first, middle and last scored frame, markers where outlines lack."""
    outlined = set(truth.outlines)
    for frame in scored[:: max(1, (len(scored) - 1) // (OVERLAYS - 1))]:
        if frame in outlined or truth.tracks is None:
            name, true = f"{frame:03d}.png", truth.outlines[frame]
        else:
            name, true = f"{frame:03d}_markers.png", truth.tracks.labels(frame)
        image = movie.frame(frame)
        write_overlay(place / name, image, true, found.labels(frame))


def _stills(stills: Stills, model: Model, options: argparse.Namespace) -> Row:
    tally, times, sizes = InstanceTally(), [], []
    settings = pipeline_settings(vars(options))
    files = stills.files() if options.all_frames else stills.held_out()
    for i, name in enumerate(files):
        image = as_grey(imread(stills.images / name))
        truth = imread(stills.labels / name)
        movie = movie_from_array(image[None], "TYX", name)
        for found, seconds in run_timed(movie, model, settings, range(1)):
            tally.add(measure_overlaps(truth, found.labels))
            times.append(seconds)
            sizes.append(found.cell_size)
            if options.overlays and i % max(1, len(files) // OVERLAYS) == 0:
                path = options.overlays / stills.name / f"{Path(name).stem}.png"
                write_overlay(path, image, truth, found.labels)
    return {
        "video": stills.name,
        "frames": len(files),
        "cell_px": round(statistics.median(sizes), 1),
        "SEG": tally.seg,
        "AP50": tally.ap(0.5),
        "SBD": tally.sbd,
        "DiC": tally.count_error,
        "outlined": len(files),
        "outlines": "gold",
        "s_per_frame": statistics.median(times),
    }
