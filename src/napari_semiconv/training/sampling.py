"""What a clip shows: which recording, which frames, which place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .truth import Recording

EVENTS = 0.2  # share of the clips of movies that show a birth, an entry or an exit
DIVISIONS = 0.7  # of these, births where there are any
CANDIDATES = 4  # places, of which some clips take the most or the least crowded
# How often clips of a folder are drawn, of others 1: kinds that one folder alone
# stands for against seven of phase contrast; truth of stained tissue is only fair.
SHARES = {
    "DIC-C2DH-HeLa": 2.5,
    "DSB2018": 2.0,
    "DSB2018-stained": 0.25,
    "Fluo-C2DL-MSC": 2.5,
    "PhC-C2DL-PSC": 2.5,
}

Place = NDArray[np.float64]


@dataclass(frozen=True)
class Events:
    """Where tracks of a recording begin and end.

    Parameters
    ----------
    births, others
        Rows of frame, y and x, (N, 3), px: births by division, seen in the first frame
        of a daughter; entries, and exits, seen in the first frame without the cell.
    """

    births: NDArray[np.float64]
    others: NDArray[np.float64]

    @classmethod
    def of(cls, recording: Recording) -> "Events":
        """Find all events of a recording."""
        parents = recording.parents()
        # Where outlines are missing in some frames, cells seem to come and go: only the
        # first frame of each, and the last, count.
        first: dict[int, tuple[float, float, float]] = {}
        last: dict[int, tuple[float, float, float]] = {}
        for t, labels in enumerate(recording.labels):
            for label, (y, x) in _centres(labels).items():
                first.setdefault(label, (t, y, x))
                last[label] = (t + 1, y, x)
        come = {label: place for label, place in first.items() if place[0]}
        gone = [p for p in last.values() if p[0] < len(recording.labels)]
        births = [place for label, place in come.items() if label in parents]
        others = [place for label, place in come.items() if label not in parents]
        return cls(_rows(births), _rows(others + gone))

    def draw(self, rng: np.random.Generator) -> tuple[int, Place] | None:
        """Draw the frame and place, (2,), px, of an event; None when there is none."""
        pool = self.births if rng.random() < DIVISIONS else self.others
        pool = pool if len(pool) else self.births
        pool = pool if len(pool) else self.others
        if not len(pool):
            return None
        frame, y, x = pool[rng.integers(len(pool))]
        return int(frame), np.array([y, x])


def _rows(places: list[tuple[float, float, float]]) -> NDArray[np.float64]:
    return np.array(places, float).reshape(-1, 3)


def _centres(labels: NDArray[np.int32]) -> dict[int, Place]:
    """Centre of mass of each cell of a frame, (2,), px."""
    place = np.flatnonzero(labels > 0)
    if not len(place):
        return {}
    present, cell = np.unique(labels.ravel()[place], return_inverse=True)
    size = np.bincount(cell)
    y, x = np.divmod(place, labels.shape[1])
    middle = np.stack([np.bincount(cell, at) / size for at in (y, x)], 1)
    return dict(zip(present.tolist(), middle, strict=True))


def choose_place(
    labels: NDArray[np.int32], reach: float, rng: np.random.Generator
) -> Place:
    """Choose the middle of a crop: mostly at a cell, in crowds and where it is sparse.

    Parameters
    ----------
    labels
        Labels of the frame, (Y, X).
    reach
        Half the side of the crop, px of the frame.
    rng
        Source of chance.

    Returns
    -------
    NDArray
        y and x, (2,), px.
    """
    cells = np.flatnonzero(labels.ravel() > 0)
    if not len(cells) or rng.random() < 0.1:
        return rng.uniform((0, 0), labels.shape)
    chosen = rng.choice(cells, CANDIDATES)
    places: Place = np.stack(np.unravel_index(chosen, labels.shape), 1).astype(float)
    places += rng.uniform(-0.6, 0.6, places.shape) * reach
    wish = rng.random()
    if wish > 1 / 3:
        crowd = [_cells_near(labels, place, reach) for place in places]
        best = int(np.argmax(crowd) if wish < 2 / 3 else np.argmin(crowd))
        places = places[best:]
    first: Place = places[0]
    return first


def any_place(labels: NDArray[np.int32], rng: np.random.Generator) -> Place:
    """Choose the middle of a crop anywhere, where it is known what is there.

    Parameters
    ----------
    labels
        Labels of the frame, (Y, X); -1 not annotated.
    rng
        Source of chance.

    Returns
    -------
    NDArray
        y and x, (2,), px.
    """
    known = np.flatnonzero(labels.ravel() >= 0)
    if not len(known):
        return rng.uniform((0, 0), labels.shape)
    place = np.unravel_index(rng.choice(known), labels.shape)
    return np.array(place, float) + rng.uniform(-0.5, 0.5, 2)


def _cells_near(labels: NDArray[np.int32], place: Place, reach: float) -> int:
    top, left = (max(0, int(c - reach)) for c in place)
    bottom, right = (max(0, int(c + reach)) for c in place)
    part = labels[top:bottom:4, left:right:4]  # coarse is enough to compare
    return len(np.unique(part[part > 0]))
