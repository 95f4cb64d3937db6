"""What is shown while work goes on, and how it is stopped between two steps."""

import signal
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from types import FrameType
from typing import Any, Self, TypeVar

from ..workflows.foretelling import in_words
from ..workflows.progress import Progress, Steps, Stop, StoppedError, finish

T = TypeVar("T")

STOPPING = (signal.SIGINT, signal.SIGTERM)


def tell(sentence: str) -> None:
    """Show a sentence beside the work; standard output is for results alone."""
    print(sentence, file=sys.stderr)


def tell_if_watched(sentence: str) -> None:
    """Show a sentence only to somebody who sits at the terminal."""
    if sys.stderr.isatty():
        tell(sentence)


def follow(begin: Callable[[Stop], Steps[T]], unit: str = "frame") -> T:
    """Show how far work is, until it is done.

    Parameters
    ----------
    begin
        Begins the work; what it is given tells whether to stop.
    unit
        What one step is.

    Raises
    ------
    KeyboardInterrupt
        When the user stopped it, unless the work gives what it came to.
    SemiconvError
        When it cannot be done.
    """
    with StopRequest() as stop, progress_bar(0, unit) as bar:
        steps = begin(lambda: stop.came)
        with closing(steps):
            try:
                return finish(steps, partial(_show, bar))
            except StoppedError:
                raise KeyboardInterrupt from None


def progress_bar(total: int, unit: str) -> Any:
    """Make a bar with the time left for a terminal; in a pipe it shows nothing.

    Parameters
    ----------
    total
        Steps in all.
    unit
        What one step is: frame, step.

    Returns
    -------
    tqdm
        A context; call its ``update`` after each step.
    """
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, disable=None, leave=False)


def _show(bar: Any, step: Progress) -> None:
    if step.note:
        bar.write(step.note, file=sys.stderr)
    if step.cell_size is not None:
        tell_if_watched(f"Cell size, estimated: {step.cell_size:.1f} px")
    if step.masks is not None and not step.note:
        tell_if_watched(in_words(step.masks).capitalize())
    if step.scores:
        shown = {name: f"{value:.3f}" for name, value in step.scores.items()}
        bar.set_postfix(shown, refresh=False)
    if step.total:
        bar.total = step.total
        bar.set_description(step.stage, refresh=False)
        bar.update(step.done - bar.n)


class StopRequest:
    """Turns Ctrl+C into a question asked between two steps, so none is half done.

    A second Ctrl+C interrupts at once. ``came`` says whether one has come.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {kind: signal.signal(kind, self._note) for kind in STOPPING}
        return self

    def __exit__(self, *_: object) -> None:
        for kind, handler in self._before.items():
            signal.signal(kind, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True
        tell_if_watched("Stopping after this step; press Ctrl+C again to stop at once.")
