"""Masks of a project on disk: one chunk a frame, checked, with the last ones kept."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec

from ..errors import BadInputError, SaveError
from ..safe import saving

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
        self._array = _open(path, "r+" if writable else "r")
        self._frames: OrderedDict[int, Numbers] = OrderedDict()
        self._changed: set[int] = set()
        size = int(np.prod(self.shape[1:])) * 4
        self._most = max(4, KEPT_BYTES // max(size, 1))

    @staticmethod
    def create(path: Path, shape: tuple[int, int, int]) -> None:
        """Make masks of (T, Y, X) without any cell."""
        zarr.create_array(
            path,
            shape=shape,
            chunks=(1, *shape[1:]),
            dtype="int32",
            fill_value=0,
            compressors=[ZstdCodec(level=1), Crc32cCodec()],
            dimension_names=("t", "y", "x"),
        )

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
        # Whoever looks at the frame as it was keeps it as it was.
        changed = self.read(frame).copy()
        height, width = numbers.shape
        changed[y : y + height, x : x + width] = numbers
        self._changed.add(frame)
        self._keep(frame, changed)

    def flush(self) -> None:
        """Write all changed frames to the disk.

        Raises
        ------
        SaveError
            When that fails; what could not be written stays in memory.
        """
        if self._changed and self._writable:
            self.before_write()
            for frame in sorted(self._changed):
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
            return np.asarray(self._array[frame], np.int32)
        except (OSError, ValueError, RuntimeError) as error:
            raise BadInputError(
                f"{self.path}: the masks of frame {frame} are damaged: expected what "
                f"was written, found other bytes. Restore that file from a copy, or "
                f"segment the frame again."
            ) from error

    def _save(self, frame: int) -> None:
        with saving(self.path):
            self._array[frame] = self._frames[frame]
        self._changed.discard(frame)


def _open(path: Path, mode: Any) -> "zarr.Array[Any]":
    try:
        array = zarr.open_array(path, mode=mode)
    except (OSError, ValueError, LookupError) as error:
        raise BadInputError(
            f"{path}: the masks of the project are missing or damaged. Restore that "
            f"folder from a copy."
        ) from error
    if array.ndim != 3 or array.dtype != np.int32:
        raise BadInputError(
            f"{path}: expected masks of three axes in int32, found "
            f"{array.ndim} axes in {array.dtype}. Restore that folder from a copy."
        )
    return array
