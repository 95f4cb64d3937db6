"""Write all of a file or none of it, and say in one sentence what went wrong."""

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .errors import NO_SPACE, BadInputError, SaveError, reason_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Bytes that a file system can hold of one name.
_LONGEST = 255
# Name of the check sum among the values of a JSON file.
CHECK = "check"


def named(path: str | Path) -> Path:
    """Make a path that ends in a name, as sentences need it, and that a disk can hold.

    Raises
    ------
    BadInputError
        When it has no name, or too long a one.
    """
    path = Path(path)
    if path.name in ("", ".."):
        path = path.resolve()
    if not path.name:
        raise BadInputError(
            f"{path}: expected a file or folder, found the root of a disk. Choose what "
            f"lies on it."
        )
    for part in path.parts:
        length = len(os.fsencode(part))
        if length > _LONGEST:
            raise BadInputError(
                f"{part[:20]}…: expected names of at most {_LONGEST} bytes, found "
                f"one of {length}. Choose a shorter one."
            )
    return path


def draft_of(path: Path) -> Path:
    """Name under which a file or folder is kept until it is complete."""
    return path.with_name(f"{path.name}.part")


def new_draft_folder(path: Path) -> Path:
    """Make a folder beside a path, under a name of nobody else, to be renamed later."""
    for number in count():
        draft = path.with_name(f"{path.name}.{os.getpid()}-{number}.part")
        with suppress(FileExistsError):
            draft.mkdir(parents=True)
            return draft
    raise AssertionError("there is always another number")


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Turn a failing disk into one sentence about what was being saved.

    Parameters
    ----------
    path
        What the user asked to be written.

    Raises
    ------
    SaveError
        When the disk is full, may not be written or fails otherwise.
    """
    try:
        yield
    except OSError as error:
        raise SaveError(
            f"{path} could not be written: {reason_of(error)}; what was there before "
            f"is untouched. {_way_on(error)}"
        ) from error


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[BinaryIO]:
    """Give a new file to write to, which takes the place of another when it is whole.

    No link is followed, neither where the file is to be nor where it is drafted.

    Parameters
    ----------
    path
        File to write or replace; its folder must exist.
    sync
        Whether it must be on the disk before it gets its name.

    Raises
    ------
    SaveError
        When it could not be written; a file of that name is as it was.
    """
    draft = draft_of(path)
    with saving(path):
        try:
            with new_file(draft) as stream:
                yield stream
                stream.flush()
                if sync:
                    # The name must not reach the disk before the bytes do.
                    os.fsync(stream.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def new_file(path: Path) -> BinaryIO:
    """Open a new file in the place of what has its name: a link is not followed."""
    path.unlink(missing_ok=True)
    return path.open("xb")


def write_text_safely(path: Path, text: str, *, sync: bool = True) -> None:
    """Write all of a text file or none of it, so that a crash keeps the last good one.

    Parameters
    ----------
    path
        File to write or replace; its folder must exist.
    text
        All that the file will hold, written as UTF-8.
    sync
        Whether it is to be on the disk, should the power fail, before anything else.

    Raises
    ------
    SaveError
        When it could not be written; a file of that name is as it was.
    """
    with replacing(path, sync=sync) as stream:
        stream.write(text.encode())


def write_json_safely(path: Path, value: object, *, sync: bool = True) -> None:
    """Write a value as JSON, all of it or nothing; see `write_text_safely`."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Names of files need not be text; what stands for their bytes is escaped.
        text = json.dumps(value, indent=1)
    write_text_safely(path, f"{text}\n", sync=sync)


def write_checked_json(path: Path, value: dict[str, Any], *, sync: bool = True) -> None:
    """Write named values as JSON, with a check sum of them; see `checked`."""
    write_json_safely(path, {**value, CHECK: _check_of(value)}, sync=sync)


def checked(value: dict[str, Any]) -> dict[str, Any]:
    """Take the check sum off named values; those of older releases have none.

    Raises
    ------
    ValueError
        When they are not those that were written.
    """
    if CHECK not in value:
        return value
    rest = {name: part for name, part in value.items() if name != CHECK}
    if value[CHECK] != _check_of(rest):
        raise ValueError("the check sum is another one")
    return rest


def _check_of(value: dict[str, Any]) -> str:
    """CRC-32 of values, however they are laid out, as eight digits."""
    plain = json.loads(json.dumps(value))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return f"{zlib.crc32(text.encode()):08x}"


def write_array_safely(path: Path, array: "NDArray[Any]") -> None:
    """Write all of a .npy file or none of it.

    Raises
    ------
    SaveError
        When the disk is full or may not be written.
    """
    import numpy as np

    with replacing(path, sync=False) as stream:
        np.save(stream, array)


def _way_on(error: OSError) -> str:
    if error.errno in NO_SPACE:
        return "Free some space or choose another disk."
    return "Choose another folder, or mend what stops this one from being written."
