"""One writer at a time: the lock of a project folder."""

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import BadInputError, SaveError
from ..guard import read_json
from ..safe import write_json_safely

LOCK = "lock"
HOLDER = "lock.json"
MOST_HOLDER = 2**16  # bytes


class Lock:
    """Held while a project may be written to; the system frees it when we die.

    Parameters
    ----------
    folder
        The project.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A job opens the project in its thread, and the window closes it in its own.
        self._lock = FileLock(folder / LOCK, timeout=0, thread_local=False)

    @staticmethod
    def taken(folder: Path, notes: list[str]) -> "Lock | None":
        """Take the lock of a project; add to the notes why that failed."""
        lock = Lock(folder)
        trouble = lock.take()
        if trouble is None:
            return lock
        notes.append(trouble)
        return None

    def take(self) -> str | None:
        """Try to take it; return why that failed, in a sentence, or None."""
        try:
            self._lock.acquire()
        except Timeout:
            return (
                f"{self._folder.name} is open elsewhere{self._holder()}, so it was "
                f"opened to be read only. Close it there to change it here."
            )
        except OSError:
            return (
                f"{self._folder.name} may not be written to, so it was opened to be "
                f"read only. Copy it to another disk to change it."
            )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        holder = {"host": socket.gethostname(), "process": os.getpid(), "since": now}
        # Who holds it is told to others for comfort; a full disk must not stop us.
        with suppress(SaveError):
            write_json_safely(self._folder / HOLDER, holder)
        return None

    def free(self) -> None:
        """Let it go."""
        self._lock.release()

    def _holder(self) -> str:
        try:
            facts = read_json(self._folder / HOLDER, MOST_HOLDER)
            return f" (process {facts['process']} on {facts['host']})"
        except (BadInputError, KeyError):
            return ""
