"""Keep a run in its folder, frame by frame, with its states and its log."""

import shutil
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..project.runs.store import LOG, RunStore
from ..tracking.evidence import Evidence
from ..tracking.lineage import Lineage
from .tools import Tools

# Share of the time that may go into saving the tracks while frames are computed.
TRACKS_SHARE = 0.05
# Share of the time of a run that may go into saving its state.
STATE_SHARE = 0.02
# Seconds that saving is taken to cost before it was first done: runs of less than two
# and a half seconds save nothing.
FIRST_COST = 0.05


class RunWriter:
    """Keeps frames and tracks of a run in its folder.

    Parameters
    ----------
    store
        The folder of the run.
    after
        Frame that an earlier run goes on after; what comes later is taken away once the
        next frame is written. None for a folder without frames.
    lineage
        Tracks up to that frame.
    """

    def __init__(
        self,
        store: RunStore,
        after: int | None = None,
        lineage: Lineage | None = None,
    ) -> None:
        self._store, self._after = store, after
        self._wrote = False
        self._rewound = after is None
        self._saved, self._cost = time.perf_counter(), 0.0
        self.lineage = Lineage() if lineage is None else lineage

    def write(
        self,
        frame: int,
        labels: NDArray[np.int32],
        lineage: Lineage,
        evidence: Evidence | None = None,
    ) -> None:
        """Write the labels, (Y, X), of a frame.

        A frame that comes again takes the place of what it was before.
        """
        self._rewind()
        if evidence is not None:
            self._store.write_evidence(frame, evidence)
        self._store.write_frame(frame, labels)
        self._wrote, self.lineage = True, lineage
        if (time.perf_counter() - self._saved) * TRACKS_SHARE > self._cost:
            self.save()

    def save(self) -> None:
        """Write the tracks as they are now."""
        start = time.perf_counter()
        self._store.write_lineage(self.lineage)
        self._saved = time.perf_counter()
        self._cost = self._saved - start

    def close(self, *, cancelled: bool = False) -> None:
        """Finish the run; a folder that got no frame is taken away again.

        Parameters
        ----------
        cancelled
            Whether the run stopped before its end. If it had not come to a frame of its
            own, earlier ones are left as they are.
        """
        if not self._wrote and self._after is None:
            shutil.rmtree(self._store.folder)
            return
        if cancelled and not self._rewound:
            return
        self._rewind()
        self.save()
        self._store.finish(cancelled=cancelled)

    def _rewind(self) -> None:
        """Take away what an earlier run has after the state that is gone on from."""
        if self._after is not None and not self._rewound:
            self._store.rewind(self._after)
            self.save()
        self._rewound = True


class StateSaver:
    """Saves the state of a run often enough and not too often.

    Parameters
    ----------
    store
        The folder of the run.
    tools
        Writes a state.
    writer
        Where the tracks are kept: they are written with every state, so that those of
        the frames that are not computed again are always there.
    every
        Frames between two states; None saves as often as 2 % of the time allow.
    """

    def __init__(
        self, store: RunStore, tools: Tools, writer: RunWriter, every: int | None
    ) -> None:
        self._store, self._tools, self._writer = store, tools, writer
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
            due = (time.perf_counter() - self._saved) * STATE_SHARE >= self._cost
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
        self._writer.save()
        self._tools.save_state(self._store.states.path(result.frame), result.state())
        self._store.states.thin()
        self._saved, self._frames = time.perf_counter(), 0
        self._cost = self._saved - start


class RunLog:
    """What happened in a run and when; a full disk does not stop the run because of it.

    Parameters
    ----------
    folder
        The folder of the run; nothing is written while it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG

    def add(self, *lines: str) -> None:
        """Add lines, with the time."""
        now = datetime.now().astimezone().isoformat(" ", "milliseconds")
        # Opened each time: the folder may be taken away, and two processes write.
        with suppress(OSError), self._path.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{now}  {line}\n" for line in lines)
