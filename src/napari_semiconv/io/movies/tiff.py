"""Read TIFF, OME-TIFF and ImageJ stacks plane by plane, with no file left open."""

import logging
import math
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from tifffile import TIFF, TiffFile, TiffFrame, TiffPage, TiffPageSeries

from ...errors import BadInputError, counted
from ...guard import MOST_BYTES, brief, check_regular, check_size, sizes
from ...movie import Array, ArraySource
from .axes import MOST_IMAGEJ_CHANNELS, check_slices, understand
from .image_file import ImageFile
from .tiff_facts import ome_planes, read_facts
from .unpacked import inflates_beyond

SUFFIXES = (".tif", ".tiff")
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# What tifffile, which asserts what it expects, and the decompressors below it raise on
# damaged files; those of imagecodecs are RuntimeErrors.
DAMAGED = (
    OSError, ValueError, RuntimeError, LookupError, TypeError, ArithmeticError,
    AssertionError, AttributeError, MemoryError, struct.error, zlib.error,
)  # fmt: skip
Page = TiffPage | TiffFrame
MOST_PARTS_MISSING = 10_000
MOST_PLANES = 2**20
DEFLATED = (8, 32946)
BOUNDED = find_spec("imagecodecs") is not None


def is_tiff(path: Path) -> bool:
    """Tell whether a file begins as a TIFF does.

    Raises
    ------
    BadInputError
        When it is no file that can be read to its end, such as a pipe.
    """
    if path.is_dir():
        return False
    check_regular(path)
    with path.open("rb") as stream:
        return stream.read(len(MAGIC[0])) in MAGIC


def read_tiff(path: Path, taken: str = "") -> ImageFile:
    """Find the planes, axes and units of a TIFF; no pixel is read.

    Parameters
    ----------
    path
        The file.
    taken
        Axes the file cannot have: T for one file of a numbered series.

    Raises
    ------
    BadInputError
        When it is no TIFF, damaged, cut short or not an image.
    """
    try:
        check_regular(path)
        _check_chain(path)
        with quiet(), TiffFile(path) as tif:
            return _movie_of(tif, path, taken)
    except DAMAGED as error:
        raise BadInputError(
            f"{path.name} cannot be read as a TIFF image ({brief(error)}). Copy it "
            f"again, or save it anew with the program that made it."
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep tifffile from logging what is said to the user in a sentence."""
    logger = logging.getLogger("tifffile")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


class TiffSource:
    """Planes of a TIFF, read where they lie; the file is closed between planes.

    Parameters
    ----------
    path
        The file.
    series
        The image in it, while the file is open.
    stored
        Axis letters in memory order, one per axis of the series; a dot marks an axis of
        length 1 that says nothing.
    """

    def __init__(self, path: Path, series: TiffPageSeries, stored: str) -> None:
        shape = tuple(int(n) for n in series.shape)
        keyframe = series.keyframe
        self._path = path
        self._offset = series.dataoffset
        self._stored_dtype = np.dtype(keyframe.dtype).newbyteorder(
            keyframe.parent.byteorder
        )
        self.dtype: np.dtype[Any] = self._stored_dtype.newbyteorder("=")
        # Trailing axes that are read together: one plane where the pixels lie in one
        # piece, one page otherwise.
        first = min(stored.index("Y"), stored.index("X"))
        if self._offset is None:
            while math.prod(shape[first:]) < keyframe.size:
                first -= 1
        self._outer, self._outer_shape = stored[:first], shape[:first]
        self._inner, self._inner_shape = stored[first:], shape[first:]
        self._pages = [] if self._offset is not None else list(_pages(series, shape))
        self._lock = Lock()
        self._last: tuple[int, Array] | None = None
        lengths = dict(zip(stored, shape, strict=True))
        self.axes = "".join(axis for axis in stored if axis not in "YX.") + "YX"
        self.shape = tuple(lengths[axis] for axis in self.axes)

    def plane(self, position: Mapping[str, int]) -> Array:
        """Read one plane, (Y, X)."""
        place = [0 if axis == "." else position[axis] for axis in self._outer]
        number = 0
        for index, length in zip(place, self._outer_shape, strict=True):
            number = number * length + index
        with self._lock:
            if self._last is None or self._last[0] != number:
                self._last = number, self._read(number)
            block = self._last[1]
        return ArraySource(block, self._inner).plane(position)

    def blocks_cut_off(self) -> tuple[int, int]:
        """Count the pages or planes that end after the end of the file, and all."""
        if self._offset is not None:
            total = math.prod(self._outer_shape)
            size = math.prod(self._inner_shape) * self._stored_dtype.itemsize
            whole = (self._path.stat().st_size - self._offset) // max(size, 1)
            return max(0, total - max(0, whole)), total
        return sum(_is_cut(page) for page in self._pages), len(self._pages)

    def _read(self, number: int) -> Array:
        try:
            if self._offset is not None:
                return self._read_bytes(number)
            return self._read_page(self._pages[number])
        except DAMAGED as error:
            raise OSError(
                f"{self._path.name} is damaged, incomplete or gone ({brief(error)})"
            ) from error

    def _read_bytes(self, number: int) -> Array:
        assert self._offset is not None
        count = math.prod(self._inner_shape)
        start = self._offset + number * count * self._stored_dtype.itemsize
        block = np.fromfile(self._path, self._stored_dtype, count, offset=start)
        if block.size < count:
            raise ValueError(f"expected {count} px, found {block.size}")
        return block.astype(self.dtype, copy=False).reshape(self._inner_shape)

    def _read_page(self, page: Page | None) -> Array:
        if page is None:
            raise ValueError("a file that belongs to it is missing")
        handle = page.parent.filehandle
        handle.open()
        try:
            if _lacks_parts(page):
                raise ValueError("most of its parts are missing")
            _check_strips(page)
            with quiet():
                block: Array = page.asarray(maxworkers=1)
        finally:
            handle.close()
        return block.reshape(self._inner_shape)


def _movie_of(tif: TiffFile, path: Path, taken: str) -> ImageFile:
    _check_planes(tif, path)
    series = tif.series[0]
    _check_compression(series, path)
    notes = _other_images(tif, path)
    axes, shape = series.axes, series.shape
    check_size(path.name, "pages", series.keyframe.shape, series.dtype.itemsize)
    if series.kind == "imagej" and _channels_are_frames(axes, shape):
        axes = axes.replace("C", "Q")
    stored, guesses = understand(path.name, axes, shape, taken)
    source = TiffSource(path, series, stored)
    if source.dtype.kind not in "buif":
        raise BadInputError(
            f"{path.name}: expected grey values, found pixels of type {source.dtype}. "
            f"Save it as 8 or 16 bit, or as 32-bit float."
        )
    cut, total = source.blocks_cut_off()
    if cut == total:
        raise BadInputError(
            f"{path.name} is cut short: it ends before the first frame does. Copy it "
            f"again from where it was made."
        )
    if cut:
        notes.append(
            f"{path.name} is cut short: {cut} of its {total} planes are incomplete and "
            f"cannot be read. Copy it again from where it was made."
        )
    notes += guesses
    if not taken:
        notes += check_slices(path.name, source.axes, source.shape)
    pixel_size, interval = read_facts(tif)
    return ImageFile(source, pixel_size, interval, tuple(notes))


def _check_planes(tif: TiffFile, path: Path) -> None:
    """Refuse an OME-TIFF that speaks of far more planes than there can be."""
    planes, files = ome_planes(tif.ome_metadata) if tif.is_ome else (0, 1)
    most = MOST_PLANES
    if files == 1:
        most = min(most, len(tif.pages) + MOST_PARTS_MISSING)
    if planes > most:
        raise BadInputError(
            f"{path.name}: expected as many planes as its description names, "
            f"{planes}, found {len(tif.pages)} in {counted(files, 'file')}. Copy it "
            f"again from where it was made, or save it anew."
        )


def _check_compression(series: TiffPageSeries, path: Path) -> None:
    compression = series.keyframe.compression
    try:
        TIFF.DECOMPRESSORS[compression]
    except KeyError as error:
        name = getattr(compression, "name", compression)
        raise BadInputError(
            f"{path.name} is compressed with {name}, which needs the package "
            f"imagecodecs. Install it (pip install imagecodecs), or save the movie "
            f"with zlib compression or none."
        ) from error


def _other_images(tif: TiffFile, path: Path) -> list[str]:
    """Say that only the first of several images is opened, or refuse mixed sizes."""
    shapes = [series.keyframe.shape for series in tif.series]
    if len(shapes) == 1:
        return []
    if tif.series[0].kind in ("generic", "uniform"):
        found = " and ".join(sizes(shape) for shape in shapes[:2])
        raise BadInputError(
            f"{path.name}: expected frames of one size, found pages of {found} px. "
            f"Save the movie without the pages that do not belong to it."
        )
    return [f"{path.name} holds {len(shapes)} images; the first one is opened."]


def _channels_are_frames(axes: str, shape: tuple[int, ...]) -> bool:
    lengths = dict(zip(axes, shape, strict=True))
    many = lengths.get("C", 1) > MOST_IMAGEJ_CHANNELS
    return many and not {"T", "Z"} & set(axes)


def _pages(series: TiffPageSeries, shape: tuple[int, ...]) -> Iterator[Page | None]:
    count = math.prod(shape) // max(series.keyframe.size, 1)
    return (series[i] for i in range(count))


def _lacks_parts(page: Page) -> bool:
    """Tell whether a page lacks so many strips or tiles that to go through them lasts.

    Some programs list fewer than there should be, and their files can be read.
    """
    expected = math.prod(page.chunked)
    return expected - len(page.dataoffsets) > MOST_PARTS_MISSING


def _check_strips(page: Page) -> None:
    """Refuse a page of which a part unpacks to more than any page may have.

    The decompressors of imagecodecs stop at the size of the part; that of Python, which
    takes their place where they are not installed, does not.
    """
    if BOUNDED or page.compression not in DEFLATED:
        return
    for offset, length in zip(page.dataoffsets, page.databytecounts, strict=False):
        page.parent.filehandle.seek(offset)
        if inflates_beyond(page.parent.filehandle.read(length), MOST_BYTES):
            raise ValueError("a part of it unpacks to more than its pixels")


def _is_cut(page: Page | None) -> bool:
    if page is None or not page.dataoffsets or _lacks_parts(page):
        return True
    size = page.parent.filehandle.size
    lengths = zip(page.dataoffsets, page.databytecounts, strict=False)
    return any(offset + length > size for offset, length in lengths)


def _check_chain(path: Path) -> None:
    """Refuse a file whose list of pages leads beyond its end: tifffile drops the rest.

    Raises
    ------
    BadInputError
        When pages are missing.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(16)
        order = "<" if head[:1] == b"I" else ">"
        big = head[2:3] == b"+" or head[3:4] == b"+"
        if not big and size > 2**32:
            # Some programs go on counting beyond what 32 bits can say.
            return
        count_type, step, next_type = ("Q", 20, "Q") if big else ("H", 12, "I")
        (offset,) = struct.unpack_from(order + next_type, head, 8 if big else 4)
        pages = 0
        seen = set()
        while offset:
            if offset in seen:
                raise BadInputError(
                    f"{path.name} is damaged: after page {pages - 1} (the first is 0) "
                    f"it begins anew. Copy it again from where it was made."
                )
            seen.add(offset)
            width = struct.calcsize(count_type)
            stream.seek(offset)
            count = stream.read(width)
            tags = (
                struct.unpack(order + count_type, count)[0] if count[width - 1 :] else 0
            )
            stream.seek(tags * step, os.SEEK_CUR)
            following = stream.read(struct.calcsize(next_type))
            if not tags or len(following) < struct.calcsize(next_type):
                raise BadInputError(
                    f"{path.name} is cut short: page {pages} (the first is 0) and all "
                    f"that follow are missing. Copy it again from where it was made."
                )
            (offset,) = struct.unpack(order + next_type, following)
            pages += 1
