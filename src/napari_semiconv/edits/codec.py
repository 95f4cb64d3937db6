"""Changes as bytes, for the journal.

Length of the compressed part in 8 bytes, least first; that part: length of the JSON in
4 bytes, JSON of the tracks, arrays of names and pixels; then the scores of the tracks,
as they are, for they hardly get smaller.
"""

import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError
from ..tracking.lineage import Track
from .change import Absence, Change, Patch, TrackPair

# A change that claims to be larger than this is damaged.
MOST_BYTES = 1 << 32
_DAMAGE = (
    zlib.error,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)


def encode(change: Change) -> bytes:
    """Turn a change into bytes."""
    scores = bytearray()
    facts = {
        "tracks": [_pair(pair, scores) for pair in change.tracks],
        "added": sorted(change.added),
        "removed": sorted(change.removed),
        "numbers": change.numbers,
        "names": len(change.names),
        "patches": [[p.frame, p.y, p.x, *p.before.shape] for p in change.patches],
    }
    arrays: list[NDArray[Any]] = [change.names.astype("<i8")]
    for patch in change.patches:
        arrays += [patch.before.astype("<i4"), patch.after.astype("<i4")]
    # Frames and labels may come as whole numbers of numpy.
    text = json.dumps(facts, separators=(",", ":"), default=int).encode()
    parts = [len(text).to_bytes(4, "little"), text, *(a.tobytes() for a in arrays)]
    packed = zlib.compress(b"".join(parts), 1)
    return b"".join([len(packed).to_bytes(8, "little"), packed, scores])


def decode(data: bytes) -> Change:
    """Turn bytes made by `encode` back into the change.

    Raises
    ------
    BadInputError
        When they are damaged.
    """
    try:
        packed = 8 + int.from_bytes(data[:8], "little")
        plain = _inflate(data[8:packed])
        size = int.from_bytes(plain[:4], "little")
        facts = json.loads(plain[4 : 4 + size])
        return _Reader(plain, 4 + size, data[packed:]).change(facts)
    except _DAMAGE as error:
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


def _pair(pair: TrackPair, scores: bytearray) -> list[list[Any] | None]:
    """Facts of two tracks; scores that both have are kept once."""
    begin = len(scores)
    rows: list[list[Any] | None] = []
    for track in pair:
        if track is None:
            rows.append(None)
            continue
        place = scores.find(track.scores, begin)
        if place < 0:
            place = len(scores)
            scores += track.scores
        flag = int(track.parent_confirmed)
        facts = [track.label, track.intervals, track.parent, track.confirmed, flag]
        rows.append([*facts, place, len(track.scores)])
    return rows


class _Reader:
    """Takes arrays off the bytes one after the other."""

    def __init__(self, data: bytes, place: int, scores: bytes) -> None:
        self._data = data
        self._place = place
        self._scores = scores

    def change(self, facts: dict[str, Any]) -> Change:
        """Read what follows the facts."""
        tracks = [(self._track(a), self._track(b)) for a, b in facts["tracks"]]
        names = self._array("<i8", (facts["names"], 4)).astype(np.int64)
        patches = [
            Patch(int(t), int(y), int(x), self._pixels(shape), self._pixels(shape))
            for t, y, x, *shape in facts["patches"]
        ]
        if self._place != len(self._data):
            raise ValueError("too long")
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
        label, intervals, parent, confirmed, flag, place, size = row
        scores = self._scores[place : place + size]
        if min(place, size) < 0 or len(scores) < size:
            raise ValueError("cut off")
        pairs = [tuple((int(a), int(b)) for a, b in r) for r in (intervals, confirmed)]
        return Track(int(label), pairs[0], int(parent), pairs[1], bool(flag), scores)

    def _pixels(self, shape: list[int]) -> NDArray[np.int32]:
        height, width = shape
        return self._array("<i4", (height, width)).astype(np.int32)

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
