"""What is shown while work goes on, and how it is stopped between two steps."""

import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

STOPPING = (signal.SIGINT, signal.SIGTERM)


def tell(sentence: str) -> None:
    """Show a sentence beside the work; standard output is for results alone."""
    print(sentence, file=sys.stderr)


def tell_if_watched(sentence: str) -> None:
    """Show a sentence only to somebody who sits at the terminal."""
    if sys.stderr.isatty():
        tell(sentence)


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


@contextmanager
def closing_early(steps: Iterator[Any]) -> Iterator[None]:
    """Close a generator even when not all its steps were taken: it tidies up then."""
    try:
        yield
    finally:
        if isinstance(steps, Generator):
            steps.close()


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
