"""Find and follow cells: every run fills a project."""

import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..compute.messages import (
    CellSize,
    Finished,
    FrameDone,
    Message,
    MovieChoice,
    Outlook,
    Preview,
    Previewed,
    Segment,
    Started,
)
from ..compute.supervisor import Supervisor
from ..errors import BadInputError, EditError
from ..movie import Movie
from ..project.project import Project
from ..project.runs.run import (
    ProjectRun,
    begin_run,
    is_worthless,
    unfinished_run,
)
from ..settings import SegmentSettings
from .copying import keep
from .foretelling import warning_of
from .opening import check_writable
from .progress import Progress, Steps, Stop, StoppedError, never
from .solving import solve_steps


@dataclass(frozen=True)
class Segmented:
    """What came of a run.

    Parameters
    ----------
    project
        The project that it filled, open.
    done, total
        Frames that are there and that were asked for.
    cancelled
        Whether it was stopped before its end; `go_on` computes the rest.
    skipped
        Frames that could not be read, and why.
    """

    project: Project
    done: int
    total: int
    cancelled: bool
    skipped: Mapping[int, str]


def segment(
    movie: Movie,
    folder: str | Path,
    settings: SegmentSettings | None = None,
    frames: range | None = None,
    *,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[Segmented]:
    """Make a project of a movie and find and follow the cells of its frames.

    Parameters
    ----------
    movie
        The movie; one that is only in memory is kept beside the project first.
    folder
        The project folder: new or empty.
    settings
        How to segment and track; the usual way when None.
    frames
        Which frames; all when None.
    supervisor
        Runs the computing process; one of its own when None.
    stop
        Asked again and again whether to stop; finished frames stay.

    Returns
    -------
    Segmented
        What came of it. The project is open; closing it is up to the caller.

    Raises
    ------
    SemiconvError
        When it cannot be done. Frames that were finished stay in the project; without
        any the folder is taken away again.
    """
    folder = Path(folder)
    movie = yield from keep(movie, folder, stop)
    project = Project.create(folder, movie)
    try:
        return (
            yield from run(project, settings, frames, supervisor=supervisor, stop=stop)
        )
    except BaseException:
        worthless = is_worthless(project)
        project.close()
        if worthless:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def run(
    project: Project,
    settings: SegmentSettings | None = None,
    frames: range | None = None,
    *,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[Segmented]:
    """Find and follow the cells of frames of a project's movie as a new run.

    What is confirmed stays. All frames are one step to undo.

    Parameters
    ----------
    project
        The project, open for writing.
    settings, frames, supervisor, stop
        As in `segment`.

    Raises
    ------
    BadInputError
        When the movie is not found, or has no such frames.
    ComputeError
        When the computing process fails; the frames before are in the project.
    """
    check_writable(project)
    movie = project.movie()
    chosen = range(len(movie)) if frames is None else frames
    begun = begin_run(project, chosen, settings or SegmentSettings())
    return (yield from fill(project, begun, movie, supervisor, stop))


def go_on(
    project: Project,
    *,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[Segmented]:
    """Go on with the run of a project that stopped before its end.

    Parameters
    ----------
    project
        The project, open for writing.
    supervisor, stop
        As in `segment`.

    Raises
    ------
    BadInputError
        When no run stopped, or the movie is not found.
    ComputeError
        When the computing process fails; the frames before are in the project.
    """
    check_writable(project)
    stopped = unfinished_run(project)
    if stopped is None:
        raise BadInputError(
            f"{project.folder.name}: expected a run that stopped before its end, found "
            f"none. Name the frames that are to be computed again."
        )
    return (yield from fill(project, stopped, project.movie(), supervisor, stop))


@dataclass(frozen=True, eq=False)
class FramePreview:
    """The cells of one frame, found to look at; nothing is kept.

    Parameters
    ----------
    frame
        Index of the frame.
    labels
        Its cells, (Y, X).
    cells
        How many.
    seconds
        What it took.
    masks
        How well they are expected to overlap the true ones (SEG, 0 to 1).
    """

    frame: int
    labels: NDArray[np.int32]
    cells: int
    seconds: float
    masks: float | None = None


def preview(
    movie: MovieChoice,
    settings: SegmentSettings,
    frame: int,
    *,
    supervisor: Supervisor,
    stop: Stop = never,
) -> Steps[FramePreview]:
    """Find the cells of one frame, to see whether the settings fit.

    Parameters
    ----------
    movie
        Where the computing process finds the movie.
    settings
        How to segment.
    frame
        Index of the frame.
    supervisor, stop
        As in `segment`.

    Raises
    ------
    ComputeError
        When it cannot be done.
    StoppedError
        When ``stop`` asked for it.
    """
    with tempfile.TemporaryDirectory(prefix="semiconv-") as scratch:
        request = Preview(
            movie=movie,
            settings=settings,
            frame=frame,
            output=Path(scratch) / "cells.npy",
        )
        masks: float | None = None
        with closing(supervisor.follow(request, stop)) as messages:
            for message in messages:
                if isinstance(message, CellSize):
                    yield Progress("preparing", cell_size=message.px)
                elif isinstance(message, Outlook):
                    masks = message.masks
                    yield Progress("preparing", masks=masks)
                elif isinstance(message, Previewed) and not stop():
                    labels = np.load(message.output)
                    cells, seconds = message.cells, message.seconds
                    return FramePreview(frame, labels, cells, seconds, masks)
    raise StoppedError


@contextmanager
def supervised(supervisor: Supervisor | None) -> Iterator[Supervisor]:
    """Give what runs the computing process: one of its own, ended here, for None."""
    if supervisor is not None:
        yield supervisor
        return
    with Supervisor() as own:
        yield own


def fill(
    project: Project,
    run: ProjectRun,
    movie: Movie,
    supervisor: Supervisor | None,
    stop: Stop,
) -> Steps[Segmented]:
    """Adopt the frames of a run as they come; then decide the tracks together.

    Parameters
    ----------
    project
        The project, open for writing.
    run
        A run that was begun, or stopped.
    movie
        The project's movie.
    supervisor, stop
        As in `segment`.

    Raises
    ------
    ComputeError
        When the computing process fails; the frames before are in the project.
    """
    finished: Finished | None = None
    skipped: dict[int, str] = {}
    with (
        supervised(supervisor) as child,
        closing(_messages(run, movie, child, stop)) as messages,
    ):
        for message in messages:
            if isinstance(message, Finished):
                finished = message
            else:
                if isinstance(message, FrameDone) and message.unreadable:
                    skipped[message.frame] = message.unreadable
                yield from _steps_of(message)
    # The supervisor ends every run with that message, or with an error.
    assert finished is not None
    cancelled = finished.cancelled
    if not cancelled and run.facts.undecided:
        cancelled = yield from _decide(project, run, stop)
    return Segmented(project, finished.done, finished.total, cancelled, skipped)


def _decide(project: Project, run: ProjectRun, stop: Stop) -> Steps[bool]:
    """Decide the tracks of a run; tell whether that was stopped.

    Without it the frames are there, linked as they came; going on decides later.
    """
    within = range(run.facts.first, run.frames.stop)
    try:
        if project.lineage.tracks:
            steps = solve_steps(project, run.settings, within, run.facts.group, stop)
            if (yield from steps) is None:
                return True
    except EditError as error:
        yield Progress("tracks", note=str(error))
    else:
        run.decided()
    return False


def _steps_of(message: Message) -> Iterator[Progress]:
    if isinstance(message, CellSize):
        yield Progress("preparing", cell_size=message.px)
    elif isinstance(message, Outlook):
        note = warning_of(message.masks)
        yield Progress("preparing", masks=message.masks, note=note)
    elif isinstance(message, Started):
        yield Progress("frames", message.done, note=message.note)
    elif isinstance(message, FrameDone):
        skipped = f"Skipped: {message.unreadable}" if message.unreadable else ""
        yield Progress(
            "frames",
            message.done,
            message.total,
            message.frame if message.final else None,
            message.seconds,
            " ".join(filter(None, (skipped if message.final else "", message.note))),
        )


def _messages(
    run: ProjectRun, movie: Movie, supervisor: Supervisor, stop: Stop
) -> Generator[Message, None, None]:
    assert movie.path is not None, "a project finds its movie as a file"
    request = Segment(
        movie=MovieChoice.of(movie, movie.path),
        settings=run.settings,
        frames=(run.frames[0], run.frames[-1]),
        output=run.folder,
        resume=True,
        constraints=run.write_constraints(),
        after=run.before,
    )
    context = run.facts.first - run.frames[0]
    with closing(supervisor.follow(request, stop)) as messages:
        for message in messages:
            if isinstance(message, Started) and message.done:
                run.adopt_ready(message.done)
            elif isinstance(message, FrameDone) and message.final:
                run.adopt(message.frame, message.born)
                # What the user fixed meanwhile holds for what is still to come.
                run.refresh_constraints(message.frame + 1)
            if isinstance(message, FrameDone) and message.frame < run.facts.first:
                continue
            yield _without_context(message, context)


def _without_context(message: Message, context: int) -> Message:
    """Count the frames asked for alone, not those that the network saw before."""
    if not isinstance(message, Started | FrameDone | Finished):
        return message
    counts = {"done": max(0, message.done - context)}
    if not isinstance(message, Started):
        counts["total"] = message.total - context
    return message.model_copy(update=counts)
