"""The journal: every edit on disk before the next one is taken.

A file of entries (`records`), one after the other, only ever appended to. What is
half-written at its end, because the program or the computer died, is cut off when it is
opened. Entries behind a damaged one are found again and used.

An entry is there from the moment that it stands in ``entries``: whatever interrupts
before leaves bytes that the next entry is written over.
"""

import os
import threading
import zlib
from collections.abc import Container
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from ..errors import BadInputError, SaveError
from ..safe import draft_of, new_file, saving
from .records import MARK, SMALLEST, Entry, entries_in, entry_of, record_of

# Seconds until what was written is also on the disk, should the power fail.
SYNC_SECONDS = 0.5


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
        # The timer brings what was written to the disk in a thread of its own.
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        # What may not be on the disk yet, by its place, and whether it failed to go
        # there when nobody was waiting to be told.
        self._unsynced: dict[int, bytes] = {}
        self._late = False
        # The file was replaced, and is to be opened again.
        self._replaced = False
        # There are entries in the file that are no longer counted.
        self._forgot = False
        self.writable = writable
        with saving(path):
            self._file = _open(path, writable)
            try:
                size = self._scan()
                self.torn = size - self.end
                if self.torn and writable:
                    self.cut()
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

    @property
    def end(self) -> int:
        """Where the last entry ends in the file, bytes."""
        return self.entries[-1].end if self.entries else 0

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
        if not self.writable:
            raise SaveError(
                f"{self.path}: opened to be read only, so nothing can be changed. "
                f"Close the window that has the project open, and open it again here."
            )
        if self._late:
            self.sync()
        with self._lock, saving(self.path):
            self._reopen()
            self._trim()
            begin, number = self.end, self.last + 1
            record = record_of(number, head, body)
            self._unsynced[begin] = record
            self._write(begin, record)
            entry = entry_of(number, head, begin, record)
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
            self._reopen()
            # It may have another place since the journal was made small.
            known = self.entries[entry.number - 1]
            self._file.seek(known.offset)
            data = self._file.read(known.size)
        if known.lost or zlib.crc32(data) != known.check:
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

    def forget_after(self, number: int) -> None:
        """Leave out all entries after one; the file keeps them until `cut`."""
        with self._lock:
            self._forgot = True
            del self.entries[number:]

    def cut(self) -> None:
        """Take what is behind the last entry off the file.

        Entries that are good are kept in a file of their own.
        """
        with self._lock, saving(self.path):
            self._keep_damaged()
            self._forgot = False
            self._trim()

    def sync(self) -> None:
        """Bring all that was written to the disk."""
        with self._lock, saving(self.path):
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self.writable and not self._file.closed:
                if self._late:
                    # What a failed sync left behind in memory counts as written.
                    for place, record in self._unsynced.items():
                        self._write_at(place, record)
                    self._trim()
                os.fsync(self._file.fileno())
            self._unsynced.clear()
            self._late = False

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
        self.sync()
        with self._lock, saving(self.path):
            try:
                with new_file(draft) as stream:
                    for entry in self.entries:
                        body = self.body(entry) if entry.number in kept else b""
                        stream.write(record_of(entry.number, entry.head, body))
                    stream.flush()
                    os.fsync(stream.fileno())
                self._replaced = True
                self._file.close()
                draft.replace(self.path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            finally:
                self._reopen()

    def close(self) -> None:
        """Bring all to the disk and close the file."""
        if not self._file.closed:
            try:
                with saving(self.path):
                    self._trim()
                self.sync()
            finally:
                self._file.close()

    def _write(self, place: int, record: bytes) -> None:
        try:
            self._write_at(place, record)
        except OSError:
            self._unsynced.pop(place, None)
            self._trim()
            raise

    def _write_at(self, place: int, data: bytes) -> None:
        self._file.seek(place)
        rest = memoryview(data)
        while rest:
            # The file is not buffered: a write may end early.
            rest = rest[self._file.write(rest) or 0 :]

    def _trim(self) -> None:
        """Cut off what is behind the last entry: one that was never whole."""
        number = self._file.fileno()
        trims = self.writable and not self._forgot
        if trims and os.fstat(number).st_size > self.end:
            os.ftruncate(number, self.end)

    def _keep_damaged(self) -> None:
        """Copy what is to be cut off when it is more than one half-written entry."""
        self._file.seek(self.end)
        tail = self._file.read()
        if MARK in tail[1:]:
            with new_file(self.path.with_name(f"{self.path.name}.damaged")) as stream:
                stream.write(tail)

    def _sync_soon(self) -> None:
        # One that was interrupted before it started would never come.
        if self._timer is None or not self._timer.is_alive():
            self._timer = threading.Timer(SYNC_SECONDS, self._sync_late)
            self._timer.daemon = True
            self._timer.start()

    def _sync_late(self) -> None:
        # Told at the next entry, which is not taken before the disk has this one.
        try:
            self.sync()
        except SaveError:
            self._late = True

    def _reopen(self) -> None:
        """Open the file again, if another one took its place."""
        if self._replaced:
            self._file.close()
            self._file = _open(self.path, self.writable)
            self._scan()
            self._replaced = False

    def _scan(self) -> int:
        """Read all heads; give the length of the file, bytes."""
        size = self._file.seek(0, os.SEEK_END)
        self.entries = [*entries_in(self._file, size)]
        self._file.seek(0)
        known = self.entries or size < SMALLEST or self._file.read(len(MARK)) == MARK
        if not known:
            raise BadInputError(
                f"{self.path}: expected the journal of a project, found something "
                f"else. Restore that file from a copy."
            )
        return size


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
