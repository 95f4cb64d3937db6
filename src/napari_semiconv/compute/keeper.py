"""Save the state of a run now and then, so that it can go on after a stop."""

import time
from typing import Any

from ..io.results import ResultStore
from .book import TrackBook
from .tools import Tools

# Share of the time of a run that may go into saving its state.
SHARE = 0.02
# Seconds that saving is taken to cost before it was first done: runs of less than two
# and a half seconds save nothing.
FIRST_COST = 0.05


class StateKeeper:
    """Saves the state of a run often enough and not too often.

    Parameters
    ----------
    store
        The result folder.
    tools
        Writes a state.
    book
        Where the tracks are kept: they are written with every state, so that those of
        the frames that are not computed again are always there.
    every
        Frames between two states; None saves as often as 2 % of the time allow.
    """

    def __init__(
        self, store: ResultStore, tools: Tools, book: TrackBook, every: int | None
    ) -> None:
        self._store, self._tools, self._book = store, tools, book
        self._every = every
        self._frames, self._saved, self._cost = 0, time.perf_counter(), FIRST_COST
        self._last: Any = None

    def offer(self, result: Any) -> None:
        """Note a result that was written, and save the state after it if it is time.

        Raises
        ------
        SaveError
            When the disk is full or fails; states saved before stay.
        """
        self._last = result
        self._frames += 1
        if self._every is not None:
            due = self._frames >= self._every
        else:
            due = (time.perf_counter() - self._saved) * SHARE >= self._cost
        if due:
            self.save()

    def save(self) -> None:
        """Save the state after the last frame, if a run can go on from there.

        Raises
        ------
        SaveError
            When the disk is full or fails; states saved before stay.
        """
        result, self._last = self._last, None
        if result is None or result.state is None:
            return
        start = time.perf_counter()
        # A state is worth nothing without the frames before it.
        self._store.sync()
        self._book.save()
        self._tools.save_state(self._store.states.path(result.frame), result.state())
        self._store.states.thin()
        self._saved, self._frames = time.perf_counter(), 0
        self._cost = self._saved - start
