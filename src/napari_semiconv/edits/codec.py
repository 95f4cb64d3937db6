"""Changes as bytes, for the journal.

Length of the compressed part in 8 bytes, least first; that part: length of the JSON in
4 bytes, JSON of the tracks, arrays of names and pixels; then the scores of the tracks,
as they are, for they hardly get smaller.
"""

import json
import zlib
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError, EditError
from ..guard import MOST_TEXT, parse_json
from ..labels import LARGEST_LABEL
from ..tracking.intervals import Intervals
from ..tracking.invariants import in_order
from ..tracking.lineage import Track
from .change import Absence, Change, Patch, TrackPair

# A change that claims to be larger than this is damaged.
MOST_BYTES = 1 << 32
# It has the pixels of each frame before and after, and of some more than once.
_TIMES = 8
_ROOM = 1 << 26
Shape = tuple[int, int, int]
_DAMAGE = (
    BadInputError,
    zlib.error,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)


def encode(change: Change) -> bytes:
    """Turn a change into bytes.

    Raises
    ------
    EditError
        When it is so large that it could not be read again.
    """
    size = sum(p.before.nbytes + p.after.nbytes for p in change.patches)
    if size > MOST_BYTES - _ROOM:
        raise EditError(
            f"Expected an edit of at most {(MOST_BYTES - _ROOM) >> 20} MiB of pixels, "
            f"found one of {size >> 20} MiB. Change fewer frames at once."
        )
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


def decode(data: bytes, shape: Shape) -> Change:
    """Turn bytes made by `encode` back into the change.

    Parameters
    ----------
    data
        The bytes.
    shape
        Frames, height and width of the movie, (T, Y, X): what does not lie in it, or
        cannot be of it, is damage.

    Raises
    ------
    BadInputError
        When they are damaged.
    """
    try:
        packed = 8 + int.from_bytes(data[:8], "little")
        # What follows is unpacked only when the facts say that it can be so much.
        stream = _Inflated(data[8:packed])
        size = int.from_bytes(stream.read(4), "little")
        if size > MOST_TEXT:
            raise ValueError("too many facts")
        facts = parse_json("entry", stream.read(size))
        plain = stream.rest(_size_of(facts, shape))
        return _Reader(plain, data[packed:], shape).change(facts)
    except _DAMAGE as error:
        raise BadInputError(
            "An entry of the journal is damaged: expected the change an edit made, "
            "found something else. Restore the project from a copy."
        ) from error


class _Inflated:
    """Unpacks no more than it is asked for."""

    def __init__(self, data: bytes) -> None:
        self._worker, self._data = zlib.decompressobj(), data

    def read(self, size: int) -> bytes:
        """Give the next bytes."""
        # None at all would mean all of them.
        plain = self._worker.decompress(self._data, size) if size else b""
        self._data = self._worker.unconsumed_tail if size else self._data
        if len(plain) != size:
            raise ValueError("cut off")
        return plain

    def rest(self, size: int) -> bytes:
        """Give the last bytes."""
        plain = self._worker.decompress(self._data, size + 1)
        if len(plain) != size or not self._worker.eof:
            raise ValueError("too long or cut off")
        return plain


def _size_of(facts: dict[str, Any], shape: Shape) -> int:
    """Bytes of the names and pixels that facts speak of.

    Raises
    ------
    ValueError
        When a movie of that shape cannot have them.
    """
    size = 0
    for frame, y, x, height, width in facts["patches"]:
        corner = y + height, x + width
        if min(frame, y, x, height, width) < 0 or frame >= shape[0]:
            raise ValueError("pixels outside of the movie")
        if corner[0] > shape[1] or corner[1] > shape[2]:
            raise ValueError("pixels outside of the frame")
        size += 8 * height * width
    names = facts["names"]
    if type(names) is not int or names < 0:
        raise ValueError("no number of names")
    size += 32 * names
    if size > min(MOST_BYTES, _TIMES * 4 * prod(shape) + _ROOM):
        raise ValueError("more than a movie of that shape can have")
    return size


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

    def __init__(self, data: bytes, scores: bytes, shape: Shape) -> None:
        self._data = data
        self._place = 0
        self._scores = scores
        # Both tracks of a pair may have the same ones.
        self._unread = 2 * len(scores)
        self._shape = shape

    def change(self, facts: dict[str, Any]) -> Change:
        """Read what follows the facts."""
        tracks = [(self._track(a), self._track(b)) for a, b in facts["tracks"]]
        names = self._array("<i8", (facts["names"], 4)).astype(np.int64)
        if len(names):
            _check_range(names[:, 0], 0, self._shape[0] - 1)
            _check_range(names[:, 1], 0, LARGEST_LABEL)
            _check_range(names[:, 2:], -LARGEST_LABEL, LARGEST_LABEL)
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
            self._absences(facts["added"]),
            self._absences(facts["removed"]),
            (int(facts["numbers"][0]), int(facts["numbers"][1])),
        )

    def _track(self, row: list[Any] | None) -> Track | None:
        if row is None:
            return None
        label, intervals, parent, confirmed, flag, place, size = row
        scores = self._scores[place : place + size]
        self._unread -= size
        if min(place, size, self._unread) < 0 or len(scores) < size:
            raise ValueError("cut off")
        there, sure = self._frames(intervals), self._frames(confirmed)
        if not there or not (1 <= label <= LARGEST_LABEL and parent >= 0):
            raise ValueError("no track")
        return Track(int(label), there, int(parent), sure, bool(flag), scores)

    def _frames(self, rows: list[list[int]]) -> Intervals:
        found = tuple((int(a), int(b)) for a, b in rows)
        if found and (found[0][0] < 0 or found[-1][1] >= self._shape[0]):
            raise ValueError("frames outside of the movie")
        if not in_order(found):
            raise ValueError("frames out of order")
        return found

    def _absences(self, rows: list[list[int]]) -> frozenset[Absence]:
        places = frozenset((int(t), int(y), int(x)) for t, y, x in rows)
        if any(not _inside(place, self._shape) for place in places):
            raise ValueError("places outside of the movie")
        return places

    def _pixels(self, shape: list[int]) -> NDArray[np.int32]:
        height, width = shape
        pixels = self._array("<i4", (height, width)).astype(np.int32, copy=False)
        _check_range(pixels, 0, LARGEST_LABEL)
        return pixels

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


def _check_range(values: NDArray[Any], least: int, most: int) -> None:
    if values.size and not least <= values.min() <= values.max() <= most:
        raise ValueError("numbers out of range")


def _inside(place: Sequence[int], shape: Shape) -> bool:
    return all(0 <= n < size for n, size in zip(place, shape, strict=True))
