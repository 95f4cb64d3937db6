"""Fit what makes a division likely, and count links and divisions on true masks.

True masks, numbered afresh, are linked anew. ``--fit`` fits the weights of the evidence
for divisions and tells how well they do on recordings that were left out of the fit;
``--write`` keeps those of all.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from napari_semiconv.inference.linking import divisions as dividing
from napari_semiconv.inference.linking.candidates import Scene
from napari_semiconv.inference.linking.features import (
    FrameCells,
    Known,
    measure_bodies,
    number_cells,
)
from napari_semiconv.inference.linking.solve import FINE_ENOUGH, Solved, Solver
from napari_semiconv.io.cells.ctc.folder import find_truth
from napari_semiconv.io.cells.ctc.tracked import lineage_of_table
from napari_semiconv.io.cells.tracked import lineage_of_labels
from napari_semiconv.labels import areas_in
from napari_semiconv.settings import LinkSettings
from napari_semiconv.synthetic import CELL_KINDS, random_settings, simulate
from napari_semiconv.tracking.lineage import Lineage

from ..annotated import data_folder
from ..report import Report, Row

Labels = NDArray[np.int32]
# Movies with full masks of every frame.
MOVIES = (
    "Fluo-N2DH-SIM+/01", "DIC-C2DH-HeLa/01", "Fluo-N2DL-HeLa/01", "Fluo-N2DL-HeLa/03",
    "PhC-Ecoli-movie/01", "PhC-yeast-movie/01", "PhC-T98G-movie/01",
)  # fmt: skip
# Share of the cells that are cut in two by mistake, in a second look at each movie.
CUT = 0.1
SIMULATED, FRAMES = 3, 14
# Simulated movies are many: what each of their examples counts, and how many of those
# that are no division are kept.
LESS, KEPT = 0.3, 0.1
# Strength of the pull of the weights, of terms of unit spread, to 0.
PULL = 3.0


@dataclass(frozen=True, eq=False)
class Tracked:
    """A movie of true masks: labels of all frames, (Y, X) each, and the lineage."""

    name: str
    labels: Sequence[Labels]
    lineage: Lineage


@dataclass(frozen=True, eq=False)
class Examples:
    """Possible divisions of a movie, (P, 12), and which are true ones, (P,)."""

    features: NDArray[np.float64]
    true: NDArray[np.bool_]
    weight: float = 1.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--fit", action="store_true", help="fit the weights anew")
    parser.add_argument("--write", action="store_true", help="and keep them")
    parser.add_argument("--seed", type=int, default=0, help="of cuts and simulations")


def run(options: argparse.Namespace) -> Report:
    """Fit, if asked to; then link all movies."""
    folder = data_folder()
    if not folder.is_dir():
        note = "Skipped: the real videos are not here; say where with SEMICONV_DATA."
        return Report([], {}, [note])
    movies = [read(name) for name in MOVIES]
    rows: list[Row] = []
    if options.fit:
        rows += fit_all(movies, options.seed, write=options.write)
    rows += [{"movie": movie.name, **scores(movie, solved(movie))} for movie in movies]
    notes = [
        "divisions are counted as found when mother and both daughters are the true "
        "ones, in the true frame; missing and wrong are links."
    ]
    return Report(rows, {"seed": options.seed}, notes)


def read(name: str) -> Tracked:
    """Read a movie of true masks."""
    truth = find_truth(data_folder() / name).tracks
    assert truth is not None, "all of them are tracked"
    labels = [np.asarray(truth.labels(t), np.int32) for t in range(truth.frames)]
    return Tracked(name, labels, lineage_of_table(truth.table))


def solved(movie: Tracked) -> Solved:
    """Link the masks of a movie, frame numbers and shapes alone being known."""
    solver = Solver(LinkSettings(), _size(movie.labels))
    for frame, labels in enumerate(movie.labels):
        solver.push(frame, labels)
    return solver.solve()


def scores(movie: Tracked, found: Solved) -> dict[str, float]:
    """Count links and divisions."""
    true, theirs = _links(movie.lineage), set[tuple[int, int, int, int]]()
    lineage = found.lineage
    names = {
        (frame, track): label
        for frame, label, track in zip(
            found.frame.tolist(),
            found.label.tolist(),
            found.track.tolist(),
            strict=True,
        )
    }
    for a, one, b, other in _links(lineage):
        theirs.add((a, names[a, one], b, names[b, other]))
    events = {
        (names[frame, mother], frozenset(names[begin, d] for begin, d in daughters))
        for mother, frame, daughters in _events(lineage)
    }
    wanted = {
        (mother, frozenset(d for _, d in daughters))
        for mother, _, daughters in _events(movie.lineage)
    }
    right = len(events & wanted)
    every = len(events) + len(wanted)
    return {
        "divisions": len(wanted),
        "found": len(events),
        "right": right,
        "F1": 2 * right / every if every else float("nan"),
        "links": len(true),
        "missing": len(true - theirs),
        "wrong": len(theirs - true),
    }


def fit_all(movies: Sequence[Tracked], seed: int, *, write: bool) -> Iterator[Row]:
    """Fit the weights without each data set, and with all."""
    rng = np.random.default_rng(seed)
    examples = {movie.name: examples_of(movie, rng) for movie in movies}
    examples["simulated"] = _simulated(rng)
    for name, part in examples.items():
        if not part.true.any() or name == "simulated":
            continue
        same = name.partition("/")[0]
        rest = [p for n, p in examples.items() if n.partition("/")[0] != same]
        odds = _odds(part.features, fitted(rest))
        yield {
            "movie": f"left out: {name}",
            "divisions": int(part.true.sum()),
            "found": int((odds > 0).sum()),
            "right": int(((odds > 0) & part.true).sum()),
        }
    weights = fitted(list(examples.values()))
    if write:
        text = json.dumps(weights, indent=2)
        dividing.FITTED.write_text(text + "\n", encoding="utf-8")
        dividing.forget()


def examples_of(movie: Tracked, rng: np.random.Generator) -> Examples:
    """Look at all possible divisions of a movie, and again with cells cut in two."""
    born = {
        (begin, daughter): mother
        for mother, _, daughters in _events(movie.lineage)
        for begin, daughter in daughters
    }
    features, true = [], []
    for share in (0.0, CUT):
        for frame in range(len(movie.labels) - 1):
            before, after = movie.labels[frame : frame + 2]
            after, cut = _cut(after, share, rng)
            step = max(1, int(_size(movie.labels) / FINE_ENOUGH))
            scene, mothers, cells = _scene(
                before[::step, ::step], after[::step, ::step]
            )
            rows = dividing.possible_divisions(scene)
            features.append(dividing.division_features(scene, *rows))
            mother, one, other = mothers[rows[0]], cells[rows[1]], cells[rows[2]]
            daughters = [
                np.array(
                    [born.get((frame + 1, c)) == m and c not in cut for c, m in pairs],
                    bool,
                )
                for pairs in (
                    zip(one.tolist(), mother.tolist(), strict=True),
                    zip(other.tolist(), mother.tolist(), strict=True),
                )
            ]
            true.append(daughters[0] & daughters[1])
    return Examples(np.concatenate(features), np.concatenate(true))


def fitted(examples: Sequence[Examples]) -> dict[str, float]:
    """Fit a logistic regression; the constant has no name."""
    features = np.concatenate([e.features for e in examples])
    true = np.concatenate([e.true for e in examples])
    weight = np.concatenate([np.full(len(e.true), e.weight) for e in examples])
    terms = dividing.terms_of(features)
    table = np.stack(list(terms.values()), 1)
    mean, spread = table.mean(0), table.std(0) + 1e-9
    table = np.column_stack([np.ones(len(table)), (table - mean) / spread])
    sign = np.where(true, -1.0, 1.0)

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = sign * (table @ values)
        wrong = weight * sign / (1 + np.exp(-odds))
        pull = np.append(0, values[1:])
        total = weight @ np.logaddexp(0, odds) + PULL / 2 * pull @ pull
        return float(total), table.T @ wrong + PULL * pull

    found = minimize(loss, np.zeros(table.shape[1]), jac=True, method="L-BFGS-B").x
    scaled = found[1:] / spread
    weights = {"": float(found[0] - scaled @ mean)}
    weights |= dict(zip(terms, scaled.tolist(), strict=True))
    return {name: round(value, 4) for name, value in weights.items()}


def _odds(
    features: NDArray[np.float64], weights: Mapping[str, float]
) -> NDArray[np.float64]:
    terms = dividing.terms_of(features)
    parts = [weights[name] * values for name, values in terms.items()]
    total: NDArray[np.float64] = weights[""] + np.sum(parts, 0)
    return total


def _simulated(rng: np.random.Generator) -> Examples:
    """Examples of simulated movies, fewer of those that are no division."""
    parts = []
    for place, kind in enumerate(CELL_KINDS):
        for number in range(SIMULATED):
            own = 900 + 10 * place + number
            movie = simulate(random_settings(own, kind, FRAMES), own)
            labels = [np.asarray(frame, np.int32) for frame in movie.labels]
            parents = {int(row[0]): int(row[3]) for row in movie.table if row[3]}
            lineage = lineage_of_labels(enumerate(labels), parents)
            parts.append(examples_of(Tracked(kind, labels, lineage), rng))
    features = np.concatenate([part.features for part in parts])
    true = np.concatenate([part.true for part in parts])
    keep = true | (rng.random(len(true)) < KEPT)
    return Examples(features[keep], true[keep], LESS)


def _scene(
    before: Labels, after: Labels
) -> tuple[Scene, NDArray[np.int64], NDArray[np.int64]]:
    """Two frames as the linker sees them, and the labels of the rows of both."""
    one, mothers, centres, areas = number_cells(before)
    bodies = measure_bodies(one, centres, areas)
    nothing = np.zeros((len(areas), 0))
    still, now = np.zeros_like(centres), np.zeros(len(areas), np.int64)
    known = Known(mothers, now, bodies, areas, still, nothing)
    two, cells, centres, areas = number_cells(after)
    unknown, nothing = np.full_like(centres, np.nan), np.zeros((len(areas), 0))
    seen = FrameCells(two, centres, areas, nothing, unknown, np.ones(len(areas)))
    shapes = measure_bodies(two, centres, areas)
    size = _size([before, after])
    scene = Scene(seen, shapes, known, now, one, None, size, LinkSettings())
    return scene, mothers, cells


def _cut(
    labels: Labels, share: float, rng: np.random.Generator
) -> tuple[Labels, set[int]]:
    """Cut some cells in two, near the middle; name those that were."""
    cut, new = labels.copy(), int(labels.max(initial=0)) + 1_000_000
    names = set()
    for label in areas_in(labels)[0].tolist() if share else ():
        if rng.random() >= share:
            continue
        y, x = np.nonzero(labels == label)
        angle, aside = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5)
        across = (y - y.mean()) * np.cos(angle) + (x - x.mean()) * np.sin(angle)
        beyond = across > aside * across.std()
        cut[y[beyond], x[beyond]] = new
        names |= {label, new}
        new += 1
    return cut, names


def _size(labels: Sequence[Labels]) -> float:
    areas = np.concatenate([areas_in(frame)[1] for frame in labels])
    return float(np.sqrt(4 * np.median(areas) / np.pi)) if len(areas) else FINE_ENOUGH


def _links(lineage: Lineage) -> set[tuple[int, int, int, int]]:
    """Frame and track of two cells that follow one another, daughters too."""
    found = set()
    for track in lineage.tracks.values():
        frames = track.frames
        for a, b in pairwise(frames):
            found.add((a, track.label, b, track.label))
        mother = lineage.tracks.get(track.parent)
        if mother is not None:
            found.add((mother.end, mother.label, track.begin, track.label))
    return found


def _events(lineage: Lineage) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Mother, her last frame, and first frame and label of each daughter."""
    for mother, daughters in lineage.daughters().items():
        if len(daughters) > 1 and mother in lineage.tracks:
            begins = [(lineage.tracks[d].begin, d) for d in daughters]
            yield mother, lineage.tracks[mother].end, begins
