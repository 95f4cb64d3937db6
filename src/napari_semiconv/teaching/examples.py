"""Examples of one movie: frames as material for training, and frames to check with."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..errors import UnreadableFrameError
from ..network.frames import finite
from ..training.truth import Recording, rescale, rescale_labels
from .corrections import Corrections

Image = NDArray[np.float32]
Labels = NDArray[np.int32]
# Frames on either side of a corrected one, of which nothing is known.
BESIDE = 1
# Frames before a checked one, which the network sees first.
BEFORE = 2


@dataclass(frozen=True, eq=False)
class Check:
    """A frame with cells that are not learned from.

    Parameters
    ----------
    name
        Project and frame, for the user.
    images
        The frame and those before it, each (Y, X); it is the last.
    truth
        Labels of the cells held out, (Y, X); 0 where certainly no cell is, -1 unknown.
        All of a frame that nobody corrected, which is only looked at, is unknown.
    cell_size
        Diameter of a usual cell, px.
    """

    name: str
    images: list[Image]
    truth: Labels
    cell_size: float

    def recording(self) -> Recording:
        """Give it as training material, to take a loss of."""
        before = [np.full(self.truth.shape, -1, np.int32)] * (len(self.images) - 1)
        return Recording(
            self.name,
            self.images,
            [*before, self.truth],
            [False] * len(before) + [True],
            np.zeros((0, 4), np.int64),
            self.cell_size,
        )


class Examples:
    """Frames of a movie, with cells no larger than needed.

    Parameters
    ----------
    corrections
        What is trusted in the movie.
    size
        Diameter to which larger cells are rescaled, px.
    """

    def __init__(self, corrections: Corrections, size: float) -> None:
        self._movie = corrections.project.movie()
        self._corrections = corrections
        # Places without a cell alone say nothing of the size.
        self._size = corrections.size or size
        self._factor = min(size / self._size, 1.0)
        self._known = {known.frame: known for known in corrections.frames}
        self._images: dict[int, Image | None] = {}

    def recordings(self, aside: set[int]) -> list[Recording]:
        """Make training material of the tracks that are not held out."""
        corrections = self._corrections
        taught = set(corrections.tracks) - aside
        table = np.array(
            [(n, 0, 0, corrections.parents.get(n, 0)) for n in sorted(taught)], np.int64
        ).reshape(-1, 4)
        found = []
        for span in self._spans():
            images, labels, outlined = [], [], []
            for t in span:
                image = self._image(t)
                assert image is not None  # spans have none without
                known = self._known.get(t)
                truth = np.full(self._movie.frame_shape, -1, np.int32)
                if known is not None:
                    truth = known.truth(taught, self._size)
                images.append(image)
                labels.append(rescale_labels(truth, self._factor))
                outlined.append(known is not None)
            size = self._factor * self._size
            name = corrections.name
            found.append(Recording(name, images, labels, outlined, table, size))
        return found

    def checks(self, aside: set[int]) -> list[Check]:
        """Make a check of each frame with a cell that is held out."""
        found = []
        for known in self._corrections.frames:
            if not np.isin(known.cells, list(aside)).any():
                continue
            images = self._until(known.frame)
            if not images:
                continue
            truth = rescale_labels(known.truth(aside, self._size), self._factor)
            name = f"{self._corrections.name}, frame {known.frame}"
            found.append(Check(name, images, truth, self._factor * self._size))
        return found

    def untouched(self) -> Iterator[Check]:
        """Give the frame that is farthest from all corrected ones, to be looked at."""
        count = len(self._movie)
        gap = [min(abs(t - known) for known in self._known) for t in range(count)]
        frame = int(np.argmax(gap))
        images = self._until(frame)
        if not gap[frame] or not images:
            return
        unknown = np.full(images[-1].shape, -1, np.int32)
        name = f"{self._corrections.name}, frame {frame}"
        yield Check(name, images, unknown, self._factor * self._size)

    def _spans(self) -> list[list[int]]:
        """Frames with corrections and those beside them, as far as they follow."""
        last = len(self._movie) - 1
        wanted = {
            t
            for known in self._known
            for t in range(max(0, known - BESIDE), min(last, known + BESIDE) + 1)
        }
        frames = [t for t in sorted(wanted) if self._image(t) is not None]
        cuts = [n + 1 for n, (a, b) in enumerate(pairwise(frames)) if b > a + 1]
        parts = [part.tolist() for part in np.split(np.array(frames, int), cuts)]
        return [part for part in parts if any(t in self._known for t in part)]

    def _until(self, frame: int) -> list[Image]:
        """Read a frame and those before it; nothing when it is damaged."""
        if self._image(frame) is None:
            return []
        seen = [self._image(t) for t in range(max(0, frame - BEFORE), frame + 1)]
        return [image for image in seen if image is not None]

    def _image(self, frame: int) -> Image | None:
        """Read a frame; None when it is damaged."""
        if frame not in self._images:
            try:
                image = finite(self._movie.frame(frame))
                self._images[frame] = rescale(image, self._factor)
            except UnreadableFrameError:
                self._images[frame] = None
        return self._images[frame]
