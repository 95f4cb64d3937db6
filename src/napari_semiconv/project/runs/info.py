"""The record of a run: what it was made from, and whether it may go on."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ... import guard
from ...errors import (
    BadInputError,
    BadModelError,
    BadSettingsError,
)
from ...movie import Movie
from ...safe import checked
from ...settings import Settings
from ..movies import Index, MovieFacts

FORMAT = "napari-semiconv run"
VERSION = 1
INFO = "run.json"
# As runs of the first releases have them, which could be opened by themselves.
OLD_FORMAT, OLD_INFO = "napari-semiconv result", "result.json"

State = Literal["running", "cancelled", "finished"]

# Settings that do not change what is found, and the model's name: its hash counts.
FREE = {
    "device",
    "skip_unreadable",
    "model",
    "votes.on_device",
    "link.solver",
    "link.merges",
    "link.least_sure",
}


class RunInfo(Settings):
    """What a run was begun with, and how far it got.

    ``frames`` are the first and the last frame asked for, both included. ``state`` is
    ``running`` also after a crash: the frames on disk are good.
    """

    format: str = FORMAT
    version: int = VERSION
    package: str
    movie: MovieFacts
    frames: tuple[Index, Index]
    settings: dict[str, Any]
    model: dict[str, Any]
    state: State = "running"


def extended(
    info: RunInfo,
    movie: Movie,
    settings: Mapping[str, Any],
    model: Mapping[str, Any],
    frames: range | None,
) -> RunInfo:
    """Check that a run may go on, and say what it goes on with.

    Parameters
    ----------
    info
        What the run was begun with.
    movie, settings, model
        What it is to go on with, as in `RunStore.create`. The device, and whether
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
            f"This run was begun with a model of checksum {str(was)[:12]}, found "
            f"{str(now)[:12]}. Choose that model, or a new run."
        )
    span = (frames[0], frames[-1]) if frames else info.frames
    if span[0] != info.frames[0] or span[1] < info.frames[1]:
        raise BadInputError(
            f"This run was begun for the frames {info.frames[0]} to "
            f"{info.frames[1]}, found {span[0]} to {span[1]}. Keep the first frame and "
            f"end no earlier, or choose a new run."
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


def read_info(folder: Path) -> RunInfo:
    """Read the record of a run.

    Raises
    ------
    BadInputError
        When it is missing, damaged, or was written by a newer release.
    """
    path = info_of(folder)
    value = read_json(path)
    found = value.get("format"), value.get("version")
    if found not in ((FORMAT, VERSION), (OLD_FORMAT, 1)):
        raise BadInputError(
            f"{folder}: expected {FORMAT} version {VERSION}, found {found[0]} version "
            f"{found[1]}. If a newer release wrote it, update napari-semiconv."
        )
    try:
        return RunInfo.model_validate(as_written(path, value))
    except ValidationError as error:
        raise BadInputError(
            f"{folder}: {INFO} is damaged in {_places(error)}. Restore that file, or "
            f"run the network anew."
        ) from error


def info_of(folder: Path) -> Path:
    """Name the file of the record of a run."""
    old = folder / OLD_INFO
    return old if old.is_file() and not (folder / INFO).is_file() else folder / INFO


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a run.

    Raises
    ------
    BadInputError
        When it is missing or holds no named values.
    """
    try:
        return guard.read_json(path)
    except BadInputError as error:
        raise BadInputError(
            f"{path.parent}: expected a run with {path.name}, found none that can be "
            f"read. Run the network anew."
        ) from error


def as_written(path: Path, value: dict[str, Any]) -> dict[str, Any]:
    """Compare the values of a file of a run with its check sum, and take that off.

    Raises
    ------
    BadInputError
        When they are others.
    """
    try:
        return checked(value)
    except ValueError as error:
        raise BadInputError(
            f"{path.parent}: {path.name} is damaged: expected what was written, found "
            f"other values. Restore that file, or run the network anew."
        ) from error


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
            f"This run belongs to the movie {was.name}, found {movie.name} with "
            f"{found}. Choose that movie, or a new run."
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
            f"This run was begun with other settings: found {', '.join(other)}. "
            f"Choose those again, or a new run."
        )


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _places(error: ValidationError) -> str:
    return ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:3])
