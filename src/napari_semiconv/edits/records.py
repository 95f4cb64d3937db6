"""The bytes of the journal: entries one after the other, found again after damage.

::

    SCJ1 | size of head, size of body | CRC-32 of head, CRC-32 of body | head | body

Sizes and checks are 32-bit, least byte first. The head is JSON: the number of the entry
(journals of the first releases have none), what was done, when and by whom; the body is
the change (`codec`), or empty.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

MARK = b"SCJ1"
# What is done by an entry that was destroyed, and by one that stands for several.
LOST = "lost"

_LAYOUT = struct.Struct("<4sIIII")
# Bytes of an entry without head and body.
SMALLEST = _LAYOUT.size
_NUMBER = "n"
_PIECE = 1 << 20
# Bytes of heads that are looked at behind damage, for each byte of the journal: one
# that is full of marks would take for ever.
_PATIENCE = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, without its body.

    Parameters
    ----------
    number
        Place in the journal, from 1.
    head
        What was done.
    begin
        Place of the entry in the file, bytes.
    offset
        Place of its body, bytes.
    size
        Length of the body, bytes.
    check
        CRC-32 of the body.
    """

    number: int
    head: dict[str, Any]
    begin: int
    offset: int
    size: int
    check: int

    @property
    def end(self) -> int:
        """Where the next entry begins in the file, bytes."""
        return self.offset + self.size

    @property
    def lost(self) -> bool:
        """Whether it was destroyed, so that nobody knows what it did."""
        return self.head.get("do") == LOST


def record_of(number: int, head: dict[str, Any], body: bytes) -> bytes:
    """Write an entry: its number, from 1, what was done, and the change it made."""
    numbered = {_NUMBER: number, **head}
    text = json.dumps(numbered, separators=(",", ":"), ensure_ascii=False).encode(
        # Names of files need not be text.
        errors="surrogatepass"
    )
    checks = zlib.crc32(text), zlib.crc32(body)
    return _LAYOUT.pack(MARK, len(text), len(body), *checks) + text + body


def entry_of(number: int, head: dict[str, Any], begin: int, record: bytes) -> Entry:
    """Describe an entry as it is written at a place of the file."""
    _, text, body, _, check = _LAYOUT.unpack(record[: _LAYOUT.size])
    return Entry(number, head, begin, begin + _LAYOUT.size + text, body, check)


def entries_in(file: BinaryIO, size: int) -> Iterator[Entry]:
    """Go through all entries; those that were destroyed between others are `LOST`.

    Parameters
    ----------
    file
        The journal.
    size
        Its length, bytes. What is behind the last entry that is given was written in
        part, or is damaged.
    """
    reader, place, number = _Reader(file, size), 0, 1
    while place < size:
        found = reader.entry(place, number)
        if found is not None and reader.is_whole(found):
            yield found
            place, number = found.end, number + 1
            continue
        # Its head may be good, and only its body, or the length of that, damaged.
        begin = place + 1 if found is None else found.offset
        behind = reader.search(begin, number if found is None else number + 1)
        if found is not None and (behind is not None or found.end <= size):
            end = found.end if behind is None else behind.entry.begin
            yield replace(found, size=end - found.offset)
            number += 1
        if behind is None:
            return
        place = behind.entry.begin
        last = number + behind.lost + (found is None)
        if behind.entry.number:
            last = behind.entry.number
        if last - number > (place - begin + 1) // _LAYOUT.size:
            # More than can have been there: it was made up.
            return
        for lost in range(number, last):
            yield Entry(lost, {"do": LOST}, place, place, 0, 0)
        number = last


@dataclass(frozen=True, slots=True)
class _Behind:
    """The next good entry behind damage, and how many heads were passed by."""

    entry: Entry
    lost: int


class _Reader:
    """Looks for entries whose heads are as they were written."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._patience = _PATIENCE * size
        # The one behind an entry is looked at twice.
        self._last: tuple[int, Entry | None] = (-1, None)

    def entry(self, place: int, number: int) -> Entry | None:
        """Give the entry of a number at a place, whatever its body is."""
        found = self._read(place)
        if found is None or found.number not in (0, number):
            return None
        return replace(found, number=number)

    def is_whole(self, entry: Entry) -> bool:
        """Tell whether an entry ends where it says that it does."""
        if entry.end >= self._size:
            return entry.end == self._size
        if self.entry(entry.end, entry.number + 1) is not None:
            return True
        self._file.seek(entry.offset)
        return zlib.crc32(self._file.read(entry.size)) == entry.check

    def search(self, place: int, number: int) -> _Behind | None:
        """Find the first good entry, of a number or a later one, from a place on."""
        lost = 0
        for mark in self._marks(place):
            found = self._read(mark)
            if found is None or found.end > self._size:
                lost += 1
            elif not 0 < found.number < number:
                return _Behind(found, lost)
            if self._patience < 0:
                break
        return None

    def _marks(self, place: int) -> Iterator[int]:
        while place < self._size:
            self._file.seek(place)
            piece = self._file.read(_PIECE + len(MARK) - 1)
            at = piece.find(MARK)
            while at >= 0:
                yield place + at
                at = piece.find(MARK, at + 1)
            place += _PIECE

    def _read(self, place: int) -> Entry | None:
        """Read an entry; its number is 0 where the head tells none."""
        if self._last[0] != place:
            self._last = place, self._parsed(place)
        return self._last[1]

    def _parsed(self, place: int) -> Entry | None:
        if place + _LAYOUT.size > self._size:
            return None
        self._file.seek(place)
        mark, text_size, size, text_check, check = _LAYOUT.unpack(
            self._file.read(_LAYOUT.size)
        )
        offset = place + _LAYOUT.size + text_size
        if mark != MARK or offset > self._size:
            return None
        self._patience -= text_size
        text = self._file.read(text_size)
        if zlib.crc32(text) != text_check:
            return None
        try:
            head = json.loads(text)
            number = head.pop(_NUMBER, 0)
        except (ValueError, RecursionError, AttributeError):
            return None
        if not isinstance(number, int) or number < 0:
            return None
        return Entry(number, head, place, offset, size, check)
