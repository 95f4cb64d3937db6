"""Measure how long the window does not answer."""

import time
from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, QTimer

# Milliseconds between beats; far below what a person notices.
BEAT = 5


class Heartbeat(QObject):
    """Beats in the event loop; the longest pause is how long the window was frozen.

    Parameters
    ----------
    clock
        Gives the time, in s.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._clock = clock
        self._last = clock()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT)
        self._timer.timeout.connect(self._beat)

    @property
    def longest(self) -> float:
        """Longest pause between two beats, in s."""
        return max(self.gaps, default=0.0)

    def start(self) -> None:
        """Begin to measure."""
        self.gaps.clear()
        self._last = self._clock()
        self._timer.start()

    def stop(self) -> None:
        """End the measurement."""
        self._timer.stop()

    def _beat(self) -> None:
        now = self._clock()
        self.gaps.append(now - self._last)
        self._last = now
