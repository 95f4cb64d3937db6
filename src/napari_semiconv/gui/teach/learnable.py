"""What there is to learn from in a project, and where to correct next.

No pixel is read for it.
"""

from dataclasses import dataclass

import numpy as np

from ...errors import counted
from ...project.project import Project
from ...project.suspects.queue import Queue
from ...teaching.corrections import MOST_FRAMES
from ...teaching.lesson import LEAST_TRACKS
from ...tracking.intervals import Intervals, count_frames, holds, joined

# Frames on either side of a corrected one in which no more advice is given.
NEARBY = 3
# Places that advice is given on.
PLACES = 2
# Errors that a frame is to have by estimate before anybody is sent there.
WORTHWHILE = 0.5
NOTHING = (
    "Nothing to learn from yet: under Correct, mend some cells, or confirm some that "
    "are right (Y)."
)


@dataclass(frozen=True)
class Learnable:
    """What there is to learn from in a project.

    Parameters
    ----------
    cells, tracks
        Cells that are corrected or confirmed, one in each frame, and their tracks.
    frames
        Frames that they lie in.
    gone
        Cells that were taken away, and places where the user said that none is.
    """

    cells: int = 0
    tracks: int = 0
    frames: Intervals = ()
    gone: int = 0

    def words(self) -> str:
        """Say it in a sentence or two, with what is missing."""
        if not self.cells:
            return NOTHING
        are = "is" if self.cells == 1 else "are"
        frames = count_frames(self.frames)
        text = (
            f"{counted(self.cells, 'cell')} of {counted(self.tracks, 'track')} {are} "
            f"corrected or confirmed, in {counted(frames, 'frame')}"
        )
        if self.gone:
            text += f"; {self.gone} {'was' if self.gone == 1 else 'were'} taken away"
        text += "."
        if frames > MOST_FRAMES:
            text += f" {MOST_FRAMES} of these frames will be learned from."
        if self.tracks < LEAST_TRACKS:
            text += (
                f" To have checked what was learned, correct cells of "
                f"{LEAST_TRACKS} tracks or more."
            )
        return text


def learnable(project: Project) -> Learnable:
    """Count what there is to learn from in a project."""
    document = project.document
    cells = tracks = 0
    frames: set[tuple[int, int]] = set()
    with document.guard:
        for track in document.lineage.tracks.values():
            if track.confirmed:
                cells += count_frames(track.confirmed)
                tracks += 1
                frames.update(track.confirmed)
        gone = len(document.absences)
        gone += sum(len(document.names(t).hidden()) for t in document.named_frames())
    return Learnable(cells, tracks, joined(frames), gone)


@dataclass(frozen=True)
class Advice:
    """A frame that is worth correcting next.

    Parameters
    ----------
    frame
        Index of the frame.
    errors
        Errors that it has by estimate.
    """

    frame: int
    errors: float

    def words(self) -> str:
        """Say it in a line of the panel."""
        errors = counted(max(1, round(self.errors)), "error")
        return f"Correct next: frame {self.frame}, about {errors}"

    def hint(self) -> str:
        """Say why."""
        return (
            f"Of the frames near which nothing is corrected, most is doubtful in frame "
            f"{self.frame}: a model learns most from what it got wrong."
        )


def advice(queue: Queue | None, known: Learnable) -> tuple[Advice, ...]:
    """Find frames with most doubtful cells, far from what is corrected.

    Parameters
    ----------
    queue
        The suspects, if they are known yet.
    known
        What is corrected already.
    """
    if queue is None or not len(queue):
        return ()
    rows, left = queue.rows, ~queue.looked
    doubts = np.bincount(rows.frame[left], rows.chance[left])
    near = joined(
        (max(0, first - NEARBY), last + NEARBY) for first, last in known.frames
    )
    found: list[Advice] = []
    for frame in np.argsort(-doubts, kind="stable").tolist():
        if len(found) == PLACES or doubts[frame] < WORTHWHILE:
            break
        if holds(near, frame) or any(abs(a.frame - frame) <= NEARBY for a in found):
            continue
        found.append(Advice(frame, float(doubts[frame])))
    return tuple(found)
