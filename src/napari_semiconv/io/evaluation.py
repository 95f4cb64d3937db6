"""Evaluate a result folder against a truth folder."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInputError
from ..tracking.matching import Labels, Table
from ..tracking.measures import Scores, evaluate
from .ctc import CtcFolder, find_truth, read_ctc


@dataclass(frozen=True)
class PlacedTracks:
    """Tracked masks of a folder, placed in a movie that may begin earlier.

    Parameters
    ----------
    folder
        The masks and their table.
    begin
        Frame of the movie that the first mask belongs to.
    """

    folder: CtcFolder
    begin: int = 0

    @property
    def frames(self) -> int:
        """Frames of the movie up to the last one with a mask."""
        return self.begin + len(self.folder.masks)

    @property
    def table(self) -> Table:
        """Rows of label, first frame, last frame, parent, (N, 4), in movie frames."""
        moved = self.folder.table.copy()
        moved[:, 1:3] += self.begin
        return moved

    def labels(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame of the movie."""
        return self.folder.labels(frame - self.begin)


def evaluate_folders(
    result: str | Path,
    truth: str | Path,
    frames: range | None = None,
    begin: int = 0,
    silver: bool = False,
) -> Scores:
    """Compare a result folder with the truth of its movie, one frame at a time.

    Parameters
    ----------
    result
        Folder with ``mask*.tif`` and ``res_track.txt``.
    truth
        Folder such as ``01_GT``, with ``TRA`` and, for the outlines, ``SEG``.
    frames
        Successive frames of the movie to compare; all of them if None, as in the Cell
        Tracking Challenge.
    begin
        Frame of the movie that the first mask of the result belongs to.
    silver
        Take the outlines that lie in ``01_ST/SEG``, made by computers.

    Raises
    ------
    BadInputError
        When files are missing or damaged, or the result lacks frames of the truth.
    """
    known = find_truth(truth, silver)
    if known.tracks is None:
        raise BadInputError(
            f"{truth}: expected tracking truth in TRA, found outlines alone. Choose "
            "the truth of a tracked movie, such as 01_GT."
        )
    found = PlacedTracks(read_ctc(result), begin)
    asked = range(len(known.tracks.masks)) if frames is None else frames
    if asked.start < begin or asked.stop > found.frames:
        raise BadInputError(
            f"{result}: expected masks of the frames {asked.start} to "
            f"{asked.stop - 1}, found those of {begin} to {found.frames - 1}. Segment "
            "the whole movie, or name the frames to compare (--frames A:B)."
        )
    return evaluate(found, PlacedTracks(known.tracks), known.outlines, asked)
