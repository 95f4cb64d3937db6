"""Which movie belongs to a project, wherever it was moved to."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, FiniteFloat, model_validator

from ..errors import BadInputError, UnreadableFrameError
from ..io.movies.opener import open_movie
from ..movie import Movie
from ..settings import Settings

# A moved movie is looked for beside the project and this many folders above.
LEVELS = 3
Index = Annotated[int, Field(ge=0, lt=2**31)]
Length = Annotated[int, Field(ge=1, lt=2**31)]


class MovieFacts(Settings):
    """Which movie a project or run belongs to, and how its axes were understood.

    ``shape`` is that of the source, in the order of ``axes``; pixel size in um, frame
    interval in s. ``pixels`` is the SHA-256 of the first frame that was asked for, or
    None where it cannot be read.
    """

    name: str
    path: str | None
    axes: str
    shape: tuple[Length, ...]
    channel: int
    z: int | Literal["max"]
    pixel_size: tuple[FiniteFloat, FiniteFloat] | None
    frame_interval: FiniteFloat | None
    pixels: str | None = None

    @model_validator(mode="after")
    def _have_axes(self) -> Self:
        axes = set(self.axes)
        once = len(axes) == len(self.axes) == len(self.shape)
        if not once or axes - set("TCZYX") or not self.axes.endswith("YX"):
            raise ValueError("axes that no movie has")
        return self

    @property
    def stack(self) -> tuple[int, int, int]:
        """Frames, height and width, (T, Y, X), of the movie and its masks."""
        frames = self.shape[self.axes.index("T")] if "T" in self.axes else 1
        return frames, self.shape[-2], self.shape[-1]

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


def fingerprint(movie: Movie) -> str:
    """Give the hash of size, type and the pixels of the first and the last frame.

    It stays the same when the movie is moved, renamed or saved in another lossless
    format, and does not read a long movie whole.
    """
    source = movie.source
    plain = source.dtype.newbyteorder("<")
    digest = hashlib.sha256(f"{movie.axes} {source.shape} {plain.name}".encode())
    for frame in (0, len(movie) - 1):
        digest.update(movie.frame(frame).astype(plain).tobytes())
    return digest.hexdigest()


def find_movie(folder: Path, facts: MovieFacts, expected: str) -> Movie:
    """Open the movie of a project, also when it or the project was moved.

    Parameters
    ----------
    folder
        The project.
    facts
        Where the movie was, and how its axes were understood.
    expected
        Its fingerprint.

    Raises
    ------
    BadInputError
        When it is not found.
    """
    if facts.path is None:
        raise BadInputError(
            f"{folder.name}: its movie '{facts.name}' never was a file. Open it in "
            f"the window first, or name its file with --movie."
        )
    different = None
    for path in _places(folder, Path(facts.path)):
        if path.exists():
            movie = chosen(open_movie(path), facts)
            if fingerprint(movie) == expected:
                return movie
            different = path
    if different is not None:
        raise _changed(folder, different)
    raise BadInputError(
        f"{folder.name}: its movie was {facts.path}, and is neither there nor beside "
        f"the project. Name its file (--movie FILE), or put it back."
    )


def check_movie(folder: Path, movie: Movie, facts: MovieFacts, expected: str) -> Movie:
    """Make sure that a movie the user named is that of the project.

    Raises
    ------
    BadInputError
        When it is another one.
    """
    named = chosen(movie, facts)
    if fingerprint(named) != expected:
        raise _changed(folder, movie.path or Path(movie.name))
    return named


def chosen(movie: Movie, facts: MovieFacts) -> Movie:
    """Understand the axes of a movie as the project does.

    Raises
    ------
    BadInputError
        When it has other axes.
    """
    return movie.with_choices(
        name=facts.name,
        axes=facts.axes,
        channel=facts.channel,
        z=facts.z,
        pixel_size=facts.pixel_size,
        frame_interval=facts.frame_interval,
    )


def _changed(folder: Path, path: Path) -> BadInputError:
    return BadInputError(
        f"{folder.name}: {path} is not the movie of this project: expected the same "
        f"first and last frame, found others. Name the right file (--movie FILE)."
    )


def _places(folder: Path, path: Path) -> Iterator[Path]:
    yield path
    here = folder.resolve()
    for above in list(here.parents)[:LEVELS]:
        yield above / path.name
        # The folder of the movie may have been moved together with the project.
        yield above / path.parent.name / path.name


def _digest(movie: Movie, frame: int) -> str | None:
    try:
        pixels = np.ascontiguousarray(movie.frame(frame))
    except UnreadableFrameError:
        return None
    return hashlib.sha256(pixels.tobytes()).hexdigest()
