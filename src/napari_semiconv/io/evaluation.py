"""Compare cells and tracks with the truth, in whatever formats both are."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInputError
from ..labels import Labels
from ..tracking.measures.evaluate import Scores, evaluate
from ..tracking.measures.matching import LabelMovie, Table
from .cells import formats
from .cells.ctc.folder import RESULT_MASK, find_truth, numbered_masks
from .cells.ctc.tracked import PiecewiseTracks
from .cells.formats import RECORD
from .cells.tracked import TrackedMovie


@dataclass(frozen=True)
class Compared:
    """One side of a comparison: tracked masks, placed in their movie.

    Parameters
    ----------
    name
        What the user calls it.
    masks
        Labels and tracks, in frames of the movie.
    frames
        Frames of the movie that it covers.
    outlines
        Of a truth: outlines of cells, (Y, X), by frame, in numbers of their own.
    is_part
        Whether the movie is known to have other frames too.
    """

    name: str
    masks: LabelMovie
    frames: range
    outlines: Mapping[int, Labels]
    is_part: bool = False


@dataclass(frozen=True)
class PlacedTracks:
    """Tracked masks, placed in a movie that may begin earlier.

    Parameters
    ----------
    masks
        Labels and tracks.
    begin
        Frame of the movie that the first mask belongs to.
    """

    masks: LabelMovie
    begin: int = 0

    @property
    def frames(self) -> int:
        """Frames of the movie up to the last one with a mask."""
        return self.begin + self.masks.frames

    @property
    def table(self) -> Table:
        """Rows of label, first frame, last frame, parent, (N, 4), in movie frames."""
        moved = self.masks.table.copy()
        moved[:, 1:3] += self.begin
        return moved

    def labels(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame of the movie."""
        return self.masks.labels(frame - self.begin)


class _AllMasks(Mapping[int, Labels]):
    """Masks of all frames as outlines."""

    def __init__(self, tracked: TrackedMovie) -> None:
        self._tracked = tracked

    def __getitem__(self, frame: int) -> Labels:
        labels: Labels = self._tracked.read(frame)
        return labels

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return len(self._tracked)


def compared(tracked: TrackedMovie, frames: range | None = None) -> Compared:
    """Make a side of a comparison of masks and tracks; as truth, masks are outlines.

    Parameters
    ----------
    tracked
        Masks and tracks.
    frames
        Frames that were looked at; all when None.
    """
    every = range(len(tracked))
    frames = every if frames is None else frames
    masks = PiecewiseTracks(tracked)
    return Compared(tracked.name, masks, frames, _AllMasks(tracked), frames != every)


def result_in(path: Path) -> Compared:
    """Read a result of any format that is read, one frame at a time.

    Parameters
    ----------
    path
        File or folder. Where ``segment`` wrote it of some frames of a movie, the record
        beside it says which.

    Raises
    ------
    BadInputError
        When it, or the record, cannot be read.
    """
    found = compared(formats.read(path))
    begin, whole = _record(path)
    if whole:
        return found
    masks = PlacedTracks(found.masks, begin)
    frames = range(begin, masks.frames)
    return Compared(found.name, masks, frames, found.outlines, is_part=True)


def truth_in(path: Path, silver: bool = False) -> Compared:
    """Read a truth: of the challenge, with outlines apart, or of any format.

    Parameters
    ----------
    path
        A folder such as ``01_GT``, or a file or folder of another format, whose masks
        are the outlines too.
    silver
        Take the outlines that lie in ``01_ST/SEG``, made by computers.

    Raises
    ------
    BadInputError
        When it cannot be read, or has no tracks.
    """
    form = formats.detect(path)
    if form is not None and (form.name != "ctc" or _is_result(path)):
        return compared(form.read(path))
    known = find_truth(path, silver)
    if known.tracks is None:
        raise BadInputError(
            f"{path}: expected tracking truth in TRA, found outlines alone. Choose "
            "the truth of a tracked movie, such as 01_GT."
        )
    frames = range(known.tracks.frames)
    return Compared(str(path), known.tracks, frames, known.outlines)


def compare(result: Compared, truth: Compared, frames: range | None = None) -> Scores:
    """Compare a result with the truth, one frame at a time.

    Parameters
    ----------
    result
        The cells found.
    truth
        The true ones.
    frames
        Successive frames of the movie to compare; all of the truth when None, as in
        the Cell Tracking Challenge.

    Raises
    ------
    BadInputError
        When the result does not cover the frames, or files are damaged.
    """
    asked = truth.frames if frames is None else frames
    covered = result.frames
    if asked.start < covered.start or asked.stop > covered.stop:
        raise BadInputError(
            f"{result.name}: expected masks of the frames {asked.start} to "
            f"{asked.stop - 1}, found those of {covered.start} to {covered.stop - 1}. "
            f"Segment the whole movie, or name the frames to compare (--frames A:B)."
        )
    return evaluate(result.masks, truth.masks, truth.outlines, asked)


def _is_result(path: Path) -> bool:
    return bool(numbered_masks(path, RESULT_MASK))


def _record(path: Path) -> tuple[int, bool]:
    """First frame of the movie in a result, and whether all are, by its record."""
    record = (path if path.is_dir() else path.parent) / RECORD
    if not record.is_file():
        return 0, True
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
        whole = int(known["frames"]) == int(known["movie_frames"])
        return int(known["first_frame"]), whole
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"{record}: expected the record of a segmentation, found a damaged file "
            f"({type(error).__name__}). Delete it if the result covers the whole movie."
        ) from error
