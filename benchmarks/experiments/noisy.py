"""Movies so noisy that a single frame is ambiguous: simulated, and real when there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_semiconv.inference.result import FrameResult
from napari_semiconv.io.cells.ctc.folder import find_truth
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.frames import finite, frame_range
from napari_semiconv.synthetic import SyntheticSettings, simulate
from napari_semiconv.tracking.measures.evaluate import Scores, evaluate
from napari_semiconv.training.truth import (
    Recording,
    read_recordings,
    rescale,
    rescale_labels,
)

from ..annotated import HELD_OUT, data_folder, held_out_frames
from ..pipeline import placed

Images = NDArray[np.float32]
REAL = ("Fluo-N2DH-SIM+", "Fluo-N2DH-GOWT1")
COVER = 0.18  # of a simulated frame by cells at first, about
WARM_UP = 4  # frames before those that are scored


@dataclass(frozen=True)
class Labelled:
    """Label images of some frames of a movie with their tracks.

    Parameters
    ----------
    masks
        Label image of each frame, (Y, X).
    frames
        Frames of the whole movie.
    table
        Label, first frame, last frame and parent of each track, (N, 4).
    """

    masks: Mapping[int, NDArray[np.int32]]
    frames: int
    table: NDArray[np.int64]

    def labels(self, frame: int) -> NDArray[np.int32]:
        """Label image of one frame, (Y, X)."""
        return self.masks[frame]


@dataclass(frozen=True)
class Trail:
    """A noisy movie to be tested on.

    Parameters
    ----------
    name
        Of the movie.
    images
        Its noisy frames from ``first`` on, (T, Y, X).
    first
        Index of the first of them in the whole movie.
    scored
        Frames that are scored, indices in the whole movie.
    truth
        True tracks.
    outlines
        True outlines of the scored frames that have them.
    """

    name: str
    images: Images
    first: int
    scored: range
    truth: Labelled
    outlines: Mapping[int, NDArray[np.int32]]

    @property
    def movie(self) -> Movie:
        """The noisy frames as a movie of their own."""
        return movie_from_array(self.images, "TYX", self.name)

    def score(self, results: Iterable[FrameResult]) -> Scores:
        """Compare what was found in the movie with the truth."""
        found = replace(placed(results), begin=self.first)
        return evaluate(found, self.truth, self.outlines, self.scored)


@dataclass(frozen=True)
class Noise:
    """How movies are made hard to see.

    Parameters
    ----------
    strength
        Standard deviation of the noise added to each pixel that the network sees, as a
        share of the range of grey levels of the clean frame.
    cell
        Diameter of a usual cell, px.
    side
        Height and width of a simulated frame, px.
    frames
        Frames of a simulated movie.
    movies
        Simulated movies to train on.
    """

    strength: float = 0.5
    cell: float = 12.0
    side: int = 128
    frames: int = 14
    movies: int = 6

    def add(self, images: Sequence[Images], random: np.random.Generator) -> Images:
        """Add noise to clean frames, (T, Y, X)."""
        width = max(frame_range(images[0])[1], 1e-6)
        noise = random.standard_normal((len(images), *images[0].shape), np.float32)
        return np.stack(images) + np.float32(self.strength * width) * noise

    def simulated(self, seed: int) -> Recording:
        """Simulate a crowded movie of nuclei that wander and divide, and noise it."""
        settings = SyntheticSettings(
            frames=self.frames,
            height=self.side,
            width=self.side,
            diameter=self.cell,
            cells=round(COVER * self.side**2 / (np.pi / 4 * self.cell**2)),
            speed=0.15,
            cycle=16,
            spread=2,
            debris=0,
        )
        movie = simulate(settings, seed)
        random = np.random.default_rng((seed, 1))
        clean = [image.astype(np.float32) for image in movie.images]
        noisy = list(self.add(clean, random))
        return Recording(
            "simulated nuclei",
            noisy,
            list(movie.labels),
            [True] * self.frames,
            movie.table,
            self.cell,
        )


def movies_for(noise: Noise) -> tuple[list[Recording], list[Trail]]:
    """Make the movies to train on, and those to test on.

    Returns
    -------
    tuple
        Simulated recordings and the training frames of the real movies that are there;
        a simulated movie and the held-out frames of the real ones.
    """
    train = [noise.simulated(1000 + number) for number in range(noise.movies)]
    tests = [_simulated_trail(noise)]
    for name in REAL:
        folder = data_folder() / name
        if folder.is_dir():
            recordings, _ = read_recordings([folder], HELD_OUT, noise.cell)
            random = np.random.default_rng(2018)
            for recording in recordings:
                recording.images = list(noise.add(recording.images, random))
            train += recordings
            tests.append(_real_trail(folder, recordings[0].images[0].shape, noise))
    return train, tests


def _simulated_trail(noise: Noise) -> Trail:
    recording = noise.simulated(1)
    masks = dict(enumerate(recording.labels))
    return Trail(
        "simulated",
        np.stack(recording.images),
        0,
        range(noise.frames),
        Labelled(masks, noise.frames, recording.table),
        masks,
    )


def _real_trail(folder: Path, shape: tuple[int, ...], noise: Noise) -> Trail:
    """Read the last, held-out frames of a movie."""
    movie, truth = open_movie(folder / "01"), find_truth(folder / "01_GT")
    assert truth.tracks is not None  # the recordings were read, and need them
    scored = held_out_frames(len(movie))
    frames = range(max(0, scored.start - WARM_UP), scored.stop)
    factor = shape[0] / movie.frame_shape[0]
    clean = [rescale(finite(movie.frame(t)), factor) for t in frames]
    masks = {t: shrink(truth.tracks.labels(t).astype(np.int32), factor) for t in scored}
    outlines = {
        t: shrink(truth.outlines[t].astype(np.int32), factor)
        for t in scored
        if t in truth.outlines
    }
    return Trail(
        folder.name,
        noise.add(clean, np.random.default_rng(2019)),
        frames.start,
        scored,
        Labelled(masks, len(movie), truth.tracks.table),
        outlines,
    )


def shrink(labels: NDArray[np.int32], factor: float) -> NDArray[np.int32]:
    """Rescale labels, (Y, X), by a factor of at most 1; each keeps a pixel or more."""
    small = rescale_labels(labels, factor)
    lost = np.setdiff1d(labels, small)
    for label in lost[lost > 0]:
        place = np.argwhere(labels == label)[0] * small.shape // labels.shape
        small[tuple(place)] = label
    return small
