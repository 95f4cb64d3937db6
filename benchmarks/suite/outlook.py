"""How well the program foretells the overlap of its masks with the true ones.

Each movie is looked at from several frames on, and each set of stills at several, with
the cell size as it is estimated. ``--fit`` fits the calibration: the values of each
data set are foretold by what was fitted to all others.
"""

import argparse
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import spearmanr
from tifffile import imread

from napari_semiconv.inference.outlook import USUAL, Calibration, Signs, signs_of
from napari_semiconv.inference.sizing import estimate_cell_size
from napari_semiconv.io.cells.ctc.folder import find_truth
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.teaching.examples import Check
from napari_semiconv.teaching.scoring import look

from ..annotated import Stills, Video, data_folder, find_annotated
from ..report import Report, Row
from .sizes import Case, cases_of

BINS = (0.0, 0.3, 0.5, 0.7, 0.8, 1.0)
# Frames from the first one on among which an outlined one is looked for.
NEAR = 12
# A fit with few data sets would go to extremes.
PULL = 0.02


@dataclass(frozen=True)
class Seen:
    """What a network found in a frame: its signs and its true score."""

    name: str
    signs: Signs | None
    masks: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps or auto")
    parser.add_argument("--videos", help="names or their beginnings, with commas")
    parser.add_argument("--samples", type=int, default=4, help="of each movie or set")
    parser.add_argument(
        "--held-out", action="store_true", help="frames never trained or fitted on"
    )
    parser.add_argument("--fit", action="store_true", help="fit the calibration anew")


def run(options: argparse.Namespace) -> Report:
    """Look at all frames, and compare."""
    settings: dict[str, object] = {
        name: getattr(options, name) for name in ("samples", "held_out")
    }
    if not data_folder().is_dir():
        note = "Skipped: the real videos are not here; say where with SEMICONV_DATA."
        return Report([], settings, [note])
    model = load_model(options.model, options.device)
    settings |= {"model": model.name, "weights": model.info.digest[:12]}
    seen = [
        found
        for item in find_annotated(data_folder(), options.videos)
        for case in cases_of(item, options.samples, held_out=options.held_out)
        for found in look_at(item, case, model)
    ]
    known = [one for one in seen if one.signs is not None]
    calibrations, notes = {one.name: USUAL for one in seen}, []
    if options.fit:
        names = dict.fromkeys(one.name for one in known)
        calibrations |= {
            name: fitted([one for one in known if one.name != name]) for name in names
        }
        notes.append(f"Fitted to all: {fitted(known)}.")
    foretold = np.array([_expected(one, calibrations) for one in known])
    true = np.array([one.masks for one in known])
    notes += [
        f"Rank correlation of foretold and true SEG: {spearmanr(foretold, true)[0]:.2f}"
        f" over {len(known)} frames; mean error {abs(foretold - true).mean():.2f}. In "
        f"{len(seen) - len(known)} more no cell was found.",
        "The calibration was fitted to the other data sets."
        if options.fit
        else "The calibration that comes with the program.",
    ]
    rows = [*_of_sets(known, foretold, true), *_of_bins(foretold, true)]
    return Report(rows, settings, notes)


def look_at(item: Video | Stills, case: Case, model: Model) -> Iterator[Seen]:
    """Find the cells of an outlined frame of a case, at the size that is estimated."""
    if isinstance(item, Video):
        outlines = find_truth(item.truth).outlines
        near = [t for t in case.frames[:NEAR] if t in outlines]
        if not near:
            return
        frame, truth = near[0], outlines[near[0]]
    else:
        frame, truth = 0, imread(item.labels / case.movie.name)
    size = estimate_cell_size(case.movie, model, case.frames)
    frames = range(max(0, frame - 1), frame + 1)
    images = [np.asarray(case.movie.frame(t), np.float32) for t in frames]
    check = Check(case.name, images, np.asarray(truth, np.int32), size)
    score, _ = look(model, [check])
    yield Seen(
        case.name,
        signs_of(case.movie, model, size, range(frame, frame + 1)),
        score.masks,
    )


def fitted(seen: Sequence[Seen]) -> Calibration:
    """Fit a calibration; every data set counts alike."""
    counts = {one.name: sum(o.name == one.name for o in seen) for one in seen}
    weight = np.sqrt([1 / counts[one.name] for one in seen])
    true = np.array([one.masks for one in seen])
    signs = [one.signs for one in seen if one.signs is not None]
    start = np.array([USUAL.base, USUAL.agreement, USUAL.decided])

    def off(values: NDArray[np.float64]) -> NDArray[np.float64]:
        calibration = Calibration(*values)
        foretold = np.array([calibration.overlap(one) for one in signs])
        pull = PULL * (values - start)
        return np.concatenate([weight * (foretold - true), pull])

    found = least_squares(off, start).x
    return Calibration(*(round(float(value), 2) for value in found))


def _expected(one: Seen, calibrations: dict[str, Calibration]) -> float:
    assert one.signs is not None
    return calibrations[one.name].overlap(one.signs)


def _of_sets(
    seen: Sequence[Seen], foretold: NDArray[np.float64], true: NDArray[np.float64]
) -> Iterator[Row]:
    names = np.array([one.name for one in seen])
    for name in dict.fromkeys(names.tolist()):
        these = names == name
        signs = [one.signs for one in seen if one.name == name and one.signs]
        yield {
            "what": name,
            "frames": int(these.sum()),
            "agreement": statistics.fmean(s.agreement for s in signs),
            "decided": statistics.fmean(s.decided for s in signs),
            "foretold": float(foretold[these].mean()),
            "true": float(true[these].mean()),
        }


def _of_bins(foretold: NDArray[np.float64], true: NDArray[np.float64]) -> Iterator[Row]:
    for low, high in pairwise(BINS):
        these = (foretold >= low) & (foretold < high)
        if these.any():
            yield {
                "what": f"foretold {low} to {high}",
                "frames": int(these.sum()),
                "foretold": float(foretold[these].mean()),
                "true": float(true[these].mean()),
            }
