"""The project folder: the only place where state lives.

::

    NAME.semiconv/
        project.json   movie, runs, versions
        labels.zarr    stored numbers, (T, Y, X), int32, one checked chunk a frame
        lineage.npz    tracks, confirmations, names and marks, as of some journal entry
        centroids.npz  where the cells lie, as of the same entry; may be missing
        written.json   up to which entry frames may be in labels.zarr
        journal.bin    every edit since the beginning
        runs/0001      private: what a run writes, with its memory for going on
        lock           held by the one who may write

What lies in ``labels.zarr`` and ``lineage.npz`` may be older than the journal: the
entries in between are made again when the project is opened.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from psygnal import Signal

from ..edits.base import Edit
from ..edits.change import Change, Labels, Touched
from ..edits.document import Centroids, Document
from ..edits.history import History
from ..errors import BadInputError, SaveError
from ..io.cells.tracked import TrackedMovie
from ..movie import Movie
from ..tracking.invariants import faults_of_frame, faults_of_lineage
from ..tracking.lineage import Lineage
from .create import Progress, make
from .facts import SUFFIX, ProjectInfo, is_project, write_info
from .locking import Lock
from .movies import MovieFacts, check_movie, find_movie
from .recovery import open_history
from .snapshot import (
    CENTROIDS,
    LINEAGE,
    read_centroids,
    write_centroids,
    write_snapshot,
)
from .soundness import checked_info
from .store import ZarrMasks

# Entries after which tracks and masks are brought up to date on the disk.
ENTRIES_BETWEEN = 500
# Bytes of edits that can no longer be redone, from which closing may clear them away.
SPARE_BYTES = 1 << 20


class Project:
    """An open project; made by `create` and `open`, ended by `close`.

    Any thread may edit it, one at a time; masks, centroids and, with
    ``document.guard`` held, tracks can be read meanwhile. ``changed`` tells every
    change of masks, tracks or marks, in the thread that made it.

    Parameters
    ----------
    folder
        The project folder.
    info
        What it was made from.
    history
        Its document and edits.
    lock
        The lock, when it may be written to.
    notes
        Sentences that the user should read.
    """

    changed = Signal(Touched)

    def __init__(
        self,
        folder: Path,
        info: ProjectInfo,
        history: History,
        lock: Lock | None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.info = info
        self.history = history
        self.notes = notes
        self._lock = lock
        self._movie: Movie | None = None
        self._kept = self._tried = history.journal.last
        # The thread that makes several edits at once, and what it changed so far.
        self._editor: int | None = None
        self._pending: list[Change] = []

    @staticmethod
    def create(
        folder: str | Path,
        movie: Movie,
        found: TrackedMovie | None = None,
        progress: Progress | None = None,
    ) -> "Project":
        """Make a new project and open it.

        Parameters
        ----------
        folder
            Where; new or empty.
        movie
            The movie, with its axes as they are understood.
        found
            Masks and tracks to begin with; none when None.
        progress
            Told the frames done and those to do.

        Raises
        ------
        SaveError
            When there is something in the folder, or it cannot be written.
        BadInputError
            When the masks do not fit the movie or the tracks.
        """
        make(Path(folder), movie, found, progress)
        return Project.open(folder, movie=movie)

    @staticmethod
    def open(
        folder: str | Path, *, movie: Movie | None = None, write: bool = True
    ) -> "Project":
        """Open a project; read only when another program has it open.

        Parameters
        ----------
        folder
            The project folder.
        movie
            Its movie, when that was moved; looked for when None, and only when asked.
        write
            Whether it is to be changed.

        Raises
        ------
        BadInputError
            When it is no project, damaged, or was written by a newer release.
        """
        folder = Path(folder)
        info = checked_info(folder)
        if movie is not None:
            movie = check_movie(folder, movie, info.movie, info.fingerprint)
        history, lock, notes = open_history(folder, write=write)
        try:
            read_centroids(folder / CENTROIDS, history)
            project = Project(folder, info, history, lock, notes)
            if movie is not None:
                project._take_movie(movie)
        except BaseException:
            history.journal.close()
            if lock is not None:
                lock.free()
            raise
        return project

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.close()

    @property
    def document(self) -> Document:
        """Masks and lineage as they are now."""
        return self.history.document

    @property
    def lineage(self) -> Lineage:
        """Tracks as they are now; not to be changed."""
        return self.document.lineage

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed."""
        return self._lock is None

    def movie(self) -> Movie:
        """Open the movie, looking for it where it may have been moved to.

        Raises
        ------
        BadInputError
            When it is not found, or is another one.
        """
        known = self._movie
        if known is None or (known.path is not None and not known.path.exists()):
            found = find_movie(self.folder, self.info.movie, self.info.fingerprint)
            self._take_movie(found)
            return found
        return known

    def use_movie(self, movie: Movie) -> Movie:
        """Take the movie, which was moved, as that of the project.

        Raises
        ------
        BadInputError
            When it is another one.
        """
        info = self.info
        self._take_movie(check_movie(self.folder, movie, info.movie, info.fingerprint))
        return self.movie()

    def set_units(self, movie: Movie) -> None:
        """Take over pixel size and frame interval that the user corrected."""
        units = {
            "pixel_size": movie.pixel_size,
            "frame_interval": movie.frame_interval,
        }
        if self._movie is not None:
            self._movie = self._movie.with_choices(**units)
        if not self.read_only:
            facts = self.info.movie.model_copy(update=units)
            self.note_runs(self.info.model_copy(update={"movie": facts}))

    def do(self, edit: Edit, group: int | None = None) -> Change:
        """Make an edit; see `History.do`."""
        change = self.history.do(edit, group)
        self._tell([change] if change else [])
        return change

    def undo(self) -> list[Change]:
        """Take the last edit back; see `History.undo`."""
        changes = self.history.undo()
        self._tell(changes)
        return changes

    def redo(self) -> list[Change]:
        """Make the edit that was undone last again; see `History.redo`."""
        changes = self.history.redo()
        self._tell(changes)
        return changes

    def centroids(self, frame: int) -> Centroids:
        """Where the cells of a frame lie; kept with the project."""
        return self.document.centroids(frame)

    def offer(self, frame: int, path: Path, labels: Labels) -> None:
        """Take a run's file of a frame for the project's own, if it holds the same.

        Parameters
        ----------
        frame
            Index of the frame.
        path
            The file, a chunk of masks as the project has them.
        labels
            What it holds, (Y, X).
        """
        _masks(self.document).offer(frame, path, labels)

    def tracked(self, movie: Movie | None = None) -> TrackedMovie:
        """Give masks and tracks, as they are now, to an export; edits must wait for it.

        Parameters
        ----------
        movie
            The movie, where pixels are needed.
        """
        facts = self.info.movie
        self.history.catch_up()
        with self.document.guard:
            lineage = Lineage(self.lineage.tracks, self.lineage.score_names)
        return TrackedMovie(
            facts.name,
            self.document.shape,
            self.document.labels,
            lineage,
            facts.pixel_size,
            facts.frame_interval,
            movie,
        )

    def faults(self, progress: Progress | None = None) -> Iterable[str]:
        """Go through all that is wrong with masks and tracks; reads every frame."""
        frames = self.document.shape[0]
        yield from faults_of_lineage(self.lineage, frames)
        for frame in range(frames):
            try:
                labels = self.document.labels(frame)
            except BadInputError as error:
                yield str(error)
                continue
            yield from faults_of_frame(self.lineage, frame, labels)
            if progress is not None:
                progress(frame + 1, frames)
        for entry in self.history.journal.entries:
            if not self.history.journal.is_sound(entry):
                yield f"Entry {entry.number} of the journal is damaged."

    def note_runs(self, info: ProjectInfo) -> None:
        """Record facts that changed.

        Raises
        ------
        SaveError
            When they could not be written.
        """
        self.info = info
        write_info(self.folder, info)

    def save(self) -> None:
        """Bring masks and tracks up to date on the disk.

        Raises
        ------
        SaveError
            When that fails; the journal still has every edit.
        """
        journal = self.history.journal
        with self.history.writing:
            self.history.catch_up()
            if self.read_only or journal.last == self._kept:
                return
            journal.sync()
            _masks(self.document).flush()
            write_snapshot(self.folder / LINEAGE, self.document, journal.last)
            write_centroids(self.folder / CENTROIDS, self.document, journal.last)
            self._kept = self._tried = journal.last

    def close(self) -> None:
        """Save, clear the journal if it pays, and let go; once is enough."""
        try:
            self.save()
            spare = self.history.spare
            size = self.history.journal.path.stat().st_size
            if not self.read_only and spare > max(SPARE_BYTES, size // 2):
                self.history.compact()
        finally:
            self.history.journal.close()
            if self._lock is not None:
                self._lock.free()
            self._lock = None

    @contextmanager
    def editing(self) -> Iterator[None]:
        """Let nobody else edit meanwhile; what changed is told at the end, all at once.

        Whoever is told may edit, save or undo: no lock is held then.
        """
        changes: list[Change] = []
        try:
            with self.history.writing:
                outer, self._editor = self._editor, threading.get_ident()
                try:
                    yield
                finally:
                    self._editor = outer
                    if outer is None:
                        changes, self._pending = self._pending, []
        finally:
            self._tell(changes)

    def _tell(self, changes: Iterable[Change]) -> None:
        if self._editor == threading.get_ident():
            self._pending.extend(change.without_pixels() for change in changes)
            return
        self._keep_up()
        known = [*self.history.take_unheard(), *changes]
        if known:
            self.changed.emit(Touched.by(known))

    def _keep_up(self) -> None:
        last = self.history.journal.last
        if last - self._tried < ENTRIES_BETWEEN:
            return
        self._tried = last
        # The edit itself is in the journal: what fails here is told on closing.
        with suppress(SaveError):
            self.save()

    def _take_movie(self, movie: Movie) -> None:
        self._movie = movie
        facts = MovieFacts.of(movie)
        known = self.read_only or facts == self.info.movie
        if movie.path is not None and not known:
            self.note_runs(self.info.model_copy(update={"movie": facts}))


def _masks(document: Document) -> ZarrMasks:
    assert isinstance(document.masks, ZarrMasks)
    return document.masks


__all__ = ["SUFFIX", "Project", "is_project"]
