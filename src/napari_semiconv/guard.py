"""Refuse what would need too much memory or never end, before it is read.

A header of a few bytes can promise pixels for any amount of memory, a small compressed
chunk can unpack to it, and a link can lead to a device that never ends.
"""

import math
import stat
from collections.abc import Sequence
from pathlib import Path

from .errors import BadInputError, reason_of

# A plane, page or chunk may need this much memory: 11,585 x 11,585 px of 16 bits. Some
# are held three times while they are unpacked and turned into labels.
MOST_BYTES = 2**28
# Tables and descriptions, which need up to thirty times their size once read; these are
# tracks by the hundred thousand.
MOST_TEXT = 2**25
# Lists, groups and named values in them: each needs a hundred times its letters.
MOST_PARTS = 2**21
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
