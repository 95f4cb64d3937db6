"""Corrections that ask the network: it finds the cells again as the user says."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...edits.shaping import SplitByPoints
from ...errors import BadInputError, EditError
from ...inference.constraints.model import Constraints, Count
from ...project.correcting import region_around
from ...workflows.following import FollowedCell
from ...workflows.jobs import Job
from ..state import Offer
from .following import Following
from .place import Place

# Frames that a cell is followed at the most, in one go.
FARTHEST = 30

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ...workflows.session import Session
    from .corrector import Corrector


class Network:
    """Asks the computing process for cells, one step to undo each.

    Parameters
    ----------
    corrector
        Says what cannot be done, and does by shape what the network cannot.
    """

    def __init__(self, corrector: "Corrector") -> None:
        self._corrector = corrector
        # What is done instead when the network cannot; it is handed why.
        self._instead: dict[Job, Callable[[str], object]] = {}

    def split(self, one: Place, other: Place) -> bool:
        """Part the cell of two places, by shape where no run computed the frame."""
        if not self._session.can_constrain(one.frame):
            return self._split_by_shape(one, other)
        job = self._session.constrain(
            one.frame, Constraints(self._shape, cannot_link=[_pixels(one, other)])
        )
        self._instead[job] = partial(self._split_by_shape, one, other)
        return True

    def together(self, one: Place, other: Place) -> bool:
        """Find the cell anew that two places belong to."""
        self.need_run(one.frame)
        self._session.constrain(
            one.frame, Constraints(self._shape, must_link=[_pixels(one, other)])
        )
        return True

    def count(self, place: Place, cells: int) -> None:
        """Find a number of cells where a cell, and those that touch it, are."""
        self.need_run(place.frame)
        labels = self._corrector.project.document.labels(place.frame)
        region = region_around(labels, *place.pixel)
        constraints = Constraints(self._shape, counts=[Count(region, cells)])
        self._session.constrain(place.frame, constraints)

    def add(self, place: Place) -> None:
        """Add the cell that is seen at a place."""
        self.need_run(place.frame)
        self._session.add_cell(place.frame, *place.pixel)

    def follow(self, label: int, frame: int) -> None:
        """Follow a cell into the next frames; what is found is previewed."""
        self.need_run(frame)
        last = self._corrector.project.document.shape[0] - 1
        self._session.follow(frame, label, min(frame + FARTHEST, last))

    def look_closer(self) -> None:
        """Have the frame in view ready, so that the first answer comes quickly."""
        self._session.look_closer(self._corrector.frame)

    def heard(self, job: Job) -> None:
        """Hear of the end of a job; what could not be done is said where it was."""
        instead = self._instead.pop(job, None)
        if job.kind == "follow" and job.state == "done":
            self._show_followed(job.outcome)
        if job.state != "failed":
            return
        if instead is not None:
            instead(job.error)
        elif job.place is not None:
            frame, y, x = job.place
            self._corrector.refuse(job.error, Place(frame, y, x))

    def _show_followed(self, followed: FollowedCell) -> None:
        corrector = self._corrector
        if not followed.masks:
            place = corrector.middle(followed.frame, followed.label)
            corrector.refuse(followed.note, place)
            return
        tool = Following(corrector, followed)
        corrector.hold(tool)
        corrector.bench.say(
            followed.note or "Step through the frames to look at it.",
            "said",
            Offer("Take over", corrector.accept, "All of it (Enter)."),
            Offer(
                "Up to this frame",
                partial(_accept_so_far, corrector, tool),
                "What is outlined up to the frame in view.",
            ),
            Offer("Put away", corrector.disarm, "Change nothing (Esc)."),
        )

    @property
    def _session(self) -> "Session":
        return self._corrector.bench.session

    @property
    def _shape(self) -> tuple[int, int]:
        height, width = self._corrector.project.document.shape[1:]
        return height, width

    def need_run(self, frame: int) -> None:
        """Make sure that the network can be asked about a frame.

        Raises
        ------
        EditError
            When it is at work.
        BadInputError
            When no run computed the frame.
        """
        if self._session.can_constrain(frame):
            return
        job = self._session.job
        if job is not None:
            raise EditError(
                f"{job.title}: expected the network to be free, found it at work. Wait "
                f"for its end, or draw by hand meanwhile."
            )
        raise BadInputError(
            f"Frame {frame} was computed by no run: expected one, whose network can be "
            f"asked again. Draw by hand, or find the cells of this frame under Find."
        )

    def _split_by_shape(self, one: Place, other: Place, why: str = "") -> bool:
        halves = (one.y, one.x), (other.y, other.x)
        edit = SplitByPoints(one.frame, one.label, halves)
        done = self._corrector.do(edit, other)
        if done and why:
            text = f"Cell {one.label} was split by its shape, not by the network: {why}"
            self._corrector.bench.say(text, "note")
        return done


def _accept_so_far(corrector: "Corrector", tool: Following) -> None:
    if corrector.tool is tool:
        corrector.run(lambda c: tool.accept_until(c.frame))
        corrector.disarm()


def _pixels(*places: Place) -> "NDArray[np.int64]":
    return np.array([place.pixel for place in places], np.int64)
