"""The labels of a run, (T, Y, X), as a zarr array of one file per frame."""

import shutil
from pathlib import Path
from typing import Any, TypeAlias

import zarr

from ...errors import BadInputError
from ...io.movies.zarr_store import DAMAGED
from ..mask_array import chunk_of, create_masks, open_masks

Labels: TypeAlias = "zarr.Array[Any]"
# What frames that are damaged raise.
UNREADABLE = (BadInputError, *DAMAGED)


def new_labels(path: Path, shape: tuple[int, int, int]) -> Labels:
    """Make an array of frames, height and width, px, that holds no frame yet."""
    # Each chunk is a file that zarr's local store writes under another name and then
    # renames, so a frame is there whole or not at all; also frames without a cell are
    # written, which tells them from frames that were not computed.
    create_masks(path, shape, write_empty=True)
    return reopened_labels(path)


def reopened_labels(path: Path) -> Labels:
    """Open an array to write more frames into it.

    Raises
    ------
    BadInputError
        When it is missing or damaged.
    """
    # Not kept with the array; see `new_labels`.
    with zarr.config.set({"array.write_empty_chunks": True}):
        return open_masks(path, "r+")


def stored_labels(path: Path) -> Labels:
    """Open an array to read frames of it; reading raises one of `UNREADABLE`.

    Raises
    ------
    BadInputError
        When it is missing or damaged.
    """
    return open_masks(path, "r")


def frames_done(path: Path, count: int) -> tuple[int, ...]:
    """List the frames that are there, ascending.

    Parameters
    ----------
    path
        Folder of the array.
    count
        Frames of the movie.
    """
    chunks = path / "c"
    names = (folder.name for folder in chunks.iterdir()) if chunks.is_dir() else ()
    there = sorted(int(name) for name in names if name.isdecimal())
    return tuple(t for t in there if t < count and chunk_of(path, t).is_file())


def remove_after(path: Path, frame: int) -> None:
    """Remove the frames after one, and what a crash left half-written there."""
    chunks = path / "c"
    for folder in chunks.iterdir() if chunks.is_dir() else ():
        if folder.name.isdecimal() and int(folder.name) > frame:
            shutil.rmtree(folder)
