"""Saved states of a run, ``states/NNNNNN.safetensors``, after which it can go on."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

STATES = "states"
SPACING = 100
MOST_SPARSE = 6
MOST_BYTES = 256 * 2**20
NEWEST = 2

_NAME = re.compile(r"(\d{6,})\.safetensors")


class RunStates:
    """The states of one run folder.

    Two states are kept to go on after a stop, and at most six more, 100 frames or more
    apart, to begin again in the middle of a movie. So there are never more than eight.
    With the default model one takes 75 bytes per pixel that the network sees, with the
    engine hdbscan 130: 20 or 35 MB for frames of 512 x 512 px. The six together take at
    most 256 MB.

    Parameters
    ----------
    folder
        The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / STATES

    def path(self, frame: int) -> Path:
        """Name the file for the state after a frame; its folder is made."""
        self._folder.mkdir(exist_ok=True)
        return self._folder / f"{frame:06}.safetensors"

    def all(self) -> dict[int, Path]:
        """Files by frame, the newest first; what they hold was not looked at."""
        if not self._folder.is_dir():
            return {}
        found = {
            int(match[1]): path
            for path in self._folder.iterdir()
            if (match := _NAME.fullmatch(path.name))
        }
        return dict(sorted(found.items(), reverse=True))

    def forget_after(self, frame: int) -> None:
        """Remove the states after a frame, and what a crash left half-written."""
        for saved, path in self.all().items():
            if saved > frame:
                path.unlink()
        for draft in self._folder.glob("*.part"):
            draft.unlink()

    def thin(self) -> None:
        """Remove the states that need not be kept."""
        saved = self.all()
        sizes = [path.stat().st_size for path in saved.values()]
        room = int(MOST_BYTES // max(1, *sizes)) if sizes else 0
        for frame in saved.keys() - kept(saved, min(MOST_SPARSE, room)):
            saved[frame].unlink(missing_ok=True)


def kept(frames: Iterable[int], most: int = MOST_SPARSE) -> set[int]:
    """Choose the states to keep.

    Parameters
    ----------
    frames
        Frames that there are states of.
    most
        How many may be kept besides the newest two.

    Returns
    -------
    set
        The newest two, and the first of each stretch of 100 frames, or of 200, 400, ...
        where those would be too many.
    """
    newest_first = sorted(frames, reverse=True)
    newest, older = newest_first[:NEWEST], newest_first[NEWEST:]
    if not most or not older:
        return set(newest)
    spacing = SPACING
    while len(sparse := _first_of_each(older, spacing)) > most:
        spacing *= 2
    return {*newest, *sparse}


def sync(paths: Iterable[Path]) -> None:
    """Have files that were written reach the disk."""
    for path in paths:
        with path.open("r+b") as stream:
            os.fsync(stream.fileno())


def _first_of_each(frames: Iterable[int], spacing: int) -> set[int]:
    first: dict[int, int] = {}
    for frame in sorted(frames, reverse=True):
        first[frame // spacing] = frame
    return set(first.values())
