"""What a project's user said of the cells of its frames, as constraints of a run.

A run gets them as a file beside its folder, since it works in a process of its own.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..edits.document import Document
from ..edits.region import labels_in
from ..edits.solving import SolveAgain
from ..errors import BadInputError
from ..inference.constraints import Constraints
from ..safe import draft_of, saving

Rows = NDArray[np.int64]
Labels = NDArray[np.int32]
Window = tuple[slice, slice]


def constraints_of(document: Document, frame: int) -> Constraints:
    """Tell what the user said of a frame.

    Confirmed cells are settled. Cells that were taken away are gone, and marked places
    have none, as far as no confirmed cell lies there.

    Parameters
    ----------
    document
        Masks and tracks as they are now.
    frame
        Index of the frame.
    """
    height, width = document.shape[1:]
    numbers, named = document.masks.read(frame), document.names(frame)
    shown = named.show(numbers)
    tracks = document.lineage.tracks
    confirmed = [n for n in labels_in(shown) if tracks[n].is_confirmed(frame)]
    fixed = np.where(np.isin(shown, confirmed), shown, 0).astype(np.int32)
    hidden = named.hidden()
    gone = np.isin(numbers, hidden) & (fixed == 0) if hidden else None
    absent = [(y, x) for t, y, x in sorted(document.absences) if t == frame]
    free = [place for place in absent if not fixed[place]]
    return Constraints(
        (height, width),
        fixed=fixed if confirmed else None,
        absent=np.array(free, np.int64).reshape(-1, 2),
        gone=gone,
    )


def edit_of(
    frame: int, found: tuple[Window, Labels], correction: Constraints
) -> SolveAgain:
    """Turn cells that were solved again into one edit of a project.

    Parameters
    ----------
    frame
        Index of the frame.
    found
        Rows and columns of the window that changed, and its cells.
    correction
        What the user said just now, of which the cells were solved again.
    """
    (rows, columns), labels = found
    spoken = np.zeros(correction.shape, bool)
    for claim in correction.claims:
        spoken[tuple(claim.pixels.T)] = True
    for count in correction.counts:
        spoken |= count.mask
    return SolveAgain(
        frame,
        rows.start,
        columns.start,
        labels,
        tuple(labels_in(labels[spoken[rows, columns]])),
        tuple((int(y), int(x)) for y, x in correction.absent),
    )


class Said(Mapping[int, Constraints]):
    """What a user said of some frames, each made when it is asked for.

    Parameters
    ----------
    shape
        Height and width of the frames, px.
    fixed
        Pixels of settled masks: frame, place in the frame, label, (N, 3), by frame.
    gone
        Pixels of cells that were taken away: frame and place, (N, 2), by frame.
    absent
        Marked points: frame, row and column, (N, 3), by frame.
    """

    def __init__(
        self, shape: tuple[int, int], fixed: Rows, gone: Rows, absent: Rows
    ) -> None:
        self._shape = shape
        self._rows = (fixed, gone, absent)
        frames = np.concatenate([rows[:, 0] for rows in self._rows])
        self._frames: list[int] = np.unique(frames).tolist()

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[int]:
        return iter(self._frames)

    def __getitem__(self, frame: int) -> Constraints:
        if frame not in self._frames:
            raise KeyError(frame)
        fixed, gone, absent = (self._of(rows, frame) for rows in self._rows)
        labels = np.zeros(self._shape, np.int32)
        labels.ravel()[fixed[:, 1]] = fixed[:, 2]
        mask = np.zeros(self._shape, bool)
        mask.ravel()[gone[:, 1]] = True
        return Constraints(self._shape, fixed=labels, gone=mask, absent=absent[:, 1:])

    @staticmethod
    def _of(rows: Rows, frame: int) -> Rows:
        first, last = np.searchsorted(rows[:, 0], [frame, frame + 1])
        return rows[first:last]


def write_said(path: Path, document: Document, frames: Iterable[int]) -> bool:
    """Write what the user said of some frames; return whether there is anything.

    Parameters
    ----------
    path
        File to write or replace, whole or not at all.
    document
        Masks and tracks as they are now.
    frames
        Which, ascending.

    Raises
    ------
    SaveError
        When it could not be written.
    """
    rows: tuple[list[Rows], ...] = ([], [], [])
    for frame in _spoken_of(document, frames):
        told = constraints_of(document, frame)
        place = np.flatnonzero(told.settled)
        labels = told.settled.ravel()[place]
        rows[0].append(np.stack([np.full(len(place), frame), place, labels], 1))
        place = np.flatnonzero(told.gone) if told.gone is not None else place[:0]
        rows[1].append(np.stack([np.full(len(place), frame), place], 1))
        rows[2].append(np.insert(told.absent, 0, frame, axis=1))
    if not rows[0]:
        return False
    fixed, gone, absent = (np.concatenate(some) for some in rows)
    stream = io.BytesIO()
    shape = np.array(document.shape[1:])
    np.savez_compressed(stream, shape=shape, fixed=fixed, gone=gone, absent=absent)
    draft = draft_of(path)
    with saving(path):
        path.parent.mkdir(exist_ok=True)
        draft.write_bytes(stream.getvalue())
        draft.replace(path)
    return True


def _spoken_of(document: Document, frames: Iterable[int]) -> Iterator[int]:
    """Frames, of some, of which the user said anything."""
    marked = {frame for frame, _, _ in document.absences}
    for track in document.lineage.tracks.values():
        for first, last in track.confirmed:
            marked |= {*range(first, last + 1)}
    for frame in document.named_frames():
        if document.names(frame).hidden():
            marked.add(frame)
    return (frame for frame in frames if frame in marked)


def read_said(path: Path) -> Said:
    """Read what `write_said` wrote.

    Raises
    ------
    BadInputError
        When the file is missing or damaged.
    """
    try:
        with np.load(path) as file:
            height, width = file["shape"].tolist()
            fixed, gone, absent = (file[name] for name in ("fixed", "gone", "absent"))
        return Said((height, width), fixed, gone, absent)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BadInputError(
            f"{path}: expected what was said of the cells of a project, found nothing "
            f"that can be read ({type(error).__name__}). Start the run again."
        ) from error
