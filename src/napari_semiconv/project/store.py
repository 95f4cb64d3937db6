"""Masks of a project on disk: one chunk a frame, checked, with the last ones kept."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError, SaveError
from ..io.movies.zarr_store import DAMAGED
from ..safe import draft_of, saving
from .mask_array import check_way, chunk_of, create_masks, open_masks, written_alike

Numbers = NDArray[np.int32]

# Bytes of decoded frames that are kept.
KEPT_BYTES = 128 << 20


class ZarrMasks:
    """Stored numbers of all frames, read and written through a cache.

    Frames are written to the disk when they leave the cache or at `flush`. Until then
    the journal has what they hold.

    Parameters
    ----------
    path
        The zarr array.
    writable
        Whether frames may be written to the disk; else changed ones stay in memory.
    before_write
        Called before anything is written: the journal must be on the disk first.

    Raises
    ------
    BadInputError
        When it is missing or damaged.
    """

    def __init__(
        self,
        path: Path,
        *,
        writable: bool = True,
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self._writable = writable
        self.before_write = before_write
        self._array = open_masks(path, "r+" if writable else "r")
        self._frames: OrderedDict[int, Numbers] = OrderedDict()
        self._changed: set[int] = set()
        # Files that hold a changed frame already, as it is to be written.
        self._ready: dict[int, Path] = {}
        self._lock = threading.RLock()
        size = int(np.prod(self.shape[1:])) * 4
        self._most = max(4, KEPT_BYTES // max(size, 1))

    @staticmethod
    def create(path: Path, shape: tuple[int, int, int]) -> None:
        """Make masks of (T, Y, X) without any cell."""
        create_masks(path, shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width, (T, Y, X)."""
        frames, height, width = self._array.shape
        return frames, height, width

    def read(self, frame: int) -> Numbers:
        """Give the stored numbers, (Y, X), of a frame; not to be written to.

        Raises
        ------
        BadInputError
            When the frame is damaged on the disk.
        """
        with self._lock:
            found = self._frames.get(frame)
            if found is not None:
                self._frames.move_to_end(frame)
                return found
            return self._keep(frame, self._load(frame))

    def write(self, frame: int, y: int, x: int, numbers: Numbers) -> None:
        """Replace the stored numbers of a box, (height, width), at row y, column x.

        Raises
        ------
        BadInputError
            When the frame is damaged on the disk.
        """
        with self._lock:
            # Whoever looks at the frame as it was keeps it as it was.
            changed = self.read(frame).copy()
            height, width = numbers.shape
            changed[y : y + height, x : x + width] = numbers
            self._changed.add(frame)
            self._ready.pop(frame, None)
            self._keep(frame, changed)

    def offer(self, frame: int, path: Path, numbers: Numbers) -> None:
        """Take the file of a run, if it holds the very frame: it is written once.

        Parameters
        ----------
        frame
            Index of the frame.
        path
            A chunk of masks made by `create_masks`; never changed after it was written.
        numbers
            What it holds, (Y, X).
        """
        with self._lock:
            known = self._frames.get(frame)
            if known is None or frame not in self._changed:
                return
            if np.array_equal(known, numbers):
                self._ready[frame] = path

    def flush(self) -> None:
        """Write all changed frames to the disk.

        Raises
        ------
        SaveError
            When that fails; what could not be written stays in memory.
        """
        with self._lock:
            waiting = sorted(self._changed) if self._writable else []
        if waiting:
            self.before_write()
        for frame in waiting:
            # Others may read between two frames.
            with self._lock:
                if frame in self._changed:
                    self._save(frame)

    def _keep(self, frame: int, numbers: Numbers) -> Numbers:
        numbers.flags.writeable = False
        self._frames[frame] = numbers
        self._frames.move_to_end(frame)
        if len(self._frames) > self._most:
            self._forget()
        return numbers

    def _forget(self) -> None:
        """Let a frame go; those that cannot be saved stay."""
        for frame in list(self._frames):
            if frame not in self._changed or self._could_save(frame):
                del self._frames[frame]
                return

    def _could_save(self, frame: int) -> bool:
        if not self._writable:
            return False
        try:
            self.before_write()
            self._save(frame)
        except SaveError:
            # An edit that is half applied must go on; `flush` tells what is wrong.
            return False
        return True

    def _load(self, frame: int) -> Numbers:
        try:
            found = np.asarray(self._array[frame], np.int32)
            if found.min() < 0:
                raise ValueError("negative numbers")
            return found
        except (BadInputError, *DAMAGED) as error:
            raise BadInputError(
                f"{self.path}: the masks of frame {frame} are damaged: expected what "
                f"was written, found other bytes. Restore that file from a copy, or "
                f"segment the frame again."
            ) from error

    def _save(self, frame: int) -> None:
        with saving(self.path):
            if not self._link(frame):
                self._array[frame] = self._frames[frame]
        self._changed.discard(frame)
        self._ready.pop(frame, None)

    def _link(self, frame: int) -> bool:
        """Let a file that is there be this frame too, where the disk can do that."""
        source = self._ready.get(frame)
        if source is None or not written_alike(source.parents[3], self.path):
            return False
        target = chunk_of(self.path, frame)
        draft = draft_of(target)
        with suppress(OSError):
            check_way(self.path, str(target.relative_to(self.path)))
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            os.link(source, draft, follow_symlinks=False)
            draft.replace(target)
            return True
        return False
