"""What a project was made from: its project.json, versions and migrations."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from ..errors import BadInputError
from ..guard import read_json
from ..safe import checked, write_checked_json
from ..settings import SegmentSettings, Settings
from .movies import Index, MovieFacts

SUFFIX = ".semiconv"
FORMAT = "napari-semiconv project"
VERSION = 1
INFO = "project.json"

Value = dict[str, Any]
# What brings the values of a version to the next one.
MIGRATIONS: dict[int, Callable[[Value], Value]] = {}


class RunFacts(Settings):
    """One run of the network whose frames were adopted.

    ``folder`` lies in the project; ``frames`` are the first and the last asked for,
    both included; those before ``first`` only tell the network what was before.
    ``group`` is the number that its edits share, ``settings`` are those asked for.
    ``undecided`` tells that its tracks are still to be decided together. ``after`` are
    number and frame of the run and of its state that it begins with, if it does.
    """

    folder: str = Field(pattern=r"^runs/[0-9]{4,9}$")
    frames: tuple[Index, Index]
    first: Index
    group: Index
    settings: Value
    undecided: bool = False
    after: tuple[Index, Index] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.frames[0] <= self.first <= self.frames[1]:
            raise ValueError("frames out of order")
        return self

    def chosen(self, values: Value | None = None) -> SegmentSettings:
        """Give the settings as such, out of other ``values`` where those are given.

        Raises
        ------
        BadInputError
            When they are none of this release.
        """
        try:
            return SegmentSettings.model_validate(values or self.settings)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise BadInputError(
                f"{self.folder}: expected the settings of a run, found one that cannot "
                f"be used ({place}: {first['msg']}). Run the network anew, with "
                f"settings of this release."
            ) from error


class ProjectInfo(Settings):
    """What a project was made from.

    ``fingerprint`` tells whether a movie is the one it was made from; ``origin`` says
    where masks came from that were imported.
    """

    format: str = FORMAT
    version: int = VERSION
    package: str
    movie: MovieFacts
    fingerprint: str
    origin: str | None = None
    runs: tuple[RunFacts, ...] = ()

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        frames = self.movie.stack[0]
        for number, run in enumerate(self.runs, 1):
            before = number if run.after is None else run.after[0]
            if run.frames[1] >= frames or not 0 < before <= number:
                raise ValueError(f"run {number} does not fit the movie")
        return self

    @classmethod
    def new(
        cls, movie: MovieFacts, fingerprint: str, origin: str | None
    ) -> "ProjectInfo":
        """Make the facts of a new project, written by this release."""
        package = version("napari-semiconv")
        return cls(package=package, movie=movie, fingerprint=fingerprint, origin=origin)


def is_project(folder: Path) -> bool:
    """Tell whether a folder holds a project."""
    return (folder / INFO).is_file()


def write_info(folder: Path, info: ProjectInfo) -> None:
    """Write project.json, all of it or nothing.

    Raises
    ------
    SaveError
        When it could not be written; the file is as it was.
    """
    write_checked_json(folder / INFO, info.model_dump(mode="json"))


def read_info(folder: Path) -> ProjectInfo:
    """Read project.json; one of an older release is brought up to date in memory.

    Raises
    ------
    BadInputError
        When it is missing, damaged, or of a newer release.
    """
    value = _read_json(folder / INFO)
    if value.get("format") != FORMAT:
        raise BadInputError(
            f"{folder}: expected '{FORMAT}' in {INFO}, found "
            f"'{value.get('format')}'. Choose the folder of a project."
        )
    try:
        _refuse_newer(folder, value)
        return ProjectInfo.model_validate(_migrated(checked(value)))
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"{folder}: {INFO} is damaged: expected the facts of a project, found "
            f"{_places(error)} that cannot be read. Restore that file from a copy."
        ) from error


def _refuse_newer(folder: Path, value: Value) -> None:
    found = value.get("version")
    if not isinstance(found, int) or found > VERSION:
        raise BadInputError(
            f"{folder}: expected a project of version {VERSION} or older, found "
            f"version {found}. Update napari-semiconv to open it."
        )


def _migrated(value: Value) -> Value:
    for number in range(value["version"], VERSION):
        value = MIGRATIONS[number](value) | {"version": number + 1}
    return value


def _places(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:3])
    return "values"


def _read_json(path: Path) -> Value:
    try:
        return read_json(path)
    except BadInputError as error:
        raise BadInputError(
            f"{path.parent}: expected a project with {path.name}, found none that can "
            f"be read. Choose a folder NAME{SUFFIX}."
        ) from error
