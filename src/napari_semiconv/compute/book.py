"""Keep a run in its result folder, frame by frame, so that no frame is ever lost."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.results import ResultStore
from ..safe import draft_of, saving
from ..tracking.evidence import Evidence
from ..tracking.lineage import Lineage

# Share of the time that may go into saving the lineage while frames are computed.
SAVING_SHARE = 0.05
# Rows of label, frame, y, x: what a tracks layer is drawn from.
CELLS = "cells.npy"

Rows = NDArray[np.float64]


class TrackBook:
    """Keeps frames, lineage and centroids of a run in its result folder.

    Parameters
    ----------
    store
        The result folder.
    after
        Frame that an earlier run goes on after; what comes later is taken away once the
        next frame is written. None for a folder without frames.
    lineage
        Tracks up to that frame.
    """

    def __init__(
        self,
        store: ResultStore,
        after: int | None = None,
        lineage: Lineage | None = None,
    ) -> None:
        self._store, self._after = store, after
        self._rows: dict[int, Rows] = {}
        self._rewound = after is None
        self._saved, self._cost = time.perf_counter(), 0.0
        self.lineage = Lineage() if lineage is None else lineage

    def note(
        self,
        frame: int,
        labels: NDArray[np.int32],
        lineage: Lineage,
        evidence: Evidence | None = None,
    ) -> list[int]:
        """Write the labels, (Y, X), of a frame; return those of its cells, ascending.

        A frame that comes again takes the place of what it was before.
        """
        self._rewind()
        if evidence is not None:
            self._store.write_evidence(frame, evidence)
        self._store.write_frame(frame, labels)
        rows = centroids(labels, frame)
        self._rows[frame] = rows
        self.lineage = lineage
        since = time.perf_counter() - self._saved
        if since * SAVING_SHARE > self._cost:
            self.save()
        return [int(label) for label in rows[:, 0]]

    def save(self) -> None:
        """Write lineage and centroids as they are now."""
        start = time.perf_counter()
        self._store.write_lineage(self.lineage)
        rows = [np.zeros((0, 4)), *self._rows.values()]
        write_array(self._store.folder / CELLS, np.concatenate(rows))
        self._saved = time.perf_counter()
        self._cost = self._saved - start

    def close(self, *, cancelled: bool = False) -> None:
        """Finish the result; a folder that got no frame is taken away again.

        Parameters
        ----------
        cancelled
            Whether the run stopped before its end. If it had not come to a frame of its
            own, earlier ones are left as they are.
        """
        if not self._rows and self._after is None:
            shutil.rmtree(self._store.folder)
            return
        if cancelled and not self._rewound:
            return
        self._rewind()
        self.save()
        self._store.finish(cancelled=cancelled)

    def _rewind(self) -> None:
        """Take away what an earlier run has after the state that is gone on from."""
        if self._after is not None and not self._rewound:
            self._rows = earlier_rows(self._store, self._after)
            self._store.rewind(self._after)
            self.save()
        self._rewound = True


def earlier_rows(store: ResultStore, last: int) -> dict[int, Rows]:
    """Find the centroids of the cells that were there already, frame by frame.

    Parameters
    ----------
    store
        The result folder.
    last
        Last frame to look at.

    Returns
    -------
    dict
        Rows as from `centroids` of each frame.
    """
    rows: dict[int, Rows] = {}
    path = store.folder / CELLS
    try:
        written: Rows = np.load(path)
        for frame in np.unique(written[:, 1]).tolist():
            rows[int(frame)] = written[written[:, 1] == frame]
    except (OSError, ValueError, IndexError, EOFError, MemoryError):
        rows = {}
    # Centroids are written now and then; frames without a cell have none.
    found = {}
    for frame in store.done:
        if frame <= last:
            found[frame] = (
                rows[frame]
                if frame in rows
                else centroids(np.asarray(store.labels[frame]), frame)
            )
    return found


def centroids(labels: NDArray[Any], frame: int) -> Rows:
    """Find the middle of each cell of a frame.

    Parameters
    ----------
    labels
        Track labels, (Y, X), 0 is background.
    frame
        Index of the frame.

    Returns
    -------
    NDArray
        Rows of label, frame, y, x, (N, 4), y and x in px.
    """
    y, x = np.nonzero(labels)
    found, place, areas = np.unique(
        labels[y, x], return_inverse=True, return_counts=True
    )
    middle = [np.bincount(place, axis, len(found)) / areas for axis in (y, x)]
    return np.column_stack([found, np.full(len(found), frame), *middle])


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write all of a .npy file or none of it.

    Raises
    ------
    SaveError
        When the disk is full or may not be written.
    """
    draft = draft_of(path)
    with saving(path):
        try:
            with draft.open("wb") as stream:
                np.save(stream, array)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
