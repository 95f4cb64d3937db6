"""Leads through the suspects of the open project; no widget is needed for it."""

import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING

from psygnal import Signal

from ...edits.change import Touched
from ...errors import SemiconvError
from ...project.project import Project
from ...project.suspects.looked import How
from ...project.suspects.queue import Queue
from ...project.suspects.reasons import Kind
from ...project.suspects.suspect import Suspect
from ...project.suspects.suspects import Suspects
from ...project.suspects.why import why

if TYPE_CHECKING:
    from ..correct.corrector import Corrector
    from ..workbench import Workbench

# Frames measured between two words on how far it is.
STEP = 20
# Seconds between two frames in which nothing is measured.
PAUSE = 0.001
NOTHING = Touched(frozenset(), frozenset())


class Review:
    """The suspects of the open project, and the one that is looked at.

    Parameters
    ----------
    bench
        Whose project.
    corrector
        Goes there, confirms and mends.
    """

    # The suspects are others.
    changed = Signal()
    # How far they are measured, or looked at, has changed.
    progressed = Signal()
    current_changed = Signal(object)

    def __init__(self, bench: "Workbench", corrector: "Corrector") -> None:
        self._bench, self._corrector = bench, corrector
        self._work: _Work | None = None
        self.queue: Queue | None = None
        self.current: Suspect | None = None
        self.only: Kind | None = None
        self.measured = (0, 0)
        # What was answered since the suspects in view were ranked.
        self._answered: dict[tuple[int, int], int] = {}
        # Row of the current one, and the row below which the user goes through them.
        self._row = self._above = -1
        session = bench.session
        # Both may be told in the thread of a job.
        session.project_changed.connect(lambda _: bench.mailbox.post(self._begin))
        session.touched.connect(self._on_touched)
        bench.closed.connect(self.stop)

    # What is suspect

    def why(self, suspect: Suspect) -> str:
        """Say why one is suspect."""
        project = self._bench.session.project
        return "" if project is None else why(project, suspect)

    def by_label(self) -> dict[int, list[int]]:
        """Frames of the likely suspects that were not looked at, by label."""
        return {} if self.queue is None else self.queue.by_label()

    def in_frame(self, frame: int) -> list[int]:
        """Labels of the likely suspects of a frame that were not looked at."""
        return [] if self.queue is None else self.queue.labels_in(frame)

    @property
    def words(self) -> str:
        """How far the user is, in words."""
        queue, (done, total) = self.queue, self.measured
        if self._work is None:
            return "Find cells first: suspects are listed here then."
        if queue is None:
            return f"Looking for what may be wrong: frame {done} of {total}."
        left = round(queue.errors_left)
        errors = "1 error" if left == 1 else f"{left} errors"
        return f"{queue.looked_at} of {queue.total} looked at; about {errors} left."

    # Going through them

    def next(self) -> None:
        """Count the current one as looked at, and go to the next."""
        if self.current is not None:
            self._mark(self.current, "passed")
        self._step()

    def previous(self) -> None:
        """Go to the one before."""
        self._step(before=True)

    def right(self) -> None:
        """Confirm what the current one is about, and go to the next."""
        suspect, work = self.current, self._work
        if suspect is None or work is None:
            return
        try:
            edit = work.suspects.confirming(suspect)
        except KeyError:
            # It was edited away meanwhile.
            edit = None
        if edit is None or self._corrector.do(edit):
            self._mark(suspect, "passed" if edit is None else "right")
            self._step()

    def fix(self) -> str | None:
        """Go to the current one, to be mended; give the name of the likely tool."""
        suspect = self.current
        if suspect is None:
            return None
        self._look_at(suspect)
        self._mark(suspect, "mended")
        return suspect.tool

    def go_to(self, row: int) -> None:
        """Go to a suspect by its row; those below it are next."""
        self._above = row
        self._go_to(row)

    def _go_to(self, row: int) -> None:
        if self.queue is None or not 0 <= row < len(self.queue):
            return
        self._row, self.current = row, self.queue[row]
        self._look_at(self.current)
        self.current_changed.emit(self.current)

    @property
    def row(self) -> int | None:
        """Row of the current suspect; None when it is none any more."""
        if self.queue is None or self.current is None:
            return None
        return self.queue.row_of(self.current.key)

    def show_only(self, kind: Kind | None) -> None:
        """Go through suspects of one kind only, or of all."""
        self.only, self._above = kind, -1
        self.progressed.emit()

    def stop(self) -> None:
        """Measure no more; what is known stays."""
        if self._work is not None:
            self._work.stop()

    def is_at(self, frame: int, labels: tuple[int, ...]) -> bool:
        """Tell whether a cell is the one that the current suspect is about."""
        suspect = self.current
        if suspect is None or self.row is None:
            return False
        return suspect.frame == frame and suspect.labels[:1] == labels

    def _step(self, *, before: bool = False) -> None:
        queue = self.queue
        if queue is None:
            return
        # On to the most likely one that is left: an edit may have sent the current one
        # far down, and what was likely must not be passed over with it.
        row = self._row if self.row is None else self.row
        start = row if before else self._above
        found = queue.open_after(start, before=before, kind=self.only)
        if found is None:
            self._bench.say("All suspects were looked at.")
        else:
            self._go_to(found)

    def _look_at(self, suspect: Suspect) -> None:
        label = suspect.labels[0] if suspect.labels else 0
        self._corrector.look_at(suspect.frame, label)

    def _mark(self, suspect: Suspect, how: How) -> None:
        work, queue = self._work, self.queue
        if work is None or queue is None:
            return
        try:
            work.suspects.mark(suspect, how)
        except SemiconvError as error:
            self._bench.say(str(error), "error")
            return
        if how != "mended":
            # They are ranked anew, and told, in a moment.
            self._answered[suspect.key] = work.ask(NOTHING)
            self._cross_out(queue)
            self.progressed.emit()

    def _cross_out(self, queue: Queue) -> None:
        for key in self._answered:
            row = queue.row_of(key)
            if row is not None:
                queue.looked[row] = True

    # Listening

    def _begin(self) -> None:
        """Measure the project that is open now."""
        project = self._bench.session.project
        if self._work is not None:
            if self._work.project is project:
                return
            self._work.stop()
        self._work = self.queue = self.current = None
        self._answered, self._row, self._above = {}, -1, -1
        if project is not None:
            self._work = _Work(project, self)
            self._work.start()
        self.current_changed.emit(None)
        self.changed.emit()

    def _on_touched(self, touched: Touched) -> None:
        if self._work is not None:
            self._work.ask(touched)

    def hear(self, work: "_Work", number: int, queue: Queue | None) -> None:
        """Take up what a thread found."""
        self._bench.mailbox.post(lambda: self._take(work, number, queue))

    def fail(self, work: "_Work", error: SemiconvError) -> None:
        """Say why a thread could not go on."""

        def say() -> None:
            if work is self._work:
                self._bench.say(str(error), "error")

        self._bench.mailbox.post(say)

    def _take(self, work: "_Work", number: int, queue: Queue | None) -> None:
        if work is not self._work:
            return
        self.measured = work.measured
        if queue is None:
            self.progressed.emit()
        else:
            asked = self._answered.items()
            self._answered = {key: n for key, n in asked if n > number}
            self._cross_out(queue)
            self.queue = queue
            self._row = self._row if self.row is None else self.row
            self.changed.emit()


class _Work(threading.Thread):
    """Measures the suspects of one project, and again what edits touch.

    Parameters
    ----------
    project
        The project.
    review
        Hears what is found.
    """

    def __init__(self, project: Project, review: Review) -> None:
        super().__init__(name="suspects", daemon=True)
        self.project = project
        self.suspects = Suspects(project)
        self.measured = (0, project.document.shape[0])
        self._review = review
        self._asked: SimpleQueue[tuple[int, Touched | None]] = SimpleQueue()
        self._count = 0
        self._stopping = False

    def ask(self, touched: Touched) -> int:
        """Have what was touched measured again; give the number of this request."""
        self._count += 1
        self._asked.put((self._count, touched))
        return self._count

    def stop(self) -> None:
        """Measure no more."""
        self._stopping = True
        self._asked.put((0, None))

    def run(self) -> None:
        """Measure all, then what is asked for."""
        try:
            self._measure_all()
            number = 0
            while not self._stopping:
                queue = self.suspects.queue
                if not self._stopping:
                    self._review.hear(self, number, queue)
                number, touched = self._next()
                if touched is not None:
                    self.suspects.update(touched)
        except SemiconvError as error:
            if not self._stopping:
                self._review.fail(self, error)

    def _measure_all(self) -> None:
        for done, total in self.suspects.steps():
            if self._stopping:
                return
            self.measured = done, total
            # The window's thread goes first.
            time.sleep(PAUSE)
            if done % STEP == 0:
                self._review.hear(self, 0, None)

    def _next(self) -> tuple[int, Touched | None]:
        """Wait for what is asked, and take all of it that waits."""
        number, touched = self._asked.get()
        while touched is not None and not self._asked.empty():
            number, more = self._asked.get()
            if more is None:
                return number, None
            touched = Touched(
                touched.frames | more.frames, touched.labels | more.labels
            )
        return number, touched
