"""Clips: short, augmented cut-outs of recordings, each made from a step alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..network.frames import frame_range, normalise_by
from ..network.losses import movie_neighbours
from .augment import Warp, change_light, drifts
from .settings import TrainSettings
from .truth import Recording

# Recordings are kept finer than the network sees them, so that rescaling loses nothing.
FINER = 1.33
TRIES = 8
WARM = 0.5  # share of the clips that begin with a memory
LEAST_CELL = 12  # px; smaller remains of a cell at the crop's border are not annotated


@dataclass(frozen=True)
class Clip:
    """One training example.

    Parameters
    ----------
    images
        Normalised frames, (T, C, Y, X).
    labels
        Track labels, (T, Y, X); 0 background, -1 not annotated.
    parents
        Parent of each track that has one.
    name
        Recording and frame it was cut from.
    warm
        Whether the memory sees the clip backwards first, so that it is not always new.
    neighbours
        Pairs of a track and one that must differ from it anywhere in the recording,
        (N, 2); None where neighbours are those of the clip.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    parents: dict[int, int]
    name: str
    warm: bool
    neighbours: NDArray[np.int64] | None = None


class Clips:
    """Draws clips from recordings; every source folder is drawn equally often.

    Parameters
    ----------
    recordings
        What to draw from.
    settings
        Length, crop and cell size of the clips, and the neighbour rule.
    channels
        Image channels of the network.
    """

    def __init__(
        self, recordings: Sequence[Recording], settings: TrainSettings, channels: int
    ) -> None:
        self.settings = settings
        self.channels = channels
        self.sources: dict[str, list[Recording]] = {}
        for recording in recordings:
            self.sources.setdefault(recording.name, []).append(recording)
        self._ranges = {
            id(r): [frame_range(image) for image in r.images] for r in recordings
        }
        self._neighbours: dict[int, NDArray[np.int64]] = {}

    def draw(self, step: int) -> Clip:
        """Draw the clip of a step; the same step gives the same clip."""
        rng = np.random.default_rng([self.settings.seed, step])
        clip = self._cut(rng)
        for _ in range(TRIES):
            if (clip.labels > 0).any():
                break
            clip = self._cut(rng)
        return clip

    def _cut(self, rng: np.random.Generator) -> Clip:
        recording = self._choose(rng)
        times = self._times(recording, rng)
        shape = recording.images[0].shape
        finer = recording.cell_size / self.settings.cell_size
        centre = self._centre(recording, times, finer, rng)
        warp = Warp.draw(rng, centre, shape, self.settings, finer)
        steps = drifts(len(times), rng, still=len(recording.images) == 1)
        images, labels = [], []
        for t, drift in zip(times, steps, strict=True):
            image, label = warp.apply(recording.images[t], recording.labels[t], drift)
            images.append(image)
            labels.append(_without_remains(label))
        levels = [self._ranges[id(recording)][t] for t in times]
        lit = change_light(np.stack(images), levels, rng, self.settings.blur)
        frames = [
            normalise_by(f, 0.0, 1.0, self.channels, self.settings.cell_size)
            for f in lit
        ]
        return Clip(
            np.stack(frames),
            np.stack(labels).astype(np.int64),
            recording.parents(),
            f"{recording.name}, frame {times[0]}",
            bool(rng.random() < WARM),
            self._neighbours_in(recording),
        )

    def _neighbours_in(self, recording: Recording) -> NDArray[np.int64] | None:
        """Pairs of neighbours by the rule of 2019, which looks at whole recordings."""
        if self.settings.neighbour_rule != "2019":
            return None
        if id(recording) not in self._neighbours:
            finer = recording.cell_size / self.settings.cell_size
            label, found = movie_neighbours(
                [torch.from_numpy(frame) for frame in recording.labels],
                self.settings.neighbour_radius * recording.cell_size,
                round(self.settings.neighbour_dilation * finer),
            )
            pairs = label[torch.nonzero(found)].numpy().astype(np.int64)
            self._neighbours[id(recording)] = pairs
        return self._neighbours[id(recording)]

    def _choose(self, rng: np.random.Generator) -> Recording:
        simulated = [name for name in self.sources if name.startswith("simulated")]
        real = [name for name in self.sources if name not in simulated]
        from_simulated = simulated and (
            not real or rng.random() < self.settings.simulated
        )
        names = simulated if from_simulated else real
        several = self.sources[names[rng.integers(len(names))]]
        return several[rng.integers(len(several))]

    def _times(self, recording: Recording, rng: np.random.Generator) -> list[int]:
        count, length = self.settings.frames, len(recording.images)
        if length == 1:
            return [0] * count
        # Frames with outlines are rare in some movies; half of the clips hold one.
        pool = np.flatnonzero(recording.outlined)
        anchor = (
            int(rng.choice(pool))
            if len(pool) and rng.random() < 0.7
            else int(rng.integers(length))
        )
        stride = 2 if rng.random() < 0.2 and length > 2 * count else 1
        first = anchor - stride * int(rng.integers(count))
        first = int(np.clip(first, 0, max(0, length - 1 - stride * (count - 1))))
        return [min(first + stride * i, length - 1) for i in range(count)]

    def _centre(
        self,
        recording: Recording,
        times: list[int],
        finer: float,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        labels = recording.labels[times[len(times) // 2]]
        cells = np.flatnonzero(labels.ravel() > 0)
        if len(cells) and rng.random() < 0.9:
            place = np.array(np.unravel_index(rng.choice(cells), labels.shape), float)
            return place + rng.uniform(-0.3, 0.3, 2) * self.settings.crop * finer
        return rng.uniform(0, 1, 2) * labels.shape


def _without_remains(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    counts = np.bincount(np.maximum(labels, 0).ravel())
    small = np.flatnonzero((counts > 0) & (counts < LEAST_CELL))
    return np.where(np.isin(labels, small[small > 0]), -1, labels).astype(np.int32)
