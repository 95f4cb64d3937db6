"""From the threads of jobs, and from one turn of the event loop to the next."""

from collections import deque
from collections.abc import Callable

from qtpy.QtCore import QObject, QThread, QTimer, Signal  # type: ignore[attr-defined]


class Mailbox(QObject):
    """Does in the thread of the window, in their order, what is posted to it.

    Each letter has a turn of the event loop of its own, so that the window answers in
    between; none is opened while another is being read. napari tells of a step of its
    slider while it is still adding a layer: another layer added then breaks its list.
    """

    _arrived = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._letters: deque[Callable[[], None]] = deque()
        self._last: deque[Callable[[], None]] = deque()
        self._reading = False
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._deliver)
        self._arrived.connect(self._turn.start)

    @property
    def empty(self) -> bool:
        """Whether all that was posted is done."""
        return not (self._letters or self._last or self._reading)

    def post(self, act: Callable[[], None]) -> None:
        """Have something done; at once in the window's thread, if nothing waits."""
        free = not self._letters and not self._reading
        if free and QThread.currentThread() is self.thread():
            self._read(act)
            return
        self._letters.append(act)
        self._arrived.emit()

    def next(self, act: Callable[[], None]) -> None:
        """Have something done in the next turn, before all that waits."""
        self._letters.appendleft(act)
        self._arrived.emit()

    def last(self, act: Callable[[], None]) -> None:
        """Have something done when nothing else waits."""
        self._last.append(act)
        self._arrived.emit()

    def clear(self) -> None:
        """Throw away what has not been done yet."""
        self._letters.clear()
        self._last.clear()

    def _deliver(self) -> None:
        waiting = self._letters or self._last
        if waiting and not self._reading:
            self._read(waiting.popleft())

    def _read(self, act: Callable[[], None]) -> None:
        self._reading = True
        try:
            act()
        finally:
            self._reading = False
            if self._letters or self._last:
                self._turn.start()
