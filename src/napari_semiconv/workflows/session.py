"""What is open: a movie, its project, what is selected and the one job that runs.

The window, its tools, lists and views listen to a session and keep no copy. There is no
Qt here: signals may come from the thread of a job.
"""

import shutil
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from psygnal import Signal

from ..compute.messages import Ready, Warm
from ..compute.supervisor import Supervisor
from ..edits.base import Edit
from ..edits.change import Change, Touched
from ..errors import BadInputError, EditError, SemiconvError
from ..io.movies.opener import open_movie
from ..movie import Movie
from ..project.project import Project
from ..project.runs.run import ProjectRun, is_worthless, unfinished_run
from ..settings import SegmentSettings
from .copying import ScratchCopy, keep
from .exporting import export
from .following import FollowedCell, accept
from .importing import import_tracked
from .jobs import BusyError, Job
from .opening import Found, folder_for, recognise
from .progress import Progress, Steps, Stop, StoppedError
from .segmenting import FramePreview, Segmented, go_on, preview, run
from .solving import solve
from .teaching_jobs import TeachingJobs

# Seconds that closing waits for a job that was told to stop.
PATIENCE = 10.0


class Session(TeachingJobs):
    """Owns what is open and tells every change of it.

    Parameters
    ----------
    supervisor
        Runs the computing process; the usual one when None.
    """

    movie_changed = Signal(object)
    project_changed = Signal(object)
    touched = Signal(Touched)
    frame_changed = Signal(int)
    selection_changed = Signal(frozenset)
    ready = Signal(Ready)

    def __init__(self, supervisor: Supervisor | None = None) -> None:
        super().__init__(supervisor)
        self.movie: Movie | None = None
        self.frame = 0
        self.selection: frozenset[int] = frozenset()
        self._scratch = ScratchCopy()
        self._closed = False

    def open(self, path: str | Path) -> Job:
        """Open a movie or a project; of anything else only tell what it is.

        The outcome of the job is what was `Found` there. Masks of other programs and
        old results need a movie and a place: see `import_tracked`.
        """
        path = Path(path)

        def steps(_: Stop) -> Steps[Found]:
            yield Progress("reading")
            found = recognise(path)
            if found.kind == "movie":
                self.take_movie(open_movie(path))
            elif found.kind == "project":
                yield from self._open_project(path)
            return found

        return self.start("open", f"Opening {path.name}", steps)

    def take_movie(self, movie: Movie) -> None:
        """Work on a movie that is open; the project of another one is closed."""
        self.close_project()
        self._set_movie(movie)

    def change_movie(self, movie: Movie) -> None:
        """Work on the same movie, read in another way.

        Raises
        ------
        BadInputError
            When a project is open, whose cells are those of the movie as it was.
        """
        if self.project is not None and self.movie is not None:
            now, then = ((m.axes, m.channel, m.z) for m in (movie, self.movie))
            if now != then:
                raise BadInputError(
                    f"{self.project.folder.name}: expected the axes, channel and slice "
                    f"that its cells were found in, found others. Close the project, "
                    f"or make another one for that channel."
                )
            self.project.set_units(movie)
        self._set_movie(movie)

    def find_movie(self, path: Path) -> Job:
        """Open the movie of the open project where it is now."""
        project = self.need_project()

        def steps(_: Stop) -> Steps[Found]:
            yield Progress("reading")
            movie = project.use_movie(open_movie(path))
            self._set_movie(movie)
            return Found("movie", path)

        return self.start("open", f"Opening {path.name}", steps)

    def close_project(self) -> None:
        """Save and close the project; its movie stays open.

        Raises
        ------
        BusyError
            When a job works on it.
        """
        job = self.job
        if job is not None and job.kind not in ("open", "import"):
            raise BusyError(f"{job.title}: wait for its end, or stop it first.")
        self._drop_project()

    def close(self) -> None:
        """Stop what runs, save, and let all go; once is enough."""
        self._closed = True
        jobs = self.jobs
        for job in jobs:
            job.stop()
        for job in jobs:
            self.supervisor.cancel()
            job.wait(PATIENCE)
        self._drop_project()
        self.supervisor.close()
        self._scratch.close()

    @property
    def unfinished(self) -> ProjectRun | None:
        """The run of the open project that stopped before its end, if one did."""
        return None if self.project is None else unfinished_run(self.project)

    def go_to(self, frame: int) -> None:
        """Look at a frame."""
        if frame != self.frame:
            self.frame = frame
            self.frame_changed.emit(frame)

    def select(self, labels: frozenset[int]) -> None:
        """Select cells by label."""
        if labels != self.selection:
            self.selection = labels
            self.selection_changed.emit(labels)

    def do(self, edit: Edit) -> Change:
        """Make an edit, as `Project.do`, unless an export is writing them."""
        return self._editable().do(edit)

    def accept(self, followed: FollowedCell) -> Change:
        """Make a cell that was followed one edit: see `following.accept`."""
        return accept(self._editable(), followed)

    def undo(self) -> list[Change]:
        """Take the last step back; one that takes long, such as a run, as a job.

        Returns
        -------
        list of Change
            What changed; none yet when it became a job, whose outcome that will be.

        Raises
        ------
        EditError
            When there is none, or it is the run that is going on.
        BusyError
            When an export is writing what would change, or another job runs.
        """
        project, job = self._editable(), self.job
        if job is not None and job.kind == "segment":
            running = project.info.runs[-1].group if project.info.runs else None
            if project.history.undoable_group == running:
                raise EditError(
                    "The run is still going on: expected an edit of yours to undo. "
                    "Stop the run first."
                )
        return self._step("undo", project.history.undoable, project.undo)

    def redo(self) -> list[Change]:
        """Make the step that was undone last again; see `undo`."""
        project = self._editable()
        return self._step("redo", project.history.redoable, project.redo)

    def warm(self, settings: SegmentSettings) -> None:
        """Let the computing process load the network while the user looks around."""

        def work() -> None:
            with self._computing:
                try:
                    for message in self.supervisor.follow(Warm(settings=settings)):
                        if isinstance(message, Ready):
                            self.ready.emit(message)
                except SemiconvError:
                    # Whoever computes with it is told.
                    return

        threading.Thread(target=work, daemon=True).start()

    def preview(self, frame: int, settings: SegmentSettings) -> Job:
        """Find the cells of one frame, to look at; the outcome is a `FramePreview`."""
        movie = self._need_movie()

        def steps(stop: Stop) -> Steps[FramePreview]:
            choice = yield from self._scratch.readable(movie, frame, stop)
            return (
                yield from preview(
                    choice, settings, frame, supervisor=self.supervisor, stop=stop
                )
            )

        return self._compute("preview", f"Finding the cells of frame {frame}", steps)

    def segment(
        self,
        settings: SegmentSettings,
        frames: range | None = None,
        folder: Path | None = None,
    ) -> Job:
        """Find and follow cells, as a new run of the open project or in a new one.

        Parameters
        ----------
        settings
            How.
        frames
            Which frames; all when None.
        folder
            Where to make a project; beside the movie when None. Not with an open one.

        Raises
        ------
        BadInputError
            When no movie is open, or there is no place for a project.
        BusyError
            When another job runs.
        """
        movie, project = self._need_movie(), self.project
        place = folder or (folder_for(movie) if project is None else Path())

        def steps(stop: Stop) -> Steps[Segmented]:
            if project is None:
                return self._begin(movie, place, settings, frames, stop)
            return run(project, settings, frames, supervisor=self.supervisor, stop=stop)

        return self._compute("segment", "Finding and following cells", steps)

    def go_on(self) -> Job:
        """Go on with the run that stopped."""
        project = self.need_project()
        return self._compute(
            "segment",
            "Finding and following cells",
            lambda stop: go_on(project, supervisor=self.supervisor, stop=stop),
        )

    def solve(self) -> Job:
        """Decide all tracks of the open project anew."""
        project = self.need_project()
        return self.start(
            "solve", "Deciding tracks", lambda stop: solve(project, stop=stop)
        )

    def export(self, name: str, target: Path) -> Job:
        """Write the open project in a format of the field."""
        project = self.need_project()
        return self.start(
            "export",
            f"Writing {target.name}",
            lambda stop: export(project, name, target, stop=stop),
        )

    def import_tracked(self, source: Any, folder: Path, movie: Movie) -> Job:
        """Make a project of masks of any program, and open it.

        Parameters
        ----------
        source, folder, movie
            As in `workflows.importing.import_tracked`.
        """

        def steps(stop: Stop) -> Steps[Project]:
            project = yield from import_tracked(source, movie, folder, stop=stop)
            self._take(project, project.movie())
            return project

        return self.start("import", f"Making {folder.name}", steps)

    def _open_project(self, path: Path) -> Generator[Progress, None, None]:
        if self.project is not None and self.project.folder.samefile(path):
            # It is open here already, and may be edited.
            return
        project = Project.open(path)
        for note in project.notes:
            yield Progress("reading", note=note)
        try:
            movie = project.movie()
        except BadInputError as error:
            # The cells can be looked at, corrected and exported without it.
            yield Progress("reading", note=str(error))
            self._take(project, None)
        else:
            self._take(project, movie)

    def _begin(
        self,
        movie: Movie,
        folder: Path,
        settings: SegmentSettings,
        frames: range | None,
        stop: Stop,
    ) -> Steps[Segmented]:
        movie = yield from keep(movie, folder, stop)
        project = Project.create(folder, movie)
        self._take(project, movie)
        try:
            return (
                yield from run(
                    project, settings, frames, supervisor=self.supervisor, stop=stop
                )
            )
        except BaseException:
            if is_worthless(project):
                self._drop_project()
                shutil.rmtree(folder, ignore_errors=True)
            raise

    def _take(self, project: Project, movie: Movie | None) -> None:
        if self._closed:
            # What took long to open came too late.
            project.close()
            raise StoppedError
        self._drop_project()
        self.project = project
        project.changed.connect(self._tell_touched)
        if movie is not self.movie:
            self._set_movie(movie)
        self.project_changed.emit(project)

    def _tell_touched(self, touched: Touched) -> None:
        self.touched.emit(touched)

    def _drop_project(self) -> None:
        project, self.project = self.project, None
        if project is None:
            return
        if self.aside is not None:
            self.aside.stop()
        project.changed.disconnect()
        self.select(frozenset())
        try:
            project.close()
        finally:
            self.project_changed.emit(None)

    def _set_movie(self, movie: Movie | None) -> None:
        self.movie = movie
        self.movie_changed.emit(movie)

    def _need_movie(self) -> Movie:
        if self.movie is None:
            raise BadInputError("Expected an open movie, found none. Open one first.")
        return self.movie

    def _step(
        self, way: str, what: str | None, act: Callable[[], list[Change]]
    ) -> list[Change]:
        if not self.need_project().history.takes_long(way):
            return act()

        def steps(_: Stop) -> Steps[list[Change]]:
            # It is done whole or not at all: there is nowhere to stop.
            yield from ()
            return act()

        self.start("undo", f"{way.capitalize()}: {what}", steps)
        return []

    def _editable(self) -> Project:
        job = self.job
        if job is None or job.kind not in ("export", "undo"):
            return self.need_project()
        raise BusyError(f"{job.title}: edit when it is done, or stop it first.")
