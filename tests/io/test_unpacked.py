import bz2
import gzip
import lzma
import zlib

import imagecodecs
import numcodecs
import numpy as np
import pytest
import tifffile

import napari_semiconv.io.movies.tiff as tiff
from napari_semiconv.errors import UnreadableFrameError
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.io.movies.unpacked import inflates_beyond, is_too_large

MOST = 10_000
FULL, OVER = bytes(MOST), bytes(MOST + 1)


def two_members(data):
    return gzip.compress(data[:5_000]) + gzip.compress(data[5_000:])


def zstd_without_size(data):
    """A frame of zstd that does not say its size: runs of zeros, up to 128 KiB each."""
    runs = [min(2**17, len(data) - n) for n in range(0, len(data), 2**17)]
    last = [n == len(runs) - 1 for n in range(len(runs))]
    blocks = [
        (end | 1 << 1 | length << 3).to_bytes(3, "little") + b"\0"
        for end, length in zip(last, runs, strict=True)
    ]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(blocks)


WAYS = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "gzip of two members": two_members,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": numcodecs.Zstd().encode,
    "zstd without size": zstd_without_size,
    "blosc": lambda data: bytes(numcodecs.Blosc().encode(data)),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_unpacks_to_too_much_is_told(way):
    assert not is_too_large(WAYS[way](FULL), MOST)
    assert is_too_large(WAYS[way](OVER), MOST)


def test_the_frame_of_zstd_is_one():
    data = bytes(300_000)
    assert bytes(imagecodecs.zstd_decode(zstd_without_size(data))) == data


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", [1, 2, 5, 12, 20])
def test_data_cut_short_is_left_to_whoever_unpacks_it(way, length):
    is_too_large(WAYS[way](OVER)[:length], MOST)


@pytest.mark.parametrize("data", [b"", b"\x00", b"II*\0", b"x", OVER])
def test_other_data_passes(data):
    assert not is_too_large(data, MOST)


def test_zlib_beyond_a_size():
    assert inflates_beyond(zlib.compress(OVER), MOST)
    assert not inflates_beyond(zlib.compress(FULL), MOST)
    assert not inflates_beyond(b"no zlib at all" * 100, MOST)


def test_without_imagecodecs_a_tiff_is_looked_at_before(tmp_path, monkeypatch):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, np.zeros((2, 64, 64), np.uint16), compression="zlib")
    monkeypatch.setattr(tiff, "BOUNDED", False)
    assert open_movie(path).frame(1).shape == (64, 64)
    monkeypatch.setattr(tiff, "MOST_BYTES", 1000)
    with pytest.raises(UnreadableFrameError, match="unpacks to more"):
        open_movie(path).frame(1)
