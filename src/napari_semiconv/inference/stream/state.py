"""The memory of a network between two frames, and how memories are kept on disk."""

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ...errors import BadInputError, BadModelError, SaveError
from ...guard import parse_json
from ...safe import draft_of

VERSION = 1


@dataclass(frozen=True)
class StreamState:
    """All that a stream remembers after a frame.

    Parameters
    ----------
    memory
        State of each stack and level, each (1, C, Y, X) or empty; None before the
        first frame.
    age
        Frames since the memory began.
    recent
        The last normalised frames, each (C, Y, X).
    digest
        SHA-256 of the weights the memory belongs to.
    tile
        Side of the tiles that frames were cut into in the end, px; None when none was
        chosen, and none needed because memory ran out.
    """

    memory: tuple[Tensor, ...] | None
    age: int
    recent: tuple[NDArray[np.float32], ...]
    digest: str
    tile: int | None = None


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]
) -> None:
    """Write tensors and facts to a safetensors file, all of it or nothing.

    Parameters
    ----------
    path
        File to write or replace.
    tensors
        Any shapes and devices.
    facts
        JSON values, kept in the header of the file.

    Raises
    ------
    SaveError
        When the disk is full or may not be written; an earlier file stays.
    """
    plain = {
        name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()
    }
    text = json.dumps(dict(facts))
    header = {
        "version": str(VERSION),
        "facts": text,
        "check": str(_checksum(plain)),
        "names": str(_check_of_names(plain, text)),
    }
    draft = draft_of(path)
    try:
        # What lies there may be a link, which is not to be followed.
        draft.unlink(missing_ok=True)
        save_file(plain, draft, header)
        with draft.open("r+b") as stream:
            # The name must not reach the disk before the numbers do.
            os.fsync(stream.fileno())
        draft.replace(path)
    except (OSError, SafetensorError) as error:
        draft.unlink(missing_ok=True)
        raise SaveError(
            f"{path}: the memory of the network could not be written ({error}). Free "
            f"some space; an earlier one is untouched."
        ) from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Returns
    -------
    tuple
        The tensors, on the CPU, and the facts.

    Raises
    ------
    BadModelError
        When the file is missing, damaged or of another release.
    """
    try:
        with safe_open(path, "pt") as opened:
            header = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        if (int(header["version"]), int(header["check"])) != (
            VERSION,
            _checksum(tensors),
        ):
            raise ValueError("its version or its checksum is another")
        names = _check_of_names(tensors, header["facts"])
        # Files of the first releases have none.
        if int(header.get("names", names)) != names:
            raise ValueError("its facts are others")
        facts: dict[str, Any] = parse_json("facts", header["facts"])
    except (
        OSError, SafetensorError, BadInputError, LookupError, TypeError, ValueError,
    ) as error:  # fmt: skip
        raise BadModelError(
            f"{path}: expected the memory of a network, found a missing or damaged "
            f"file ({type(error).__name__}). Start again from the first frame."
        ) from error
    return tensors, facts


def _check_of_names(tensors: Mapping[str, Tensor], facts: str) -> int:
    """Tell whether facts, or what the numbers are, were altered."""
    shapes = [(name, t.dtype, tuple(t.shape)) for name, t in sorted(tensors.items())]
    return zlib.crc32(f"{facts}{shapes}".encode())


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """Tell whether numbers were altered: the format itself would not notice."""
    check = 0
    for name in sorted(tensors):
        numbers = tensors[name].numpy().reshape(-1).view(np.uint8)
        check = zlib.crc32(numbers.data, check)
    return check
