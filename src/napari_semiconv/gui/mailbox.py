"""From the threads of jobs to the thread of the window."""

from collections import deque
from collections.abc import Callable

from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]


class Mailbox(QObject):
    """Does in the thread of the window, in their order, what threads post."""

    _arrived = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._letters: deque[Callable[[], None]] = deque()
        self._arrived.connect(self._deliver)

    def post(self, act: Callable[[], None]) -> None:
        """Have something done; at once in the thread of the window itself."""
        self._letters.append(act)
        self._arrived.emit()

    def clear(self) -> None:
        """Throw away what has not been done yet."""
        self._letters.clear()

    def _deliver(self) -> None:
        if self._letters:
            self._letters.popleft()()
