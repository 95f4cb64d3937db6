"""Files that are made to mislead: each is small, and asks for much or for ever."""

import json
import os
import struct
import zlib
from itertools import pairwise

import numpy as np
import tifffile
import zarr

from napari_semiconv.guard import MOST_PARTS, MOST_TEXT
from napari_semiconv.io.cells.ctc.tracked import write_ctc
from napari_semiconv.io.cells.geff.write import write_geff
from napari_semiconv.io.cells.ome_zarr import write_ome_zarr
from napari_semiconv.io.cells.tiff import write_tiff

from .fuzzing import frames, lively, ome_zarr, result, tracked_of

HUGE = 10**6
GIB = 2**30


def deflated(size, bits=15):
    """Zeros, deflated, of any size at once: one block again and again; bad checksum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    head = packer.compress(bytes(16)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (size // 2**20) + packer.flush()


def zstd(size, says=None):
    """Zeros in runs of 128 KiB; the header says a size, or nothing."""
    runs = size // 2**17
    last = [n == runs - 1 for n in range(runs)]
    blocks = [(end | 1 << 1 | 2**17 << 3).to_bytes(3, "little") + b"\0" for end in last]
    told = b"\x00\x58" if says is None else b"\xe0" + says.to_bytes(8, "little")
    return b"\x28\xb5\x2f\xfd" + told + b"".join(blocks)


def blosc(size):
    """A header of blosc, and nothing that could be unpacked."""
    return struct.pack("<4BIII", 2, 1, 0, 1, size, 2**18, 64) + bytes(48)


def tiff_of(width, height, data, compression, rows=None):
    """A TIFF of one page, grey of 16 bits, with one strip of ``rows`` rows or all."""
    tags = [
        (256, 4, width), (257, 4, height), (258, 3, 16), (259, 3, compression),
        (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, rows or height),
        (279, 4, len(data)), (339, 3, 1),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", t, f, 1, v) for t, f, v in tags)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return head + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def tiff_in_a_circle(path):
    """The second page is followed by the first."""
    page = struct.pack("<HHHII", 1, 256, 4, 1, 8)
    data = struct.pack("<2sHI", b"II", 42, 8) + page + struct.pack("<I", 26)
    path.write_bytes(data + page + struct.pack("<I", 8))


def ome_of_a_billion_frames(path):
    """OME-XML that speaks of a billion planes, in a file of four."""
    tifffile.imwrite(
        path, np.zeros((4, 8, 8), np.uint16), ome=True, metadata={"axes": "TYX"}
    )
    with tifffile.TiffFile(path, mode="r+") as tif:
        text = tif.pages.first.description.replace('SizeT="4"', f'SizeT="{10**9}"')
        tif.pages.first.tags["ImageDescription"].overwrite(text)


def file_of(data):
    def make(path):
        path.write_bytes(data)

    return make


def claiming_zarr(shape, chunks, dtype="uint16", chunk=None):
    """A zarr array whose description alone is there, and maybe its first chunk."""

    def make(path):
        zarr.create_array(path, shape=shape, chunks=chunks, dtype=dtype)
        if chunk is not None:
            place = path / "c" / "/".join("0" for _ in shape)
            place.parent.mkdir(parents=True)
            place.write_bytes(chunk)

    return make


def gzip_zarr(path):
    codec = zarr.codecs.GzipCodec()
    zarr.create_array(
        path, shape=(1, 64, 64), chunks=(1, 64, 64), dtype="uint8", compressors=codec
    )
    place = path / "c" / "0" / "0" / "0"
    place.parent.mkdir(parents=True)
    place.write_bytes(deflated(4 * GIB, 31))


def zarr_of(dtype):
    def make(path):
        zarr.create_array(path, shape=(2, 8, 8), dtype=dtype, zarr_format=2)

    return make


def object_zarr(path):
    zarr_of("uint8")(path)
    facts = json.loads((path / ".zarray").read_text())
    facts |= {"dtype": "|O", "filters": [{"id": "pickle"}], "fill_value": None}
    (path / ".zarray").write_text(json.dumps(facts))


def tiff_typed(dtype):
    def make(path):
        pixels = np.zeros((3, 8, 8), dtype)
        tifffile.imwrite(path, pixels, photometric="minisblack")

    return make


def png_of(width, height):
    head = struct.pack(">II5B", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    data = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + data + bytes(64)


def jpeg_of(width, height):
    size = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xc0" + size + b"\xff\xd9"


def laughing_xml(path):
    """OME-XML whose entities unfold to much."""
    names = "abcdefghij"
    entities = ['<!ENTITY a "haha">'] + [
        f'<!ENTITY {n} "{f"&{before};" * 10}">' for before, n in pairwise(names)
    ]
    text = f"<?xml version='1.0'?><!DOCTYPE OME [{''.join(entities)}]><OME>&j;</OME>"
    pixels = np.zeros((2, 8, 8), np.uint16)
    tifffile.imwrite(path, pixels, description=text, photometric="minisblack")


def with_masks(change):
    """A challenge folder that was changed."""

    def make(path):
        write_ctc(tracked_of(lively), path)
        change(path)

    return make


def huge_mask(path):
    (path / "mask002.tif").write_bytes(tiff_of(HUGE, HUGE, bytes(64), 8))


def far_mask(path):
    (path / "mask000.tif").rename(path / "mask999999999.tif")


def endless_table(path):
    (path / "res_track.txt").unlink()
    (path / "res_track.txt").symlink_to("/dev/zero")


def piped_mask(path):
    (path / "mask001.tif").unlink()
    os.mkfifo(path / "mask001.tif")


def long_table(path):
    with (path / "res_track.txt").open("w") as stream:
        stream.truncate(20 * GIB)


def endless_tracks(path):
    write_tiff(tracked_of(lively), path)
    table = path.with_name("c_tracks.csv")
    table.unlink()
    table.symlink_to("/dev/zero")


def many_tracks(path):
    """Tracks that no mask has, as many as a table may hold."""
    tiff_typed("uint16")(path)
    lines = (f"{n},0,1,2,0\n" for n in range(1, 1_200_000))
    text = "label,first_frame,last_frame,frames,parent\n" + "".join(lines)
    path.with_name("c_tracks.csv").write_text(text)


def long_field(path):
    write_tiff(tracked_of(lively), path)
    path.with_name("c_tracks.csv").write_text("label,parent\n" + "9" * 200_000)


def with_tracks(text):
    """A result whose tracks were changed."""

    def make(path):
        result(path)
        (path / "tracks.json").write_text(text)

    return make


def with_labels(make_labels):
    """A result with another array of labels."""

    def make(path):
        result(path)
        (path / "labels.zarr").rename(path / "before")
        make_labels(path / "labels.zarr")

    return make


def exported_zarr(change, write=write_ome_zarr):
    """Labels in zarr, or a GEFF, that were changed."""

    def make(path):
        write(tracked_of(lively), path)
        change(path)

    return make


def many_lists(path):
    place = path / ("zarr.json" if (path / "zarr.json").exists() else ".zattrs")
    facts = json.loads(place.read_text())
    facts.get("attributes", facts)["more"] = []
    lists = f"[{'[],' * (MOST_TEXT // 3 - 2000)}[]]"
    place.write_text(json.dumps(facts).replace('"more": []', f'"more": {lists}'))


def long_axis(path):
    place = path / "0" / "zarr.json"
    facts = json.loads(place.read_text())
    facts["shape"][0] = 10**9
    place.write_text(json.dumps(facts))


def outlying_labels(path):
    text = (path / ".zattrs").read_text()
    assert "../c_labels.zarr/0" in text
    text = text.replace("../c_labels.zarr/0", "../" * 40 + "etc/passwd")
    (path / ".zattrs").write_text(text)


def endless_nodes(path):
    place = path / "nodes" / "ids" / ".zarray"
    facts = json.loads(place.read_text())
    facts["shape"] = [10**12]
    place.write_text(json.dumps(facts))


def itself(path):
    path.symlink_to(path.name)


def round_about(path):
    path.mkdir()
    (path / "t000.tif").symlink_to("t001.tif")
    (path / "t001.tif").symlink_to("t000.tif")


def a_pipe(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def zarr_in_itself(path):
    ome_zarr("0.5")(path)
    facts = json.loads((path / "zarr.json").read_text())
    scales = facts["attributes"]["ome"]["multiscales"][0]
    scales["datasets"][0]["path"] = "."
    (path / "zarr.json").write_text(json.dumps(facts))


def zarr_from_outside(path):
    ome_zarr("0.5")(path)
    path.rename(path.with_name("outside"))
    ome_zarr("0.5")(path)
    facts = json.loads((path / "zarr.json").read_text())
    scales = facts["attributes"]["ome"]["multiscales"][0]
    scales["datasets"][0]["path"] = "../outside/0"
    (path / "zarr.json").write_text(json.dumps(facts))


SMALL_TIFF_BIG_PART = tiff_of(64, 64, deflated(4 * GIB), 8)
RUN = '{"tracks": [{"label": 1, "parent": 0, "frames": [[0, 1%s]]}]}' % ("0" * 30)

# Reader, name and maker of files that must be refused.
BOMBS = {
    "tiff of a million squared": (
        "movie", "m.tif", file_of(tiff_of(HUGE, HUGE, bytes(64), 1)),
    ),
    "deflated tiff of a million squared": (
        "movie", "m.tif", file_of(tiff_of(HUGE, HUGE, deflated(2**20), 8)),
    ),
    "lzw tiff of a million squared": (
        "movie", "m.tif", file_of(tiff_of(HUGE, HUGE, bytes(64), 5)),
    ),
    "labels of a million squared": (
        "cells", "c.tif", file_of(tiff_of(HUGE, HUGE, deflated(2**20), 8)),
    ),
    "tiff of 4 GiB in a strip of 64 px": (
        "movie", "m.tif", file_of(SMALL_TIFF_BIG_PART),
    ),
    "labels of 4 GiB in a strip of 64 px": (
        "cells", "c.tif", file_of(SMALL_TIFF_BIG_PART),
    ),
    "tiff of pages in a circle": ("movie", "m.tif", tiff_in_a_circle),
    "tiff of ten million strips": (
        "movie", "m.tif", file_of(tiff_of(8, 10**7, bytes(64), 8, rows=1)),
    ),
    "OME-TIFF of a billion frames": ("movie", "m.ome.tif", ome_of_a_billion_frames),
    "labels of a billion frames": ("cells", "c.ome.tif", ome_of_a_billion_frames),
    "zarr of chunks of one pixel": (
        "movie", "m.zarr", claiming_zarr((5, 8000, 8000), (1, 1, 1)),
    ),
    "zarr longer than can be counted": (
        "movie", "m.zarr", claiming_zarr((2**70, 8, 8), (1, 8, 8)),
    ),
    "png of a million squared": ("movie", "m.png", file_of(png_of(HUGE, HUGE))),
    "jpeg of 65,500 squared": ("movie", "m.jpg", file_of(jpeg_of(65_500, 65_500))),
    "zarr of a million squared": (
        "movie", "m.zarr", claiming_zarr((5, HUGE, HUGE), (1, HUGE, HUGE)),
    ),
    "zarr of a million squared in small chunks": (
        "movie", "m.zarr", claiming_zarr((5, HUGE, HUGE), (1, 64, 64)),
    ),
    "zarr with long chunks": (
        "movie", "m.zarr", claiming_zarr((HUGE, 999, 999), (HUGE, 99, 99)),
    ),
    "zarr with a chunk of 8 GiB unsaid": (
        "movie", "m.zarr",
        claiming_zarr((1, 64, 64), (1, 64, 64), "uint8", zstd(8 * GIB)),
    ),
    "zarr with a chunk of 8 GiB": (
        "movie", "m.zarr",
        claiming_zarr((1, 64, 64), (1, 64, 64), "uint8", zstd(2**20, 8 * GIB)),
    ),
    "zarr with a gzip of 4 GiB": ("movie", "m.zarr", gzip_zarr),
    "zarr in itself": ("movie", "m.zarr", zarr_in_itself),
    "zarr of complex numbers": ("movie", "m.zarr", zarr_of("complex64")),
    "zarr of structures": ("movie", "m.zarr", zarr_of([("a", "u1"), ("b", "f4")])),
    "zarr of texts": ("movie", "m.zarr", zarr_of("S3")),
    "zarr of dates": ("movie", "m.zarr", zarr_of("M8[s]")),
    "zarr of pickled objects": ("movie", "m.zarr", object_zarr),
    "tiff of complex numbers": ("movie", "m.tif", tiff_typed("complex64")),
    "labels of complex numbers": ("cells", "c.tif", tiff_typed("complex64")),
    "labels of floats": ("cells", "c.tif", tiff_typed("float32")),
    "challenge with a huge mask": ("cells", "r", with_masks(huge_mask)),
    "challenge with a far mask": ("cells", "r", with_masks(far_mask)),
    "challenge with an endless table": ("cells", "r", with_masks(endless_table)),
    "challenge with a table of 20 GiB": ("cells", "r", with_masks(long_table)),
    "challenge with a pipe": ("cells", "r", with_masks(piped_mask)),
    "labels with an endless table": ("cells", "c.tif", endless_tracks),
    "labels with a table of a million tracks": (
        "cells", "c.tif", many_tracks,
    ),
    "labels with a long field": ("cells", "c.tif", long_field),
    "result with tracks for ever": ("cells", "r", with_tracks(RUN)),
    "result with tracks in tracks": ("cells", "r", with_tracks("[" * 10**6)),
    "result of floats": ("cells", "r", with_labels(zarr_of("f4"))),
    "result of a million squared": (
        "cells", "r", with_labels(claiming_zarr((5, HUGE, HUGE), (1, HUGE, HUGE))),
    ),
    "result of a thousand million frames": (
        "cells", "r", with_labels(claiming_zarr((10**9, 5, 8), (1, 5, 8), "int32")),
    ),
    "result of many lists": (
        "cells", "r", with_tracks(f"[{'[],' * (MOST_TEXT // 3 - 2)}[]]"),
    ),
    "result of as many lists as may be": (
        "cells", "r", with_tracks(f"[{'[],' * (MOST_PARTS - 2)}[]]"),
    ),
    "labels of many lists": ("cells", "c.zarr", exported_zarr(many_lists)),
    "geff of many lists": ("cells", "c.geff", exported_zarr(many_lists, write_geff)),
    "labels of a thousand million frames": (
        "cells", "c.zarr", exported_zarr(long_axis),
    ),
    "geff with labels elsewhere": (
        "cells", "c.geff", exported_zarr(outlying_labels, write_geff),
    ),
    "geff of many cells": ("cells", "c.geff", exported_zarr(endless_nodes, write_geff)),
    "link to itself": ("movie", "m.tif", itself),
    "cells that link to themselves": ("cells", "m.tif", itself),
    "frames that link to one another": ("movie", "m", round_about),
    "a pipe": ("movie", "m.tif", a_pipe),
    "cells from a pipe": ("cells", "m.tif", a_pipe),
    "an endless file": ("movie", "m.tif", endless),
    "cells without end": ("cells", "m.tif", endless),
}  # fmt: skip

LONG = "Zellen_" * 30
# Names and contents that are odd, but fine.
ODD = {
    "chinese": ("cells", "細胞 µ Ä.tif", lambda p: write_tiff(tracked_of(lively), p)),
    "letters that turn": ("movie", "m\u202efit.tif", tiff_typed("uint8")),
    "a new line": ("movie", "m\n.tif", tiff_typed("uint16")),
    "a face": ("cells", "🔬_RES", lambda p: write_ctc(tracked_of(lively), p)),
    "no text at all": ("movie", os.fsdecode(b"m\xff\xfe.tif"), tiff_typed("uint8")),
    "a long name": ("movie", f"{LONG}.tif", tiff_typed("uint8")),
    "unfolding text": ("movie", "m.ome.tif", laughing_xml),
    "a folder of spaces": ("movie", "   ", frames),
}
