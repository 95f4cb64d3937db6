"""A corrected mask is followed into the next frames: looked at first, then accepted."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..compute.messages import FollowedFrame, FollowEnded, FollowRequest
from ..compute.supervisor import Supervisor
from ..edits.base import Edit, Group
from ..edits.change import Change
from ..edits.masks import Erase, Paint, Redraw
from ..edits.region import Region
from ..edits.results import same_cells
from ..errors import BadInputError, EditError
from ..project.project import Project
from ..safe import write_array_safely
from ..tracking.lineage import Lineage
from .correcting import run_of, seen_again
from .opening import check_writable
from .progress import Progress, Steps, Stop, StoppedError, never
from .segmenting import supervised


@dataclass(frozen=True, eq=False)
class FollowedMask:
    """A cell in a further frame, to look at.

    Parameters
    ----------
    frame
        Index of the frame.
    region
        Its pixels.
    agreement
        How far it agrees with the frame before, 0 to 1.
    """

    frame: int
    region: Region
    agreement: float


@dataclass(frozen=True, eq=False)
class FollowedCell:
    """Where a cell goes, to look at and to `accept`; nothing is changed yet.

    Parameters
    ----------
    frame
        The frame that it was followed from.
    label
        The cell.
    masks
        What was found, frame after frame; may be empty.
    note
        Why it goes no further, in a sentence; may be empty.
    """

    frame: int
    label: int
    masks: tuple[FollowedMask, ...]
    note: str = ""

    def until(self, frame: int) -> "FollowedCell":
        """Leave out what comes after a frame."""
        kept = tuple(mask for mask in self.masks if mask.frame <= frame)
        return FollowedCell(self.frame, self.label, kept, self.note)


def follow(
    project: Project,
    frame: int,
    label: int,
    until: int,
    *,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[FollowedCell]:
    """Follow a cell, whose mask was corrected, into the next frames.

    It ends where embedding or shape do not agree any more, where the cell divides, and
    where it is confirmed. Pixels of other confirmed cells are left to these.

    Parameters
    ----------
    project
        The project.
    frame
        Index of a frame that a run of the project computed.
    label
        A cell in that frame.
    until
        Index of the last frame to follow it to.
    supervisor, stop
        As in `correct`.

    Returns
    -------
    FollowedCell
        What was found; `accept` makes it an edit.

    Raises
    ------
    BadInputError
        When no run computed the frame, the cell is not there, it cannot go on after the
        frame, or the movie is not found.
    ComputeError
        When the computing process fails.
    StoppedError
        When ``stop`` asked for it.
    """
    run = run_of(project, frame)
    last = _last(project, frame, label, until)
    yield Progress("preparing")
    with tempfile.TemporaryDirectory(prefix="semiconv-") as scratch:
        folder = Path(scratch)
        request = FollowRequest(
            **dict(seen_again(project, run, frame)),
            labels=folder / "labels.npy",
            label=label,
            until=last,
            output=folder,
        )
        write_array_safely(request.labels, project.document.labels(frame))
        masks: list[FollowedMask] = []
        with (
            supervised(supervisor) as child,
            closing(child.follow(request, stop)) as messages,
        ):
            for message in messages:
                if isinstance(message, FollowedFrame):
                    region = Region(message.y, message.x, np.load(message.output))
                    found = FollowedMask(message.frame, region, message.agreement)
                    masks.append(found)
                    done = message.frame - frame
                    yield Progress("frames", done, last - frame, message.frame)
                elif isinstance(message, FollowEnded) and not (
                    message.cancelled or stop()
                ):
                    return FollowedCell(frame, label, tuple(masks), message.note)
    raise StoppedError


def _last(project: Project, frame: int, label: int, until: int) -> int:
    """Last frame that a cell may be followed to."""
    count, tracks = project.document.shape[0], project.lineage.tracks
    track = tracks.get(label)
    if track is None or not track.has(frame):
        raise BadInputError(
            f"Cell {label}: expected it in frame {frame}, found no pixels of it there. "
            f"Choose a cell of that frame."
        )
    last = min(until, count - 1)
    daughters = project.lineage.daughters_of(label)
    if daughters:
        last = min(last, min(tracks[one].begin for one in daughters) - 1)
    sure = (t for t in range(frame + 1, last + 1) if track.is_confirmed(t))
    last = next(sure, last + 1) - 1
    if last <= frame:
        why = (
            f"it divides into {' and '.join(map(str, daughters))}"
            if daughters
            else "it is confirmed there, or the movie ends"
        )
        raise BadInputError(
            f"Cell {label} in frame {frame}: expected frames after it to follow it "
            f"into, found none, since {why}. Choose another frame."
        )
    return last


def accept(project: Project, followed: FollowedCell) -> Change:
    """Make a cell that was followed an edit: one step to undo, and confirmed.

    It has its label in all these frames. Cells that are not confirmed lose the pixels;
    one that is the same cell under another label goes.

    Parameters
    ----------
    project
        The project, open for writing.
    followed
        What `follow` found, as far as it is right.

    Raises
    ------
    EditError
        When nothing was found, or the cells were changed so that it does not fit.
    SaveError
        When it cannot be written; nothing was changed.
    """
    check_writable(project)
    if not followed.masks:
        raise EditError(
            f"Cell {followed.label} is found in no frame after {followed.frame}: "
            f"expected one to accept. {followed.note}".strip()
        )
    last = followed.masks[-1].frame
    with project.editing():
        edits = [
            edit for mask in followed.masks for edit in _edits(project, followed, mask)
        ]
        title = f"follow cell {followed.label} to frame {last}"
        return project.do(Group(tuple(edits), title))


def _edits(
    project: Project, followed: FollowedCell, mask: FollowedMask
) -> Iterator[Edit]:
    """Edits that put the mask of one frame in place."""
    frame, label, tracks = mask.frame, followed.label, project.lineage.tracks
    labels = project.document.labels(frame)
    region = _without_confirmed(project.lineage, labels, frame, mask.region)
    alone = np.zeros(labels.shape, np.int32)
    alone[region.box.slices] = np.where(region.mask, label, 0)
    for other in same_cells(labels, alone):
        if other != label and not tracks[other].is_confirmed(frame):
            yield Erase(frame, Region.where(labels == other), other)
    if label in tracks and tracks[label].has(frame):
        yield Redraw(frame, label, region, over=True)
    else:
        yield Paint(frame, label, region, over=True)


def _without_confirmed(
    lineage: Lineage, labels: np.ndarray, frame: int, region: Region
) -> Region:
    here = labels[region.box.slices]
    sure = [
        other
        for other in np.unique(here[region.mask]).tolist()
        if other and lineage.tracks[other].is_confirmed(frame)
    ]
    return Region(region.y, region.x, region.mask & ~np.isin(here, sure))
