"""What the user reads when a job has ended, and what can be done then."""

from functools import partial
from typing import TYPE_CHECKING

from ..errors import counted
from ..project.runs.run import last_settings
from ..workflows.foretelling import in_words, warning_of
from ..workflows.jobs import Job
from ..workflows.opening import project_beside
from . import recent
from .state import Offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..project.project import Project
    from ..workflows.segmenting import FramePreview, Segmented
    from .workbench import Workbench

UNFINISHED = "A run stopped before its end; 'Go on' under Find computes the rest."
CHECK = "Check how it is read, then preview a frame under Find."


class Outcomes:
    """Says how the jobs of a workbench ended, each with the buttons that go on.

    Parameters
    ----------
    bench
        Whose jobs.
    """

    def __init__(self, bench: "Workbench") -> None:
        self._bench = bench

    def hear(self, job: Job) -> None:
        """Say how a job ended."""
        bench = self._bench
        if job.kind == "teach":
            bench.teaching.hear(job)
        elif job.state == "failed":
            bench.say(job.error, "error")
        elif job.state == "stopped":
            bench.say("Stopped.", "said")
        else:
            hear: dict[str, Callable[[Job], None]] = {
                "open": self._opened,
                "preview": self._previewed,
                "segment": self._segmented,
                "solve": self._solved,
                "export": self._exported,
                "import": self._imported,
                # What they do is seen on the canvas, where the user looks.
                "correct": lambda _: bench.say(""),
                "follow": lambda _: bench.say(""),
                "undo": lambda _: bench.say(""),
            }
            hear[job.kind](job)

    def _opened(self, job: Job) -> None:
        found, session = job.outcome, self._bench.session
        if found.kind in ("tracked", "old result"):
            self._bench.importer.ask_movie(found)
            return
        recent.remember(found.path)
        notes = " ".join(job.notes)
        if found.kind == "project":
            # They may have been removed from the list of layers.
            self._bench.layers.show_again(session.frame)
            if session.project is not None:
                self._bench.take_settings(last_settings(session.project))
                self._bench.layers.go_to(_first(session.project))
            if session.movie is None:
                find = Offer("Find the movie…", self._bench.importer.find_movie)
                self._bench.say(notes, "note", find)
            else:
                text = notes or (UNFINISHED if session.unfinished else self._counted())
                self._bench.say(text, "note" if notes else "said")
            return
        movie = session.movie
        beside = None if movie is None else project_beside(movie)
        if beside is not None:
            offer = Offer(f"Open {beside.name}", partial(self._bench.open, beside))
            text = "There is a project of this movie beside it."
            self._bench.say(text, "note", offer)
        else:
            self._bench.say(notes or CHECK, "note" if notes else "said")

    def _counted(self) -> str:
        project = self._bench.session.project
        if project is None:
            return ""
        tracks = counted(len(project.lineage.tracks), "track")
        return f"{tracks} in {counted(project.document.shape[0], 'frame')}."

    def _previewed(self, job: Job) -> None:
        found: FramePreview = job.outcome
        self._bench.layers.show_preview(found.frame, found.labels)
        cells = counted(found.cells, "cell")
        sentence = f"Frame {found.frame}: {cells} in {found.seconds:.1f} s"
        warning = "" if found.masks is None else warning_of(found.masks)
        if warning:
            self._bench.say(f"{sentence}. {warning}", "note")
            return
        if found.masks is not None:
            sentence = f"{sentence}; {in_words(found.masks)}"
        self._bench.say(f"{sentence}. If they look right, find and follow.")

    def _segmented(self, job: Job) -> None:
        found: Segmented = job.outcome
        self._bench.layers.end_preview()
        recent.remember(found.project.folder)
        frames = counted(found.total, "frame")
        if found.cancelled:
            text = f"Stopped: {found.done} of {frames} are kept."
            self._bench.say(text, "said")
            return
        tracks = counted(len(found.project.lineage.tracks), "track")
        text = " ".join((f"Done: {tracks} in {frames}.", *job.notes))
        self._bench.say(text, "note" if job.notes else "said")

    def _solved(self, job: Job) -> None:
        self._bench.say(" ".join(("The tracks were decided anew.", *job.notes)))

    def _exported(self, job: Job) -> None:
        # What the format loses stood above the button all the time.
        notes = [note for note in job.notes if note not in self._bench.sharing.lost()]
        text = " ".join((f"Exported to {job.outcome}.", *notes))
        self._bench.say(text, "note" if notes else "said")

    def _imported(self, job: Job) -> None:
        recent.remember(job.outcome.folder)
        tracks = counted(len(job.outcome.lineage.tracks), "track")
        self._bench.say(f"{job.outcome.folder.name} has {tracks}.")


def _first(project: "Project") -> int:
    """First frame with cells; the first of all without any."""
    return min((track.begin for track in project.lineage.tracks.values()), default=0)
