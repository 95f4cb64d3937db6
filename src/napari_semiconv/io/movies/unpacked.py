"""Tell how large compressed data will be, before it is unpacked for good."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from math import inf
from typing import Protocol

from ...guard import MOST_BYTES

ZSTD = b"\x28\xb5\x2f\xfd"
# A block of zstd holds at most this much, whatever it says.
ZSTD_BLOCK = 2**17
# Bytes of the content size and of the dictionary id by what the header says.
ZSTD_SIZES, ZSTD_IDS = (0, 2, 4, 8), (0, 1, 2, 4)
BLOSC_VERSION, BLOSC_HEADER = 2, 16
# What deflate can make of a byte at most.
MOST_DEFLATED = 1032
# What is kept at a time; each step copies what is not unpacked yet.
STEP = 2**24


class Decompressor(Protocol):
    """Unpacks piece by piece."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was met."""

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack at most so much."""


# How the data begins, how it is unpacked, and how much can become of a byte at most.
# 31 tells zlib to expect the header of gzip.
STREAMS: tuple[tuple[bytes, Callable[[], Decompressor], float], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(31), MOST_DEFLATED),
    (b"BZh", bz2.BZ2Decompressor, inf),
    (b"\xfd7zXZ", lambda: lzma.LZMADecompressor(memlimit=MOST_BYTES), inf),
    (b"\x78\x01", zlib.decompressobj, MOST_DEFLATED),
    (b"\x78\x5e", zlib.decompressobj, MOST_DEFLATED),
    (b"\x78\x9c", zlib.decompressobj, MOST_DEFLATED),
    (b"\x78\xda", zlib.decompressobj, MOST_DEFLATED),
)


def is_too_large(data: bytes, most: int = MOST_BYTES) -> bool:
    """Tell whether data unpacks to more than is sensible.

    Looks at what zstd and blosc say in their headers, and unpacks gzip, zlib, bzip2 and
    xz piece by piece, keeping nothing. Data that is not compressed, or by something
    else, passes.

    Parameters
    ----------
    data
        A chunk as it lies on disk.
    most
        Bytes it may have.
    """
    if data.startswith(ZSTD):
        return _zstd_size(data) > most
    if _is_blosc(data):
        return int.from_bytes(data[4:8], "little") > most
    for magic, start, ratio in STREAMS:
        if data.startswith(magic) and len(data) * ratio > most:
            return _size_of_streams(data, start, most) > most
    return False


def inflates_beyond(data: bytes, most: int) -> bool:
    """Tell whether zlib data unpacks to more than ``most`` bytes, keeping nothing."""
    if len(data) * MOST_DEFLATED <= most:
        return False
    return _size_of_streams(data, zlib.decompressobj, most) > most


def _size_of_streams(data: bytes, start: Callable[[], Decompressor], most: int) -> int:
    """Size of all streams that follow one another; counting ends beyond ``most``."""
    size, stream = 0, start()
    try:
        while data or not stream.eof:
            if stream.eof:
                stream = start()
            piece = stream.decompress(data, STEP)
            size += len(piece)
            # zlib hands back what it has not looked at, the others keep it.
            data = stream.unused_data or getattr(stream, "unconsumed_tail", b"")
            if size > most or not (piece or data):
                break
    except (zlib.error, lzma.LZMAError, OSError, ValueError):
        pass  # whoever unpacks it says what is wrong
    return size


def _is_blosc(data: bytes) -> bool:
    whole = len(data) >= BLOSC_HEADER and data[0] == BLOSC_VERSION
    return whole and int.from_bytes(data[12:16], "little") == len(data)


def _zstd_size(data: bytes) -> int:
    """Size that a frame of zstd has, or an upper bound where it does not say."""
    if len(data) < len(ZSTD) + 1:
        return 0
    says = data[4]
    single = bool(says & 0x20)
    begin = 5 + (not single) + ZSTD_IDS[says & 3]
    width = ZSTD_SIZES[says >> 6] or int(single)
    if width:
        size = int.from_bytes(data[begin : begin + width], "little")
        return size + 256 * (width == 2)
    return _sum_of_blocks(data, begin)


def _sum_of_blocks(data: bytes, begin: int) -> int:
    size, last = 0, False
    while not last and begin + 3 <= len(data):
        header = int.from_bytes(data[begin : begin + 3], "little")
        last, kind, length = bool(header & 1), header >> 1 & 3, header >> 3
        # One that repeats a byte is said in one.
        begin += 3 + (1 if kind == 1 else length)
        size += min(length, ZSTD_BLOCK) if kind != 2 else ZSTD_BLOCK
    return size
