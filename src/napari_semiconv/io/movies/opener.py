"""Open any movie that lies on disk: the one door for files, whatever their format."""

from pathlib import Path

from ...errors import BadInputError, reason_of
from ...guard import check_regular
from ...movie import Movie
from . import stills, tiff
from .folders import read_folder
from .image_file import ImageFile
from .ome_zarr import is_zarr, read_zarr


def open_movie(path: str | Path) -> Movie:
    """Open a movie; its pixels are read later, one plane at a time.

    Parameters
    ----------
    path
        A TIFF, OME-TIFF or ImageJ stack, a still image, a folder of numbered frames, an
        OME-Zarr image (0.4 or 0.5) or a plain zarr array.

    Returns
    -------
    Movie
        Its axes, pixel size (um) and frame interval (s) come from the file; what was
        guessed is said in its notes.

    Raises
    ------
    BadInputError
        When it does not exist, is damaged, or is no movie.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _open_folder(path)
        return _movie(path, _open_file(path))
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be opened: {reason_of(error)}. Check the path and whether "
            f"you may read it."
        ) from error


def _open_folder(path: Path) -> Movie:
    if (path / "result.json").is_file():
        raise BadInputError(
            f"{path.name} is a result, not a movie. Open the movie it was made from."
        )
    if is_zarr(path):
        return _movie(path, read_zarr(path))
    return read_folder(path)


def _open_file(path: Path) -> ImageFile:
    check_regular(path)
    with path.open("rb") as stream:
        head = stream.read(4)
    if not head:
        raise BadInputError(f"{path.name} is empty. Copy it again.")
    if head.startswith(tiff.MAGIC):
        return tiff.read_tiff(path)
    if head.startswith(stills.MAGIC):
        return stills.read_still(path)
    if path.name in ("zarr.json", ".zattrs", ".zgroup", ".zarray"):
        raise BadInputError(f"{path.name} is part of a zarr folder. Open that folder.")
    raise BadInputError(
        f"{path.name} is not an image that can be read: expected TIFF, OME-TIFF, PNG, "
        f"JPEG, OME-Zarr or a folder of numbered frames. Save it as OME-TIFF."
    )


def _movie(path: Path, opened: ImageFile) -> Movie:
    return Movie(
        _name_of(path),
        opened.source,
        opened.source.axes,
        path=path,
        pixel_size=opened.pixel_size,
        frame_interval=opened.frame_interval,
        notes=opened.notes,
    )


def _name_of(path: Path) -> str:
    name = path.resolve().name
    for suffix in (".ome.tif", ".ome.tiff", ".ome.zarr"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return Path(name).stem
