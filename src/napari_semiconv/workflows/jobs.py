"""The one long job of a session, done in a thread; no Qt."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal

from psygnal import Signal

from ..errors import SemiconvError
from .progress import Progress, Steps, Stop, StoppedError, finish

JobKind = Literal[
    "open",
    "preview",
    "segment",
    "solve",
    "export",
    "import",
    "correct",
    "follow",
    "look",
    "teach",
    "undo",
]
# Short ones of these kinds wait for one another, instead of being refused.
QUEUED = frozenset({"correct"})
Place = tuple[int, int, int]  # frame, row and column
JobState = Literal["running", "done", "stopped", "failed"]


Begin = Callable[[Stop], Steps[Any]]


class BusyError(SemiconvError):
    """Another job is running; nothing was changed."""


@dataclass(eq=False)
class Job:
    """Long work of a session, done in a thread.

    Parameters
    ----------
    kind
        What is done.
    title
        What the user reads.
    place
        Where in the movie it is about something, if it is.
    state
        Whether it runs, or how it ended.
    progress
        How far it is.
    notes
        Sentences that the user should read.
    outcome
        What it came to, once it is done.
    error
        Why it failed, in one sentence.
    """

    kind: JobKind
    title: str
    place: Place | None = None
    state: JobState = "running"
    progress: Progress | None = None
    notes: list[str] = field(default_factory=list)
    outcome: Any = None
    error: str = ""
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Tell it to stop after its step; returns at once."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; tell whether it came."""
        return self._ended.wait(seconds)


class JobRunner:
    """Runs one job at a time and tells how far it is, from the job's thread.

    Beside it another one may look at something for the view: it changes nothing, is
    not told as the job that runs, and makes way for it.
    """

    job_changed = Signal(object)
    progressed = Signal(object)
    aside_ended = Signal(object)

    def __init__(self) -> None:
        self.job: Job | None = None
        self.aside: Job | None = None
        self._turn = threading.Lock()
        self._waiting: deque[tuple[Job, Begin]] = deque()

    @property
    def jobs(self) -> list[Job]:
        """The job that runs and those that wait for it, first come first."""
        running = [] if self.job is None else [self.job]
        return [*running, *(job for job, _ in self._waiting)]

    def start(
        self, kind: JobKind, title: str, begin: Begin, place: Place | None = None
    ) -> Job:
        """Start a job; a correction waits for those before it.

        Parameters
        ----------
        kind, title, place
            As in `Job`.
        begin
            Makes its steps.

        Raises
        ------
        BusyError
            When another one runs.
        """
        job = Job(kind, title, place)
        with self._turn:
            if self.job is not None:
                if not {kind, self.job.kind} <= QUEUED:
                    raise BusyError(
                        f"{self.job.title}: wait for its end, or stop it first."
                    )
                self._waiting.append((job, begin))
                return job
            self.job = job
        self._launch(job, begin)
        return job

    def start_aside(
        self, kind: JobKind, title: str, begin: Begin, place: Place | None = None
    ) -> Job:
        """Start a job beside the one that runs; one before it is told to stop.

        ``aside_ended`` tells its end, from its thread.
        """
        job = Job(kind, title, place)
        with self._turn:
            before, self.aside = self.aside, job
        if before is not None:
            before.stop()

        def drive() -> None:
            try:
                self._carry_out(job, begin, lambda _: None)
            finally:
                with self._turn:
                    if self.aside is job:
                        self.aside = None
                job._ended.set()
                self.aside_ended.emit(job)

        threading.Thread(target=drive, daemon=True).start()
        return job

    def _launch(self, job: Job, begin: Begin) -> None:
        self.job_changed.emit(job)
        threading.Thread(target=self._drive, args=(job, begin), daemon=True).start()

    def _drive(self, job: Job, begin: Begin) -> None:
        def tell(_: Progress) -> None:
            self.progressed.emit(job)

        try:
            self._carry_out(job, begin, tell)
        finally:
            with self._turn:
                following = self._waiting.popleft() if self._waiting else None
                self.job = None if following is None else following[0]
            job._ended.set()
            self.job_changed.emit(job)
            if following is not None:
                self._launch(*following)

    def _carry_out(
        self, job: Job, begin: Begin, tell: Callable[[Progress], object]
    ) -> None:
        """Take the steps of a job, and note how it ended."""

        def hear(progress: Progress) -> None:
            if progress.note:
                job.notes.append(progress.note)
            job.progress = progress
            tell(progress)

        state: JobState = "failed"
        try:
            with closing(begin(lambda: job.stopping)) as steps:
                job.outcome = finish(steps, hear)
            state = "done"
        except StoppedError:
            state = "stopped"
        except SemiconvError as error:
            job.error = str(error)
        except Exception as error:
            # The window comes to rest all the same; the trace goes where traces go.
            job.error = (
                f"Something went wrong that should not have: {type(error).__name__}: "
                f"{error}. Nothing that was saved is touched; please report it."
            )
            raise
        finally:
            job.state = state
