"""A cell movie: frames read one at a time, with axes and physical units."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import BadInputError, UnreadableFrameError

Array = NDArray[Any]
ZChoice = int | Literal["max"]


class PlaneSource(Protocol):
    """Where the pixels lie: any array on disk or in memory, read plane by plane."""

    @property
    def axes(self) -> str:
        """Axis letters in memory order, out of T, C, Z, Y, X; ends with YX."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""

    def plane(self, position: Mapping[str, int]) -> Array:
        """Read one plane, (Y, X), at the given index of every axis but Y and X.

        Raises
        ------
        OSError
            When the plane is missing or damaged; the text says how, for the user.
        """


@dataclass(frozen=True)
class Movie:
    """Frames of a cell movie, read lazily.

    Parameters
    ----------
    name
        What the user calls it: file or folder name without suffix.
    source
        Reads single planes.
    axes
        Axis letters as they are understood now, one per axis of the source, in memory
        order; the user may correct the source's guess.
    path
        File or folder it was read from; None when it came from memory.
    pixel_size
        Height and width of a pixel, in um; None when unknown.
    frame_interval
        Time between frames, in s; None when unknown.
    channel
        Index of the channel shown to the network.
    z
        Index of the slice, or ``max`` for the maximum over all slices.
    notes
        Sentences on what was guessed while reading, to be shown before running.
    """

    name: str
    source: PlaneSource
    axes: str
    path: Path | None = None
    pixel_size: tuple[float, float] | None = None
    frame_interval: float | None = None
    channel: int = 0
    z: ZChoice = "max"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.source.shape):
            raise BadInputError(
                f"{self.name}: expected one axis letter for each of its "
                f"{len(self.source.shape)} axes, found '{self.axes}'."
            )
        if len(set(self.axes)) != len(self.axes) or set(self.axes) - set("TCZYX"):
            raise BadInputError(
                f"{self.name}: expected axis letters out of T, C, Z, Y, X, each once, "
                f"found '{self.axes}'. Name each axis of the movie."
            )
        if not self.axes.endswith("YX"):
            raise BadInputError(
                f"{self.name}: expected Y and X as the last two axes, found "
                f"'{self.axes}'."
            )
        if not 0 <= self.channel < self.size("C"):
            raise BadInputError(
                f"{self.name}: expected a channel from 0 to {self.size('C') - 1}, "
                f"found {self.channel}."
            )
        if self.z != "max" and not 0 <= self.z < self.size("Z"):
            raise BadInputError(
                f"{self.name}: expected a z slice from 0 to {self.size('Z') - 1} or "
                f"'max', found {self.z}."
            )

    def size(self, axis: str) -> int:
        """Length of an axis; 1 for an axis the movie does not have."""
        return self.source.shape[self.axes.index(axis)] if axis in self.axes else 1

    def __len__(self) -> int:
        """Count the frames."""
        return self.size("T")

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Height and width of a frame, in px."""
        return self.size("Y"), self.size("X")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels as stored."""
        return self.source.dtype

    def frame(self, t: int) -> Array:
        """Read frame ``t`` as stored, (Y, X), channel and z choice applied.

        Raises
        ------
        UnreadableFrameError
            When the file of this frame is missing or damaged.
        """
        if not 0 <= t < len(self):
            raise IndexError(f"expected a frame from 0 to {len(self) - 1}, found {t}")
        slices = range(self.size("Z")) if self.z == "max" else [self.z]
        planes = (self._plane({"T": t, "C": self.channel, "Z": z}) for z in slices)
        try:
            return reduce(np.maximum, planes)
        except OSError as error:
            raise UnreadableFrameError(
                f"{self.name}: frame {t} (the first is 0) cannot be read: {error}. "
                f"Restore its file, or choose to skip unreadable frames.",
                t,
            ) from error

    def with_choices(self, **changes: Any) -> "Movie":
        """Return the same movie with other axes, channel, z, pixel size or interval.

        A channel or slice chosen under other axes means nothing under new ones: they go
        back to the first channel and all slices unless given anew.
        """
        if changes.get("axes", self.axes) != self.axes:
            changes = {"channel": 0, "z": "max"} | changes
        return replace(self, **changes)

    def _plane(self, position: Mapping[str, int]) -> Array:
        # The source keeps its own letters; a correction renames them by place.
        own = {
            theirs: position[ours]
            for ours, theirs in zip(self.axes[:-2], self.source.axes[:-2], strict=True)
        }
        return self.source.plane(own)


@dataclass(frozen=True)
class ArraySource:
    """A plane source over anything that can be indexed like a numpy array.

    Parameters
    ----------
    data
        Array-like with ``shape``, ``dtype`` and indexing.
    stored
        Axis letters in memory order, out of T, C, Z, Y, X; Y and X may lie anywhere, as
        in (T, Y, X, C). A dot marks an axis of length 1 that says nothing.
    """

    data: Any
    stored: str

    def __post_init__(self) -> None:
        if len(self.stored) != len(self.data.shape) or not set("YX") <= set(
            self.stored
        ):
            raise BadInputError(
                f"Expected one axis letter for each of the {len(self.data.shape)} axes "
                f"of the array, Y and X among them, found '{self.stored}'."
            )

    @property
    def axes(self) -> str:
        """Axis letters in memory order, Y and X moved to the end."""
        return "".join(axis for axis in self.stored if axis not in "YX.") + "YX"

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        shape = self.data.shape
        return tuple(int(shape[self.stored.index(axis)]) for axis in self.axes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    def plane(self, position: Mapping[str, int]) -> Array:
        """Read one plane, (Y, X)."""
        index = tuple(
            slice(None) if axis in "YX" else position.get(axis, 0)
            for axis in self.stored
        )
        plane = np.asarray(self.data[index])
        return plane if self.stored.index("Y") < self.stored.index("X") else plane.T


def movie_from_array(data: Any, axes: str, name: str = "movie", **facts: Any) -> Movie:
    """Make a movie of an array that is open already.

    Parameters
    ----------
    data
        Array-like with ``shape``, ``dtype`` and indexing, axes as given.
    axes
        Axis letters in memory order, out of T, C, Z, Y, X; Y and X may lie anywhere, as
        in (T, Y, X, C).
    name
        What the user calls it.
    **facts
        Other fields of `Movie`: ``pixel_size`` (um), ``frame_interval`` (s), ...

    Returns
    -------
    Movie
        Reads the array plane by plane; Y and X are its last axes.
    """
    source = ArraySource(data, axes)
    return Movie(name=name, source=source, axes=source.axes, **facts)
