"""Open zarr folders so that no file in them can take all memory or never end."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import zarr
from zarr.errors import BaseZarrError
from zarr.storage import LocalStore

from ...errors import BadInputError
from ...guard import (
    MOST_BYTES,
    MOST_TEXT,
    brief,
    check_parts,
    check_regular,
    check_size,
    sizes,
)
from .unpacked import is_too_large

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

# What zarr and the decompressors below it raise on damaged chunks or metadata.
DAMAGED = (
    OSError, ValueError, RuntimeError, LookupError, TypeError, zlib.error,
    BaseZarrError, ArithmeticError, AttributeError, MemoryError, EOFError, SystemError,
)  # fmt: skip
# Where zarr keeps its descriptions.
TEXTS = {"zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata"}
# What unpacks numbers and text; others can hold objects, which are programs.
CODECS = {
    "bytes", "transpose", "sharding_indexed", "vlen-utf8", "vlen-bytes",
    "blosc", "zstd", "gzip", "zlib", "lz4", "lzma", "bz2",
    "delta", "shuffle", "fixedscaleoffset", "packbits", "quantize", "bitround",
    "astype", "crc32", "crc32c", "adler32", "fletcher32",
}  # fmt: skip
# Chunks of a plane.
MOST_CHUNKS = 2**16
MOST_ALONG = 2**31 - 1
_CODEC_KEYS = {"codecs", "index_codecs", "filters", "compressor"}
# So many chunks are unpacked at the same time.
AT_ONCE = 10


class GuardedStore(LocalStore):
    """A folder of zarr, read only; refuses what `check_regular` and its size forbid.

    A chunk may unpack to ``most`` bytes.
    """

    most = MOST_BYTES

    def __init__(self, root: Path | str, *, read_only: bool = True) -> None:
        super().__init__(root, read_only=read_only)

    async def get(
        self,
        key: str,
        prototype: "BufferPrototype | None" = None,
        byte_range: "ByteRequest | None" = None,
    ) -> "Buffer | None":
        """Read a file or part of it; None when it is not there."""
        self._check(key, whole=byte_range is None)
        return self._checked(key, await super().get(key, prototype, byte_range))

    async def get_partial_values(
        self,
        prototype: "BufferPrototype",
        key_ranges: "Iterable[tuple[str, ByteRequest | None]]",
    ) -> "list[Buffer | None]":
        """Read parts of files."""
        asked = list(key_ranges)
        for key, byte_range in asked:
            self._check(key, whole=byte_range is None)
        values = await super().get_partial_values(prototype, asked)
        pairs = zip(asked, values, strict=True)
        return [self._checked(key, value) for (key, _), value in pairs]

    def _check(self, key: str, *, whole: bool) -> None:
        path = self.root / key
        if path.is_dir() or not path.exists():
            return
        size = check_regular(path)
        what, most = (
            ("text", MOST_TEXT) if path.name in TEXTS else ("chunk", MOST_BYTES)
        )
        if whole and size > most:
            raise BadInputError(
                f"{key}: expected a {what} of at most {most / 2**20:.0f} MiB, found "
                f"{size / 2**20:.0f} MiB. Save the image anew, with smaller chunks."
            )

    def _checked(self, key: str, value: "Buffer | None") -> "Buffer | None":
        if value is None:
            return None
        if PurePosixPath(key).name in TEXTS:
            check_description(key, value.to_bytes())
        elif is_too_large(value.to_bytes(), self.most):
            raise BadInputError(
                f"{key}: expected a chunk that unpacks to at most "
                f"{self.most / 2**20:.0f} MiB, found more. Copy it again, or save the "
                f"image with smaller chunks."
            )
        return value


def check_description(name: str, text: bytes) -> None:
    """Refuse a description of zarr, of any kind, that names codecs not in `CODECS`.

    Parameters
    ----------
    name
        What the user calls the file.
    text
        All of it, JSON.

    Raises
    ------
    BadInputError
        When it does, or has too many parts.
    """
    check_parts(name, text)
    if PurePosixPath(name).name == ".zattrs":
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return  # zarr says what is wrong
    for codec in _codecs_in(value):
        if codec.lower().removeprefix("numcodecs.") not in CODECS:
            raise BadInputError(
                f"{name}: expected codecs out of {', '.join(sorted(CODECS))}, found "
                f"{brief(codec)}. Save the image anew with one of these."
            )


def _codecs_in(value: Any) -> Iterator[str]:
    """Go through the names of all codecs of a description, also of those inside."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        if not isinstance(value, dict):
            continue
        for name, part in value.items():
            if name in _CODEC_KEYS and part is not None:
                for codec in part if isinstance(part, list) else [part]:
                    known = isinstance(codec, dict)
                    yield str(codec.get("name", codec.get("id")) if known else codec)
            # What users wrote there has names of its own.
            if name != "attributes" and not name.endswith(".zattrs"):
                waiting.append(part)


def open_guarded(path: Path) -> "zarr.Array[Any] | zarr.Group":
    """Open a zarr folder for reading; what zarr raises is for the caller to tell."""
    return zarr.open(GuardedStore(path), mode="r")


def check_chunks(name: str, array: "zarr.Array[Any]", plane: Sequence[int]) -> None:
    """Refuse an array whose planes need too much memory.

    Parameters
    ----------
    name
        What the user calls it.
    array
        The array.
    plane
        Places of the axes Y and X among its axes.

    Raises
    ------
    BadInputError
        When a plane, or the chunks unpacked at once to read it, needs too much.
    """
    size = array.dtype.itemsize
    if max(array.shape) > MOST_ALONG:
        raise BadInputError(
            f"{name}: expected at most {MOST_ALONG} frames, found axes of "
            f"{sizes(array.shape)}. The file is damaged: copy it again."
        )
    check_size(name, "planes", [array.shape[axis] for axis in plane], size)
    touched = 1
    for axis in plane:
        touched *= ceil(array.shape[axis] / max(array.chunks[axis], 1))
    if touched > MOST_CHUNKS:
        raise BadInputError(
            f"{name}: expected planes of at most {MOST_CHUNKS} chunks, found "
            f"{touched}. Save the image anew, with larger chunks."
        )
    at_once = min(touched, AT_ONCE)
    check_size(name, "chunks read together", (at_once, *array.chunks), size)
