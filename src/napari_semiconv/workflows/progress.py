"""Long work as a generator of progress, driven the same way by everybody."""

import queue
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T")

Stage = Literal[
    "reading",
    "copying",
    "preparing",
    "frames",
    "tracks",
    "writing",
    "history",
    "training",
    "checking",
    "teaching",
]
# Asked again and again whether to stop.
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Progress:
    """How far long work is.

    Parameters
    ----------
    stage
        What is done now.
    done, total
        Frames, or steps of a training, done and to be done in this stage; a total of 0
        is unknown.
    frame
        The frame that has just been finished, if one was.
    seconds
        What it took, in s.
    note
        A sentence that the user should read; may be empty.
    cell_size
        Diameter of a usual cell, in px, once it was estimated.
    masks
        How well masks are expected to overlap the true ones (SEG, 0 to 1), once it is
        known.
    scores
        Loss, and scores on clips held out, of a training or teaching.
    """

    stage: Stage
    done: int = 0
    total: int = 0
    frame: int | None = None
    seconds: float | None = None
    note: str = ""
    cell_size: float | None = None
    masks: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)


Steps = Generator[Progress, None, T]


class StoppedError(Exception):
    """The work was stopped before its end; what it says of itself still holds."""


def never() -> bool:
    """Never ask to stop."""
    return False


def finish(steps: Steps[T], tell: Callable[[Progress], object] | None = None) -> T:
    """Take all steps and give what they come to.

    Parameters
    ----------
    steps
        The work.
    tell
        Told each step.

    Raises
    ------
    StoppedError
        When the work was stopped.
    SemiconvError
        When it cannot be done.
    """
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        if tell is not None:
            tell(step)


def stepwise(
    work: Callable[[Callable[[int, int], None]], T], stage: Stage, stop: Stop = never
) -> Steps[T]:
    """Make steps of work that tells its progress to a function.

    Parameters
    ----------
    work
        Takes what is to be told the frames done and those to do.
    stage
        What is done.
    stop
        Asked after each frame.

    Yields
    ------
    Progress
        A step a frame. Closed early, the work is stopped after its frame.

    Raises
    ------
    StoppedError
        When ``stop`` asked for it.
    """
    reports: queue.Queue[Progress | None] = queue.Queue()
    answer: list[Any] = []
    closed = threading.Event()

    def tell(done: int, total: int) -> None:
        if closed.is_set() or stop():
            raise StoppedError
        reports.put(Progress(stage, done, total))

    def run() -> None:
        try:
            answer.extend((True, work(tell)))
        except BaseException as error:  # noqa: BLE001 - raised again where steps are taken
            answer.extend((False, error))
        reports.put(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while (step := reports.get()) is not None:
            yield step
    finally:
        closed.set()
        thread.join()
    done, value = answer
    if not done:
        raise value
    found: T = value
    return found
