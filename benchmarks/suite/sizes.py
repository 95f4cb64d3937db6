"""How well the cell size is estimated, and which constants of the estimate do best.

Every movie is looked at from several frames on, so that luck shows. Usually that is on
frames and stills that may be trained and fitted on; ``--held-out`` checks the others.
``--fit`` tries other constants on the same looks.
"""

import argparse
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tifffile import imread

from napari_semiconv.inference.sizing import USUAL, Belief, Look, believe, look_around
from napari_semiconv.io.cells.ctc.folder import find_truth
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.training.truth import held_out_frames

from ..annotated import HELD_OUT, Stills, Video, as_grey, data_folder, find_annotated
from ..report import Report, Row

LARGER = (-0.1, -0.05, 0.0, 0.05, 0.1, 0.15)
WIDTH = (0.0, 0.25, 0.5, 0.75)
FEW = (0.0, 0.25, 0.5)
SURE = (1.0, 2.0, 4.0)
SHOWN = 8
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """Where an estimate is asked for, and what is true there.

    Parameters
    ----------
    name
        Of the data set.
    movie
        The movie, or a still as one.
    frames
        The frames to look at.
    true
        Diameter of the outlined cell in the middle, px.
    """

    name: str
    movie: Movie
    frames: range
    true: float


@dataclass(frozen=True)
class Seen:
    """A case with what the network found in it at every scale.

    Parameters
    ----------
    case
        The case.
    looks
        What was found, scales ascending.
    usual
        Diameter to fall back on, px.
    """

    case: Case
    looks: Sequence[Look]
    usual: float

    def estimate(self, belief: Belief = USUAL) -> float:
        """Cell diameter believed in, px."""
        return believe(self.looks, self.usual, belief)

    def off(self, belief: Belief = USUAL) -> float:
        """How far off the estimate is: |logarithm of its ratio to the truth|."""
        return abs(float(np.log(self.estimate(belief) / self.case.true)))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps or auto")
    parser.add_argument("--videos", help="names or their beginnings, with commas")
    parser.add_argument(
        "--samples", type=int, default=6, help="estimates of each movie or set"
    )
    parser.add_argument(
        "--held-out", action="store_true", help="frames never trained or fitted on"
    )
    parser.add_argument(
        "--fit", action="store_true", help="try other constants on the same looks"
    )


def run(options: argparse.Namespace) -> Report:
    """Estimate every cell size there is a truth for."""
    settings: dict[str, object] = {
        name: getattr(options, name) for name in ("samples", "held_out")
    }
    folder = data_folder()
    if not folder.is_dir():
        note = "Skipped: the real videos are not here; say where with SEMICONV_DATA."
        return Report([], settings, [note])
    model = load_model(options.model, options.device)
    settings |= {"model": model.name, "weights": model.info.digest[:12]}
    seen = [
        look_into(case, model)
        for item in find_annotated(folder, options.videos)
        for case in cases_of(item, options.samples, held_out=options.held_out)
    ]
    rows = fitted(seen) if options.fit else [row_of(part) for part in by_name(seen)]
    return Report(rows, settings, _notes(options))


def _notes(options: argparse.Namespace) -> list[str]:
    part = "never trained or fitted on" if options.held_out else "of the training part"
    notes = [f"Frames and stills {part}; true_px is the median of the outlined cells."]
    if options.fit:
        return [*notes, "off is the mean over data sets; the usual constants are last."]
    return [*notes, "off is the mean of |log(found / true)|, worst the largest."]


def look_into(case: Case, model: Model) -> Seen:
    """Run the network at every scale."""
    looks = look_around(case.movie, model, case.frames)
    return Seen(case, looks, model.info.cell_size)


def by_name(seen: Sequence[Seen]) -> list[list[Seen]]:
    """Sort cases into data sets."""
    names = dict.fromkeys(s.case.name for s in seen)
    return [[s for s in seen if s.case.name == name] for name in names]


def row_of(seen: Sequence[Seen]) -> Row:
    """Sum up a data set."""
    found = [s.estimate() for s in seen]
    return {
        "video": seen[0].case.name,
        "estimates": len(seen),
        "true_px": round(statistics.median(s.case.true for s in seen), 1),
        "found_px": round(statistics.median(found), 1),
        "least_px": round(min(found), 1),
        "most_px": round(max(found), 1),
        "off": statistics.fmean(s.off() for s in seen),
        "worst": max(s.off() for s in seen),
    }


def fitted(seen: Sequence[Seen]) -> list[Row]:
    """Try constants; the best ones first, the usual ones last."""
    sets = by_name(seen)

    def row(belief: Belief) -> dict[str, float]:
        offs = [statistics.fmean(s.off(belief) for s in part) for part in sets]
        worst = max(s.off(belief) for s in seen)
        return {**vars(belief), "off": statistics.fmean(offs), "worst": worst}

    tried = [row(Belief(*values)) for values in product(LARGER, WIDTH, FEW, SURE)]
    best = sorted(tried, key=lambda found: (found["off"], found["worst"]))
    return [*best[:SHOWN], row(USUAL)]


def cases_of(item: Video | Stills, samples: int, *, held_out: bool) -> Iterator[Case]:
    """Choose where to estimate: runs of frames of a movie, or stills."""
    if isinstance(item, Video):
        yield from _runs(item, samples, held_out)
        return
    kept = set(item.held_out())
    names = [name for name in item.files() if (name in kept) == held_out]
    for name in spread(names, samples):
        image = as_grey(imread(item.images / name))
        if true := diameter([imread(item.labels / name)]):
            movie = movie_from_array(image[None], "TYX", name)
            yield Case(item.name, movie, range(1), true)


def _runs(video: Video, samples: int, held_out: bool) -> Iterator[Case]:
    movie, truth = open_movie(video.images), find_truth(video.truth)
    outlined = [t in truth.outlines for t in range(len(movie))]
    aside = held_out_frames(outlined, HELD_OUT)
    part = [t for t in range(len(movie)) if (t in aside) == held_out]
    # Few frames are outlined, so the truth is that of the whole movie.
    true = diameter([truth.outlines[t] for t in range(len(movie)) if outlined[t]])
    last = part[-1] + 1
    starts = [t for t in part if set(range(t, last)) <= set(part)]
    for start in spread(starts[: max(1, len(starts) // 2)], samples):
        yield Case(video.name, movie, range(start, last), true)


def spread(items: Sequence[T], count: int) -> list[T]:
    """Choose some items, evenly spread from the first to the last."""
    places = np.linspace(0, len(items) - 1, min(count, len(items)))
    return [items[round(place)] for place in places]


def diameter(outlines: Sequence[NDArray[np.integer]]) -> float:
    """Median diameter of all outlined cells, px; 0 when there is none.

    Parameters
    ----------
    outlines
        Label images, each (Y, X).
    """
    areas = np.concatenate([np.bincount(image.ravel())[1:] for image in outlines])
    there = areas[areas > 0]
    return float(np.sqrt(4 / np.pi * np.median(there))) if len(there) else 0.0
