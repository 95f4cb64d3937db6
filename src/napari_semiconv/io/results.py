"""The result folder of the plugin: labels, tracks, and what they were made from.

::

    NAME.semiconv/
        result.json    movie, settings, model, state
        labels.zarr    (T, Y, X), int32, one chunk per frame
        tracks.json    tracks and parents
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import zarr
from numpy.typing import NDArray
from pydantic import ValidationError

from ..errors import BadInputError, SaveError
from ..movie import Movie
from ..safe import saving, write_json_safely
from ..settings import Settings
from ..tracking.lineage import Lineage, Track
from ..tracking.runs import joined

SUFFIX = ".semiconv"
FORMAT = "napari-semiconv result"
VERSION = 1

INFO = "result.json"
LABELS = "labels.zarr"
TRACKS = "tracks.json"

State = Literal["running", "cancelled", "finished"]


class MovieFacts(Settings):
    """Which movie a result belongs to, and how its axes were understood.

    ``shape`` is that of the source, in the order of ``axes``; pixel size in um, frame
    interval in s.
    """

    name: str
    path: str | None
    axes: str
    shape: tuple[int, ...]
    channel: int
    z: int | Literal["max"]
    pixel_size: tuple[float, float] | None
    frame_interval: float | None

    @classmethod
    def of(cls, movie: Movie) -> "MovieFacts":
        """Describe a movie."""
        return cls(
            name=movie.name,
            path=str(movie.path.resolve()) if movie.path else None,
            axes=movie.axes,
            shape=movie.source.shape,
            channel=movie.channel,
            z=movie.z,
            pixel_size=movie.pixel_size,
            frame_interval=movie.frame_interval,
        )


class ResultInfo(Settings):
    """What a result was made from, and how far it got.

    ``frames`` are the first and the last frame asked for, both included. ``state`` is
    ``running`` also after a crash: the frames on disk are good.
    """

    format: str = FORMAT
    version: int = VERSION
    package: str
    movie: MovieFacts
    frames: tuple[int, int]
    settings: dict[str, Any]
    model: dict[str, Any]
    state: State = "running"


class Result(NamedTuple):
    """A result that was opened.

    Parameters
    ----------
    labels
        Track labels, (T, Y, X), a zarr array that reads one frame at a time; frames
        that were not computed are 0.
    lineage
        Tracks and parents.
    info
        What it was made from, and how far it got.
    done
        Frames that were computed, ascending.
    """

    labels: "zarr.Array[Any]"
    lineage: Lineage
    info: ResultInfo
    done: tuple[int, ...]


class ResultStore:
    """A result folder while it is written; made by `create`."""

    def __init__(
        self, folder: Path, labels: "zarr.Array[Any]", info: ResultInfo
    ) -> None:
        self.folder = folder
        self.labels = labels
        self.info = info

    @classmethod
    def create(
        cls,
        folder: str | Path,
        movie: Movie,
        settings: dict[str, Any],
        model: dict[str, Any],
        frames: range | None = None,
    ) -> "ResultStore":
        """Make a new result folder.

        Parameters
        ----------
        folder
            Where; new or empty.
        movie
            What the result belongs to.
        settings
            All settings used, as JSON values.
        model
            Name, hash and other facts of the model, as JSON values.
        frames
            Frames that are to be computed; all when None.

        Raises
        ------
        SaveError
            When it exists with something in it, or cannot be written.
        """
        folder = Path(folder)
        frames = range(len(movie)) if frames is None else frames
        info = ResultInfo(
            package=version("napari-semiconv"),
            movie=MovieFacts.of(movie),
            frames=(frames[0], frames[-1]),
            settings=settings,
            model=model,
        )
        with saving(folder):
            if folder.exists() and any(folder.iterdir()):
                raise SaveError(
                    f"{folder}: expected a new or empty folder, found files in it. "
                    f"Choose another name for the result, or remove that folder."
                )
            folder.mkdir(parents=True, exist_ok=True)
            labels = _new_labels(folder / LABELS, (len(movie), *movie.frame_shape))
        store = cls(folder, labels, info)
        store.write_lineage(Lineage())
        write_json_safely(folder / INFO, info.model_dump(mode="json"))
        return store

    def write_frame(self, frame: int, labels: NDArray[Any]) -> None:
        """Write the track labels, (Y, X), of one frame, whole or not at all.

        Raises
        ------
        SaveError
            When the disk is full or fails; other frames are untouched.
        """
        if labels.shape != self.labels.shape[1:]:
            raise SaveError(
                f"{self.folder.name}: expected labels of shape "
                f"{self.labels.shape[1:]}, as the frames of the movie, found "
                f"{labels.shape} for frame {frame}."
            )
        with saving(self.folder):
            self.labels[frame] = np.asarray(labels, np.int32)

    def write_lineage(self, lineage: Lineage) -> None:
        """Write tracks and parents, all of them or nothing.

        Raises
        ------
        SaveError
            When the disk is full or fails; the tracks written before are untouched.
        """
        write_json_safely(self.folder / TRACKS, tracks_as_json(lineage))

    def finish(self) -> None:
        """Record that no more frames come: finished, or cancelled when some lack."""
        first, last = self.info.frames
        whole = set(range(first, last + 1)) <= {*_done(self.folder, self.labels)}
        state: State = "finished" if whole else "cancelled"
        self.info = self.info.model_copy(update={"state": state})
        write_json_safely(self.folder / INFO, self.info.model_dump(mode="json"))

    @staticmethod
    def open(folder: str | Path) -> Result:
        """Open a result folder, also one that is still being written.

        Parameters
        ----------
        folder
            The folder ``NAME.semiconv``.

        Raises
        ------
        BadInputError
            When it is no result, damaged, or was written by a newer release.
        """
        folder = Path(folder)
        info = _read_info(folder)
        lineage = tracks_from_json(_read_json(folder / TRACKS), folder)
        try:
            labels = zarr.open_array(folder / LABELS, mode="r")
        except (OSError, ValueError, LookupError) as error:
            raise BadInputError(
                f"{folder}: its labels in {LABELS} are missing or damaged. Restore "
                f"that folder, or segment the movie again."
            ) from error
        return Result(labels, lineage, info, _done(folder, labels))


def tracks_as_json(lineage: Lineage) -> dict[str, Any]:
    """Describe tracks as JSON values, frames as first and last of each run."""
    tracks = [
        {"label": track.label, "parent": track.parent, "frames": track.runs}
        for _, track in sorted(lineage.tracks.items())
    ]
    return {"format": FORMAT, "version": VERSION, "tracks": tracks}


def tracks_from_json(value: Any, folder: Path) -> Lineage:
    """Read tracks described by `tracks_as_json`.

    Raises
    ------
    BadInputError
        When they are described otherwise.
    """
    try:
        tracks = [
            Track(
                int(row["label"]),
                joined((int(first), int(last)) for first, last in row["frames"]),
                int(row["parent"]),
            )
            for row in value["tracks"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"{folder}: the tracks in {TRACKS} are damaged. Restore that file, or "
            f"segment the movie again."
        ) from error
    return Lineage(tracks)


def _new_labels(path: Path, shape: Sequence[int]) -> "zarr.Array[Any]":
    # Each chunk is a file that zarr's local store writes under another name and then
    # renames, so a frame is there whole or not at all; also frames without a cell are
    # written, which tells them from frames that were not computed.
    return zarr.create_array(
        path,
        shape=tuple(shape),
        chunks=(1, *shape[1:]),
        dtype="int32",
        fill_value=0,
        dimension_names=("t", "y", "x"),
        config={"write_empty_chunks": True},
    )


def _done(folder: Path, labels: "zarr.Array[Any]") -> tuple[int, ...]:
    chunks = folder / LABELS / "c"
    there = (t for t in range(labels.shape[0]) if (chunks / f"{t}/0/0").is_file())
    return tuple(there)


def _read_info(folder: Path) -> ResultInfo:
    value = _read_json(folder / INFO)
    found = value.get("format"), value.get("version")
    if found != (FORMAT, VERSION):
        raise BadInputError(
            f"{folder}: expected {FORMAT} version {VERSION}, found {found[0]} version "
            f"{found[1]}. If a newer release wrote it, update napari-semiconv."
        )
    try:
        return ResultInfo.model_validate(value)
    except ValidationError as error:
        raise BadInputError(
            f"{folder}: {INFO} is damaged in {_places(error)}. Restore that file, or "
            f"segment the movie again."
        ) from error


def _places(error: ValidationError) -> str:
    return ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:3])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInputError(
            f"{path.parent}: expected a result with {path.name}, found none that "
            f"can be read. Choose a folder NAME{SUFFIX}."
        ) from error
    if not isinstance(value, dict):
        raise BadInputError(
            f"{path.parent}: expected named values in {path.name}, found something "
            f"else. Choose a folder NAME{SUFFIX}."
        )
    return value
