"""Read PNG, JPEG and other still images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from skimage.io import imread

from ..errors import BadInputError
from ..movie import Array, ArraySource
from .axes import understand
from .opened import Opened

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"BM")
# What the decoders raise on damaged files.
DAMAGED = (OSError, ValueError, SyntaxError, RuntimeError, LookupError)


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
            pixels = imread(self.path)
        except DAMAGED as error:
            raise OSError(f"{self.path.name} is damaged or gone") from error
        return ArraySource(pixels, self.stored).plane(position)


def read_still(path: Path) -> Opened:
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
        pixels = imread(path)
    except DAMAGED as error:
        raise BadInputError(
            f"{path.name} cannot be read as an image. Copy it again, or save it anew "
            f"as TIFF or PNG."
        ) from error
    stored, notes = understand(path.name, "YXS"[: pixels.ndim], pixels.shape)
    axes = "CYX" if "C" in stored else "YX"
    shape = tuple(pixels.shape[stored.index(axis)] for axis in axes)
    source = StillSource(path, stored, axes, shape, pixels.dtype)
    return Opened(source, notes=tuple(notes))
