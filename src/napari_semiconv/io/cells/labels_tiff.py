"""Write labels as one TIFF stack that ImageJ and napari open, and tracks beside it."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tifffile import OmeXml, TiffFile, TiffWriter, imagej_description

from ...errors import SaveError
from ...movie import Movie
from ...safe import draft_of, saving, write_text_safely
from ...tracking.intervals import count_frames
from ...tracking.lineage import Lineage
from .tracked import TrackedMovie

# Above this many pixels a stack may pass the 4 GB that a classic TIFF can hold, labels
# being squeezed to an eighth at worst.
MOST_CLASSIC_BYTES = 8 * 2**32
COLUMNS = ("label", "first_frame", "last_frame", "frames", "parent")


class LabelsTiffWriter:
    """Writes labels frame by frame into a TIFF, and a table of tracks when closed.

    16-bit ImageJ TIFF while labels fit; from the first label above 65,535 on, or when
    the stack may pass 4 GB, an OME-TIFF of 32 bits. Both say their axes, pixel size and
    frame interval. The file gets its name when closed; left by an error, a ``with``
    block leaves nothing.

    Parameters
    ----------
    path
        File to write, ``NAME.tif``; the tracks go to ``NAME_tracks.csv`` beside it.
    movie
        What the labels belong to.
    count
        Frames that will be written at most; those of the movie when None.
    """

    def __init__(
        self,
        path: str | Path,
        movie: Movie | TrackedMovie,
        count: int | None = None,
    ) -> None:
        self.path = Path(path)
        self._movie = movie
        self._lineage = Lineage()
        self._done = 0
        self._closed = False
        frames = len(movie) if count is None else count
        height, width = movie.frame_shape
        self._big = frames * height * width * 4 > MOST_CLASSIC_BYTES
        self._dtype: np.dtype[Any] = np.dtype(np.uint32 if self._big else np.uint16)
        self._draft = draft_of(self.path)
        with saving(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # What lies there may be a link that leads elsewhere.
            self._draft.unlink(missing_ok=True)
            self._writer = TiffWriter(self._draft, bigtiff=self._big)

    @property
    def tracks_path(self) -> Path:
        """File of the tracks."""
        return tracks_beside(self.path)

    def write(self, frame: int, labels: NDArray[Any], lineage: Lineage) -> None:
        """Write the next frame.

        Parameters
        ----------
        frame
            Index in the movie.
        labels
            Track labels, (Y, X), 0 is background.
        lineage
            Tracks and parents as known so far.

        Raises
        ------
        SaveError
            When the disk is full or fails; the file is taken away again.
        """
        if labels.shape != self._movie.frame_shape:
            raise SaveError(
                f"{self.path.name}: expected labels of shape "
                f"{self._movie.frame_shape}, as the frames of the movie, found "
                f"{labels.shape} for frame {frame}."
            )
        if labels.max(initial=0) > np.iinfo(self._dtype).max:
            self._try(self._widen)
        self._try(lambda: self._append(labels))
        self._lineage = lineage
        self._done += 1

    def close(self) -> None:
        """Give the file its name and write the tracks; without frames, leave nothing.

        Raises
        ------
        SaveError
            When that fails; an earlier file is as it was.
        """
        if self._closed:
            return
        if not self._done:
            self.discard()
            return
        self._try(self._writer.close)
        self._try(self._describe)
        self._try(lambda: draft_of(self.tracks_path).unlink(missing_ok=True))
        write_text_safely(self.tracks_path, tracks_as_csv(self._lineage))
        self._try(lambda: self._draft.replace(self.path))
        self._closed = True

    def discard(self) -> None:
        """Take away what was written."""
        self._closed = True
        with saving(self.path):
            try:
                self._writer.close()
            finally:
                self._draft.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        elif not self._closed:
            self.discard()

    def _try(self, step: Callable[[], object]) -> None:
        """Do a step; when the disk fails, leave nothing half-written."""
        with saving(self.path):
            try:
                step()
            except OSError:
                self.discard()
                raise

    def _append(self, labels: NDArray[Any]) -> None:
        size = self._movie.pixel_size
        self._writer.write(
            labels.astype(self._dtype),
            photometric="minisblack",
            compression="zlib",
            contiguous=False,
            metadata=None,
            # Replaced when closed: only then the number of frames is known.
            description=None if self._done else "labels",
            resolution=(1 / size[1], 1 / size[0]) if size else None,
            resolutionunit="NONE" if size else None,
        )

    def _widen(self) -> None:
        """Begin anew with 32 bits and copy the frames written so far."""
        self._writer.close()
        narrow = draft_of(self._draft)
        self._draft.replace(narrow)
        self._dtype = np.dtype(np.uint32)
        count, self._done = self._done, 0
        try:
            self._writer = TiffWriter(self._draft, bigtiff=self._big)
            with TiffFile(narrow) as tif:
                for page in tif.pages if count else ():
                    self._append(page.asarray())
                    self._done += 1
        finally:
            narrow.unlink()

    def _describe(self) -> None:
        """Say what the axes are, now that the number of frames is known."""
        text = self._as_imagej() if self._dtype == np.uint16 else self._as_ome()
        with TiffFile(self._draft, mode="r+") as tif:
            tif.pages.first.tags["ImageDescription"].overwrite(text)

    def _as_imagej(self) -> str:
        movie = self._movie
        facts: dict[str, Any] = {"unit": "um"} if movie.pixel_size else {}
        if movie.frame_interval:
            facts |= {"finterval": movie.frame_interval, "tunit": "s"}
        shape = (self._done, *movie.frame_shape)
        return imagej_description(shape, axes="TYX", **facts)

    def _as_ome(self) -> str:
        movie = self._movie
        facts: dict[str, Any] = {"axes": "TYX", "Name": movie.name}
        if movie.pixel_size:
            y, x = movie.pixel_size
            facts |= {"PhysicalSizeY": y, "PhysicalSizeX": x}
            facts |= {"PhysicalSizeYUnit": "µm", "PhysicalSizeXUnit": "µm"}
        if movie.frame_interval:
            facts |= {"TimeIncrement": movie.frame_interval, "TimeIncrementUnit": "s"}
        shape = (self._done, *movie.frame_shape)
        stored = (self._done, 1, 1, *movie.frame_shape, 1)
        xml = OmeXml()
        xml.addimage(self._dtype, shape, stored, **facts)
        # The tag holds ASCII: other letters are written as references.
        return xml.tostring().encode("ascii", "xmlcharrefreplace").decode("ascii")


def tracks_beside(path: Path) -> Path:
    """File of the tracks that belongs to a TIFF of labels."""
    return path.with_name(f"{path.stem}_tracks.csv")


def tracks_as_csv(lineage: Lineage) -> str:
    """Write tracks as lines of label, first and last frame, count of frames, parent."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _, track in sorted(lineage.tracks.items()):
        count = count_frames(track.intervals)
        writer.writerow((track.label, track.begin, track.end, count, track.parent))
    return text.getvalue()
