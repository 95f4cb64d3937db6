"""What teaching gains on kinds of cells that the model does not know, and its cost.

Some true cells of early frames are taken for corrected, the others for masks that
nobody looked at; later frames are scored. With ``--edits`` an annotator mends frame
after frame instead, with and without teaching after every so many corrections.
"""

import argparse
import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch

from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.sizing import estimate_cell_size
from napari_semiconv.io.cells.ctc.folder import find_truth
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.labels import areas_in, labels_in
from napari_semiconv.movie import Movie
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.teaching.corrections import Corrections, Labels, TrustedFrame
from napari_semiconv.teaching.examples import BEFORE, Check
from napari_semiconv.teaching.lesson import lesson_of
from napari_semiconv.teaching.scoring import look
from napari_semiconv.teaching.settings import Depth, TeachSettings
from napari_semiconv.teaching.teach import Taught, teach

from ..annotated import data_folder, held_out_frames
from ..report import Report, Row

DEPTHS: tuple[Depth, ...] = ("heads", "decoder", "all")


@dataclass(frozen=True)
class Case:
    """A movie with full masks: where corrections begin, and which frames are scored."""

    folder: str
    sequence: str
    first: int
    scored: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the movie."""
        return f"{self.folder} {self.sequence}"

    @cached_property
    def movie(self) -> Movie:
        """The movie."""
        folder = data_folder() / self.folder
        if not folder.is_dir():
            raise BadInputError(
                f"{folder}: expected the movie there, found no folder. Say with "
                f"SEMICONV_DATA where the data lie."
            )
        return open_movie(folder / self.sequence)

    @cached_property
    def tracks(self) -> Any:
        """The true masks."""
        return find_truth(data_folder() / self.folder / self.sequence).tracks

    def truth(self, frame: int) -> Labels:
        """Give the true cells of a frame, (Y, X)."""
        return np.asarray(self.tracks.labels(frame), np.int32)

    def check(self, frame: int, size: float) -> Check:
        """Make a check of a whole frame."""
        frames = range(max(0, frame - BEFORE), frame + 1)
        images = [np.asarray(self.movie.frame(t), np.float32) for t in frames]
        return Check(f"{self.name}, frame {frame}", images, self.truth(frame), size)

    def size(self, frames: Sequence[int]) -> float:
        """Diameter of a usual cell in some frames, px."""
        areas = np.concatenate([areas_in(self.truth(t))[1] for t in frames])
        return float(np.sqrt(4 * np.median(areas) / np.pi))


# Movies that the default model was not trained on.
CASES = (
    Case("PhC-Ecoli-movie", "01", 9, (16, 17, 18, 19)),
    Case("PhC-yeast-movie", "01", 0, (6, 7, 8, 9)),
    Case("PhC-T98G-movie", "01", 4, (20, 25, 30, 35)),
    Case("Fluo-N2DL-HeLa", "03", 10, (40, 55, 70, 85)),
)
# Of kinds that it was trained on, held-out frames: what it may not forget.
KNOWN = (("Fluo-N2DH-SIM+", "01"), ("DIC-C2DH-HeLa", "01"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--movies", nargs="*", help="some of the data sets")
    parser.add_argument("--cells", type=int, nargs="*", default=[5, 20, 50, 200])
    parser.add_argument("--depths", nargs="*", default=list(DEPTHS), choices=DEPTHS)
    parser.add_argument("--seeds", type=int, default=1, help="teachings of each")
    parser.add_argument(
        "--edits", action="store_true", help="count corrections until all is right"
    )
    parser.add_argument(
        "--every", type=int, default=20, help="corrections between two teachings"
    )


def run(options: argparse.Namespace) -> Report:
    """Teach with more and more cells, or mend whole movies."""
    model = load_model(options.model, options.device)
    cases = [c for c in CASES if not options.movies or c.folder in options.movies]
    rows: list[Row] = []
    for case in cases:
        rows += (
            _edits(model, case, options)
            if options.edits
            else _curve(model, case, options)
        )
    usual = TeachSettings()
    return Report(
        rows=rows,
        settings={
            "model": options.model,
            "device": options.device,
            "threads": torch.get_num_threads(),
            "steps": usual.steps,
            "seeds": options.seeds,
        },
        notes=[
            "Movies that the model was not trained on; truth of some is in part "
            "automatic. SEG with the size estimated anew; known is SEG of held-out "
            "frames of movies that it was trained on, true size given."
        ],
    )


def _curve(model: Model, case: Case, options: argparse.Namespace) -> Iterator[Row]:
    known = list(_known())
    told = look(model, known)[0].masks
    first = _score(model, case)
    yield {"movie": case.name, "depth": "", "cells": 0, **first, "known": told}
    for depth in options.depths:
        before = 0
        for cells in options.cells:
            corrections = corrected(case, cells)
            if corrections.cells == before:
                break  # there are no more
            before = corrections.cells
            for seed in range(options.seeds):
                new, taught, seconds = taught_with(model, corrections, depth, seed)
                yield {
                    "movie": case.name,
                    "depth": depth,
                    "cells": before,
                    **_score(new, case),
                    "known": look(new, known)[0].masks,
                    "kept": str(taught.better),
                    "seconds": seconds,
                }


def corrected(case: Case, cells: int) -> Corrections:
    """Take so many true cells, frame by frame before those scored, for corrected."""
    frames = []
    left = cells
    for frame in range(case.first, min(case.scored)):
        truth = case.truth(frame)
        chosen = labels_in(truth)[:left]
        left -= len(chosen)
        sure = np.isin(truth, chosen)
        nowhere = np.zeros(truth.shape, bool)
        frames.append(
            TrustedFrame(
                frame,
                np.where(sure, truth, 0).astype(np.int32),
                (truth > 0) & ~sure,
                nowhere,
                whole=len(chosen) == len(labels_in(truth)),
            )
        )
        if not left:
            break
    project = cast("Any", SimpleNamespace(movie=lambda: case.movie))
    return Corrections(case.name, project, frames, {})


def taught_with(
    model: Model, corrections: Corrections, depth: Depth, seed: int = 0
) -> tuple[Model, Taught, float]:
    """Teach; give the new model, what came of it, and seconds."""
    settings = TeachSettings(depth=depth, seed=seed, device="auto")
    start = time.perf_counter()
    lesson = lesson_of([corrections], model.info.cell_size, seed)
    steps = teach(model, lesson, settings)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            taught: Taught = end.value
            break
    info = dataclasses.replace(model.info, taught_size=lesson.cell_size)
    seconds = time.perf_counter() - start
    return Model(info, taught.network.eval(), model.device), taught, seconds


def _score(model: Model, case: Case) -> dict[str, float]:
    span = range(min(case.scored), max(case.scored) + 1)
    size = estimate_cell_size(case.movie, model, span)
    score, _ = look(model, [case.check(t, size) for t in case.scored])
    return {
        "SEG": score.masks,
        "false": score.false,
        "size_found": size,
        "size_true": case.size(case.scored),
    }


def _known() -> Iterator[Check]:
    for folder, sequence in KNOWN:
        case = Case(folder, sequence, 0, ())
        frames = held_out_frames(len(case.movie))
        chosen = frames[:: max(1, len(frames) // 2)]
        for frame in chosen[:2]:
            yield case.check(frame, case.size([frame]))


def _edits(model: Model, case: Case, options: argparse.Namespace) -> Iterator[Row]:
    """Mend frame after frame, and count: without teaching, then with it."""
    for every in (None, options.every):
        now, done, since, teachings = model, 0, 0, 0
        mended: list[TrustedFrame] = []
        for frame in range(len(case.movie)):
            rest = range(frame, len(case.movie))
            size = estimate_cell_size(case.movie, now, rest)
            _, (found,) = look(now, [case.check(frame, size)])
            edits = corrections_needed(found, case.truth(frame))
            done, since = done + edits, since + edits
            truth = case.truth(frame)
            nowhere = np.zeros(truth.shape, bool)
            mended.append(TrustedFrame(frame, truth, nowhere, nowhere, whole=True))
            if every is not None and since >= every and truth.any():
                project = cast("Any", SimpleNamespace(movie=lambda: case.movie))
                # The last ones look most like those to come.
                given = Corrections(case.name, project, mended[-16:], {})
                new, taught, _ = taught_with(model, given, "all", teachings)
                now = new if taught.better is not False else now
                since, teachings = 0, teachings + 1
        cells = sum(len(labels_in(known.cells)) for known in mended)
        yield {
            "movie": case.name,
            "taught_every": every,
            "frames": len(mended),
            "cells": cells,
            "edits": done,
            "teachings": teachings,
        }


def corrections_needed(found: Labels, truth: Labels) -> int:
    """Count cells to be drawn, split or merged, and those to be taken away."""
    wrong = 0
    areas = dict(zip(*(part.tolist() for part in areas_in(found)), strict=True))
    matched = set()
    for label in labels_in(truth):
        cell = truth == label
        others, shared = areas_in(found[cell])
        best = int(np.argmax(shared)) if len(others) else -1
        if best < 0:
            wrong += 1
            continue
        other = int(others[best])
        both = int(shared[best])
        good = 2 * both > int(cell.sum()) + areas[other] - both
        wrong += not good
        matched.add(other)
    return wrong + len(set(labels_in(found)) - matched)
