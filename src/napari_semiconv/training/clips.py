"""Clips: short, augmented cut-outs of recordings, each made from a step alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..network.frames import frame_range, normalise_by
from .augment import Warp, drifts
from .light import Sight, change_light
from .sampling import EVENTS, SHARES, Events, any_place, choose_place
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


@dataclass
class Source:
    """A recording and what is worked out of it once.

    Parameters
    ----------
    recording
        What clips are cut from.
    levels
        Median and range of grey levels of each frame.
    events
        Where tracks begin and end; None for a still.
    neighbours
        See `Clip`; worked out when first asked for.
    """

    recording: Recording
    levels: list[tuple[float, float]]
    events: Events | None
    neighbours: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, recording: Recording) -> "Source":
        """Look at a recording."""
        levels = [frame_range(image) for image in recording.images]
        still = len(recording.images) == 1
        return cls(recording, levels, None if still else Events.of(recording))


class Clips:
    """Draws clips from recordings, of every source folder by its share.

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
        self.sources: dict[str, list[Source]] = {}
        for recording in recordings:
            self.sources.setdefault(recording.name, []).append(Source.of(recording))

    def draw(self, step: int) -> Clip:
        """Draw the clip of a step; the same step gives the same clip."""
        rng = np.random.default_rng([self.settings.seed, step])
        if rng.random() < self.settings.anywhere:
            return self._cut(rng, anywhere=True)
        clip = self._cut(rng)
        for _ in range(TRIES):
            if (clip.labels > 0).any():
                break
            clip = self._cut(rng)
        return clip

    def _cut(self, rng: np.random.Generator, *, anywhere: bool = False) -> Clip:
        source = self._choose(rng)
        recording = source.recording
        shape = recording.images[0].shape
        finer = recording.cell_size / self.settings.cell_size
        if anywhere:
            times = self._times(recording, rng)
            centre = any_place(recording.labels[times[len(times) // 2]], rng)
        else:
            times, centre = self._times_and_centre(source, finer, rng)
        warp = Warp.draw(rng, centre, shape, self.settings, finer)
        steps = drifts(len(times), rng, still=len(recording.images) == 1)
        images, labels = [], []
        for t, drift in zip(times, steps, strict=True):
            image, label = warp.apply(recording.images[t], recording.labels[t], drift)
            images.append(image)
            labels.append(_without_remains(label))
        levels = [source.levels[t] for t in times]
        sight = Sight(np.stack(labels), self.settings.cell_size, self.settings.blur)
        lit = change_light(np.stack(images), levels, sight, rng)
        frames = [
            normalise_by(f, 0.0, 1.0, self.channels, self.settings.cell_size)
            for f in lit
        ]
        return Clip(
            np.stack(frames),
            sight.labels.astype(np.int64),
            recording.parents(),
            f"{recording.name}, frame {times[0]}",
            bool(rng.random() < WARM),
            self._neighbours_in(source),
        )

    def _neighbours_in(self, source: Source) -> NDArray[np.int64] | None:
        """Pairs of neighbours by the rule of 2019, which looks at whole recordings."""
        if self.settings.neighbour_rule != "2019":
            return None
        if source.neighbours is None:
            # The one place here that needs PyTorch: a window that makes a lesson, and
            # so reads a number above, is spared loading it.
            import torch

            from ..network.losses import movie_neighbours

            recording = source.recording
            finer = recording.cell_size / self.settings.cell_size
            label, found = movie_neighbours(
                [torch.from_numpy(frame) for frame in recording.labels],
                self.settings.neighbour_radius * recording.cell_size,
                round(self.settings.neighbour_dilation * finer),
            )
            pairs = label[torch.nonzero(found)].numpy().astype(np.int64)
            source.neighbours = pairs
        return source.neighbours

    def _choose(self, rng: np.random.Generator) -> Source:
        simulated = [name for name in self.sources if name.startswith("simulated")]
        real = [name for name in self.sources if name not in simulated]
        from_simulated = simulated and (
            not real or rng.random() < self.settings.simulated
        )
        names = simulated if from_simulated else real
        weights = np.array([SHARES.get(name, 1.0) for name in names])
        several = self.sources[names[rng.choice(len(names), p=weights / weights.sum())]]
        # Movies are cut where frames are held out: longer parts are drawn more often.
        lengths = np.array([len(s.levels) for s in several], float)
        return several[rng.choice(len(several), p=lengths / lengths.sum())]

    def _times_and_centre(
        self, source: Source, finer: float, rng: np.random.Generator
    ) -> tuple[list[int], NDArray[np.float64]]:
        """Frames of a clip and the middle of its crop, (2,), px of the recording."""
        recording, event = source.recording, None
        if source.events and rng.random() < EVENTS:
            event = source.events.draw(rng)
        reach = self.settings.crop * finer / 2
        if event is not None:
            frame, place = event
            # The frame before the event is in the clip, too.
            latest = max(1, self.settings.frames - 1)
            first = frame - int(rng.integers(1, latest + 1))
            times = self._from(first, 1, len(recording.images))
            return times, place + rng.uniform(-0.5, 0.5, 2) * reach
        times = self._times(recording, rng)
        labels = recording.labels[times[len(times) // 2]]
        return times, choose_place(labels, reach, rng)

    def _times(self, recording: Recording, rng: np.random.Generator) -> list[int]:
        count, length = self.settings.frames, len(recording.images)
        # Frames with outlines are rare in some movies; most of the clips hold one.
        pool = np.flatnonzero(recording.outlined)
        anchor = (
            int(rng.choice(pool))
            if len(pool) and rng.random() < 0.7
            else int(rng.integers(length))
        )
        stride = 2 if rng.random() < 0.2 and length > 2 * count else 1
        return self._from(anchor - stride * int(rng.integers(count)), stride, length)

    def _from(self, first: int, stride: int, length: int) -> list[int]:
        """Frames from a first one on, moved to lie in the recording."""
        count = self.settings.frames
        first = int(np.clip(first, 0, max(0, length - 1 - stride * (count - 1))))
        return [min(first + stride * i, length - 1) for i in range(count)]


def _without_remains(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    counts = np.bincount(np.maximum(labels, 0).ravel())
    small = np.flatnonzero((counts > 0) & (counts < LEAST_CELL))
    return np.where(np.isin(labels, small[small > 0]), -1, labels).astype(np.int32)
