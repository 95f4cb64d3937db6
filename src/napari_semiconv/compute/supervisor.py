"""Long work in a child process, without a window: ask, listen, cancel. No torch, no Qt.

>>> with Supervisor() as supervisor:                               # doctest: +SKIP
...     for message in supervisor.follow(Segment(movie=..., output=..., resume=True)):
...         show(message)
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import ComputeError, SemiconvError
from ..project.runs.store import RunStore
from .messages import (
    Cancel,
    Failed,
    Finished,
    FrameDone,
    Message,
    Request,
    Segment,
    Started,
    child_command,
)
from .process import LAST, ChildProcess, Task
from .run_writer import RunLog

# Seconds a cancelled child may take to finish its frame before it is killed: with what
# a busy computer takes to end a large process, all is over within 2 s.
PATIENCE = 1.5
# Seconds between two looks at whether the work is to stop.
TICK = 0.1


class Supervisor:
    """Starts the child when it is needed, follows its work and never leaves it behind.

    All memory, also that of a graphics card, comes back when the child ends: with
    `close`, at the end of a ``with`` block, or with this process.

    Parameters
    ----------
    command
        Program and arguments that start the child; the usual ones when None.
    patience
        Seconds a child that was told to stop may take before it is killed.
    """

    def __init__(
        self, command: Sequence[str] | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._command = list(command or child_command())
        self._patience = patience
        self._child: ChildProcess | None = None
        self._task: Task | None = None
        self._progress: Started | FrameDone | None = None
        self._tickets = count(1)
        self._words: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def words(self) -> tuple[str, ...]:
        """The last lines that the child, or the one before, wrote to its error pipe."""
        return self._words if self._child is None else self._child.words

    def follow(
        self,
        request: Request,
        stop: Callable[[], bool] | None = None,
        *,
        force: bool = True,
    ) -> Generator[Message, None, None]:
        """Send a request and yield the answers as they come, until the last one.

        To close the generator early is to cancel. One request at a time.

        Parameters
        ----------
        request
            What is asked: `Segment`, `Preview`, `ResegmentRequest`, `LookRequest`,
            `FollowRequest`, `TeachRequest` or `Warm`.
        stop
            Asked some ten times a second whether the work is to stop; then it is
            cancelled.
        force
            Whether a child that does not stop within its patience is killed then; else
            it may finish its frame.

        Yields
        ------
        Message
            Answers to this request, under a ticket of their own. A run ends with
            `Finished`, also when it was cancelled, even by force; another request that
            was cancelled may end without its last answer.

        Raises
        ------
        ComputeError
            When the request cannot be done, with the sentence for the user, or when the
            child crashed or was killed; frames that were finished stay.
        """
        child = self._ready()
        ticket = next(self._tickets)
        task = Task(request.model_copy(update={"ticket": ticket}))
        self._task, self._progress = task, None
        child.begin(task)
        try:
            yield from self._answers(child, task, stop, force)
        finally:
            if not task.ended.is_set():
                self.cancel(force=force)

    def cancel(self, *, force: bool = True) -> None:
        """Stop the work: after its frame, or by force once patience has run out.

        Returns at once and may be called from any thread or signal handler. Frames that
        were finished stay. Without ``force`` patience does not run out.
        """
        child, task = self._child, self._task
        if child is None or task is None or task.ended.is_set():
            return
        if not task.cancelled:
            task.cancelled = True
            child.send(Cancel(ticket=task.request.ticket))
        if task.forced or not force:
            return
        task.forced = True
        timer = threading.Timer(self._patience, _kill_unless_ended, [child, task])
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """End the child, by force if it does not end within its patience."""
        if self._task is not None:
            self._task.cancelled = True
        self._drop()

    def _ready(self) -> ChildProcess:
        """Give a child that waits for a request."""
        child, task = self._child, self._task
        # What was cancelled just before may still take its time to stop.
        idle = task is None or task.ended.wait(self._patience)
        if child is not None:
            if idle and child.alive:
                return child
            child.kill()
            self._drop()
        self._child = ChildProcess(self._command)
        return self._child

    def _answers(
        self,
        child: ChildProcess,
        task: Task,
        stop: Callable[[], bool] | None,
        force: bool,
    ) -> Iterator[Message]:
        while True:
            if stop is not None and stop():
                self.cancel(force=force)
            try:
                message = child.take(TICK)
            except EOFError:
                yield from self._after_end(child, task)
                return
            if message is None or message.ticket != task.request.ticket:
                continue
            if isinstance(message, Failed):
                raise ComputeError(message.message)
            if isinstance(message, Started | FrameDone):
                self._progress = message
            yield message
            if isinstance(message, LAST):
                return

    def _after_end(self, child: ChildProcess, task: Task) -> Iterator[Message]:
        """Answer in the place of a child that is gone."""
        code, words, request = child.close(self._patience), child.words, task.request
        self._child, self._words = None, words
        if not task.cancelled:
            raise self._crash(request, child.end(code), words)
        if isinstance(request, Segment):
            RunLog(request.output).add(f"cancelled by force: {self._reached(request)}")
            yield self._finished(request)

    def _crash(
        self, request: Request, end: tuple[str, str], words: Sequence[str]
    ) -> ComputeError:
        what, way_on = end
        if not isinstance(request, Segment):
            return ComputeError(f"The computing process {what}. {way_on}.")
        log = RunLog(request.output)
        log.add(f"stopped: the computing process {what}", *(f"  {w}" for w in words))
        return ComputeError(
            f"The computing process {what}; {self._reached(request)}. {way_on}, then "
            f"run again to go on."
        )

    def _reached(self, request: Segment) -> str:
        done = 0 if self._progress is None else self._progress.done
        if not done:
            return "no frame was finished"
        if done == 1:
            return "1 frame is finished and stays"
        return f"{done} frames are finished and stay"

    def _finished(self, request: Segment) -> Finished:
        progress = self._progress
        first, last = request.frames or (0, -1)
        total = progress.total if isinstance(progress, FrameDone) else 0
        return Finished(
            ticket=request.ticket,
            output=request.output,
            done=0 if progress is None else progress.done,
            total=total or last - first + 1,
            tracks=_count_tracks(request.output),
            cancelled=True,
        )

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close(self._patience)


def _kill_unless_ended(child: ChildProcess, task: Task) -> None:
    if not task.ended.is_set():
        child.kill()


def _count_tracks(folder: Path) -> int:
    try:
        return len(RunStore.open(folder).lineage.tracks)
    except SemiconvError:
        return 0
