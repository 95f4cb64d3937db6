"""Read PNG, JPEG and other still images."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from os import SEEK_CUR
from pathlib import Path
from typing import Any, BinaryIO

import imageio.v3 as iio
import numpy as np
from imageio.core.request import InitializationError

from ...errors import BadInputError
from ...guard import check_regular, check_size
from ...movie import Array, ArraySource
from .axes import understand
from .image_file import ImageFile

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"BM")
# What the decoders raise on damaged files.
DAMAGED = (
    OSError, ValueError, SyntaxError, RuntimeError, LookupError, TypeError,
    ArithmeticError, AttributeError, MemoryError, EOFError, InitializationError,
    struct.error, zlib.error,
)  # fmt: skip
# Decoded, a pixel takes so many bytes: four channels, or 16 bits.
BYTES_OF_PIXEL = 4
# Segments of a JPEG that tell its size: all that begin a frame.
JPEG_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class StillSource:
    """The planes of a still image, decoded when asked for."""

    path: Path
    stored: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def plane(self, position: Mapping[str, int]) -> Array:
        """Read one plane, (Y, X)."""
        try:
            _check_size(self.path)
            pixels = _decode(self.path)
        except (*DAMAGED, BadInputError) as error:
            raise OSError(f"{self.path.name} is damaged or gone") from error
        return ArraySource(pixels, self.stored).plane(position)


def read_still(path: Path) -> ImageFile:
    """Find the size and colours of a still image; it is decoded for that and let go.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    BadInputError
        When it is no image or damaged.
    """
    try:
        _check_size(path)
        pixels = _decode(path)
        if pixels.ndim > 3:
            raise ValueError("several images")
    except DAMAGED as error:
        raise BadInputError(
            f"{path.name} cannot be read as an image. Copy it again, or save it anew "
            f"as TIFF or PNG."
        ) from error
    stored, notes = understand(path.name, "YXS"[: pixels.ndim], pixels.shape)
    axes = "CYX" if "C" in stored else "YX"
    shape = tuple(pixels.shape[stored.index(axis)] for axis in axes)
    source = StillSource(path, stored, axes, shape, pixels.dtype)
    return ImageFile(source, notes=tuple(notes))


def _decode(path: Path) -> Array:
    # Named, or others are tried on a damaged file, which make folders of their own.
    return np.asarray(iio.imread(path, plugin="pillow"))


def _check_size(path: Path) -> None:
    """Refuse an image that needs too much memory, by what its header says.

    Raises
    ------
    BadInputError
        When it is too large, or no file.
    """
    check_regular(path)
    with path.open("rb") as stream:
        head = stream.read(26)
        if head.startswith(b"\x89PNG"):
            shape = struct.unpack(">II", head[16:24])
        elif head.startswith(b"BM"):
            shape = tuple(abs(n) for n in struct.unpack("<ii", head[18:26]))
        else:
            shape = _size_of_jpeg(stream)
    check_size(path.name, "images", shape, BYTES_OF_PIXEL)


def _size_of_jpeg(stream: BinaryIO) -> tuple[int, ...]:
    """Height and width, found by going from segment to segment."""
    stream.seek(2)
    while len(head := stream.read(4)) == 4 and head[0] == 0xFF:
        if head[1] == 0xFF:  # filling, any number of bytes
            stream.seek(-3, SEEK_CUR)
            continue
        if head[1] in JPEG_SIZES:
            return struct.unpack(">HH", stream.read(5)[1:])
        stream.seek(struct.unpack(">H", head[2:])[0] - 2, SEEK_CUR)
    raise ValueError("it does not tell its size")
