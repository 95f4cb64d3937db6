"""All that the panel shows, as one model that tells when it changes. No window here."""

import operator
import os
from pathlib import Path
from typing import ClassVar, Literal

from psygnal import SignalGroupDescriptor
from pydantic import BaseModel, ConfigDict, InstanceOf

from .errors import SaveError
from .movie import Movie
from .settings import SegmentSettings

# Weight of the latest frame in the running mean of seconds per frame.
FRESHNESS = 0.2

Activity = Literal[
    "idle", "opening", "copying", "previewing", "running", "cancelling", "saving"
]


class Workspace(BaseModel):
    """Everything the plugin knows; every panel reads it and none keeps a copy.

    ``frames`` are the first and last frame to compute, both included, None for all.
    ``estimate`` is the cell diameter, in px, found in the movie. ``layer`` is the name
    of the image layer that the movie was taken from, empty when it came from a file.
    ``result_folder`` is where the next run writes, ``result`` what the last one wrote.
    """

    model_config = ConfigDict(validate_assignment=True, extra="forbid")
    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor(
        # Movies may hold arrays, which have no single answer to "equal?".
        equality_operators={"movie": operator.is_}
    )

    movie: InstanceOf[Movie] | None = None
    layer: str = ""
    layers: tuple[str, ...] = ()

    models: tuple[str, ...] = ("default",)
    devices: tuple[str, ...] = ("auto", "cpu")
    ready: bool = False
    settings: SegmentSettings = SegmentSettings()
    frames: tuple[int, int] | None = None
    estimate: float | None = None

    activity: Activity = "idle"
    done: int = 0
    total: int = 0
    seconds_per_frame: float | None = None

    result_folder: Path | None = None
    result: Path | None = None
    message: str = ""
    error: str = ""

    def begin(self, activity: Activity, message: str = "", total: int = 0) -> None:
        """Start something; the error of what was done before is over."""
        self.error = ""
        self.message = message
        self.done, self.total, self.seconds_per_frame = 0, total, None
        self.activity = activity

    def end(self, message: str = "") -> None:
        """Come to rest."""
        self.message = message
        self.activity = "idle"

    def fail(self, sentence: str) -> None:
        """Come to rest with an error, shown as it is."""
        self.error = sentence
        self.end()

    def advance(self, done: int, total: int, seconds: float) -> None:
        """Note that one more frame is done, and the seconds it took."""
        known = self.seconds_per_frame
        # The first frame also pays for warming up: the second one replaces it.
        fresh = 1.0 if known is None or done <= 2 else FRESHNESS
        self.seconds_per_frame = fresh * seconds + (1 - fresh) * (known or 0.0)
        self.total = total
        self.done = done

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the last frame is done; None while unknown."""
        if self.seconds_per_frame is None:
            return None
        return self.seconds_per_frame * (self.total - self.done)


def beside(movie: Movie) -> Path | None:
    """Folder in which results of a movie are kept; None when the user must choose.

    A movie from memory has no place, and some places may not be written.
    """
    if movie.path is None:
        return None
    parent = movie.path.absolute().parent
    return parent if os.access(parent, os.W_OK) else None


def free_folder(parent: Path, name: str, suffix: str) -> Path:
    """Next name for a folder that nothing else has, so that nothing is overwritten.

    Parameters
    ----------
    parent
        Folder in which it will be made.
    name
        Name of the movie.
    suffix
        What its name ends with.

    Raises
    ------
    SaveError
        When the parent is not a folder.
    """
    if not parent.is_dir():
        raise SaveError(
            f"{parent}: expected a folder to keep results in, found none. Choose an "
            f"existing folder."
        )
    count, folder = 1, parent / f"{name}{suffix}"
    while folder.exists():
        count += 1
        folder = parent / f"{name}-{count}{suffix}"
    return folder
