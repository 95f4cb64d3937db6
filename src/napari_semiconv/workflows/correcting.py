"""Work the user's constraints on a frame into a project: one edit."""

import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np

from ..compute.messages import (
    FrameRequest,
    MovieChoice,
    Resegmented,
    ResegmentRequest,
)
from ..compute.supervisor import Supervisor
from ..errors import BadInputError, EditError
from ..inference.constraints.model import Constraints
from ..project.constraints import write_constraints
from ..project.correcting import Correction, correction_of
from ..project.project import Project
from ..project.runs.run import ProjectRun
from ..safe import write_array_safely
from .computing_again import number_of_run
from .opening import check_writable
from .progress import Progress, Steps, Stop, StoppedError, never
from .segmenting import supervised


def correct(
    project: Project,
    frame: int,
    constraints: Constraints,
    *,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[Resegmented]:
    """Resegment the cells of a frame that the user's new constraints are about.

    The constraints from before hold as well, but for confirmed cells that the new ones
    are about. What changes is one step to undo; the cells that the new ones are about
    are confirmed then. The first time in a frame the network sees it again; its
    output is kept by the computing process, so that the next time takes a fraction of a
    second.

    Parameters
    ----------
    project
        The project, open for writing.
    frame
        Index of a frame that a run of the project computed.
    constraints
        What is to hold from now on, in pixels of the movie.
    supervisor
        Runs the computing process; one of its own when None.
    stop
        Asked again and again whether to stop; then nothing is changed.

    Returns
    -------
    Resegmented
        What the computing process answered; the edit is in the project.

    Raises
    ------
    BadInputError
        When no run computed the frame, the constraints contradict themselves, or the
        movie is not found.
    ComputeError
        When not all constraints can hold, or the computing process fails; nothing was
        changed.
    EditError
        When the frame was changed meanwhile.
    SaveError
        When the project can only be read, or nothing can be written.
    StoppedError
        When ``stop`` asked for it.
    """
    check_writable(project)
    run = run_of(project, frame)
    if not constraints:
        raise BadInputError(
            f"Frame {frame}: expected a constraint on its cells, found none. Name "
            f"pixels that belong together or do not, or a number of cells."
        )
    correction = correction_of(project.document, frame, constraints)
    return (yield from _worked_in(project, run, correction, None, supervisor, stop))


def add_cell(
    project: Project,
    frame: int,
    place: tuple[int, int],
    *,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[Resegmented]:
    """Add the cell that the user sees at a pixel and that was missed.

    Its mask is what the network sees there, without pixels of other cells; a cell that
    is not confirmed and has the pixel swallowed it, and is split. It is one step to
    undo; the new cell is confirmed.

    Parameters
    ----------
    project
        The project, open for writing.
    frame
        Index of a frame that a run of the project computed.
    place
        Row and column of the pixel.
    supervisor, stop
        As in `correct`.

    Raises
    ------
    BadInputError
        When no run computed the frame, the pixel lies outside of it or in a confirmed
        cell, or the movie is not found.
    ComputeError
        When the network sees no cell there, or the computing process fails; nothing was
        changed.
    EditError
        When the frame was changed meanwhile.
    SaveError
        When the project can only be read, or nothing can be written.
    StoppedError
        When ``stop`` asked for it.
    """
    check_writable(project)
    run = run_of(project, frame)
    shape = project.document.shape[1:]
    added = Constraints((shape[0], shape[1]), must_link=[np.array([place], np.int64)])
    correction = correction_of(project.document, frame, added)
    known = int(correction.labels[place])
    if known and project.lineage.tracks[known].is_confirmed(frame):
        raise BadInputError(
            f"The pixel (y {place[0]}, x {place[1]}) is of cell {known}, which is "
            f"confirmed in frame {frame}: expected one of no cell. Split that cell, "
            f"or take its confirmation back."
        )
    return (yield from _worked_in(project, run, correction, place, supervisor, stop))


def _worked_in(
    project: Project,
    run: ProjectRun,
    correction: Correction,
    seed: tuple[int, int] | None,
    supervisor: Supervisor | None,
    stop: Stop,
) -> Steps[Resegmented]:
    """Have the child work a correction in, and adopt what it found."""
    yield Progress("preparing")
    with tempfile.TemporaryDirectory(prefix="semiconv-") as scratch:
        request = _request(project, run, correction, seed, Path(scratch))
        with (
            supervised(supervisor) as child,
            closing(child.follow(request, stop)) as messages,
        ):
            for message in messages:
                # The answer may have been on its way when the user stopped it.
                if isinstance(message, Resegmented) and not (
                    message.cancelled or stop()
                ):
                    _adopt(project, correction, message)
                    return message
    raise StoppedError


def _request(
    project: Project,
    run: ProjectRun,
    correction: Correction,
    seed: tuple[int, int] | None,
    scratch: Path,
) -> ResegmentRequest:
    request = ResegmentRequest(
        **dict(seen_again(project, run, correction.frame)),
        labels=scratch / "labels.npy",
        constraints=scratch / "constraints.npz",
        output=scratch / "window.npy",
        seed=seed,
    )
    write_array_safely(request.labels, correction.labels)
    known = [(correction.frame, correction.constraints)]
    write_constraints(request.constraints, known, packed=False)
    return request


def seen_again(project: Project, run: ProjectRun, frame: int) -> FrameRequest:
    """Ask for what needs the network's maps of a frame that a run computed.

    Parameters
    ----------
    project
        The project.
    run
        The last run that computed the frame.
    frame
        Index of the frame.

    Raises
    ------
    BadInputError
        When the movie is not found.
    """
    movie = project.movie()
    assert movie.path is not None, "a project finds its movie as a file"
    return FrameRequest(
        movie=MovieChoice.of(movie, movie.path),
        settings=run.settings,
        frame=frame,
        begin=run.frames.start,
        run=run.folder,
    )


def _adopt(project: Project, correction: Correction, message: Resegmented) -> None:
    frame = correction.frame
    with project.editing():
        if not np.array_equal(project.document.labels(frame), correction.labels):
            raise EditError(
                f"Frame {frame} was changed while its cells were segmented again: "
                f"expected it as it was. Correct it once more."
            )
        y, x, height, width = message.box
        found = np.load(message.output)
        window = slice(y, y + height), slice(x, x + width)
        project.do(correction.edit(window, found))


def run_of(project: Project, frame: int) -> ProjectRun:
    """Find the last run that computed a frame.

    Raises
    ------
    BadInputError
        When none did, or the movie has no such frame.
    """
    return ProjectRun(project, number_of_run(project, frame))
