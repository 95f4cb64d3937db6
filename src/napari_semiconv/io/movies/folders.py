"""Read folders of numbered frames, those of the Cell Tracking Challenge included."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import gcd
from pathlib import Path

from ...errors import BadInputError
from ...guard import sizes
from ...movie import Array, Movie, PlaneSource
from . import stills, tiff
from .axes import check_slices
from .image_file import ImageFile

SUFFIXES = (*tiff.SUFFIXES, *stills.SUFFIXES)
_NUMBER = re.compile(r"\d+")


class FolderSource:
    """Frames of which each is a file of its own.

    Parameters
    ----------
    paths
        The files, in order.
    frame
        One of them, which the others must be like.
    """

    def __init__(self, paths: Sequence[Path], frame: PlaneSource) -> None:
        self._paths = tuple(paths)
        self._frame_axes, self._frame_shape = frame.axes, frame.shape
        self._last: tuple[Path, PlaneSource] | None = None
        self.axes = "T" + frame.axes
        self.shape = (len(self._paths), *frame.shape)
        self.dtype = frame.dtype

    def plane(self, position: Mapping[str, int]) -> Array:
        """Read one plane, (Y, X)."""
        path = self._paths[position["T"]]
        # The slices and channels of a frame cost one look at its file.
        last = self._last
        if last is None or last[0] != path:
            last = self._last = path, self._open(path)
        return last[1].plane(position)

    def _open(self, path: Path) -> PlaneSource:
        try:
            source = read_frame(path).source
        except BadInputError as error:
            raise OSError(str(error).rstrip(".")) from error
        if (source.axes, source.shape) != (self._frame_axes, self._frame_shape):
            raise OSError(f"{path.name} has changed its size")
        return source


def read_folder(path: Path) -> Movie:
    """Open a folder of numbered frames as a movie.

    Parameters
    ----------
    path
        The folder; or the one above, when it holds a single movie folder ``01``, as in
        the Cell Tracking Challenge.

    Raises
    ------
    BadInputError
        When there are no frames, one is missing, or they differ in size.
    """
    files = images_in(path)
    if not files:
        return _movie_below(path)
    frames, notes = numbered_files(path.name, files)
    opened = _frames_of(path.name, list(frames.values()))
    return Movie(
        path.name,
        opened.source,
        opened.source.axes,
        path=path,
        pixel_size=opened.pixel_size,
        notes=(*notes, *opened.notes),
    )


def read_frame(path: Path) -> ImageFile:
    """Find the planes of one frame of a numbered series."""
    if path.suffix.lower() in tiff.SUFFIXES:
        return tiff.read_tiff(path, taken="T")
    return stills.read_still(path)


def images_in(path: Path) -> list[Path]:
    """List the image files of a folder, by name."""
    return sorted(
        file
        for file in path.iterdir()
        if file.suffix.lower() in SUFFIXES and file.name[0] != "." and file.is_file()
    )


def numbered_files(
    name: str, files: Sequence[Path]
) -> tuple[dict[int, Path], list[str]]:
    """Sort files by the number in their names.

    Parameters
    ----------
    name
        What the user calls the folder.
    files
        Files of one series; those without a number are left out with a note.

    Returns
    -------
    tuple
        The file of each number, ascending, and sentences on what was left out.

    Raises
    ------
    BadInputError
        When there is no series, more than one, or a number is missing or double.
    """
    series: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        if _NUMBER.search(file.stem):
            series[_NUMBER.sub("#", file.name)].append(file)
    if not series:
        raise BadInputError(
            f"{name}: expected files with frame numbers in their names, as in "
            f"t000.tif, found {_some([f.name for f in files])}. Number the frames, or "
            f"open one file."
        )
    if len(series) > 1:
        first = [found[0].name for found in series.values()]
        raise BadInputError(
            f"{name}: expected one series of numbered frames, found several "
            f"({_some(first)}). Keep each movie in a folder of its own."
        )
    (members,) = series.values()
    frames = _by_number(name, members)
    notes = _check_complete(name, frames)
    if len(members) < len(files):
        others = [file.name for file in files if file not in members]
        notes.append(f"Left out, for lack of a frame number: {_some(others)}.")
    return frames, notes


def _by_number(name: str, files: Sequence[Path]) -> dict[int, Path]:
    numbers = [[int(n) for n in _NUMBER.findall(file.stem)] for file in files]
    columns = list(zip(*numbers, strict=True))
    varying = [column for column in columns if len(set(column)) > 1]
    if len(varying) > 1:
        raise BadInputError(
            f"{name}: expected one number that counts the frames, found "
            f"{len(varying)} in names such as {files[0].name}. Keep each channel, "
            f"slice or position in a folder of its own."
        )
    counting = varying[0] if varying else columns[-1]
    frames: dict[int, Path] = {}
    for number, file in sorted(zip(counting, files, strict=True)):
        if number in frames:
            raise BadInputError(
                f"{name}: expected each frame once, found frame {number} as "
                f"{frames[number].name} and as {file.name}. Remove one of them."
            )
        frames[number] = file
    return frames


def _check_complete(name: str, frames: Mapping[int, Path]) -> list[str]:
    numbers = list(frames)
    first, last = numbers[0], numbers[-1]
    steps = [after - before for before, after in pairwise(numbers)]
    step = gcd(*steps) if len(steps) > 1 else 1
    if step > 1:
        note = f"The frames of {name} are numbered {first} to {last} in steps of {step}"
        return [f"{note}; check that none is missing."]
    missing = next((n for n in range(first, last) if n not in frames), None)
    if missing is None:
        return []
    count = last - first + 1 - len(frames)
    more = f", and {count - 1} more are missing" if count > 1 else ""
    raise BadInputError(
        f"{name}: expected all frames from {first} to {last}, found no frame "
        f"{missing}{more}. Put back what is missing, or number the frames without gaps."
    )


def _frames_of(name: str, paths: Sequence[Path]) -> ImageFile:
    """Look at the header of each frame; one that cannot be read becomes a note."""
    found: dict[Path, ImageFile] = {}
    unreadable: dict[str, str] = {}
    for path in paths:
        try:
            found[path] = read_frame(path)
        except BadInputError as error:
            unreadable[path.name] = str(error)
    if not found:
        why = next(iter(unreadable.values()))
        raise BadInputError(f"{name}: none of its frames can be read. {why}")
    _check_alike(name, found)
    first = next(iter(found.values()))
    source = FolderSource(paths, first.source)
    notes = [*first.notes, *check_slices(name, source.axes, source.shape)]
    if unreadable:
        notes.append(f"Frames of {name} that cannot be read: {_some([*unreadable])}.")
    return ImageFile(source, first.pixel_size, notes=tuple(notes))


def _check_alike(name: str, found: Mapping[Path, ImageFile]) -> None:
    alike: dict[tuple[str, tuple[int, ...]], Path] = {}
    for path, opened in found.items():
        alike.setdefault((opened.source.axes, opened.source.shape), path)
    if len(alike) > 1:
        seen = [
            f"{sizes(shape)} ({axes}) in {path.name}"
            for (axes, shape), path in alike.items()
        ]
        raise BadInputError(
            f"{name}: expected frames of one size, found {' and '.join(seen[:2])}. "
            f"Crop them alike, or keep each movie in a folder of its own."
        )


def _movie_below(path: Path) -> Movie:
    """Open the only movie of a Cell Tracking Challenge data set."""
    below = [
        folder
        for folder in sorted(path.iterdir())
        if re.fullmatch(r"\d\d", folder.name) and folder.is_dir() and images_in(folder)
    ]
    if len(below) == 1:
        return read_folder(below[0])
    if below:
        raise BadInputError(
            f"{path.name} holds several movies ({_some([f.name for f in below])}). "
            f"Open one of these folders."
        )
    raise BadInputError(
        f"{path.name}: expected frames ({', '.join(SUFFIXES)}) or a zarr image in this "
        f"folder, found neither. Choose the folder that holds the frames."
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
