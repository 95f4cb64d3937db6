"""Short work in a thread: opening, copying, saving; the window goes on meanwhile."""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeVar

from superqt.utils import GeneratorWorker, create_worker

from ..errors import SemiconvError

T = TypeVar("T")


class Background:
    """Runs one piece of work at a time in a thread and hands back what it returns."""

    def __init__(self) -> None:
        self._worker: GeneratorWorker[Any, None, Any] | None = None
        self._ticket = 0

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[str], None],
    ) -> None:
        """Call ``work`` in a thread, then ``done`` or ``failed`` in the window's."""

        def one_step() -> Generator[None, None, T]:
            yield
            return work()

        self.run_steps(one_step, lambda _: None, done, failed)

    def run_steps(
        self,
        work: Callable[[], Generator[Any, None, T]],
        step: Callable[[Any], None],
        done: Callable[[T], None],
        failed: Callable[[str], None],
    ) -> None:
        """Run a generator in a thread; ``step`` hears what it yields."""
        self.cancel()
        worker = create_worker(work, _start_thread=False, _ignore_errors=True)
        ticket = self._ticket
        worker.yielded.connect(partial(self._if_current, ticket, step))
        worker.returned.connect(partial(self._if_current, ticket, done))
        worker.errored.connect(partial(self._on_error, ticket, failed))
        self._worker = worker
        worker.start()

    def cancel(self) -> None:
        """Stop after the current step; its answer will not be heard."""
        self._ticket += 1
        if self._worker is not None:
            self._worker.quit()
            self._worker = None

    def _if_current(
        self, ticket: int, hear: Callable[[Any], None], answer: Any
    ) -> None:
        if ticket == self._ticket:
            hear(answer)

    def _on_error(
        self, ticket: int, failed: Callable[[str], None], error: Exception
    ) -> None:
        if isinstance(error, SemiconvError):
            self._if_current(ticket, failed, str(error))
            return
        # The panel comes to rest; napari shows the whole trace to whoever looks for it.
        sentence = (
            f"Something went wrong that should not have: {type(error).__name__}: "
            f"{error}. Nothing that was saved is touched; please report it."
        )
        self._if_current(ticket, failed, sentence)
        raise error
