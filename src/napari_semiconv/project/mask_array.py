"""Masks on disk: a zarr array, (T, Y, X), of one checked chunk a frame.

They may come from somebody else: an array is opened only as it is written here, so that
nothing in its description chooses what is run, or how much memory is taken.
"""

import errno
from math import prod
from pathlib import Path
from typing import Any

import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from ..errors import BadInputError
from ..guard import MOST_BYTES, brief, is_link, read_json
from ..io.movies.zarr_store import DAMAGED, GuardedStore

LABELS = "labels.zarr"
DESCRIPTION = "zarr.json"
MOST_FRAMES = 2**20
# Frames of 16,384 x 16,384 px: no movie with larger ones can be read.
MOST_PIXELS = MOST_BYTES
# Bytes of the description.
_MOST_TEXT = 2**20
# What decides how a chunk is written; runs of the first releases had other codecs.
_WRITTEN_AS = (
    "shape", "data_type", "chunk_grid", "chunk_key_encoding", "codecs", "fill_value",
)  # fmt: skip
_CODECS = {"bytes", "zstd", "crc32c"}
# More than the numbers of a frame: their check.
_MORE = 64


class MaskStore(GuardedStore):
    """The folder of masks; no chunk in it may be larger than a frame.

    Parameters
    ----------
    root
        The folder.
    frame_shape
        Height and width of a frame, px.
    read_only
        Whether nothing is written.
    """

    def __init__(
        self, root: Path, frame_shape: tuple[int, int], *, read_only: bool
    ) -> None:
        super().__init__(root, read_only=read_only)
        self.most = 4 * prod(frame_shape) + _MORE

    async def set(self, key: str, value: Any) -> None:
        """Write a file, unless a link lies in its way."""
        check_way(Path(self.root), key)
        await super().set(key, value)


def create_masks(
    path: Path, shape: tuple[int, int, int], *, write_empty: bool = False
) -> None:
    """Make masks of (T, Y, X) without any cell, one checked chunk a frame.

    With ``write_empty`` a frame that is written has a chunk also when no cell is in it.
    """
    zarr.create_array(
        path,
        shape=shape,
        chunks=(1, *shape[1:]),
        dtype="int32",
        fill_value=0,
        compressors=[ZstdCodec(level=1), Crc32cCodec()],
        dimension_names=("t", "y", "x"),
        config={"write_empty_chunks": write_empty},
    )


def open_masks(path: Path, mode: Any) -> "zarr.Array[Any]":
    """Open masks that `create_masks` made.

    Parameters
    ----------
    path
        Folder of the array.
    mode
        ``r`` or ``r+``.

    Raises
    ------
    BadInputError
        When they are missing, damaged or written in another way.
    """
    store = MaskStore(path, shape_of(path)[1:], read_only=mode == "r")
    try:
        return zarr.open_array(store, mode=mode, zarr_format=3)
    except (BadInputError, *DAMAGED) as error:
        raise _damaged(path, error) from error


def shape_of(path: Path) -> tuple[int, int, int]:
    """Give frames, height and width, (T, Y, X), of masks; read from a description.

    Raises
    ------
    BadInputError
        When it is missing, damaged or written in another way.
    """
    try:
        return _shape(read_json(path / DESCRIPTION, _MOST_TEXT))
    except (BadInputError, *DAMAGED) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> BadInputError:
    why = "" if isinstance(error, BadInputError) else f" ({brief(error)})"
    return BadInputError(
        f"{path}: expected masks as this program writes them, found them missing "
        f"or damaged{why}. Restore that folder from a copy."
    )


def _shape(form: dict[str, Any]) -> tuple[int, int, int]:
    """Check a description; give frames, height and width.

    Raises
    ------
    ValueError, LookupError, TypeError
        When it is not as `create_masks` writes it.
    """
    frames, height, width = (_length(n) for n in form["shape"])
    if frames > MOST_FRAMES or height * width > MOST_PIXELS:
        raise ValueError(f"{frames} frames of {height} x {width} px")
    grid = {
        "name": "regular",
        "configuration": {"chunk_shape": [1, height, width]},
    }
    key = {"name": "default", "configuration": {"separator": "/"}}
    usual = {
        "zarr_format": 3, "node_type": "array", "data_type": "int32",
        "fill_value": 0, "chunk_grid": grid, "chunk_key_encoding": key,
    }  # fmt: skip
    for name, value in usual.items():
        if form[name] != value:
            raise ValueError(f"{name} {brief(str(form[name]))}")
    codecs = [codec["name"] for codec in form["codecs"]]
    if not set(codecs) <= _CODECS or form.get("storage_transformers"):
        raise ValueError(f"codecs {brief(str(codecs))}")
    return frames, height, width


def _length(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"an axis of length {brief(str(value))}")
    return value


def chunk_of(path: Path, frame: int) -> Path:
    """Name the file of a frame."""
    return path / "c" / str(frame) / "0" / "0"


def check_way(folder: Path, key: str) -> None:
    """Make sure that no link lies between a folder and what is written into it.

    Raises
    ------
    OSError
        When there is one.
    """
    path = folder / key
    for place in (path, *path.parents):
        if is_link(place):
            raise OSError(errno.ELOOP, f"the link {place} may lead elsewhere")
        if place == folder:
            return


def written_alike(one: Path, other: Path) -> bool:
    """Tell whether a chunk of one array can be read as a chunk of another."""
    try:
        forms = [read_json(path / DESCRIPTION, _MOST_TEXT) for path in (one, other)]
        return all(forms[0][name] == forms[1][name] for name in _WRITTEN_AS)
    except (BadInputError, LookupError, TypeError):
        return False
