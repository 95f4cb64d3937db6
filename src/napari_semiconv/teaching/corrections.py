"""What the user corrected and confirmed in a project, and what is known around it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..edits.document import Document
from ..errors import BadInputError
from ..labels import areas_in, labels_in
from ..project.constraints import constrained, constraints_of
from ..project.project import Project
from .settings import Trust

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
# Cell diameters around a trusted cell in which the user saw that there is no other.
AROUND = 0.5
# Cell diameters around a place marked as empty that are background.
EMPTY = 0.5
# Corrected frames of a project that are learned from; of more, some are taken.
MOST_FRAMES = 64


@dataclass(frozen=True, eq=False)
class TrustedFrame:
    """What is known of one frame.

    Parameters
    ----------
    frame
        Index of the frame.
    cells
        Labels of the trusted cells, (Y, X); 0 elsewhere.
    others
        Where other cells lie, whose outlines nobody looked at, (Y, X).
    empty
        Where certainly no cell is, (Y, X): the user took one away, or said so.
    whole
        Whether all cells of the frame are trusted, and so is its background.
    """

    frame: int
    cells: Labels
    others: Mask
    empty: Mask
    whole: bool

    def truth(self, tracks: Collection[int], size: float) -> Labels:
        """Labels of some of the trusted cells, (Y, X); -1 where nothing is known.

        Parameters
        ----------
        tracks
            Which; of the others not even the surroundings are given away.
        size
            Diameter of a usual cell, px.
        """
        taught = np.isin(self.cells, list(tracks))
        aside = (self.cells > 0) & ~taught
        known = self.empty | self.whole
        if not self.whole:
            known |= _near(taught, AROUND * size)
        known &= ~self.others & ~_near(aside, AROUND * size)
        truth = np.where(taught, self.cells, np.where(known, 0, -1))
        return truth.astype(np.int32)


@dataclass(frozen=True, eq=False)
class Corrections:
    """What can be learned from a project.

    Parameters
    ----------
    name
        Of the project.
    project
        Where it was read from; its movie is read when examples are made.
    frames
        What is known of each frame, ascending.
    parents
        Parent of each trusted track that has one.
    """

    name: str
    project: Project
    frames: Sequence[TrustedFrame]
    parents: dict[int, int]

    @property
    def tracks(self) -> list[int]:
        """Labels of the tracks with trusted cells, ascending."""
        return sorted({n for f in self.frames for n in labels_in(f.cells)})

    @property
    def cells(self) -> int:
        """Count trusted cells, one in each frame."""
        return sum(len(labels_in(frame.cells)) for frame in self.frames)

    @property
    def size(self) -> float | None:
        """Diameter of a usual trusted cell, px; None without any."""
        areas = [areas_in(f.cells[f.cells > 0])[1] for f in self.frames]
        joined = np.concatenate(areas) if areas else np.zeros(0)
        return float(np.sqrt(4 * np.median(joined) / np.pi)) if len(joined) else None


def corrections_of(
    project: Project,
    trust: Trust = "confirmed",
    frames: Iterable[int] | None = None,
) -> Corrections:
    """Gather what is trusted in a project.

    Parameters
    ----------
    project
        The project.
    trust
        ``confirmed`` takes cells that the user drew, corrected or confirmed, those that
        were taken away, and places marked as empty; ``all`` takes every mask as truth,
        and all else as background.
    frames
        Frames to look at; all when None.

    Returns
    -------
    Corrections
        It may hold nothing; see `check_enough`.

    Raises
    ------
    BadInputError
        When the movie has no such frame.
    """
    document = project.document
    count = document.shape[0]
    asked = range(count) if frames is None else sorted(set(frames))
    if wrong := [t for t in asked if not 0 <= t < count]:
        raise BadInputError(
            f"{project.folder.name}: expected frames from 0 to {count - 1}, found "
            f"{wrong[0]}. Name frames of this movie."
        )
    look = _all_of if trust == "all" else _confirmed_of
    found = []
    with document.guard:
        known = asked if trust == "all" else list(constrained(document, asked))
    for frame in _some(known):
        # Somebody may be editing meanwhile: each frame is read as it is at one moment.
        with document.guard:
            found.append(look(document, frame))
    trusted = {n for frame in found for n in labels_in(frame.cells)}
    with document.guard:
        tracks = document.lineage.tracks
        parents = {
            n: tracks[n].parent
            for n in trusted & tracks.keys()
            if tracks[n].parent and (trust == "all" or tracks[n].parent_confirmed)
        }
    kept = [f for f in found if f.cells.any() or f.empty.any() or f.whole]
    return Corrections(project.folder.name, project, kept, parents)


def check_enough(several: Sequence[Corrections]) -> None:
    """Make sure that there is a cell to learn from.

    Raises
    ------
    BadInputError
        When there is none in any of the projects.
    """
    if any(corrections.cells for corrections in several):
        return
    names = ", ".join(corrections.name for corrections in several)
    only = any(corrections.frames for corrections in several)
    found = "only places without a cell" if only else "none"
    raise BadInputError(
        f"{names}: expected cells that were corrected or confirmed, found {found}. "
        f"Correct some cells, or confirm some that are right (Y), and teach then."
    )


def _some(frames: Sequence[int]) -> list[int]:
    """Take the frames, or, of very many, some that lie evenly among them."""
    if len(frames) <= MOST_FRAMES:
        return list(frames)
    places = np.linspace(0, len(frames) - 1, MOST_FRAMES).round().astype(int)
    return [frames[place] for place in places.tolist()]


def _all_of(document: Document, frame: int) -> TrustedFrame:
    labels = document.labels(frame).astype(np.int32)
    nowhere = np.zeros(labels.shape, bool)
    return TrustedFrame(frame, labels, nowhere, nowhere, whole=True)


def _confirmed_of(document: Document, frame: int) -> TrustedFrame:
    constraints = constraints_of(document, frame)
    labels = document.labels(frame)
    cells = constraints.confirmed
    empty = np.zeros(labels.shape, bool)
    if constraints.gone is not None:
        empty |= constraints.gone
    if len(constraints.absent):
        areas = areas_in(labels[labels > 0])[1]
        reach = EMPTY * np.sqrt(4 * np.median(areas) / np.pi) if len(areas) else 1.0
        marks = np.zeros(labels.shape, bool)
        marks[tuple(constraints.absent.T)] = True
        empty |= _near(marks, reach)
    others = (labels > 0) & (cells == 0)
    whole = bool(cells.any()) and not others.any()
    return TrustedFrame(
        frame, cells.astype(np.int32), others, empty & (labels == 0), whole
    )


def _near(mask: Mask, reach: float) -> Mask:
    """Pixels at most so many px away from some others, and these."""
    if not mask.any():
        return mask
    found: Mask = ndimage.distance_transform_edt(~mask) <= reach
    return found
