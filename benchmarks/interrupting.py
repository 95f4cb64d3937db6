"""Interrupt this program at any instant: as Ctrl+C does, but at a chosen line."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import napari_semiconv

_OURS = str(Path(napari_semiconv.__file__).parent)


class Interrupter:
    """Counts the lines of the package that run, and interrupts one of them.

    Parameters
    ----------
    line
        The line, counted from 1, before which `KeyboardInterrupt` is raised; none when
        None, and all are counted.
    """

    def __init__(self, line: int | None = None) -> None:
        self.count = 0
        self.came = False
        self._line = line

    def run(self, work: Callable[[], object]) -> None:
        """Do some work of this thread, until it ends or is interrupted."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            work()
        except KeyboardInterrupt:
            if not self.came:
                raise
        finally:
            sys.settrace(before)

    def _called(self, frame: FrameType, event: str, _what: Any) -> Any:
        ours = frame.f_code.co_filename.startswith(_OURS)
        return self._passed if ours and event == "call" else None

    def _passed(self, _frame: FrameType, event: str, _what: Any) -> Any:
        if event == "line":
            self.count += 1
            if self.count == self._line:
                self.came = True
                raise KeyboardInterrupt
        return self._passed
