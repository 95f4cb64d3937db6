"""Measurements of the open project, kept up with its edits by a thread; no Qt."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from psygnal import Signal

from ..edits.change import Touched
from ..errors import SemiconvError
from ..io.cells.cell_columns import cell_table
from ..io.cells.columns import Table, Units
from ..io.cells.measuring import Measures, channels_of, measured_frame
from ..io.cells.track_columns import frame_table, track_table
from ..io.cells.tracked import TrackedMovie
from ..movie import Movie
from ..project.project import Project
from .jobs import Job
from .progress import Progress, Steps, Stop
from .session import Session

# Seconds from one making of the tables to the next: edits come in bursts.
PAUSE = 0.3
# How often progress is told of all frames, at most.
REPORTS = 100
WITHOUT_MOVIE = (
    "The movie is not at hand, so there are no intensities. 'Find the movie…' under "
    "Movie, or open it, and they are measured."
)


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of a project.

    Parameters
    ----------
    cells
        A row for each cell and frame.
    tracks
        A row for each track.
    frames
        A row for each frame.
    note
        A sentence on what is missing; may be empty.
    """

    cells: Table
    tracks: Table
    frames: Table
    note: str = ""


class _Gone(Exception):
    """What was being measured is no longer open, or nobody looks."""


class Measuring:
    """Measures the open project while somebody looks, only what was touched again.

    Signals come from its thread.

    Parameters
    ----------
    session
        What is open.
    """

    progressed = Signal(int, int)
    measured = Signal(object)
    failed = Signal(str)

    def __init__(self, session: Session) -> None:
        self._session = session
        self._news = threading.Condition()
        self._project: Project | None = None
        self._movie: Movie | None = None
        self._frames: dict[int, Measures] = {}
        # Frames that were touched while they may have been measured.
        self._touched: set[int] = set()
        # Counts what was opened: what is measured of the one before is thrown away.
        self._opened = 0
        self._dirty = self._watched = self._measuring = self._closed = False
        self.latest: Measured | None = None
        session.project_changed.connect(self._on_opened)
        session.movie_changed.connect(self._on_opened)
        session.touched.connect(self._on_touched)
        self._on_opened()
        threading.Thread(target=self._work, daemon=True).start()

    def watch(self, watched: bool) -> None:
        """Begin to measure, because somebody looks, or rest."""
        with self._news:
            self._watched = watched
            self._news.notify()

    @property
    def resting(self) -> bool:
        """Whether all that is open is measured as it is now."""
        with self._news:
            return not (self._dirty or self._measuring)

    def close(self) -> None:
        """End for good."""
        session = self._session
        session.project_changed.disconnect(self._on_opened)
        session.movie_changed.disconnect(self._on_opened)
        session.touched.disconnect(self._on_touched)
        with self._news:
            self._closed = True
            self._opened += 1
            self._news.notify()

    def _on_opened(self, _: object = None) -> None:
        session = self._session
        with self._news:
            project, movie = session.project, session.movie
            if project is self._project and movie is self._movie:
                return
            self._project, self._movie = project, movie
            self._frames, self.latest = {}, None
            self._opened += 1
            self._dirty = project is not None
            self._news.notify()
        self.measured.emit(None)

    def _on_touched(self, touched: Touched) -> None:
        with self._news:
            for frame in touched.frames:
                self._frames.pop(frame, None)
            self._touched |= touched.frames
            self._dirty = True
            self._news.notify()

    def _work(self) -> None:
        while True:
            with self._news:
                while not (self._closed or (self._dirty and self._watched)):
                    self._news.wait()
                if self._closed:
                    return
                self._dirty, self._measuring = False, True
                opened, project, movie = self._opened, self._project, self._movie
            try:
                if project is not None:
                    self._keep(opened, self._measure(opened, project, movie))
            except _Gone:
                continue
            except SemiconvError as error:
                self._fail(opened, str(error))
            finally:
                with self._news:
                    self._measuring = False
            time.sleep(PAUSE)

    def _keep(self, opened: int, found: Measured) -> None:
        with self._news:
            self._check(opened)
            self.latest = found
        self.measured.emit(found)

    def _fail(self, opened: int, reason: str) -> None:
        """Tell why; not when an edit, or closing, is about to be heard of."""

        def is_past() -> bool:
            return self._dirty or self._closed or opened != self._opened

        with self._news:
            if self._news.wait_for(is_past, PAUSE):
                return
        self.failed.emit(reason)

    def _measure(self, opened: int, project: Project, movie: Movie | None) -> Measured:
        tracked = project.tracked(movie)
        movies = channels_of(tracked)
        self._measure_frames(opened, tracked, movies)
        # Tracks as they are after the last frame was measured.
        tracked = project.tracked(movie)
        with self._news:
            self._check(opened)
            frames = dict(self._frames)
        units = Units(tracked.pixel_size, tracked.frame_interval)
        lineage = tracked.lineage
        cells = cell_table(frames, lineage, units, len(movies), tracked.name)
        tracks = track_table(cells, lineage, units)
        note = "" if movies else WITHOUT_MOVIE
        over_time = frame_table(cells, tracks, len(tracked), units)
        return Measured(cells, tracks, over_time, note)

    def _measure_frames(
        self, opened: int, tracked: TrackedMovie, movies: list[Movie]
    ) -> None:
        with self._news:
            missing = [t for t in range(len(tracked)) if t not in self._frames]
        step = max(1, len(missing) // REPORTS)
        for done, frame in enumerate(missing):
            if done % step == 0:
                self.progressed.emit(done, len(missing))
            self._measure_frame(opened, tracked, movies, frame)
        self.progressed.emit(len(missing), len(missing))

    def _measure_frame(
        self, opened: int, tracked: TrackedMovie, movies: list[Movie], frame: int
    ) -> None:
        while True:
            with self._news:
                self._touched.discard(frame)
            found = measured_frame(tracked, movies, frame)
            with self._news:
                self._check(opened)
                if frame not in self._touched:
                    self._frames[frame] = found
                    return

    def _check(self, opened: int) -> None:
        """Stop when it is measured for nobody; what is measured so far stays."""
        if opened != self._opened or self._closed:
            raise _Gone
        if not self._watched:
            self._dirty = True
            raise _Gone


def write_rows(session: Session, target: Path, write: Callable[[], None]) -> Job:
    """Write what was measured to a new file, as a job.

    Parameters
    ----------
    session
        Whose job.
    target
        The file.
    write
        Writes it.
    """

    def steps(_: Stop) -> Steps[Path]:
        yield Progress("writing")
        write()
        return target

    return session.start("export", f"Writing {target.name}", steps)
