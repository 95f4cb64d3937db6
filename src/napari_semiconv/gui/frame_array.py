"""Frames that are read when napari asks for them, as one array."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from napari.utils.notifications import show_warning
from numpy.typing import NDArray

from ..errors import SemiconvError


class FrameArray:
    """An array, (T, Y, X) or (T, Y, X, C), whose frames are read one at a time.

    A frame that cannot be read is shown empty and told once: the others can be looked
    at.

    Parameters
    ----------
    shape
        Frames, height and width, and colours if they have any.
    dtype
        Type of the pixels.
    read
        Gives a frame, (Y, X) or (Y, X, C).
    refuses
        Whether it is no time to read many frames at once: then the first of those asked
        for is given alone. napari asks for all frames before anybody can say that a
        movie is not to be shown in 3D.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        read: Callable[[int], NDArray[Any]],
        refuses: Callable[[], bool] = lambda: False,
    ) -> None:
        self.shape = shape
        self.ndim = len(shape)
        self.dtype = dtype
        self.size = int(np.prod(shape))
        self._read = read
        self._refuses = refuses
        self._missed: set[int] = set()

    def __getitem__(self, index: Any) -> NDArray[Any]:
        frames, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(frames, int | np.integer):
            return np.asarray(self._frame(int(frames))[tuple(rest)])
        if isinstance(frames, np.ndarray) and rest:
            return self._pixels(*np.broadcast_arrays(frames, *rest))
        chosen = np.arange(self.shape[0])[frames]
        if len(chosen) > 1 and self._refuses():
            chosen = chosen[:1]
        stack = [self._frame(int(t))[tuple(rest)] for t in chosen]
        return np.stack(stack) if stack else np.zeros((0, *self.shape[1:]), self.dtype)

    def _pixels(self, frames: NDArray[Any], *places: NDArray[Any]) -> NDArray[Any]:
        """Read pixels by index arrays, as napari until 0.6 does before it paints."""
        found = np.zeros(frames.shape, self.dtype)
        for frame in np.unique(frames).tolist():
            there = frames == frame
            found[there] = self._frame(frame)[tuple(part[there] for part in places)]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read all frames, for those who save or measure the layer."""
        return np.asarray(self[:], dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Share what nobody writes to, when napari duplicates the layer."""
        return self

    def astype(self, dtype: Any) -> NDArray[Any]:
        """Refuse what would put other data into a layer of the open project.

        Raises
        ------
        SemiconvError
            Always; says what to do instead.
        """
        raise SemiconvError(
            f"Layer: expected to keep its data type {self.dtype}, found a conversion "
            f"to {np.dtype(dtype)}. Duplicate the layer and convert the copy."
        )

    def _frame(self, t: int) -> NDArray[Any]:
        try:
            return self._read(t)
        except SemiconvError as error:
            if t not in self._missed:
                self._missed.add(t)
                show_warning(str(error))
            return np.zeros(self.shape[1:], self.dtype)


class PaintedFrames(FrameArray):
    """Cells that napari may paint into: a stroke stays apart until it is an edit.

    Parameters
    ----------
    shape, dtype, read, refuses
        As in `FrameArray`; frames that are read are not written to.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        read: Callable[[int], NDArray[Any]],
        refuses: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(shape, dtype, read, refuses)
        self._before: dict[int, NDArray[Any]] = {}
        self._painted: dict[int, NDArray[Any]] = {}

    def __setitem__(self, index: Any, values: Any) -> None:
        """Paint, as napari does: one frame as a slice, or pixels as index arrays."""
        frames, *rest = index
        if isinstance(frames, slice):
            chosen = range(*frames.indices(self.shape[0]))
            values = np.broadcast_to(values, self[index].shape)
            for row, frame in enumerate(chosen):
                self._canvas(frame)[tuple(rest)] = values[row]
            return
        frames, *rest = np.broadcast_arrays(frames, *rest)
        values = np.broadcast_to(values, frames.shape)
        for frame in np.unique(frames).tolist():
            there = frames == frame
            pixels = tuple(part[there] for part in rest)
            self._canvas(frame)[pixels] = values[there]

    def __deepcopy__(self, memo: dict[int, Any]) -> NDArray[Any]:
        """Read all frames: a duplicate of the layer is no part of the project."""
        return self[:]

    def take(self) -> dict[int, tuple[NDArray[Any], NDArray[Any]]]:
        """Give the frames that were painted, before and after, and forget them."""
        taken = {t: (self._before[t], after) for t, after in self._painted.items()}
        self._before, self._painted = {}, {}
        return taken

    def rebase(self, frames: Collection[int]) -> None:
        """Put what is painted, and no edit yet, on frames that changed below it.

        Parameters
        ----------
        frames
            Their indices.
        """
        for t in self._painted.keys() & set(frames):
            stroke = self._painted[t] != self._before[t]
            self._before[t] = super()._frame(t)
            after = self._before[t].copy()
            after[stroke] = self._painted[t][stroke]
            self._painted[t] = after

    def _canvas(self, frame: int) -> NDArray[Any]:
        if frame not in self._painted:
            self._before[frame] = super()._frame(frame)
            self._painted[frame] = self._before[frame].copy()
        return self._painted[frame]

    def _frame(self, t: int) -> NDArray[Any]:
        # napari writes into the frame in view, too.
        return self._painted[t] if t in self._painted else super()._frame(t).copy()
