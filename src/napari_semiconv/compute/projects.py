"""Run the network for a project: in the child, its frames taken over as they come."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress

from ..errors import BadInputError, SaveError
from ..movie import Movie
from ..project.project import Project
from ..project.runs import ProjectRun, begin_run, unfinished_run
from ..project.solving import solve_steps
from ..settings import SegmentSettings
from .messages import (
    Finished,
    FrameDone,
    Message,
    MovieChoice,
    Segment,
    Solving,
    Started,
)
from .supervisor import Supervisor

Stop = Callable[[], bool]


def run_project(
    project: Project,
    settings: SegmentSettings,
    frames: range | None = None,
    *,
    supervisor: Supervisor,
    stop: Stop | None = None,
) -> Iterator[Message]:
    """Segment and track frames of a project's movie as a new run.

    What is confirmed stays. All frames are one step to undo.

    Parameters
    ----------
    project
        The project, open for writing.
    settings
        How to segment and track.
    frames
        Which frames; all when None.
    supervisor
        Runs the child.
    stop
        Asked again and again whether to stop.

    Yields
    ------
    Message
        What the child says, a frame once it is in the project.

    Raises
    ------
    BadInputError
        When the movie is not found, or has no such frames.
    ComputeError
        When the child fails; the frames before are in the project.
    """
    check_writable(project)
    movie = project.movie()
    chosen = range(len(movie)) if frames is None else frames
    run = begin_run(project, chosen, settings)
    messages = _follow(run, movie, settings, supervisor, stop)
    yield from _with_solving(messages, project, run, stop)


def resume_project(
    project: Project, *, supervisor: Supervisor, stop: Stop | None = None
) -> Iterator[Message]:
    """Go on with the run of a project that stopped before its end.

    Parameters
    ----------
    project
        The project, open for writing.
    supervisor
        Runs the child.
    stop
        Asked again and again whether to stop.

    Yields
    ------
    Message
        What the child says, a frame once it is in the project.

    Raises
    ------
    BadInputError
        When no run stopped, or the movie is not found.
    ComputeError
        When the child fails; the frames before are in the project.
    """
    check_writable(project)
    run = unfinished_run(project)
    if run is None:
        raise BadInputError(
            f"{project.folder.name}: expected a run that stopped before its end, found "
            f"none. Name the frames that are to be computed again."
        )
    messages = _follow(run, project.movie(), run.settings, supervisor, stop)
    yield from _with_solving(messages, project, run, stop)


class _Stopped(Exception):
    """The user stopped while tracks were weighed."""


def _with_solving(
    messages: Iterator[Message], project: Project, run: ProjectRun, stop: Stop | None
) -> Iterator[Message]:
    """Weigh all tracks together once the last frame is there, if that was asked for."""
    for message in messages:
        if isinstance(message, Finished) and not message.cancelled:
            settings = run.settings
            if settings.link.solver == "global" and not settings.engine_info.links:
                yield from _solve(project, run, settings, message.ticket, stop)
            tracks = len(project.lineage.tracks)
            message = message.model_copy(update={"tracks": tracks})
        yield message


def _solve(
    project: Project,
    run: ProjectRun,
    settings: SegmentSettings,
    ticket: int,
    stop: Stop | None,
) -> Iterator[Message]:
    if not project.lineage.tracks:
        return
    within = range(run.facts.first, run.frames.stop)

    def ask() -> None:
        if stop is not None and stop():
            raise _Stopped

    steps = solve_steps(project, settings, within, run.facts.group, ask)
    # The frames are there, linked as they came; `solve` can weigh them later.
    with closing(steps), suppress(_Stopped):
        for done, total in steps:
            yield Solving(ticket=ticket, done=done, total=total)
            ask()


def _follow(
    run: ProjectRun,
    movie: Movie,
    settings: SegmentSettings,
    supervisor: Supervisor,
    stop: Stop | None,
) -> Iterator[Message]:
    assert movie.path is not None, "a project finds its movie as a file"
    request = Segment(
        movie=MovieChoice.of(movie, movie.path),
        settings=settings,
        frames=(run.frames[0], run.frames[-1]),
        output=run.folder,
        resume=True,
        said=run.write_said(),
    )
    for message in supervisor.follow(request, stop):
        if isinstance(message, Started) and message.done:
            run.take_ready(message.done)
        elif isinstance(message, FrameDone) and message.final:
            run.take(message.frame, message.born)
        if isinstance(message, FrameDone) and message.frame < run.facts.first:
            continue
        yield _without_context(message, run.facts.first - run.frames[0])


def _without_context(message: Message, context: int) -> Message:
    """Count the frames asked for alone, not those that the network saw before."""
    if not isinstance(message, Started | FrameDone | Finished):
        return message
    counts = {"done": max(0, message.done - context)}
    if not isinstance(message, Started):
        counts["total"] = message.total - context
    return message.model_copy(update=counts)


def check_writable(project: Project) -> None:
    """Refuse a project that cannot be changed.

    Raises
    ------
    SaveError
        When it was opened to be read only.
    """
    if project.read_only:
        raise SaveError(
            f"{project.folder.name}: opened to be read only, so nothing can be "
            f"computed for it. Close it where it is open, and open it again."
        )
