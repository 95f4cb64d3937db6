"""The journal: every edit on disk before the next one is taken.

A file of entries, one after the other, only ever appended to::

    SCJ1 | size of head, size of body | CRC-32 of head, CRC-32 of body | head | body

Sizes and checks are 32-bit, least byte first. The head is JSON: what was done, when and
by whom; the body is the change (`codec`), or empty. What is half-written at the end of
the file, because the program or the computer died, is cut off when it is opened. Where
whole entries lie behind a damaged one they are kept in a file of their own.
"""

import json
import os
import struct
import threading
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from ..errors import BadInputError, SaveError
from ..safe import draft_of, saving

_MARK = b"SCJ1"
_LAYOUT = struct.Struct("<4sIIII")
# Seconds until what was written is also on the disk, should the power fail.
SYNC_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, without its body.

    Parameters
    ----------
    number
        Place in the journal, from 1.
    head
        What was done.
    offset
        Place of the body in the file, bytes.
    size
        Length of the body, bytes.
    check
        CRC-32 of the body.
    """

    number: int
    head: dict[str, Any]
    offset: int
    size: int
    check: int


class Journal:
    """The journal of a project.

    Parameters
    ----------
    path
        The file; made when it is not there.
    writable
        Whether entries may be added. Otherwise a half-written end is left alone.

    Raises
    ------
    BadInputError
        When it is no journal.
    SaveError
        When it cannot be opened.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        # What may not be on the disk yet, from where on, and whether it failed to go
        # there when nobody was waiting to be told.
        self._unsynced: list[bytes] = []
        self._synced = 0
        self._late = False
        self._writable = writable
        with saving(path):
            self._file = _open(path, writable)
            try:
                self._end = self._scan()
                self.torn = self._file.seek(0, os.SEEK_END) - self._end
                self._synced = self._end
                if self.torn and writable:
                    self._keep_damaged()
                    os.ftruncate(self._file.fileno(), self._end)
            except BaseException:
                self._file.close()
                raise

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self.close()

    @property
    def last(self) -> int:
        """Number of the last entry; 0 when there is none."""
        return len(self.entries)

    def append(self, head: dict[str, Any], body: bytes = b"") -> Entry:
        """Write an entry; it is on the disk at most a second later.

        Parameters
        ----------
        head
            What was done, as JSON values.
        body
            The change it made.

        Raises
        ------
        SaveError
            When it could not be written; the journal is as it was.
        """
        if not self._writable:
            raise SaveError(
                f"{self.path}: opened to be read only, so nothing can be changed. "
                f"Close the window that has the project open, and open it again here."
            )
        if self._late:
            self.sync()
        text, record = _record(head, body)
        with self._lock, saving(self.path):
            self._write(record)
            place = self._end + _LAYOUT.size + len(text)
            self._end += len(record)
            self._unsynced.append(record)
        entry = Entry(self.last + 1, head, place, len(body), zlib.crc32(body))
        self.entries.append(entry)
        self._sync_soon()
        return entry

    def body(self, entry: Entry) -> bytes:
        """Read the change that an entry made.

        Raises
        ------
        BadInputError
            When it is damaged.
        """
        with self._lock:
            self._file.seek(entry.offset)
            data = self._file.read(entry.size)
        if zlib.crc32(data) != entry.check:
            raise BadInputError(
                f"{self.path}: entry {entry.number} is damaged: expected what was "
                f"written, found other bytes. Restore the project from a copy."
            )
        return data

    def is_sound(self, entry: Entry) -> bool:
        """Tell whether the body of an entry is as it was written."""
        try:
            self.body(entry)
        except BadInputError:
            return False
        return True

    def cut_after(self, number: int) -> None:
        """Take away all entries after one, because they are damaged."""
        gone = self.entries[number]
        text, _ = _record(gone.head, b"")
        self._end = gone.offset - len(text) - _LAYOUT.size
        with saving(self.path):
            os.ftruncate(self._file.fileno(), self._end)
        self._synced = self._end
        del self.entries[number:]

    def sync(self) -> None:
        """Bring all that was written to the disk."""
        with self._lock, saving(self.path):
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._writable and not self._file.closed:
                if self._late:
                    # What a failed sync left behind in memory counts as written.
                    self._write_at(self._synced, b"".join(self._unsynced))
                os.fsync(self._file.fileno())
            self._unsynced.clear()
            self._synced, self._late = self._end, False

    def compact(self, kept: Container[int]) -> None:
        """Leave out the bodies of entries that can no longer be undone or redone.

        Who did what and when stays. The file is written anew beside the old one.

        Parameters
        ----------
        kept
            Numbers of the entries that keep their bodies.

        Raises
        ------
        SaveError
            When it could not be written; the journal is as it was.
        """
        draft = draft_of(self.path)
        with saving(self.path):
            try:
                with draft.open("wb") as stream:
                    for entry in self.entries:
                        body = self.body(entry) if entry.number in kept else b""
                        stream.write(_record(entry.head, body)[1])
                    stream.flush()
                    os.fsync(stream.fileno())
                self.close()
                draft.replace(self.path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            finally:
                if self._file.closed:
                    self._file = _open(self.path, writable=True)
            self._file.seek(0)
            self.entries = []
            self._end = self._synced = self._scan()

    def close(self) -> None:
        """Bring all to the disk and close the file."""
        if not self._file.closed:
            try:
                self.sync()
            finally:
                self._file.close()

    def _write(self, record: bytes) -> None:
        try:
            self._write_at(self._end, record)
        except OSError:
            os.ftruncate(self._file.fileno(), self._end)
            raise

    def _write_at(self, place: int, data: bytes) -> None:
        self._file.seek(place)
        rest = memoryview(data)
        while rest:
            # The file is not buffered: a write may end early.
            rest = rest[self._file.write(rest) or 0 :]

    def _keep_damaged(self) -> None:
        """Copy what is to be cut off when it is more than one half-written entry."""
        self._file.seek(self._end)
        tail = self._file.read()
        if _MARK in tail[1:]:
            self.path.with_name(f"{self.path.name}.damaged").write_bytes(tail)

    def _sync_soon(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(SYNC_SECONDS, self._sync_late)
            self._timer.daemon = True
            self._timer.start()

    def _sync_late(self) -> None:
        # Told at the next entry, which is not taken before the disk has this one.
        try:
            self.sync()
        except SaveError:
            self._late = True

    def _scan(self) -> int:
        """Read all heads; return where the last whole entry ends."""
        end = 0
        size = self._file.seek(0, os.SEEK_END)
        for entry, after in self._heads(size):
            self.entries.append(entry)
            end = after
        return end

    def _heads(self, size: int) -> Iterator[tuple[Entry, int]]:
        place, number = 0, 1
        while place + _LAYOUT.size <= size:
            self._file.seek(place)
            fields = _LAYOUT.unpack(self._file.read(_LAYOUT.size))
            mark, head_size, body_size, head_check, body_check = fields
            body = place + _LAYOUT.size + head_size
            if mark != _MARK or body + body_size > size:
                break
            text = self._file.read(head_size)
            if zlib.crc32(text) != head_check:
                break
            head = json.loads(text)
            place = body + body_size
            yield Entry(number, head, body, body_size, body_check), place
            number += 1
        if number == 1 and size >= _LAYOUT.size and not self._begins_well():
            raise BadInputError(
                f"{self.path}: expected the journal of a project, found something "
                f"else. Restore that file from a copy."
            )

    def _begins_well(self) -> bool:
        self._file.seek(0)
        return self._file.read(len(_MARK)) == _MARK


def _record(head: dict[str, Any], body: bytes) -> tuple[bytes, bytes]:
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    checks = zlib.crc32(text), zlib.crc32(body)
    return text, _LAYOUT.pack(_MARK, len(text), len(body), *checks) + text + body


def _open(path: Path, writable: bool) -> BinaryIO:
    try:
        return _unbuffered(path, "r+b" if writable else "rb")
    except FileNotFoundError:
        if not writable:
            raise BadInputError(
                f"{path}: expected the journal of a project, found no file. Restore "
                f"it from a copy."
            ) from None
        return _unbuffered(path, "w+b")


def _unbuffered(path: Path, mode: str) -> BinaryIO:
    return path.open(mode, buffering=0)  # type: ignore[return-value]
