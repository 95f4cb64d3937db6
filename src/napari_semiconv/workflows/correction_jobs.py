"""Jobs of a session that mend cells with what the network says of them."""

import threading
from typing import Any

import numpy as np

from ..compute.supervisor import Supervisor
from ..errors import BadInputError
from ..inference.constraints.model import Constraints
from ..project.project import Project
from ..project.runs.run import runs_by_frame
from .computing_again import compute_again
from .correcting import add_cell, correct
from .following import follow
from .jobs import Begin, BusyError, Job, JobKind, JobRunner, Place
from .looking import look
from .progress import Progress, Steps, Stop, StoppedError
from .solving import solve

# Seconds between two looks at whether the computing process is free.
TICK = 0.1


class CorrectionJobs(JobRunner):
    """Mends cells of the open project by the computing process, a job each.

    Each is one step to undo. One that is stopped or fails, or whose process is killed,
    changes nothing.

    Parameters
    ----------
    supervisor
        Runs the computing process; the usual one when None.
    """

    def __init__(self, supervisor: Supervisor | None = None) -> None:
        super().__init__()
        self.supervisor = supervisor or Supervisor()
        self.project: Project | None = None
        self._computing = threading.Lock()
        # Which frames a run computed, as of an entry of the journal.
        self._computed: tuple[object, dict[int, int]] = (None, {})

    def can_constrain(self, frame: int) -> bool:
        """Tell whether cells of a frame can be corrected with the network now.

        It cannot where no run computed the frame, as with masks of other programs, nor
        while the network is busy with a run; split by shape then (`SplitByPoints`).
        """
        project, job = self.project, self.job
        if project is None or project.read_only:
            return False
        if job is not None and job.kind != "correct":
            return False
        mark = (project, project.history.journal.last)
        if mark != self._computed[0]:
            self._computed = (mark, runs_by_frame(project))
        return frame in self._computed[1]

    def constrain(self, frame: int, constraints: Constraints) -> Job:
        """Have the cells of a frame found anew as the user says: see `correct`.

        The first time in a frame the network looks at it again; `look_closer` does that
        beforehand. Corrections wait for one another.

        Raises
        ------
        BadInputError
            When no project is open.
        BusyError
            When a job of another kind runs.
        """
        project = self.need_project()
        self._check_free()
        return self._compute(
            "correct",
            f"Correcting cells of frame {frame}",
            lambda stop: correct(
                project, frame, constraints, supervisor=self.supervisor, stop=stop
            ),
            (frame, *_middle(constraints)),
        )

    def add_cell(self, frame: int, y: int, x: int) -> Job:
        """Add the cell that the user sees at a pixel: see `correcting.add_cell`.

        Raises
        ------
        BadInputError
            When no project is open.
        BusyError
            When a job of another kind runs.
        """
        project = self.need_project()
        self._check_free()
        return self._compute(
            "correct",
            f"Adding a cell to frame {frame}",
            lambda stop: add_cell(
                project, frame, (y, x), supervisor=self.supervisor, stop=stop
            ),
            (frame, y, x),
        )

    def follow(self, frame: int, label: int, until: int) -> Job:
        """Follow a corrected cell into the next frames: see `following.follow`.

        The outcome is a `FollowedCell` to look at; `accept` makes it an edit.

        Raises
        ------
        BadInputError
            When no project is open.
        BusyError
            When another job runs.
        """
        project = self.need_project()
        self._check_free()
        return self._compute(
            "follow",
            f"Following cell {label}",
            lambda stop: follow(
                project, frame, label, until, supervisor=self.supervisor, stop=stop
            ),
            _place_of(project, frame, label),
        )

    def solve_around(self, frames: range) -> Job:
        """Decide the tracks anew whose links lie within some frames.

        What is confirmed, and all links elsewhere, stay; it takes no longer in a long
        movie.

        Raises
        ------
        BadInputError
            When no project is open.
        BusyError
            When another job runs.
        """
        project = self.need_project()
        return self.start(
            "solve",
            f"Deciding tracks of frames {frames.start} to {frames.stop - 1}",
            lambda stop: solve(project, within=frames, stop=stop),
        )

    def compute_again(self, frame: int) -> Job:
        """Compute from a corrected frame on again: see `computing_again`.

        Raises
        ------
        BadInputError
            When no project is open.
        BusyError
            When another job runs.
        """
        project = self.need_project()
        return self._compute(
            "segment",
            f"Computing frames from {frame} on again",
            lambda stop: compute_again(
                project, frame, supervisor=self.supervisor, stop=stop
            ),
        )

    def look_closer(self, frame: int) -> Job | None:
        """Have the network's maps of a frame at hand before it is corrected.

        To be called when a tool is taken up, and when the frame in view changes then.
        It changes nothing, and makes way for every job; None where no run computed the
        frame, or the network is busy.
        """
        project, aside = self.project, self.aside
        if project is None or self.job is not None or not self.can_constrain(frame):
            return None
        if aside is not None and aside.place == (frame, 0, 0) and not aside.stopping:
            # It is being looked at already.
            return aside
        return self._look(project, frame, pictures=False)

    def look(self, frame: int) -> Job:
        """Show what the network says of a frame; the outcome is `FramePictures`.

        It runs beside other jobs, and ``aside_ended`` tells its end.

        Raises
        ------
        BadInputError
            When no project is open.
        BusyError
            When the network is busy with a run.
        """
        project = self.need_project()
        self._check_free()
        return self._look(project, frame, pictures=True)

    def _look(self, project: Project, frame: int, *, pictures: bool) -> Job:
        begin = self._with_network(
            lambda stop: look(
                project,
                frame,
                pictures=pictures,
                supervisor=self.supervisor,
                stop=stop,
            )
        )
        title = f"Looking at frame {frame}"
        return self.start_aside("look", title, begin, (frame, 0, 0))

    def _check_free(self) -> None:
        job = self.job
        if job is not None and job.kind == "teach":
            raise BusyError(
                f"{job.title}: the network is busy until it is done. Correct this by "
                f"hand meanwhile, or stop it first."
            )
        if job is not None and job.kind == "segment":
            raise BusyError(
                f"{job.title}: the network is busy until it is done. Correct this by "
                f"hand meanwhile, which it takes into account, or stop it first."
            )

    def need_project(self) -> Project:
        """Give the open project.

        Raises
        ------
        BadInputError
            When none is open.
        """
        if self.project is None:
            raise BadInputError(
                "Expected an open project, found none. Open one, or find cells first."
            )
        return self.project

    def _compute(
        self, kind: JobKind, title: str, begin: Begin, place: Place | None = None
    ) -> Job:
        """Start a job that needs the computing process, which does one thing a time."""
        job = self.start(kind, title, self._with_network(begin), place)
        aside = self.aside
        if aside is not None and (place is None or aside.place != (place[0], 0, 0)):
            # Of the same frame the maps are needed: it waits for them.
            aside.stop()
        return job

    def _with_network(self, begin: Begin) -> Begin:
        """Begin once the computing process is free."""

        def steps(stop: Stop) -> Steps[Any]:
            while not self._computing.acquire(timeout=TICK):
                if stop():
                    raise StoppedError
                yield Progress("preparing")
            try:
                if stop():
                    raise StoppedError
                return (yield from begin(stop))
            finally:
                self._computing.release()

        return steps


def _place_of(project: Project, frame: int, label: int) -> Place:
    """Frame, row and column of the middle of a cell; the corner of one that is gone."""
    y, x = project.centroids(frame).of_cell(label) or (0.0, 0.0)
    return frame, round(y), round(x)


def _middle(constraints: Constraints) -> tuple[int, int]:
    """Row and column in the middle of what constraints are about."""
    groups = (*constraints.must_link, *constraints.cannot_link, constraints.absent)
    regions = (np.argwhere(count.mask) for count in constraints.counts)
    points = np.concatenate([*groups, *regions])
    if not len(points):
        return 0, 0
    y, x = points.mean(0).round().astype(int).tolist()
    return y, x
