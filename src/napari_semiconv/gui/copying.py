"""Put a movie that is only in memory where the computing child can read it."""

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import zarr

from ..compute.messages import MovieChoice
from ..errors import SaveError
from ..movie import Movie
from .layers import same_pixels


class MovieCopy:
    """A copy on disk, (T, Y, X), of the channel and slice that are looked at.

    Parameters
    ----------
    movie
        The movie in memory.
    folder
        An empty folder that is taken away later.
    """

    def __init__(self, movie: Movie, folder: Path) -> None:
        self._movie = movie
        self._path = folder / "movie.zarr"
        self._copied: set[int] = set()
        self._array: Any = None

    def holds(self, movie: Movie) -> bool:
        """Tell whether a movie has the pixels that are copied here."""
        return same_pixels(self._movie, movie)

    def choice(self, movie: Movie) -> MovieChoice:
        """Tell the child where the copy is, with the name and units of ``movie``."""
        changes = {"axes": "TYX", "channel": 0, "z": "max"}
        return MovieChoice.of(movie, self._path).model_copy(update=changes)

    def steps(self, frames: Iterable[int]) -> Generator[tuple[int, int], None, None]:
        """Copy frames that were not copied yet; yield how many of how many are done.

        Raises
        ------
        SaveError
            When the disk for temporary files is full.
        """
        missing = [frame for frame in frames if frame not in self._copied]
        for count, frame in enumerate(missing, 1):
            self._copy(frame)
            yield count, len(missing)

    def _copy(self, frame: int) -> None:
        image = self._movie.frame(frame)
        try:
            if self._array is None:
                self._array = zarr.create_array(
                    store=self._path,
                    shape=(len(self._movie), *image.shape),
                    chunks=(1, *image.shape),
                    dtype=image.dtype,
                    compressors=None,
                    dimension_names=["t", "y", "x"],
                )
            self._array[frame] = image
        except OSError as error:
            raise SaveError(
                f"Layer {self._movie.name} could not be copied to {self._path} "
                f"({error}). Free some space, or save the layer and open the file."
            ) from error
        self._copied.add(frame)
