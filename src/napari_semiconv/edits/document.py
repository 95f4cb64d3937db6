"""The document: masks and lineage as they are now, changed by `Change` alone.

Pixels hold stored numbers. Each frame has names: which label a stored number shows,
where that is not the number itself. So a track of a thousand frames is relabelled,
linked or taken away without a pixel being written, and comes back bit by bit.
"""

import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..labels import centroids_in, numbers_in
from ..tracking.lineage import Lineage
from .change import Absence, Change, Labels, Numbers, Patch
from .names import FrameNames


class Masks(Protocol):
    """Where the pixels lie."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width, (T, Y, X)."""

    def read(self, frame: int) -> Numbers:
        """Give the stored numbers, (Y, X), of a frame; not to be written to."""

    def write(self, frame: int, y: int, x: int, numbers: Numbers) -> None:
        """Replace the stored numbers of a box, (height, width), at row y, column x."""


_PLAIN = FrameNames()
# Bytes of frames whose labels are kept as they are shown; at least so many frames.
_SHOWN_BYTES, _SHOWN_FRAMES = 1 << 26, 4


@dataclass(frozen=True, eq=False)
class Centroids:
    """Where the cells of a frame lie.

    Parameters
    ----------
    labels
        Their labels, (n,), ascending; in `Document.known_centroids` stored numbers.
    y, x
        Mean row and column of their pixels, (n,), px.
    areas
        Pixels of each, (n,).
    """

    labels: NDArray[np.int64]
    y: NDArray[np.float64]
    x: NDArray[np.float64]
    areas: NDArray[np.int64]

    @classmethod
    def of(cls, image: NDArray[np.int32]) -> "Centroids":
        """Find them in a label image, (Y, X)."""
        labels, areas, middle = centroids_in(image)
        return cls(labels, middle[:, 0], middle[:, 1], areas)

    def of_cell(self, label: int) -> tuple[float, float] | None:
        """Mean row and column of a cell, px; None when it is not in the frame."""
        for row in np.flatnonzero(self.labels == label).tolist():
            return float(self.y[row]), float(self.x[row])
        return None

    def shown(self, names: FrameNames) -> "Centroids":
        """Give those of labels for those of stored numbers; hidden cells have none."""
        labels = np.array([names.label(n) for n in self.labels.tolist()], np.int64)
        order = np.argsort(labels, kind="stable")
        order = order[labels[order] > 0]
        return Centroids(labels[order], self.y[order], self.x[order], self.areas[order])

    def patched(self, y: int, x: int, before: Numbers, after: Numbers) -> "Centroids":
        """Give those of the frame when the box at row y, column x is another.

        Parameters
        ----------
        y, x
            Where the box begins.
        before, after
            What was in the box and what is in it, (height, width).
        """
        labels = np.union1d(self.labels, numbers_in(after))
        place = np.searchsorted(labels, self.labels)
        areas = np.zeros(len(labels), np.int64)
        sums = np.zeros((len(labels), 2))
        areas[place] = self.areas
        # Sums of rows and columns are whole numbers: nothing is lost by rounding.
        sums[place] = np.rint(np.stack([self.y, self.x], 1) * self.areas[:, None])
        for box, sign in ((before, -1), (after, 1)):
            found, pixels, middle = centroids_in(box)
            place = np.searchsorted(labels, found)
            areas[place] += sign * pixels
            sums[place] += sign * np.rint((middle + np.array((y, x))) * pixels[:, None])
        left = areas > 0
        middle = sums[left] / areas[left, None]
        return Centroids(labels[left], middle[:, 0], middle[:, 1], areas[left])


class Document:
    """Masks and lineage of a movie as they are now.

    It is changed by one thread at a time (see `History`); others may read labels and
    centroids meanwhile, and hold ``guard`` while they look at the lineage.

    Parameters
    ----------
    masks
        The pixels.
    lineage
        The tracks.
    names
        Names by frame, where there are any.
    absences
        Places that the user marked as empty.
    next_number
        The least number that neither label nor pixel has ever had.
    """

    def __init__(
        self,
        masks: Masks,
        lineage: Lineage,
        names: dict[int, FrameNames] | None = None,
        absences: set[Absence] | None = None,
        next_number: int | None = None,
    ) -> None:
        self.masks = masks
        self.lineage = lineage
        self.absences = absences or set()
        self.next_number = next_number or max(lineage.tracks, default=0) + 1
        self.guard = threading.RLock()
        self._names = names or {}
        self._places: dict[int, Centroids] = {}
        self._shown: dict[int, Labels] = {}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width, (T, Y, X)."""
        return self.masks.shape

    def labels(self, frame: int) -> Labels:
        """Labels, (Y, X), of a frame; not to be written to."""
        with self.guard:
            names = self.names(frame)
            if not names:
                return self.masks.read(frame)
            # The frame in view is asked for again and again.
            image = self._shown.pop(frame, None)
            if image is None:
                image = names.show(self.masks.read(frame))
                image.flags.writeable = False
            self._shown[frame] = image
            most = max(_SHOWN_FRAMES, _SHOWN_BYTES // max(image.nbytes, 1))
            if len(self._shown) > most:
                del self._shown[next(iter(self._shown))]
            return image

    def centroids(self, frame: int) -> Centroids:
        """Where the cells of a frame lie; the frame is read the first time alone."""
        with self.guard:
            found = self._places.get(frame)
            if found is None:
                found = self._places[frame] = Centroids.of(self.masks.read(frame))
            return found.shown(self.names(frame))

    @property
    def known_centroids(self) -> dict[int, Centroids]:
        """Centroids of stored numbers by frame, as far as they were asked for."""
        with self.guard:
            return dict(self._places)

    def recall_centroids(self, known: dict[int, Centroids]) -> None:
        """Take centroids of stored numbers that fit the masks as they are now."""
        self._places = known

    def names(self, frame: int) -> FrameNames:
        """Names of a frame; not to be changed."""
        return self._names.get(frame, _PLAIN)

    def named_frames(self) -> list[int]:
        """Frames in which a stored number shows another label, ascending."""
        return sorted(self._names)

    def apply(self, change: Change) -> None:
        """Make a change that was worked out on the document as it is now."""
        with self.guard:
            for patch in change.patches:
                self._measure_again(patch)
                self._shown.pop(patch.frame, None)
                self.masks.write(patch.frame, patch.y, patch.x, patch.after)
            self._rename(change)
            self._replace_tracks(change)
            self.absences -= change.removed
            self.absences |= change.added
            self.next_number = change.numbers[1]

    def apply_again(self, change: Change) -> None:
        """Make a change that may be made in part already, whatever interrupted it."""
        with self.guard:
            for frame in change.frames:
                self._places.pop(frame, None)
                self._shown.pop(frame, None)
                # Labels by number are the truth; what is derived from them may be old.
                labels = dict(self.names(frame))
                if labels:
                    self._names[frame] = FrameNames(labels)
                else:
                    self._names.pop(frame, None)
            self.apply(change)

    def _measure_again(self, patch: Patch) -> None:
        """Find anew where the cells lie that a patch is about to change."""
        known = self._places.get(patch.frame)
        if known is not None:
            y, x, after = patch.y, patch.x, patch.after
            height, width = after.shape
            before = self.masks.read(patch.frame)[y : y + height, x : x + width]
            self._places[patch.frame] = known.patched(y, x, before, after)

    def _rename(self, change: Change) -> None:
        touched: set[int] = set()
        # All old names go first: two cells may exchange theirs.
        for frame, number, _, _ in change.names.tolist():
            touched.add(frame)
            self._names.setdefault(frame, FrameNames()).name(number, number)
        for frame, number, _, label in change.names.tolist():
            self._names[frame].name(number, label)
        for frame in touched:
            self._shown.pop(frame, None)
            if not self._names[frame]:
                del self._names[frame]

    def _replace_tracks(self, change: Change) -> None:
        for before, after in change.tracks:
            if after is not None:
                self.lineage.put(after)
            elif before is not None and before.label in self.lineage.tracks:
                self.lineage.drop(before.label)
