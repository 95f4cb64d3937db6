"""Frames that are read when napari asks for them, as one array."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class FrameArray:
    """An array, (T, Y, X), whose frames are read one at a time.

    Parameters
    ----------
    shape
        Frames, height and width.
    dtype
        Type of the pixels.
    read
        Gives a frame, (Y, X).
    """

    ndim = 3

    def __init__(
        self,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        read: Callable[[int], NDArray[Any]],
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.size = int(np.prod(shape))
        self._read = read

    def __getitem__(self, index: Any) -> NDArray[Any]:
        frames, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(frames, int | np.integer):
            return np.asarray(self._read(int(frames))[tuple(rest)])
        chosen = np.arange(self.shape[0])[frames]
        stack = [self._read(int(t))[tuple(rest)] for t in chosen]
        return np.stack(stack) if stack else np.zeros((0, *self.shape[1:]), self.dtype)
