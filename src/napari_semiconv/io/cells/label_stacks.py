"""Labels of all frames, wherever they lie, read a few frames at a time."""

import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from zarr.storage import LocalStore

from ...errors import BadInputError, UnreadableFrameError
from ...guard import brief, sizes
from ...labels import Labels, as_labels
from ...movie import ArraySource, Movie
from ..movies.image_file import ImageFile
from ..movies.ome_zarr import is_zarr, read_zarr
from ..movies.opener import open_movie
from ..movies.zarr_store import DAMAGED

if TYPE_CHECKING:
    import zarr

MOST_FRAMES = 10**6
# A plane may lie in so many chunks: each is a file to be looked for.
MOST_CHUNKS = 4096
# Pixels that are looked through together; a chunk of many frames is unpacked once.
BLOCK_BYTES = 2**25


class LabelStack(Protocol):
    """Labels of all frames."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width, (T, Y, X)."""

    def read(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame.

        Raises
        ------
        BadInputError
            When they are damaged, or no labels.
        """

    def painted(self) -> Iterator[tuple[int, Labels]]:
        """Go through all frames that may have labels, in order."""


class Stack(NamedTuple):
    """Labels and what their file says of them."""

    labels: LabelStack
    pixel_size: tuple[float, float] | None
    frame_interval: float | None


def open_stack(path: Path) -> Stack:
    """Open labels of any kind: zarr, OME-Zarr, a TIFF or a folder of TIFFs.

    Raises
    ------
    BadInputError
        When they cannot be read, or have other axes than T, Y and X.
    """
    if path.is_dir() and is_zarr(path):
        opened = read_zarr(path)
        labels = ZarrLabels(path.name, opened)
        return Stack(labels, opened.pixel_size, opened.frame_interval)
    movie = open_movie(path)
    return Stack(MovieLabels(movie), movie.pixel_size, movie.frame_interval)


class MovieLabels:
    """Labels that were opened as a movie."""

    def __init__(self, movie: Movie) -> None:
        self._movie = movie
        _check_labels(movie.name, movie.axes, movie.source.shape, movie.dtype)
        self.shape = (len(movie), *movie.frame_shape)

    def read(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame."""
        what = f"{self._movie.name}, frame {frame}"
        return as_labels(self._movie.frame(frame), what)

    def painted(self) -> Iterator[tuple[int, Labels]]:
        """Go through all frames, in order."""
        return ((frame, self.read(frame)) for frame in range(self.shape[0]))


class ZarrLabels:
    """Labels in a zarr array.

    Frames of which nothing lies on the disk are known to be empty and are not read, so
    that a header that promises a million of them costs nothing.

    Parameters
    ----------
    name
        What the user calls it.
    opened
        The array, its axes and units.
    """

    def __init__(self, name: str, opened: ImageFile) -> None:
        source = opened.source
        if not isinstance(source, ArraySource):
            raise TypeError(f"expected a zarr array, found {type(source)}")
        self._name = name
        self._array: zarr.Array[Any] = source.data
        self._axes = source.stored
        _check_labels(name, source.axes, source.shape, source.dtype)
        sized = dict(zip(source.axes, source.shape, strict=True))
        self.shape = (sized.get("T", 1), sized["Y"], sized["X"])
        self._check()
        self._step = self._frames_at_once()
        self._kept: tuple[int, Labels] = (-1, np.zeros((0, 0, 0), np.int32))

    def read(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame."""
        begin = frame - frame % self._step
        kept = self._kept
        if kept[0] != begin:
            kept = begin, self._block(begin)
            self._kept = kept if self._step > 1 else self._kept
        found: Labels = kept[1][frame - begin]
        return found

    def painted(self) -> Iterator[tuple[int, Labels]]:
        """Go through all frames that may have labels, in order."""
        for first, last in self._stored():
            for begin in range(first - first % self._step, last, self._step):
                block = self._block(begin)
                for place in np.flatnonzero(block.any(axis=(1, 2))).tolist():
                    if first <= begin + place < last:
                        yield begin + place, block[place]

    def _check(self) -> None:
        if self.shape[0] > MOST_FRAMES:
            raise BadInputError(
                f"{self._name}: expected at most {MOST_FRAMES} frames, found "
                f"{self.shape[0]}. If that is true, cut the movie; if not, the file is "
                f"damaged: copy it again."
            )
        touched = ceil(self.shape[1] / self._chunk("Y")) * ceil(
            self.shape[2] / self._chunk("X")
        )
        if touched > MOST_CHUNKS:
            raise BadInputError(
                f"{self._name}: expected frames in at most {MOST_CHUNKS} chunks, found "
                f"{touched}. Save the labels with larger chunks."
            )

    def _chunk(self, axis: str) -> int:
        """Length of a stored chunk along an axis; 1 when there is no such axis."""
        if axis not in self._axes:
            return 1
        stored = self._array.shards or self._array.chunks
        return max(stored[self._axes.index(axis)], 1)

    def _frames_at_once(self) -> int:
        frame = self.shape[1] * self.shape[2] * max(self._array.dtype.itemsize, 4)
        return max(1, min(self._chunk("T"), BLOCK_BYTES // max(frame, 1)))

    def _block(self, begin: int) -> Labels:
        """Read as many frames as are read at once, (T, Y, X)."""
        span = slice(begin, min(begin + self._step, self.shape[0]))
        index = tuple(
            {"T": span, "Y": slice(None), "X": slice(None)}.get(axis, 0)
            for axis in self._axes
        )
        what = f"{self._name}, frame {begin}"
        try:
            pixels = np.asarray(self._array[index])
        except BadInputError:
            raise
        except DAMAGED as error:
            raise UnreadableFrameError(
                f"{what}: its labels cannot be read ({brief(error)}). Restore the "
                f"files, or write them anew.",
                begin,
            ) from error
        kept = [axis for axis in self._axes if axis in "TYX"]
        if "T" not in kept:
            kept, pixels = ["T", *kept], pixels[np.newaxis]
        pixels = pixels.transpose([kept.index(axis) for axis in "TYX"])
        flat = as_labels(pixels.reshape(-1, pixels.shape[-1]), what)
        return flat.reshape(pixels.shape)

    def _stored(self) -> Iterator[tuple[int, int]]:
        """Find runs of frames of which something is on the disk: first, last + 1."""
        step, count = self._chunk("T"), self.shape[0]
        # What is not there has the fill value, which may be a label.
        store = self._array.store
        if self._array.fill_value or not isinstance(store, LocalStore):
            yield 0, count
            return
        folder = Path(store.root) / self._array.path
        depth = self._array.ndim + 1
        place = self._axes.find("T")
        try:
            found = {
                numbers[place] if place >= 0 else 0
                for numbers in _chunks(folder, (), depth)
                if len(numbers) == self._array.ndim
            }
        except OSError as error:
            raise BadInputError(
                f"{folder} cannot be read ({brief(error)}). Restore the folder."
            ) from error
        for chunk in sorted(found):
            if chunk * step < count:
                yield chunk * step, min((chunk + 1) * step, count)


def _chunks(
    folder: Path, above: tuple[int, ...], depth: int
) -> Iterator[tuple[int, ...]]:
    """Find the numbers of all chunks that are files, as in ``c/0/0/0`` or ``0.0.0``."""
    for entry in folder.iterdir():
        name = re.fullmatch(r"(?:c[./]?)?((?:\d{1,9}\.)*\d{1,9})?", entry.name)
        if name is None:
            continue
        here = (*above, *(int(n) for n in (name[1] or "").split(".") if n))
        if depth > 1 and entry.is_dir():
            yield from _chunks(entry, here, depth - 1)
        else:
            yield here


def _check_labels(
    name: str, axes: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> None:
    """Refuse what has channels or slices, or is not of whole numbers."""
    if dtype.kind not in "bui":
        raise BadInputError(
            f"{name}: expected labels, whole numbers, found pixels of type {dtype}. "
            f"Choose the labels, or save them with 16 bits."
        )
    words = {"C": "channels", "Z": "z slices"}
    for axis, length in zip(axes, shape, strict=True):
        if axis in words and length > 1:
            raise BadInputError(
                f"{name}: expected labels with the axes T, Y, X, found {length} "
                f"{words[axis]} in {sizes(shape)} ({axes}). If these are frames, save "
                f"the labels anew with the axes TYX; if not, save one of them."
            )
