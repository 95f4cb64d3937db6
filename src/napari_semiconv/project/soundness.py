"""What must hold of a project before it is opened: found without reading a frame.

A project may come from somebody else, or from a disk that failed. What does not hold
would end in wrong results, in want of memory or without end.
"""

from pathlib import Path

from ..errors import BadInputError
from ..guard import check_plain
from ..labels import LARGEST_LABEL
from ..tracking.invariants import faults_of_lineage
from ..tracking.lineage import Lineage
from .facts import ProjectInfo, read_info
from .mask_array import LABELS, shape_of
from .snapshot import Snapshot

Shape = tuple[int, int, int]
# Cells in frames, gaps included: a million frames of 64 cells, or a thousand of 65,000.
MOST_CELLS = 2**26


def checked_info(folder: Path) -> ProjectInfo:
    """Read what a project was made from, and make sure that nothing leads out of it.

    Parameters
    ----------
    folder
        The project.

    Raises
    ------
    BadInputError
        When it is none, is damaged or of a newer release, holds links, pipes or
        devices, or its masks are of another shape than its movie.
    """
    info = read_info(folder)
    check_plain(folder)
    masks, movie = shape_of(folder / LABELS), info.movie.stack
    if masks != movie:
        raise BadInputError(
            f"{folder / LABELS}: expected masks of shape {movie}, as the movie of the "
            f"project, found {masks}. Restore that folder from a copy."
        )
    return info


def check_snapshot(path: Path, snapshot: Snapshot, shape: Shape) -> None:
    """Refuse tracks, names and marks that no movie of that shape can have.

    Parameters
    ----------
    path
        The file they come from.
    snapshot
        What it holds.
    shape
        Frames, height and width of the movie, (T, Y, X).

    Raises
    ------
    BadInputError
        When there are any.
    """
    check_lineage(path, snapshot.lineage, shape)
    frames, height, width = shape
    named = all(0 <= frame < frames for frame in snapshot.names) and all(
        0 <= number <= LARGEST_LABEL and 1 <= abs(label) <= LARGEST_LABEL
        for names in snapshot.names.values()
        for number, label in names
    )
    marked = all(
        0 <= t < frames and 0 <= y < height and 0 <= x < width
        for t, y, x in snapshot.absences
    )
    counted = (
        snapshot.applied >= 0
        and max(snapshot.lineage.tracks, default=0)
        < snapshot.next_number
        <= LARGEST_LABEL + 1
    )
    for sound, what in (
        (named, "names"),
        (marked, "marks"),
        (counted, "counters"),
    ):
        if not sound:
            raise BadInputError(
                f"{path}: expected {what} that a movie of shape {shape} can have, "
                f"found others. Restore that file from a copy."
            )


def check_lineage(path: Path, lineage: Lineage, shape: Shape) -> None:
    """Refuse tracks of which does not hold what always holds.

    Parameters
    ----------
    path
        The file they come from.
    lineage
        The tracks.
    shape
        Frames, height and width of the movie, (T, Y, X).

    Raises
    ------
    BadInputError
        When there are any.
    """
    fault = next(faults_of_lineage(lineage, shape[0]), None)
    cells = sum(t.end - t.begin + 1 for t in lineage.tracks.values() if t.intervals)
    if fault is None and cells > MOST_CELLS:
        fault = f"{cells} cells in frames are more than {MOST_CELLS}."
    if fault is not None:
        raise BadInputError(
            f"{path}: expected sound tracks, found others: {fault} Restore that file "
            f"from a copy."
        )
