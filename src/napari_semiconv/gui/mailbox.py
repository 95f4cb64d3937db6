"""From the threads of jobs to the thread of the window."""

from collections import deque
from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, Signal  # type: ignore[attr-defined]


class Mailbox(QObject):
    """Does in the thread of the window, in their order, what threads post.

    One is done before the next begins, also where it lets Qt do what is pending: napari
    does so while it adds an image, and takes no other layer until then.
    """

    _arrived = Signal()
    _left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._letters: deque[Callable[[], None]] = deque()
        self._delivering = False
        self._arrived.connect(self._deliver)
        self._left.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def post(self, act: Callable[[], None]) -> None:
        """Have something done; at once in the thread of the window itself.

        What is posted while another is being done waits for its end.
        """
        self._letters.append(act)
        self._arrived.emit()

    def clear(self) -> None:
        """Throw away what has not been done yet."""
        self._letters.clear()

    def _deliver(self) -> None:
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._letters:
                self._letters.popleft()()
        finally:
            self._delivering = False
            if self._letters:  # one raised; the others are still to be done
                self._left.emit()
