"""Changes as bytes, for the journal: JSON for the tracks, arrays beside it."""

import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError
from ..tracking.lineage import Track
from .change import Absence, Change, Patch

# A change that claims to be larger than this is damaged.
MOST_BYTES = 1 << 32


def encode(change: Change) -> bytes:
    """Turn a change into bytes."""
    scores: list[bytes] = []
    facts = {
        "tracks": [[_track(t, scores) for t in pair] for pair in change.tracks],
        "added": sorted(change.added),
        "removed": sorted(change.removed),
        "numbers": change.numbers,
        "names": len(change.names),
        "patches": [[p.frame, p.y, p.x, *p.before.shape] for p in change.patches],
    }
    arrays: list[NDArray[Any]] = [change.names.astype("<i8")]
    for patch in change.patches:
        arrays += [patch.before.astype("<i4"), patch.after.astype("<i4")]
    text = json.dumps(facts, separators=(",", ":")).encode()
    parts = [len(text).to_bytes(4, "little"), text, *scores]
    return zlib.compress(b"".join([*parts, *(a.tobytes() for a in arrays)]), 1)


def decode(data: bytes) -> Change:
    """Turn bytes made by `encode` back into the change.

    Raises
    ------
    BadInputError
        When they are damaged.
    """
    try:
        plain = _inflate(data)
        size = int.from_bytes(plain[:4], "little")
        facts = json.loads(plain[4 : 4 + size])
        return _Reader(plain, 4 + size).change(facts)
    except (zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise BadInputError(
            "An entry of the journal is damaged: expected the change an edit made, "
            "found something else. Restore the project from a copy."
        ) from error


def _inflate(data: bytes) -> bytes:
    worker = zlib.decompressobj()
    plain = worker.decompress(data, MOST_BYTES)
    if worker.unconsumed_tail or not worker.eof:
        raise ValueError("too long or cut off")
    return plain


def _track(track: Track | None, scores: list[bytes]) -> list[Any] | None:
    if track is None:
        return None
    scores.append(track.scores)
    flag = int(track.parent_confirmed)
    sizes = len(track.scores)
    return [track.label, track.runs, track.parent, track.confirmed, flag, sizes]


class _Reader:
    """Takes arrays off the bytes one after the other."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data = data
        self._place = place

    def change(self, facts: dict[str, Any]) -> Change:
        """Read what follows the facts."""
        tracks = [(self._track(a), self._track(b)) for a, b in facts["tracks"]]
        names = self._array("<i8", (facts["names"], 4)).astype(np.int64)
        patches = [
            Patch(t, y, x, self._pixels(shape), self._pixels(shape))
            for t, y, x, *shape in facts["patches"]
        ]
        return Change(
            tuple(patches),
            names,
            tuple(tracks),
            _absences(facts["added"]),
            _absences(facts["removed"]),
            (int(facts["numbers"][0]), int(facts["numbers"][1])),
        )

    def _track(self, row: list[Any] | None) -> Track | None:
        if row is None:
            return None
        label, runs, parent, confirmed, flag, size = row
        scores = self._take(size)
        pairs = [tuple((int(a), int(b)) for a, b in r) for r in (runs, confirmed)]
        return Track(label, pairs[0], parent, pairs[1], bool(flag), scores)

    def _pixels(self, shape: list[int]) -> NDArray[np.int32]:
        return self._array("<i4", tuple(shape)).astype(np.int32)

    def _array(self, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
        count = int(np.prod(shape, dtype=np.int64))
        data = self._take(count * np.dtype(kind).itemsize)
        return np.frombuffer(data, kind).reshape(shape)

    def _take(self, size: int) -> bytes:
        part = self._data[self._place : self._place + size]
        if size < 0 or len(part) < size:
            raise ValueError("cut off")
        self._place += size
        return part


def _absences(rows: list[list[int]]) -> frozenset[Absence]:
    return frozenset((int(t), int(y), int(x)) for t, y, x in rows)
