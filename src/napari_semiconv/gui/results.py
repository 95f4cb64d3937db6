"""Read results back for the layers: labels from disk, tracks from their centroids."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Tracks
from numpy.typing import NDArray

from ..labels import centroids_in
from ..movie import Movie
from ..project.runs.store import RunStore
from ..tracking.lineage import Lineage
from .layers import make_tracks


def open_labels(folder: Path) -> Any:
    """Open the track labels, (T, Y, X), of a result folder; frames are read late."""
    return RunStore.open(folder).labels


def load_tracks(folder: Path, movie: Movie) -> Tracks | None:
    """Build the tracks layer of a result; None when it has no cell. Slow: seconds."""
    result = RunStore.open(folder)
    rows = count_rows(result.labels, result.done)
    return tracks_of(rows, result.lineage, movie)


def count_rows(labels: Any, frames: Iterable[int]) -> NDArray[np.float64]:
    """Find the centroids of frames: rows of label, frame, y, x, (N, 4), in px.

    Parameters
    ----------
    labels
        Gives the track labels, (Y, X), of a frame when indexed.
    frames
        Frames to look at.
    """
    found = []
    for t in sorted(frames):
        present, _, middle = centroids_in(np.asarray(labels[t]))
        found.append(np.column_stack([present, np.full(len(present), t), middle]))
    return np.concatenate([np.zeros((0, 4)), *found])


def tracks_of(
    rows: NDArray[np.float64], lineage: Lineage, movie: Movie
) -> Tracks | None:
    """Build a tracks layer of centroids and parents; None without any cell.

    Parameters
    ----------
    rows
        Rows of label, frame, y, x, (N, 4), y and x in px.
    lineage
        Tells the parents.
    movie
        Its name, units and scale are taken over.
    """
    if not len(rows):
        return None
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    seen = set(rows[:, 0].astype(int).tolist())
    tracks = [t for label, t in lineage.tracks.items() if label in seen]
    parents = {t.label: t.parent for t in tracks if t.parent in seen}
    return make_tracks(rows, parents, movie)


def discard(folder: Path) -> None:
    """Take away the folder of a run that finished no frame."""
    if folder.is_dir():
        shutil.rmtree(folder)
