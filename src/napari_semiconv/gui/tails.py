"""Where cells came from: the last frames of their tracks, drawn as an image."""

from collections.abc import Callable, Iterable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..edits.document import Centroids
from ..tracking.lineage import Lineage

# Frames that a tail goes back, unless told otherwise.
LENGTH = 15
# A line is one pixel wide in frames up to this side, px, and thicker in larger ones.
THIN = 800
# Red, green, blue and opacity, 0 to 255, of the border that parts a tail from its cell.
BORDER = (0, 0, 0, 200)

Integers = NDArray[np.int64]
Values = NDArray[np.float64]
# Gives red, green, blue and opacity, (N, 4), 0 to 1, of labels, (N,).
Colours = Callable[[NDArray[np.int32]], NDArray[np.floating]]


class Tails:
    """Draws the tails of the cells in view; what was drawn once is kept a frame a time.

    napari's own tracks layer holds the vertices of all frames, which takes seconds to
    make and is sent to the graphics card anew at each step: an image with the few lines
    of the frame in view costs a step next to nothing.

    Parameters
    ----------
    shape
        Height and width of a frame, px.
    middles
        Gives the middles of the cells of a frame.
    lineage
        Gives the tracks as they are now.
    length
        Gives the frames that a tail goes back.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        centroids: Callable[[int], Centroids],
        lineage: Callable[[], Lineage],
        length: Callable[[], int] = lambda: LENGTH,
    ) -> None:
        self._shape = shape
        self._centroids = centroids
        self._lineage = lineage
        self.length = length
        self._lines: dict[int, tuple[Integers, Integers]] = {}
        # The frame painted last: marks over it change more often than it does.
        self._painted: tuple[int, NDArray[np.uint8]] | None = None
        self._wide = max(1, round(max(shape) / THIN))

    def draw(self, frame: int) -> NDArray[np.int32]:
        """Draw the tails that end in a frame, (Y, X); each has the label it had then.

        Parameters
        ----------
        frame
            Index of the frame.
        """
        image = np.zeros(self._shape, np.int32)
        pixels = image.ravel()
        for t in range(max(1, frame - self.length() + 1), frame + 1):
            where, labels = self._between(t)
            pixels[where] = labels
        return image

    def paint(self, frame: int, colours: Colours) -> NDArray[np.uint8]:
        """Paint the tails that end in a frame, (Y, X, 4): dark borders, all else clear.

        Parameters
        ----------
        frame
            Index of the frame.
        colours
            Gives the colours of labels; when they change, `forget` has to be told.
        """
        if self._painted is None or self._painted[0] != frame:
            self._painted = frame, self._paint(frame, colours)
        return self._painted[1].copy()

    def _paint(self, frame: int, colours: Colours) -> NDArray[np.uint8]:
        labels = self.draw(frame)
        image = np.zeros((*self._shape, 4), np.uint8)
        y, x = np.nonzero(labels)
        height, width = self._shape
        around = range(-self._wide, self._wide + 1)
        for down, right in product(around, around):
            rows = np.clip(y + down, 0, height - 1)
            image[rows, np.clip(x + right, 0, width - 1)] = BORDER
        image[y, x] = np.rint(255 * colours(labels[y, x]))
        return image

    def forget(self, frames: Iterable[int]) -> None:
        """Draw what begins or ends in these frames anew when it is needed."""
        self._painted = None
        for t in frames:
            self._lines.pop(t, None)
            self._lines.pop(t + 1, None)

    def _between(self, t: int) -> tuple[Integers, Integers]:
        """Flat indices and labels of the pixels of all lines from frame t - 1 to t."""
        if t not in self._lines:
            # Twice the length is kept, for steps back and forth.
            while len(self._lines) > 2 * max(self.length(), 1):
                self._lines.pop(next(iter(self._lines)))
            self._lines[t] = self._rasterise(*self._ends(t))
        return self._lines[t]

    def _ends(self, t: int) -> tuple[Values, Values, Integers]:
        """Both ends, (N, 2), px, and labels, (N,), of the lines from t - 1 to t."""
        before, after = self._centroids(t - 1), self._centroids(t)
        _, one, other = np.intersect1d(
            before.labels, after.labels, assume_unique=True, return_indices=True
        )
        tracks = self._lineage().tracks
        row = {label: n for n, label in enumerate(before.labels.tolist())}
        births = [
            (row[parent], n)
            for n, label in enumerate(after.labels.tolist())
            if label not in row
            and label in tracks
            and (parent := tracks[label].parent) in row
        ]
        pairs = np.array(births, np.int64).reshape(-1, 2)
        one, other = np.append(one, pairs[:, 0]), np.append(other, pairs[:, 1])
        return (
            np.stack([before.y[one], before.x[one]], 1),
            np.stack([after.y[other], after.x[other]], 1),
            after.labels[other],
        )

    def _rasterise(
        self, starts: Values, ends: Values, labels: Integers
    ) -> tuple[Integers, Integers]:
        height, width = self._shape
        if not len(labels):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        count = int(np.ceil(np.abs(ends - starts).max())) + 1
        share = np.linspace(0, 1, count)[:, np.newaxis, np.newaxis]
        points = np.rint(starts + share * (ends - starts)).astype(np.int64)
        brush = np.indices((self._wide, self._wide)).reshape(2, -1).T - self._wide // 2
        points = points[:, :, np.newaxis] + brush
        y = points[..., 0].clip(0, height - 1).ravel()
        x = points[..., 1].clip(0, width - 1).ravel()
        return y * width + x, np.tile(np.repeat(labels, len(brush)), count)
