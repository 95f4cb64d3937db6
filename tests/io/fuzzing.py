"""Files of every format that are read, and ways to damage them."""

import json
import os
import random
import re
import shutil
from pathlib import Path

import numpy as np
import tifffile
import zarr
from skimage.io import imsave
from tests.old_results import write_old_result
from tests.tracked_worlds import PARENTS, UNITS, lively, tracked_of
from zarr.codecs import BloscCodec, GzipCodec

from napari_semiconv.io.cells.ctc.tracked import write_ctc
from napari_semiconv.io.cells.geff.write import write_geff
from napari_semiconv.io.cells.ome_zarr import write_ome_zarr
from napari_semiconv.io.cells.tiff import write_tiff
from napari_semiconv.movie import movie_from_array

MOVIE = (np.arange(4 * 20 * 24).reshape(4, 20, 24) % 251).astype(np.uint16)
TEXTS = {".json", ".txt", ".csv", ".xml", ".zattrs", ".zarray", ".zgroup"}
NUMBERS = [
    "0", "-1", "1e9", "1e308", "NaN", "Infinity", "99999999999999999999", "2147483648",
    "4294967295", "-9223372036854775808", "1.5", '"x"', "null", "true", "[]", "{}", "",
    "[" * 3000, "9" * 5000, "1000000000",
]  # fmt: skip
WORDS = [
    "uint16", "int32", "float64", "complex64", "bool", "string", "bytes", "zstd",
    "gzip", "blosc", "regular", "default", "v2", "TYX", "", "../../x", "\\u0000", "é",
]  # fmt: skip
INTEGERS = [0, 1, 2, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1]


def tiff(**options):
    def make(path):
        told = {"metadata": {"axes": "TYX"}, "photometric": "minisblack"}
        tifffile.imwrite(path, MOVIE, **told, **options)

    return make


def pages(path):
    with tifffile.TiffWriter(path, byteorder=">") as writer:
        for frame in MOVIE:
            writer.write(frame, metadata=None, contiguous=False, compression="lzw")


def png(path):
    imsave(path, MOVIE[0].astype(np.uint8), check_contrast=False)


def frames(path):
    path.mkdir()
    for t, frame in enumerate(MOVIE):
        tifffile.imwrite(path / f"t{t:03d}.tif", frame)


def plain_zarr(version, **options):
    def make(path):
        array = zarr.create_array(
            path, shape=MOVIE.shape, dtype="uint16", zarr_format=version, **options
        )
        array[:] = MOVIE

    return make


def ome_zarr(version):
    def make(path):
        group = zarr.create_group(path, zarr_format=2 if version == "0.4" else 3)
        names = {"dimension_names": ("t", "y", "x")} if version == "0.5" else {}
        array = group.create_array(
            "0", shape=MOVIE.shape, dtype="uint16", chunks=(1, 20, 24), **names
        )
        array[:] = MOVIE
        kinds = {"t": "time", "y": "space", "x": "space"}
        steps = [{"type": "scale", "scale": [2.0, 0.5, 0.5]}]
        scales = {
            "axes": [{"name": n, "type": k} for n, k in kinds.items()],
            "datasets": [{"path": "0", "coordinateTransformations": steps}],
            "version": version,
        }
        facts = {"multiscales": [scales]}
        group.attrs.update(facts if version == "0.4" else {"ome": facts})

    return make


def result(path):
    write_old_result(path, lively, PARENTS)


def exported(write, movie=None):
    def make(path):
        write(tracked_of(lively, PARENTS, movie=movie, **UNITS), path)

    return make


# Reader, name of the file or folder, and how a good one is made.
SEEDS = {
    "imagej": ("movie", "m.tif", tiff(imagej=True)),
    "ome": ("movie", "m.ome.tif", tiff(ome=True, compression="zlib")),
    "bigtiff": ("movie", "m.tif", tiff(bigtiff=True, tile=(16, 16))),
    "pages": ("movie", "m.tif", pages),
    "png": ("movie", "m.png", png),
    "jpeg": ("movie", "m.jpg", png),
    "bmp": ("movie", "m.bmp", png),
    "frames": ("movie", "m", frames),
    "zarr 2": ("movie", "m.zarr", plain_zarr(2)),
    "zarr gzip": ("movie", "m.zarr", plain_zarr(3, compressors=GzipCodec())),
    "zarr blosc": ("movie", "m.zarr", plain_zarr(3, compressors=BloscCodec())),
    "zarr shards": (
        "movie", "m.zarr", plain_zarr(3, chunks=(1, 10, 12), shards=(1, 20, 24)),
    ),
    "ome-zarr 0.4": ("movie", "m.zarr", ome_zarr("0.4")),
    "ome-zarr 0.5": ("movie", "m.zarr", ome_zarr("0.5")),
    "ctc": ("cells", "01_RES", exported(write_ctc)),
    "labels": ("cells", "c.tif", exported(write_tiff)),
    "labels in their image": (
        "cells", "c.ome.zarr",
        exported(write_ome_zarr, movie_from_array(lively.astype(np.uint8), "TYX")),
    ),
    "labels alone": ("cells", "c.ome.zarr", exported(write_ome_zarr)),
    "geff": ("cells", "c.geff", exported(write_geff)),
    "result cells": ("cells", "c.semiconv", result),
    "result": ("result", "c.semiconv", result),
}  # fmt: skip


def damaged(seed, good, target, rng):
    """Copy a good file or folder, with what lies beside it, and damage it.

    Parameters
    ----------
    seed
        Name of the seed.
    good
        Folder in which it was made.
    target
        New folder for the copy.
    rng
        Chooses where and how.
    """
    shutil.copytree(good, target, symlinks=True)
    path = target / SEEDS[seed][1]
    files = sorted(p for p in target.rglob("*") if p.is_file())
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        victim = rng.choice(files)
        if not victim.is_file() or victim.is_symlink():
            continue
        if rng.random() < 0.15:
            rng.choice(REPLACEMENTS)(victim, files, rng)
        elif victim.suffix in TEXTS and rng.random() < 0.8:
            spoil_text(victim, rng)
        else:
            spoil_bytes(victim, rng)
    return path


def spoil_bytes(path, rng):
    data = bytearray(path.read_bytes())
    # Headers hold most of what can mislead.
    near = min(len(data), 600) if rng.random() < 0.6 else len(data)
    rng.choice(BYTE_SPOILERS)(data, rng.randrange(near + 1), rng)
    path.write_bytes(data)


def flip_bits(data, place, rng):
    for n in range(rng.choice((1, 2, 8))):
        if place + n < len(data):
            data[place + n] ^= 1 << rng.randrange(8)


def cut_off(data, place, rng):
    del data[place:]


def cut_out(data, place, rng):
    del data[place : place + rng.choice((1, 2, 4, 100))]


def put_in(data, place, rng):
    data[place:place] = rng.randbytes(rng.choice((1, 2, 4, 100)))


def set_number(data, place, rng):
    width, order = rng.choice((2, 4, 8)), rng.choice(("little", "big"))
    value = rng.choice(INTEGERS) & (256**width - 1)
    data[place : place + width] = value.to_bytes(width, order)


def wipe(data, place, rng):
    data[place : place + 64] = bytes(len(data[place : place + 64]))


def double(data, place, rng):
    data += data[place:]


BYTE_SPOILERS = [flip_bits, cut_off, cut_out, put_in, set_number, wipe, double]


def spoil_text(path, rng):
    text = path.read_text("utf-8", errors="replace")
    text = rng.choice(TEXT_SPOILERS)(text, rng)
    path.write_text(text, "utf-8", errors="surrogateescape")


def swap_number(text, rng):
    return swap(text, r"-?\d+(\.\d+)?", NUMBERS, rng)


def swap_word(text, rng):
    return swap(text, r'(?<=")[^"\n]+(?=")', WORDS, rng)


def swap(text, pattern, values, rng):
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    place = rng.choice(found)
    return text[: place.start()] + rng.choice(values) + text[place.end() :]


def repeat_or_drop_a_line(text, rng):
    lines = text.splitlines(keepends=True) or [""]
    lines[rng.randrange(len(lines))] *= rng.choice((0, 2))
    return "".join(lines)


def cut_text(text, rng):
    return text[: rng.randrange(len(text) + 1)]


def another_text(text, rng):
    return rng.choice(("", "null", "[]", "{}", "0", f"\ufeff{text}", "[" * 9999))


TEXT_SPOILERS = [swap_number, swap_word, repeat_or_drop_a_line, cut_text, another_text]


def gone(path, files, rng):
    path.unlink()


def folder_instead(path, files, rng):
    path.unlink()
    path.mkdir()


def link_to_itself(path, files, rng):
    path.unlink()
    path.symlink_to(path.name)


def link_to_nothing(path, files, rng):
    path.unlink()
    path.symlink_to("not there")


def link_outside(path, files, rng):
    path.unlink()
    path.symlink_to(rng.choice(("/etc/passwd", "/proc/self/mem", "/dev/null")))


def endless_link(path, files, rng):
    path.unlink()
    path.symlink_to("/dev/zero")


def pipe(path, files, rng):
    path.unlink()
    os.mkfifo(path)


def another_file(path, files, rng):
    other = rng.choice(files)
    if other.is_file() and not other.is_symlink():
        path.write_bytes(other.read_bytes())


def nothing_in_it(path, files, rng):
    path.write_bytes(b"")


REPLACEMENTS = [
    gone, folder_instead, link_to_itself, link_to_nothing, link_outside, endless_link,
    pipe, another_file, nothing_in_it,
]  # fmt: skip


def make_cases(folder, count, first=0):
    """Make ``count`` damaged copies of each seed; returns reader and path of each."""
    cases = []
    for seed, (reader, name, make) in SEEDS.items():
        good = folder / "good" / seed
        good.mkdir(parents=True)
        make(good / name)
        cases.append((reader, good / name))
        for number in range(first, first + count):
            rng = random.Random(f"{seed} {number}")
            target = folder / "damaged" / f"{seed} {number}"
            target.parent.mkdir(exist_ok=True)
            cases.append((reader, damaged(seed, good, target, rng)))
    return cases


def save_cases(cases, path):
    """Write cases for the child."""
    path.write_text(json.dumps([(r, os.fspath(p)) for r, p in cases]), "utf-8")


def read_results(path):
    """Read what the child wrote; a case without an end comes with None."""
    found: dict[int, dict | None] = {}
    for line in Path(path).read_text("utf-8").splitlines():
        value = json.loads(line)
        found[value["number"]] = value if "end" in value else None
    return found
