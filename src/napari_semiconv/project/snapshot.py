"""Tracks, names and marks of a project in one file, written whole or not at all.

Beside it, in a file of its own since it can be worked out anew, where the cells lie.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edits.change import Absence
from ..edits.document import Centroids, Document
from ..edits.history import History
from ..edits.names import FrameNames
from ..errors import BadInputError
from ..guard import read_arrays
from ..safe import replacing
from ..tracking.evidence import scored
from ..tracking.intervals import Interval, Intervals
from ..tracking.lineage import Lineage, Track

LINEAGE, CENTROIDS = "lineage.npz", "centroids.npz"

Arrays = dict[str, NDArray[Any]]
_MOST_SCORES = 64
_DAMAGED = (BadInputError, ValueError, LookupError, TypeError, OverflowError)


@dataclass
class Snapshot:
    """What a project's lineage file holds.

    Parameters
    ----------
    lineage
        The tracks.
    names
        Names by frame, where there are any.
    absences
        Places that the user marked as empty.
    next_number
        The least number that was never used.
    applied
        Number of the last journal entry that is in it.
    """

    lineage: Lineage
    names: dict[int, FrameNames]
    absences: set[Absence]
    next_number: int
    applied: int


def write_snapshot(path: Path, document: Document, applied: int) -> None:
    """Write the lineage file.

    Parameters
    ----------
    path
        The file; replaced when it is complete.
    document
        What is to be kept.
    applied
        Number of the last journal entry that is in it.

    Raises
    ------
    SaveError
        When it could not be written; the file is as it was.
    """
    _write(path, _arrays(document, applied))


def write_centroids(path: Path, document: Document, applied: int) -> None:
    """Keep where the cells lie, as of a journal entry; see `write_snapshot`."""
    known = sorted(document.known_centroids.items())
    counts = [(frame, len(found.labels)) for frame, found in known]
    _write(
        path,
        {
            "applied": np.array(applied, np.int64),
            "frames": _rows(counts, 2),
            "numbers": _joined((c.labels for _, c in known), np.int64),
            "y": _joined((c.y for _, c in known), np.float64),
            "x": _joined((c.x for _, c in known), np.float64),
            "areas": _joined((c.areas for _, c in known), np.int64),
        },
    )


def read_centroids(path: Path, history: History) -> None:
    """Tell a document where its cells lie, if the file fits the masks as they are.

    Without it, or when it is older than the masks, every frame is read when it is asked
    for.
    """
    try:
        arrays = read_arrays(path)
        known = _centroids(arrays, history.document.shape[0])
        fits = arrays["applied"].tolist() == history.journal.last
    except _DAMAGED:
        return
    if fits:
        history.document.recall_centroids(known)


def _centroids(arrays: Arrays, frames: int) -> dict[int, Centroids]:
    """Take centroids apart by frame.

    Raises
    ------
    ValueError
        When they cannot be those of a movie of so many frames.
    """
    kinds = {"numbers": np.int64, "y": np.float64, "x": np.float64, "areas": np.int64}
    columns = [arrays[name] for name in kinds]
    which, counts = arrays["frames"].astype(np.int64, casting="no").T
    sound = (
        (counts >= 0).all()
        and (np.diff(which, prepend=-1) > 0).all()
        and (which < frames).all()
        and all(c.shape == (counts.sum(),) for c in columns)
        and all(c.dtype == k for c, k in zip(columns, kinds.values(), strict=True))
    )
    if not sound:
        raise ValueError("no centroids of this movie")
    parts = [np.split(column, np.cumsum(counts)[:-1]) for column in columns]
    rows = zip(which.tolist(), *parts, strict=True) if len(which) else ()
    return {frame: Centroids(*found) for frame, *found in rows}


def _joined(parts: Iterable[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *parts])


def _write(path: Path, arrays: Arrays) -> None:
    # In memory first: what cannot be made must not spoil a file.
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    with replacing(path) as file:
        file.write(stream.getbuffer())


def read_snapshot(path: Path) -> Snapshot:
    """Read the lineage file.

    Raises
    ------
    BadInputError
        When it is missing or damaged.
    """
    try:
        return _snapshot(read_arrays(path))
    except _DAMAGED as error:
        raise BadInputError(
            f"{path}: expected the tracks of a project, found none that can be read. "
            f"Restore that file from a copy."
        ) from error


def _arrays(document: Document, applied: int) -> Arrays:
    lineage = document.lineage
    tracks = [track for _, track in sorted(lineage.tracks.items())]
    names = [
        (frame, number, label)
        for frame in document.named_frames()
        for number, label in document.names(frame)
    ]
    facts = [
        (t.label, t.parent, t.parent_confirmed, len(t.intervals), len(t.confirmed))
        for t in tracks
    ]
    return {
        "counters": np.array([applied, document.next_number], np.int64),
        "tracks": _rows(facts, 5),
        # The name in snapshots that exist already.
        "runs": _rows((span for t in tracks for span in t.intervals), 2),
        "confirmed": _rows((span for t in tracks for span in t.confirmed), 2),
        "score_sizes": np.array([len(t.scores) for t in tracks], np.int64),
        "scores": np.frombuffer(b"".join(t.scores for t in tracks), np.uint8),
        "score_names": np.array(lineage.score_names, np.str_),
        "names": _rows(names, 3),
        "absences": _rows(sorted(document.absences), 3),
    }


def _rows(rows: Iterable[Sequence[int]], width: int) -> NDArray[np.int64]:
    return np.array([*rows], np.int64).reshape(-1, width)


def _snapshot(arrays: Arrays) -> Snapshot:
    names: dict[int, dict[int, int]] = {}
    for frame, number, label in _integers(arrays, "names", 3).tolist():
        names.setdefault(frame, {})[number] = label
    applied, next_number = _integers(arrays, "counters").tolist()
    score_names = arrays["score_names"]
    if score_names.dtype.kind != "U" or len(score_names) > _MOST_SCORES:
        raise ValueError("no names of scores")
    tracks = _tracks(arrays)
    lineage = Lineage(tracks, tuple(score_names.tolist()))
    if len(lineage.tracks) < len(tracks):
        raise ValueError("one label for several tracks")
    return Snapshot(
        scored(lineage),
        {frame: FrameNames(labels) for frame, labels in names.items()},
        {(t, y, x) for t, y, x in _integers(arrays, "absences", 3).tolist()},
        next_number,
        applied,
    )


def _integers(arrays: Arrays, name: str, width: int | None = None) -> NDArray[np.int64]:
    """Give rows of whole numbers, (N, width), or a list of them, (N,)."""
    found = arrays[name].astype(np.int64, casting="no", copy=False)
    if found.ndim < 1 or found.shape[1:] != (() if width is None else (width,)):
        raise ValueError(f"{name} of shape {found.shape}")
    return found


def _tracks(arrays: Arrays) -> list[Track]:
    rows = _integers(arrays, "tracks", 5)
    intervals = _groups(_integers(arrays, "runs", 2), rows[:, 3])
    confirmed = _groups(_integers(arrays, "confirmed", 2), rows[:, 4])
    scores = arrays["scores"].tobytes()
    ends = _ends(_integers(arrays, "score_sizes"), len(scores))
    return [
        Track(label, r, parent, c, bool(sure), scores[begin:end])
        for (label, parent, sure, _, _), r, c, (begin, end) in zip(
            rows.tolist(), intervals, confirmed, pairwise(ends), strict=True
        )
    ]


def _groups(rows: NDArray[np.int64], counts: NDArray[np.int64]) -> list[Intervals]:
    pairs: list[Interval] = [(first, last) for first, last in rows.tolist()]
    ends = _ends(counts, len(pairs))
    return [tuple(pairs[begin:end]) for begin, end in pairwise(ends)]


def _ends(counts: NDArray[np.int64], whole: int) -> list[int]:
    """Where each part of a whole begins, and the last one ends."""
    # Sums of larger ones could come round to be right.
    if (counts < 0).any() or (counts > whole).any() or counts.sum() != whole:
        raise ValueError("cut off")
    return [0, *counts.cumsum().tolist()]
