"""The one long job of a session, done in a thread; no Qt."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal

from psygnal import Signal

from ..errors import SemiconvError
from .progress import Progress, Steps, Stop, StoppedError, finish

JobKind = Literal["open", "preview", "segment", "solve", "export", "import"]
JobState = Literal["running", "done", "stopped", "failed"]


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
    """Runs one job at a time and tells how far it is, from the job's thread."""

    job_changed = Signal(object)
    progressed = Signal(object)

    def __init__(self) -> None:
        self.job: Job | None = None

    def start(
        self, kind: JobKind, title: str, begin: Callable[[Stop], Steps[Any]]
    ) -> Job:
        """Start a job.

        Raises
        ------
        BusyError
            When another one runs.
        """
        if self.job is not None:
            raise BusyError(f"{self.job.title}: wait for its end, or stop it first.")
        self.job = job = Job(kind, title)
        self.job_changed.emit(job)
        threading.Thread(target=self._drive, args=(job, begin), daemon=True).start()
        return job

    def _drive(self, job: Job, begin: Callable[[Stop], Steps[Any]]) -> None:
        def tell(progress: Progress) -> None:
            if progress.note:
                job.notes.append(progress.note)
            job.progress = progress
            self.progressed.emit(job)

        state: JobState = "failed"
        try:
            with closing(begin(lambda: job.stopping)) as steps:
                job.outcome = finish(steps, tell)
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
            self.job = None
            job._ended.set()
            self.job_changed.emit(job)
