"""Truth with errors put into it: what goes wrong is known, and no network is needed.

It stands for cells that were imported, of which no scores are known, and for errors
that the default model hardly ever makes.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_semiconv.io.cells.tracked import lineage_of_labels
from napari_semiconv.labels import areas_in
from napari_semiconv.tracking.lineage import Lineage
from napari_semiconv.tracking.measures.matching import Table

# Errors of each sort, per hundred cells.
RATE = 0.3


@dataclass
class _Spoiler:
    masks: NDArray[np.int32]
    parents: dict[int, int]
    random: np.random.Generator
    free: int = field(init=False)

    def __post_init__(self) -> None:
        self.free = int(self.masks.max()) + 1

    def cell(self) -> tuple[int, int]:
        """Choose a cell that has one before and one after."""
        while True:
            frame = int(self.random.integers(1, len(self.masks) - 1))
            labels = np.unique(self.masks[frame])
            labels = labels[labels > 0]
            if len(labels):
                return frame, int(self.random.choice(labels))

    def neighbour(self, frame: int, label: int) -> int:
        """Nearest other cell of a frame; 0 when there is none."""
        image = self.masks[frame]
        middle = np.argwhere(image == label).mean(0)
        others = np.argwhere((image > 0) & (image != label))
        if not len(others):
            return 0
        near = others[((others - middle) ** 2).sum(1).argmin()]
        return int(image[tuple(near)])

    def lose(self) -> None:
        """Leave a cell out of a frame."""
        frame, label = self.cell()
        self.masks[frame][self.masks[frame] == label] = 0

    def lose_rest(self) -> None:
        """Leave a cell out from a frame on."""
        frame, label = self.cell()
        self.masks[frame:][self.masks[frame:] == label] = 0

    def cut(self) -> None:
        """Let a track go on under another label."""
        frame, label = self.cell()
        rest = self.masks[frame:]
        rest[rest == label] = self.free
        for daughter, parent in self.parents.items():
            if parent == label:
                self.parents[daughter] = self.free
        self.free += 1

    def swap(self) -> None:
        """Exchange a track with that of its neighbour from a frame on."""
        frame, label = self.cell()
        self._exchange(frame, label, self.neighbour(frame, label))

    def mix_up(self) -> None:
        """Exchange a track with any other of the frame."""
        frame, label = self.cell()
        labels = areas_in(self.masks[frame])[0]
        self._exchange(frame, label, int(self.random.choice(labels)))

    def merge(self) -> None:
        """Let a cell and its neighbour be one for some frames."""
        frame, label = self.cell()
        other = self.neighbour(frame, label)
        some = self.masks[frame : frame + int(self.random.integers(1, 6))]
        if other:
            some[some == other] = label

    def halve(self) -> None:
        """Part a cell in two for some frames."""
        frame, label = self.cell()
        for image in self.masks[frame : frame + int(self.random.integers(1, 4))]:
            rows, columns = np.nonzero(image == label)
            if len(rows) > 3:
                half = rows > np.median(rows)
                image[rows[half], columns[half]] = self.free
        self.free += 1

    def add(self) -> None:
        """Put a speck where no cell is, for some frames."""
        frame, label = self.cell()
        size = max(1, int(np.sqrt((self.masks[frame] == label).sum()) / 3))
        height, width = self.masks.shape[1:]
        y = int(self.random.integers(0, height - size))
        x = int(self.random.integers(0, width - size))
        for image in self.masks[frame : frame + int(self.random.integers(1, 5))]:
            box = image[y : y + size, x : x + size]
            box[box == 0] = self.free
        self.free += 1

    def divide(self) -> None:
        """Let a cell be the daughter of its neighbour."""
        frame, label = self.cell()
        other = self.neighbour(frame - 1, label) if self._in(frame - 1, label) else 0
        if not other or not self._in(frame, other) or other in self.parents.values():
            return
        rest = self.masks[frame:]
        for one in (label, other):
            rest[rest == one] = self.free
            for daughter, parent in self.parents.items():
                if parent == one:
                    self.parents[daughter] = self.free
            self.parents[self.free] = other
            self.free += 1

    def _exchange(self, frame: int, label: int, other: int) -> None:
        rest = self.masks[frame:]
        one, two = rest == label, rest == other
        if other not in (0, label):
            rest[one], rest[two] = other, label

    def _in(self, frame: int, label: int) -> bool:
        return bool((self.masks[frame] == label).any())


def spoiled(
    truth: NDArray[np.int32], table: Table, seed: int
) -> tuple[NDArray[np.int32], Lineage]:
    """Put errors into a truth.

    Parameters
    ----------
    truth
        True labels, (T, Y, X), with outlines of all cells.
    table
        True tracks, rows of label, first frame, last frame, parent, (N, 4).
    seed
        Of the random numbers.

    Returns
    -------
    tuple
        Labels, (T, Y, X), and tracks.
    """
    masks = truth.copy()
    parents = {label: parent for label, _, _, parent in table.tolist() if parent}
    spoiler = _Spoiler(masks, parents, np.random.default_rng(seed))
    sorts = (
        spoiler.lose,
        spoiler.lose_rest,
        spoiler.cut,
        spoiler.swap,
        spoiler.mix_up,
        spoiler.merge,
        spoiler.halve,
        spoiler.add,
        spoiler.divide,
    )
    cells = sum(len(areas_in(image)[0]) for image in masks)
    for _ in range(max(1, round(RATE * cells / 100))):
        for spoil in sorts:
            spoil()
    found = lineage_of_labels(enumerate(masks))
    for label, parent in parents.items():
        track, mother = found.tracks.get(label), found.tracks.get(parent)
        if track is not None and mother is not None and mother.end < track.begin:
            found.put(replace(track, parent=parent))
    return masks, found
