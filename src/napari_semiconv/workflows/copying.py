"""Put a movie that is only in memory where it can be read again."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import zarr

from ..compute.messages import MovieChoice
from ..errors import SaveError
from ..io.movies.opener import open_movie
from ..movie import Movie
from ..safe import new_draft_folder, saving
from .progress import Progress, Steps, Stop, StoppedError, never


class MovieCopy:
    """A copy on disk, (T, Y, X), of the channel and slice that are looked at.

    Parameters
    ----------
    movie
        The movie in memory.
    path
        The zarr array to make.
    """

    def __init__(self, movie: Movie, path: Path) -> None:
        self._movie = movie
        self._path = path
        self._copied: set[int] = set()
        self._array: Any = None

    def holds(self, movie: Movie) -> bool:
        """Tell whether a movie has the pixels that are copied here."""
        return same_pixels(self._movie, movie)

    def choice(self, movie: Movie) -> MovieChoice:
        """Tell where the copy is, with the name and units of ``movie``."""
        changes = {"axes": "TYX", "channel": 0, "z": "max"}
        return MovieChoice.of(movie, self._path).model_copy(update=changes)

    def steps(self, frames: Iterable[int], stop: Stop = never) -> Steps[None]:
        """Copy frames that were not copied yet.

        Raises
        ------
        SaveError
            When the disk is full.
        StoppedError
            When ``stop`` asked for it.
        """
        missing = [frame for frame in frames if frame not in self._copied]
        for count, frame in enumerate(missing, 1):
            if stop():
                raise StoppedError
            self._copy(frame)
            yield Progress("copying", count, len(missing))

    def _copy(self, frame: int) -> None:
        image = self._movie.frame(frame)
        try:
            if self._array is None:
                self._array = zarr.create_array(
                    store=self._path,
                    shape=(len(self._movie), *image.shape),
                    chunks=(1, *image.shape),
                    dtype=image.dtype,
                    dimension_names=["t", "y", "x"],
                )
            self._array[frame] = image
        except OSError as error:
            raise SaveError(
                f"Movie {self._movie.name} could not be copied to {self._path} "
                f"({error}). Free some space, or save it and open the file."
            ) from error
        self._copied.add(frame)


class ScratchCopy:
    """Lets the computing process read any movie, also one that is only in memory."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copy: MovieCopy | None = None

    def readable(
        self, movie: Movie, frame: int, stop: Stop = never
    ) -> Steps[MovieChoice]:
        """Tell where a frame of a movie can be read; it is copied if it must be."""
        if movie.path is not None:
            return MovieChoice.of(movie, movie.path)
        if self._copy is None or not self._copy.holds(movie):
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(
                    prefix="napari-semiconv-", ignore_cleanup_errors=True
                )
            folder = Path(tempfile.mkdtemp(dir=self._folder.name))
            self._copy = MovieCopy(movie, folder / "movie.zarr")
        yield from self._copy.steps([frame], stop)
        return self._copy.choice(movie)

    def close(self) -> None:
        """Take the copies away."""
        folder, self._folder, self._copy = self._folder, None, None
        if folder is not None:
            folder.cleanup()


def keep(movie: Movie, folder: Path, stop: Stop = never) -> Steps[Movie]:
    """Keep a movie that is only in memory as a file beside a project.

    Parameters
    ----------
    movie
        The movie; one that is a file stays where it lies.
    folder
        The project folder, ``NAME.semiconv``; the movie becomes ``NAME.zarr``.
    stop
        Asked after each frame.

    Returns
    -------
    Movie
        The movie as a file.

    Raises
    ------
    SaveError
        When something of that name is there, or the disk is full.
    StoppedError
        When ``stop`` asked for it; nothing is kept.
    """
    if movie.path is not None:
        return movie
    target = folder.with_suffix(".zarr")
    if target.exists():
        raise SaveError(
            f"{target}: expected no file of that name, for the movie is kept there, "
            f"found one. Choose another name for the project."
        )
    with saving(target):
        draft = new_draft_folder(target)
    copy = MovieCopy(movie, draft)
    try:
        yield from copy.steps(range(len(movie)), stop)
        with saving(target):
            draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    yield Progress("copying", note=f"The movie was only in memory; it is {target} now.")
    return open_movie(target).with_choices(
        name=movie.name,
        axes="TYX",
        pixel_size=movie.pixel_size,
        frame_interval=movie.frame_interval,
    )


def same_pixels(one: Movie, other: Movie) -> bool:
    """Tell whether two movies show the same pixels, if perhaps in other units."""
    readings = [(m.axes, m.channel, m.z) for m in (one, other)]
    return one.source is other.source and readings[0] == readings[1]
