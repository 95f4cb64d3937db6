"""Keep a run in its result folder, frame by frame, so that no frame is ever lost."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.results import ResultStore
from ..safe import draft_of, saving
from ..tracking.lineage import Lineage

# Share of the time that may go into saving the lineage while frames are computed.
SAVING_SHARE = 0.05
# Rows of label, frame, y, x: what a tracks layer is drawn from.
CELLS = "cells.npy"


class TrackBook:
    """Keeps frames, lineage and centroids of a run in its result folder.

    Parameters
    ----------
    store
        The result folder.
    """

    def __init__(self, store: ResultStore) -> None:
        self._store = store
        self._rows: dict[int, NDArray[np.float64]] = {}
        self._saved, self._cost = time.perf_counter(), 0.0
        self.lineage = Lineage()

    def note(self, frame: int, labels: NDArray[np.int32], lineage: Lineage) -> int:
        """Write the labels, (Y, X), of a frame; return how many cells it has.

        A frame that comes again takes the place of what it was before.
        """
        self._store.write_frame(frame, labels)
        rows = centroids(labels, frame)
        self._rows[frame] = rows
        self.lineage = lineage
        since = time.perf_counter() - self._saved
        if since * SAVING_SHARE > self._cost:
            self.save()
        return len(rows)

    def save(self) -> None:
        """Write lineage and centroids as they are now."""
        start = time.perf_counter()
        self._store.write_lineage(self.lineage)
        write_array(self._store.folder / CELLS, np.concatenate([*self._rows.values()]))
        self._saved = time.perf_counter()
        self._cost = self._saved - start

    def close(self) -> None:
        """Finish the result; a folder that got no frame is taken away again."""
        if not self._rows:
            shutil.rmtree(self._store.folder)
            return
        self.save()
        self._store.finish()


def centroids(labels: NDArray[Any], frame: int) -> NDArray[np.float64]:
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
