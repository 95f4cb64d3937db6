"""Refuse what would need too much memory or never end, before it is read.

A header of a few bytes can promise pixels for any amount of memory, a small compressed
chunk can unpack to it, and a link can lead to a device that never ends.
"""

import json
import math
import os
import stat
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .errors import BadInputError, reason_of

# A plane, page or chunk may need this much memory: 11,585 x 11,585 px of 16 bits. Some
# are held three times while they are unpacked and turned into labels.
MOST_BYTES = 2**28
# Tables and descriptions, which need up to thirty times their size once read; these are
# tracks by the hundred thousand.
MOST_TEXT = 2**25
# Lists, groups and named values in them: each needs a hundred times its letters.
MOST_PARTS = 2**21
# Arrays in one file.
MOST_ARRAYS = 2**10
# What of another program's words, or of a file's, is told in a sentence.
MOST_LETTERS = 120


def check_size(name: str, what: str, shape: Sequence[int], itemsize: int) -> None:
    """Refuse pixels that are read together and need too much memory.

    Parameters
    ----------
    name
        What the user calls the file.
    what
        What is read together: a plane, a chunk, ...
    shape
        Length of each axis, in px.
    itemsize
        Bytes of a pixel.

    Raises
    ------
    BadInputError
        When they need more than 256 MiB.
    """
    needed = math.prod(shape) * itemsize
    if needed > MOST_BYTES:
        raise BadInputError(
            f"{name}: expected {what} of at most {MOST_BYTES / 2**20:.0f} MiB, found "
            f"{sizes(shape)} px of {itemsize} bytes. If that is its true size, crop or "
            f"bin the movie; if not, the file is damaged: copy it again."
        )


def check_regular(path: Path) -> int:
    """Refuse what is no file with an end: a pipe, a device, a folder.

    Parameters
    ----------
    path
        File, or link to one.

    Returns
    -------
    int
        Its size, in bytes.

    Raises
    ------
    BadInputError
        When it is no file, or not there.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be opened: {reason_of(error)}. Check the path and whether "
            f"you may read it."
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise BadInputError(
            f"{path} is no file, but a folder, pipe or device. Choose a file."
        )
    return found.st_size


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """Read a table or description, UTF-8.

    Parameters
    ----------
    path
        File, or link to one.
    most
        Bytes it may have.

    Raises
    ------
    BadInputError
        When it is missing, too large, or no text.
    """
    size = check_regular(path)
    if size > most:
        raise BadInputError(
            f"{path}: expected a text of at most {most / 2**20:.0f} MiB, found "
            f"{size / 2**20:.0f} MiB. Restore the file."
        )
    try:
        with path.open("rb") as stream:
            return stream.read(most).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read as text. Restore the file.") from (
            error
        )


def check_parts(name: str, text: bytes | str) -> None:
    """Refuse a description, JSON, that is made of too many parts to be read.

    Parameters
    ----------
    name
        What the user calls the file.
    text
        All of it.

    Raises
    ------
    BadInputError
        When there are more than two million lists, groups and names.
    """
    if isinstance(text, str):
        text = text.encode()
    parts = sum(text.count(mark) for mark in (b"[", b"{", b":"))
    if parts > MOST_PARTS:
        raise BadInputError(
            f"{name}: expected a description of at most {MOST_PARTS} parts, found "
            f"{parts}. Restore the file."
        )


def parse_json(name: str, text: bytes | str) -> Any:
    """Read a description, JSON, of a bounded number of parts and levels.

    Parameters
    ----------
    name
        What the user calls the file.
    text
        All of it.

    Raises
    ------
    BadInputError
        When it is none, or has too many parts or too many levels.
    """
    check_parts(name, text)
    try:
        return json.loads(text)
    except RecursionError:
        found = "one of too many levels"
    except ValueError as error:
        found = brief(error)
    raise BadInputError(
        f"{name}: expected a description in JSON, found {found}. Restore the file."
    )


def read_json(path: Path, most: int = MOST_TEXT) -> dict[str, Any]:
    """Read a file of named values, JSON in UTF-8.

    Parameters
    ----------
    path
        File, or link to one.
    most
        Bytes it may have.

    Raises
    ------
    BadInputError
        When it is missing, too large, no text or no JSON, or holds something else.
    """
    value = parse_json(str(path), read_text(path, most))
    if not isinstance(value, dict):
        raise BadInputError(
            f"{path}: expected named values, found something else. Restore the file."
        )
    return value


def read_arrays(path: Path, most: int | None = None) -> dict[str, NDArray[Any]]:
    """Read all arrays of a .npz file: numbers and texts, never objects.

    Parameters
    ----------
    path
        File, or link to one.
    most
        Bytes that all arrays together may have once they are unpacked; None for a file
        that is written unpacked, so that they are no more than the file has.

    Raises
    ------
    BadInputError
        When it is missing, damaged, too large or holds something else.
    """
    length = check_regular(path)
    most = length if most is None else most
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as file:
            parts = file.infolist()
            size = sum(part.file_size for part in parts)
            if size > most or len(parts) > MOST_ARRAYS:
                raise ValueError(
                    f"{len(parts)} arrays of {size / 2**20:.0f} MiB, more than "
                    f"{most / 2**20:.0f} MiB"
                )
            return {
                part.filename.removesuffix(".npy"): _array(file, part) for part in parts
            }
    except (
        OSError, ValueError, LookupError, EOFError, RuntimeError, SyntaxError,
        TypeError, MemoryError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise BadInputError(
            f"{path}: expected arrays, found none that can be read ({brief(error)}). "
            f"Restore the file."
        ) from error


def _array(file: zipfile.ZipFile, part: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one array; raises what is caught above."""
    # The others unpack without a bound.
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{part.filename} is packed in an unknown way")
    with file.open(part) as stream:
        shape, fortran, dtype = _HEADERS[npy.read_magic(stream)](stream)
        if dtype.kind not in "biufU":
            raise ValueError(f"{part.filename} holds {dtype}")
        data = stream.read()
    # Refuses what has another size than the header says.
    values = np.frombuffer(data, dtype) if data else np.zeros(0, dtype)
    if math.prod(shape) != values.size:
        raise ValueError(f"{part.filename} is cut off")
    return values.reshape(shape, order="F" if fortran else "C").copy()


_Header = tuple[tuple[int, ...], bool, np.dtype[Any]]
_HEADERS: dict[tuple[int, int], Callable[[IO[bytes]], _Header]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def check_plain(folder: Path) -> None:
    """Refuse a folder in which lies what is neither file nor folder.

    A link may lead out of it, and a pipe or a device may never end.

    The folder itself may be reached by one. What lies in the folder ``c`` of an array
    of zarr is not gone through: there are folders for each frame.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    BadInputError
        When there is one, or a folder cannot be looked into.
    """
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as found:
                entries = [*found]
        except OSError as error:
            raise BadInputError(
                f"{place} cannot be looked into: {reason_of(error)}. Check whether you "
                f"may read it."
            ) from error
        for entry in entries:
            path = Path(entry.path)
            is_folder = entry.is_dir(follow_symlinks=False)
            if _is_junction(path) or not (
                is_folder or entry.is_file(follow_symlinks=False)
            ):
                raise BadInputError(
                    f"{folder.name}: expected files and folders of its own, found a "
                    f"link, pipe or device at {path.relative_to(folder)}. Put a copy "
                    f"of what it leads to in its place, or take it away."
                )
            if is_folder and not (entry.name == "c" and place.suffix == ".zarr"):
                waiting.append(path)


def is_link(path: Path) -> bool:
    """Tell whether a path is a link, or what Windows has of the kind."""
    return path.is_symlink() or _is_junction(path)


def _is_junction(path: Path) -> bool:
    known: Callable[[Path], bool] = getattr(os.path, "isjunction", lambda _: False)
    return known(path)


def brief(found: BaseException | str) -> str:
    """Quote an error or a text in a sentence: one line, not too long."""
    text = reason_of(found) if isinstance(found, OSError) else str(found)
    line = " ".join(text.split()).rstrip(".")
    if not line and isinstance(found, BaseException):
        line = type(found).__name__
    return line if len(line) <= MOST_LETTERS else f"{line[:MOST_LETTERS]} ..."


def sizes(shape: Sequence[int]) -> str:
    """Write the lengths of axes for a sentence."""
    return " x ".join(str(n) for n in shape) or "none"
