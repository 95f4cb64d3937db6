"""How many errors the first suspects of the review queue hold, on real recordings.

The default model fills a project of each recording; its errors are told by the truth.
Weights are fitted on the other data sets, and judged on this one. `--fit` writes those
fitted on all into the package. Needs the real videos; see SEMICONV_DATA.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from napari_semiconv.project.suspects.weights import FITTED, Weights
from napari_semiconv.safe import write_json_safely
from napari_semiconv.tracking.measures.matching import match_frame, measure_overlaps

from ..annotated import data_folder
from ..doubting import SPOILED, Case, Judged, auc, case_of, fit, judge, kind_names
from ..report import Report, Row
from ..reviewed import OUTLINED, filled, recordings, spoiled_project

# Bounds of the probabilities that are compared with how often they come true.
BINS = (0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
# Cells that the network is less sure of than this may be left out by the solver.
DOUBTFUL = 0.5


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--videos", help="names or their beginnings, with commas")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "semiconv-suspects",
        help="folder that keeps what the model found, for the next time",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the errors put in")
    parser.add_argument("--fit", action="store_true", help="write the weights")
    parser.add_argument("--figure", type=Path, metavar="PNG", help="draw the curves")


def run(options: argparse.Namespace) -> Report:
    """Fit on all other data sets, and judge on each recording."""
    settings = {"seed": options.seed, "device": "cpu", "model": "default"}
    if not data_folder().is_dir():
        note = "Skipped: the real videos are not here; say where with SEMICONV_DATA."
        return Report([], settings, [note])
    options.cache.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        real, spoiled = _cases(options, stack)
        judged = [judge(case, _fitted_without(case, real, spoiled)) for case in real]
        rows = [*map(_row, judged), *_rows_of_kinds(judged)]
        notes = [*_notes(), *_calibration(judged)]
        if options.fit:
            write_json_safely(FITTED, _calibrated(real, spoiled, judged).as_dict())
        if options.figure:
            _draw(options.figure, judged)
    return Report(rows, settings, notes)


def _cases(
    options: argparse.Namespace, stack: ExitStack
) -> tuple[list[Case], list[Case]]:
    real, spoiled = [], []
    for recording in recordings(options.videos):
        project = stack.enter_context(filled(recording, options.cache))
        real.append(case_of(recording, project))
        if recording.group in OUTLINED:
            project = spoiled_project(recording, options.cache, options.seed)
            stack.enter_context(project)
            spoiled.append(case_of(recording, project, SPOILED))
    return real, spoiled


def _fitted_without(case: Case, *cases: Sequence[Case]) -> Weights:
    group = case.recording.group
    return fit([c for some in cases for c in some if c.recording.group != group])


def _calibrated(
    real: Sequence[Case], spoiled: Sequence[Case], judged: Sequence[Judged]
) -> Weights:
    """Fit on all; scale to errors by what was found on recordings not fitted on."""
    held = sum(int((one.found_at < len(one.queue)).sum()) for one in judged)
    errors = sum(len(one.case.errors) for one in judged)
    expected = sum(float(one.queue.rows.chance.sum()) for one in judged)
    return replace(
        fit([*real, *spoiled]),
        errors=held / expected,
        unlisted=(errors - held) / held,
        left_out=_true_share(real),
    )


def _true_share(cases: Sequence[Case]) -> float:
    """Share of true cells among those that the solver may leave out."""
    right = total = 0
    for case in cases:
        lineage = case.project.lineage
        place = lineage.score_names.index("sure")
        for label, track in lineage.tracks.items():
            alone = track.begin == track.end and not track.parent
            if alone and lineage.scores(label)[0, place] < DOUBTFUL:
                frame = track.begin
                found = case.project.document.labels(frame)
                match = match_frame(
                    measure_overlaps(case.recording.truth[frame], found)
                )
                total += 1
                right += label in match.sole.values()
    return (right + 0.5) / (total + 1)


def _row(one: Judged) -> Row:
    cells, suspects = len(one.case.cells), len(one.queue)
    tenth = max(1, suspects // 10)
    return {
        "recording": one.case.recording.name,
        "cells": cells,
        "errors": len(one.case.errors),
        "suspects": suspects,
        "in_first_10%": one.held(tenth),
        "best_possible": one.best(tenth),
        "in_looks_10%_of_cells": one.held(cells // 10),
        "looks_for_half": one.half,
        "in_all": one.held(suspects),
        "AUROC": one.auc,
        "AUROC_best_score": one.auc_before,
        "errors_estimated": float(one.queue.rows.chance.sum()),
    }


def _rows_of_kinds(judged: Sequence[Judged]) -> Iterator[Row]:
    kinds = np.concatenate([kind_names(one.queue) for one in judged])
    chances = np.concatenate([one.queue.rows.chance for one in judged])
    hits = np.concatenate([one.hits for one in judged])
    for kind in dict.fromkeys(kinds.tolist()):
        some = kinds == kind
        yield {
            "recording": f"kind: {kind}",
            "suspects": int(some.sum()),
            "wrong": float(hits[some].mean()),
            "AUROC": auc(hits[some], chances[some]),
        }


def _calibration(judged: Sequence[Judged]) -> Iterator[str]:
    chances = np.concatenate([one.queue.rows.chance for one in judged])
    hits = np.concatenate([one.hits for one in judged])
    parts = []
    for low, high in pairwise(BINS):
        some = (chances >= low) & (chances < high)
        if some.any():
            mean = f"{100 * chances[some].mean():.0f} %"
            parts.append(f"{mean}: {100 * hits[some].mean():.0f} % of {some.sum()}")
    yield "Mean probability, and how many were wrong: " + "; ".join(parts) + "."
    looks = sum(max(1, len(one.queue) // 10) for one in judged)
    held = sum(
        int((one.found_at < max(1, len(one.queue) // 10)).sum()) for one in judged
    )
    errors = sum(len(one.case.errors) for one in judged)
    yield (
        f"All recordings together: the first 10 % of the queues, {looks} looks, hold "
        f"{held} of {errors} errors."
    )


def _notes() -> list[str]:
    return [
        "in_first_10%: share of the true errors seen at the first tenth of the queue; "
        "best_possible: in a tenth of the queue in the best order there is; "
        "in_looks_10%_of_cells: in as many looks as a tenth of the cells; in_all: at "
        "any suspect.",
        "AUROC: of all cells, wrong against right; AUROC_best_score: of the best of "
        "the four scores of network and solver alone. Of a kind: of its suspects.",
        "Weights are those fitted on all other data sets, and on truth with errors put "
        "into it. The model itself was trained on part of some recordings.",
    ]


def _draw(path: Path, judged: Sequence[Judged]) -> None:
    """Draw the share of errors seen against the share of the queue looked at."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.4), layout="constrained")
    for one in judged:
        many = len(one.queue)
        share = [one.held(looks) for looks in range(many + 1)]
        axes.plot(
            np.arange(many + 1) / many, share, label=one.case.recording.name, lw=1.6
        )
    axes.plot([0, 1], [0, 1], color="grey", ls=":", label="in any order")
    axes.axvline(0.1, color="grey", lw=0.8)
    axes.axhline(0.5, color="grey", lw=0.8)
    axes.set(xlabel="share of the queue looked at", ylabel="share of the errors seen")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.legend(fontsize=8, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
