"""Mistakes in joining segments of cells, and the regression of borders fitted anew."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.engines.votes.borders import START, WEIGHTS
from napari_semiconv.inference.engines.votes.engine import segments_of
from napari_semiconv.inference.stream.stream import FrameOutput, Stream
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.settings import VotesSettings
from napari_semiconv.training.truth import Labels, Recording, read_recordings

from ..annotated import data_folder
from ..report import Report, Row

HELD_OUT = 0.2
FINER = 1.33  # recordings are kept this much finer than the network sees them
JITTER = 0.12  # spread of the logarithm of the cell size given to the network
WARM = 2  # frames before the one that is looked at
MOST_STILLS = 40
# Two thresholds, as the engine had before the regression.
VALLEY, ALIKE = 0.75, 0.7


class Seen(NamedTuple):
    """Observations on pairs of segments, (N, 5), and whether each is one cell, (N,)."""

    observed: NDArray[np.float64]
    same: NDArray[np.bool_]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the model, the frames of each movie and the seed."""
    parser.add_argument("--model", default="default", help="name or folder")
    parser.add_argument("--frames", type=int, default=8, help="frames of each movie")
    parser.add_argument("--seed", type=int, default=0)


def run(options: argparse.Namespace) -> Report:
    """Fit on frames trained on; count mistakes there and on held-out frames."""
    model = load_model(options.model, "cpu")
    rng = np.random.default_rng(options.seed)
    folders = sorted(path for path in data_folder().glob("*/") if path.is_dir())
    if not folders:
        raise BadInputError(
            f"{data_folder()}: expected annotated movies, found none. Say where they "
            f"are with SEMICONV_DATA."
        )
    seen = {
        folder.name: observe_folder(folder, model, options, rng) for folder in folders
    }
    weights, start = fit([trained for trained, _ in seen.values()])
    rows = [
        row_of(name, part, pairs, weights, start)
        for name, parts in seen.items()
        for part, pairs in zip(("trained on", "held out"), parts, strict=True)
        if len(pairs.same)
    ]
    return Report(
        rows,
        {"model": options.model, "frames": options.frames, "seed": options.seed},
        [
            f"Fitted anew: weights {weights.round(1).tolist()}, start {start:.1f}; in "
            f"use: {WEIGHTS.tolist()}, {START}.",
            "Thresholds are those the regression replaced: valley above "
            f"{VALLEY} and likeness above {ALIKE}.",
        ],
    )


def observe_folder(
    folder: Path, model: Model, options: argparse.Namespace, rng: np.random.Generator
) -> tuple[Seen, Seen]:
    """Observe frames of a folder that the model was trained on, and held-out ones."""
    size = model.info.cell_size * FINER
    parts = read_recordings([folder], HELD_OUT, size)
    one, other = (
        gather([pairs_of(o, t) for o, t in outputs(part, model, options.frames, rng)])
        for part in parts
    )
    return one, other


def outputs(
    recordings: Sequence[Recording], model: Model, most: int, rng: np.random.Generator
) -> Iterator[tuple[FrameOutput, Labels]]:
    """Run the model on frames drawn by chance; yield output and truth of each."""
    places = [
        (recording, t)
        for recording in recordings
        for t in np.flatnonzero(recording.outlined).tolist()
    ]
    stills = all(len(recording.images) == 1 for recording in recordings)
    for row in rng.permutation(len(places))[: MOST_STILLS if stills else most]:
        recording, t = places[row]
        jitter = np.exp(rng.normal(0, JITTER))
        stream = Stream(model, recording.cell_size * jitter)
        for before in range(max(0, t - WARM), t):
            stream.push(recording.images[before])
        output = stream.push(recording.images[t])
        yield output, shrunk(recording.labels[t], output.shape)


def shrunk(labels: Labels, shape: tuple[int, int]) -> Labels:
    """Bring labels to the resolution of the network, (Y, X), without mixing them."""
    rows, columns = (
        np.minimum(((np.arange(n) + 0.5) * m / n).astype(int), m - 1)
        for n, m in zip(shape, labels.shape, strict=True)
    )
    return labels[np.ix_(rows, columns)]


def pairs_of(output: FrameOutput, truth: Labels) -> Seen:
    """Observe the pairs of segments whose cells are known."""
    settings = VotesSettings()
    inside = output.foreground > settings.foreground
    if not inside.any():
        return Seen(np.zeros((0, len(WEIGHTS))), np.zeros(0, bool))
    segments, borders = segments_of(output, inside, settings)
    cells = cells_of(segments, truth)[borders.pairs]
    known = (cells > 0).all(1)
    return Seen(borders.observed[known], cells[known, 0] == cells[known, 1])


def cells_of(segments: Labels, truth: Labels) -> NDArray[np.int64]:
    """Tell the true cell of each segment; 0 where no cell has most of it."""
    cell = np.zeros(int(segments.max()) + 1, np.int64)
    for segment in range(1, len(cell)):
        under = truth[segments == segment]
        inside = under[under > 0]
        if len(inside) and 2 * len(inside) >= len(under):
            found, counts = np.unique(inside, return_counts=True)
            if counts.max() > 0.6 * len(inside):
                cell[segment] = found[counts.argmax()]
    return cell


def gather(parts: Sequence[Seen]) -> Seen:
    """Put the pairs of several frames together."""
    none = Seen(np.zeros((0, len(WEIGHTS))), np.zeros(0, bool))
    observed, same = zip(none, *parts, strict=True)
    return Seen(np.concatenate(observed), np.concatenate(same))


def fit(sources: Sequence[Seen]) -> tuple[NDArray[np.float64], float]:
    """Fit weights and start, each source weighing by the root of its pairs."""
    every = gather(sources)
    weight = np.concatenate(
        [np.full(len(s.same), max(len(s.same), 1) ** -0.5) for s in sources]
    )
    scaler = StandardScaler().fit(every.observed)
    model = LogisticRegression(C=3.0, max_iter=5000)
    model.fit(
        scaler.transform(every.observed),
        every.same,
        sample_weight=weight * len(weight) / weight.sum(),
    )
    weights = model.coef_[0] / scaler.scale_
    return weights, float(model.intercept_[0] - weights @ scaler.mean_)


def row_of(
    name: str, part: str, pairs: Seen, weights: NDArray[np.float64], start: float
) -> Row:
    """Count the mistakes of the thresholds, of the weights in use and of those anew."""
    x, same = pairs

    def wrong(joined: NDArray[np.bool_]) -> float:
        return float(np.mean(joined != same))

    return {
        "video": name,
        "frames": part,
        "pairs": len(same),
        "one_cell": float(same.mean()),
        "wrong_thresholds": wrong((x[:, 0] > VALLEY) & (x[:, 1] > ALIKE)),
        "wrong_in_use": wrong(x @ WEIGHTS + START > 0),
        "wrong_anew": wrong(x @ weights + start > 0),
    }
