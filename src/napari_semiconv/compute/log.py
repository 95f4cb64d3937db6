"""What happened in a run and when, a line each, in ``log.txt`` of its folder."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ..io.results import LOG


class RunLog:
    """The log of a run; a disk that is full does not stop the run because of it.

    Parameters
    ----------
    folder
        The run folder; nothing is written while it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG

    def say(self, *lines: str) -> None:
        """Add lines, with the time."""
        now = datetime.now().astimezone().isoformat(" ", "milliseconds")
        # Opened each time: the folder may be taken away, and two processes write.
        with suppress(OSError), self._path.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{now}  {line}\n" for line in lines)
