"""The record of a result folder: what it was made from, and whether it may go on."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from ..errors import (
    BadInputError,
    BadModelError,
    BadSettingsError,
    UnreadableFrameError,
)
from ..movie import Movie
from ..settings import Settings
from .guard import check_parts, read_text

SUFFIX = ".semiconv"
FORMAT = "napari-semiconv result"
VERSION = 1
INFO = "result.json"

State = Literal["running", "cancelled", "finished"]

# Settings that do not change what is found, and the model's name: its hash counts.
FREE = {
    "device",
    "skip_unreadable",
    "model",
    "look_ahead",
    "votes.on_device",
    "link.solver",
    "link.merges",
    "link.least_sure",
}


class MovieFacts(Settings):
    """Which movie a result belongs to, and how its axes were understood.

    ``shape`` is that of the source, in the order of ``axes``; pixel size in um, frame
    interval in s. ``pixels`` is the SHA-256 of the first frame that was asked for, or
    None where it cannot be read.
    """

    name: str
    path: str | None
    axes: str
    shape: tuple[int, ...]
    channel: int
    z: int | Literal["max"]
    pixel_size: tuple[float, float] | None
    frame_interval: float | None
    pixels: str | None = None

    @classmethod
    def of(cls, movie: Movie, first: int | None = None) -> "MovieFacts":
        """Describe a movie, with the pixels of the frame ``first`` if it is given."""
        return cls(
            name=movie.name,
            path=str(movie.path.resolve()) if movie.path else None,
            axes=movie.axes,
            shape=movie.source.shape,
            channel=movie.channel,
            z=movie.z,
            pixel_size=movie.pixel_size,
            frame_interval=movie.frame_interval,
            pixels=None if first is None else _digest(movie, first),
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


def extended(
    info: ResultInfo,
    movie: Movie,
    settings: Mapping[str, Any],
    model: Mapping[str, Any],
    frames: range | None,
) -> ResultInfo:
    """Check that a run may go on, and say what it goes on with.

    Parameters
    ----------
    info
        What the run was begun with.
    movie, settings, model
        What it is to go on with, as in ``ResultStore.create``. The device, and whether
        unreadable frames are skipped, may differ; no cell size means the one before.
    frames
        Frames that are to be there in the end: from the same first one to the same
        last one or a later one; None means those asked for before.

    Raises
    ------
    BadInputError
        When it is another movie, or other frames.
    BadSettingsError
        When other settings were chosen.
    BadModelError
        When the model has other weights.
    """
    _check_movie(info.movie, movie, info.frames[0])
    _check_settings(info.settings, settings)
    was, now = info.model.get("sha256"), model.get("sha256")
    if was != now:
        raise BadModelError(
            f"This result was begun with a model of checksum {str(was)[:12]}, found "
            f"{str(now)[:12]}. Choose that model, or another folder for the result."
        )
    span = (frames[0], frames[-1]) if frames else info.frames
    if span[0] != info.frames[0] or span[1] < info.frames[1]:
        raise BadInputError(
            f"This result was begun for the frames {info.frames[0]} to "
            f"{info.frames[1]}, found {span[0]} to {span[1]}. Keep the first frame and "
            f"end no earlier, or choose another folder for the result."
        )
    free = {name: settings[name] for name in FREE & {*settings}}
    changes: dict[str, Any] = {
        "settings": info.settings | free,
        "model": dict(model),
        "frames": span,
    }
    if span != info.frames:
        changes["state"] = "cancelled"
    return info.model_copy(update=changes)


def read_info(folder: Path) -> ResultInfo:
    """Read the record of a result folder.

    Raises
    ------
    BadInputError
        When it is missing, damaged, or was written by a newer release.
    """
    value = read_json(folder / INFO)
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


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a result folder.

    Raises
    ------
    BadInputError
        When it is missing or holds no named values.
    """
    try:
        text = read_text(path)
        check_parts(path.name, text)
        value = json.loads(text)
    except (BadInputError, ValueError, RecursionError) as error:
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


def _check_movie(was: MovieFacts, movie: Movie, first: int) -> None:
    now = MovieFacts.of(movie, first if was.pixels else None)
    found = ""
    for name in ("axes", "shape", "channel", "z"):
        one, other = getattr(was, name), getattr(now, name)
        if one != other:
            found = found or f"the {name} {other} instead of {one}"
    if not found and was.pixels != now.pixels:
        found = f"other pixels in frame {first}"
    if found:
        raise BadInputError(
            f"This result belongs to the movie {was.name}, found {movie.name} with "
            f"{found}. Choose that movie, or another folder for the result."
        )


def _check_settings(was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    old, new = dict(_leaves(was)), dict(_leaves(now))
    if new.get("cell_size", 0) is None:
        del new["cell_size"]
    other = [
        f"{name} {new[name]} instead of {old[name]}"
        for name in sorted(old.keys() & new.keys() - FREE)
        if old[name] != new[name]
    ]
    if other:
        raise BadSettingsError(
            f"This result was begun with other settings: found {', '.join(other)}. "
            f"Choose those again, or another folder for the result."
        )


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _digest(movie: Movie, frame: int) -> str | None:
    try:
        pixels = np.ascontiguousarray(movie.frame(frame))
    except UnreadableFrameError:
        return None
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def _places(error: ValidationError) -> str:
    return ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:3])
