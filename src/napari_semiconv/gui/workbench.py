"""One viewer's session, tied to its layers and its panel.

The session outlives the panel: napari takes a dock widget to pieces when it is
closed, and the one that the menu brings back shows the same.
"""

import atexit
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels
from psygnal import Signal, SignalInstance

from ..compute.messages import Ready
from ..compute.supervisor import Supervisor
from ..errors import BadModelError, SemiconvError
from ..inference.presets import with_preset
from ..io.cells.formats import format_of, writable
from ..settings import SegmentSettings
from ..workflows.jobs import Job
from ..workflows.opening import free_folder, place_for
from ..workflows.session import Session
from .choices import Choices, with_setting
from .correct.canvas import CellCanvas
from .correct.corrector import Corrector
from .correct.resolving import resolve_correct
from .importing import Importer
from .layers import CellLayers
from .mailbox import Mailbox
from .model_folder import model_in
from .movie_layer import blank_movie
from .outcomes import Outcomes
from .reading import Reading
from .resolve import (
    Pace,
    resolve_find,
    resolve_movie,
    resolve_share,
    resolve_status,
    resolve_title,
)
from .ruler import Ruler
from .sharing import SHARE, Sharing
from .state import Offer, Panel, PanelState, Sentence
from .teach.resolving import resolve_teach
from .teach.teaching import TEACH, Teaching

CHANGED = "Settings changed: preview, or find and follow again, to see what they do."


class Workbench:
    """What the panel of a viewer shows and does.

    Parameters
    ----------
    viewer
        The viewer.
    supervisor
        Runs the computing process; the usual one when None.
    """

    changed = Signal()
    closed = Signal()

    def __init__(
        self, viewer: ViewerModel, supervisor: Supervisor | None = None
    ) -> None:
        self.viewer = viewer
        self.session = Session(supervisor)
        self.mailbox = Mailbox()
        self.layers = CellLayers(viewer, self.mailbox.next, self.mailbox.last)
        self.ruler = Ruler(viewer, self.layers.pixel, self.layers.unit)
        self.choices = Choices(format=writable()[0].name)
        self.sentence = Sentence()
        self.tab = ""  # in front, for the panel that the menu brings back
        self.panel: Panel | None = None
        self.importer = Importer(self)
        self.reading = Reading(self)
        self.sharing = Sharing(self)
        self.corrector = Corrector(self)
        self.canvas = CellCanvas(self, self.corrector)
        self.teaching = Teaching(self)
        self.pace = Pace()
        self._source: object = None
        self._wants_to_run = False
        self._outcomes = Outcomes(self)
        self._closed = False
        self._doing: Job | None = None
        self._ended: Job | None = None
        self._heard: list[SignalInstance] = []
        self._listen()
        # Windows are closed in more ways than one, and Qt does not always tell.
        atexit.register(self.close)
        self.session.warm(self.choices.settings)

    def state(self) -> PanelState:
        """Work out all that the panel shows."""
        session, job = self.session, self.session.job
        movie, project = session.movie, session.project
        selected = self.layers.selected()
        takes = isinstance(selected, Image | Labels)
        return PanelState(
            resolve_title(project, movie, job),
            resolve_movie(
                movie,
                idle=job is None,
                has_project=project is not None,
                layer=selected.name if selected is not None and takes else "",
                read_as=self.reading.set_axes,
            ),
            resolve_find(
                movie,
                project,
                self.choices,
                job=job,
                measuring=self.ruler.active,
                unfinished=job is None and session.unfinished is not None,
                place=self._place(),
            ),
            resolve_correct(self.corrector, session, self.layers.mode),
            resolve_teach(
                self.teaching, session, self.choices, shown=self.tab == TEACH
            ),
            resolve_share(
                format_of(self.choices.format),
                # Of thousands of tracks it takes a while: not unseen, at each edit.
                self.sharing.lost() if self.tab == SHARE else [],
                can_export=project is not None and job is None,
            ),
            resolve_status(job, self.sentence, self.pace.seconds_left),
        )

    @property
    def resting(self) -> bool:
        """Whether nothing is going on, and all that was has been shown."""
        return self.session.job is self._doing is None and self.mailbox.empty

    def open(self, path: Path) -> None:
        """Open anything: a movie, a project, or cells of any program."""
        self.attempt(lambda: self.session.open(path))

    # Finding

    def set_setting(self, name: str, value: Any) -> None:
        """Change one setting, named with dots, as in ``votes.foreground``."""
        changed = self.attempt(lambda: with_setting(self.choices.settings, name, value))
        if changed is not None:
            self._use(*changed)

    def take_settings(self, settings: SegmentSettings) -> None:
        """Take over all settings, as of a project that was opened."""
        self._use(settings)

    def set_preset(self, name: str) -> None:
        """Take over a procedure with its parameters; model and device stay."""
        self._use(with_preset(self.choices.settings, name))

    def set_model_folder(self, chosen: Path) -> None:
        """Take the model in a folder that the user points at, and offer it from now."""
        try:
            folder = str(model_in(chosen).absolute())
        except BadModelError as error:
            self.say(str(error), "error")
            return
        if folder not in self.choices.models:
            self.choices.models = (*self.choices.models, folder)
        self.set_setting("model", folder)

    def set_frames(self, first: int, last: int) -> None:
        """Compute only these frames, both included."""
        self.choices.frames = (min(first, last), max(first, last))
        self.changed.emit()

    def set_folder(self, folder: Path) -> None:
        """Make projects in this folder from now on."""
        self.choices.folder = folder
        self.changed.emit()
        if self._wants_to_run:
            self._wants_to_run = False
            self.run()

    def measure(self, wanted: bool, window: Any) -> None:
        """Wait for a line across a cell, or no longer; ``window`` hears Esc."""
        if wanted:
            self.ruler.start(window)
            self.say("Drag a line across a usual cell; Esc ends it.")
        else:
            self.ruler.stop()

    def preview(self) -> None:
        """Find the cells of the frame in view."""
        frame = self.layers.frame()
        self.attempt(lambda: self.session.preview(frame, self.choices.settings))

    def run(self) -> None:
        """Find and follow; ask first where the project goes if there is no place."""
        session, movie = self.session, self.session.movie
        if movie is None:
            return
        folder = None
        if session.project is None:
            place = self._place()
            if place is None:
                self._wants_to_run = True
                self.ask_folder()
                self._wants_to_run = False
                return
            folder = self.attempt(lambda: free_folder(place, movie.name))
            if folder is None:
                return
        first, last = self.choices.frames or (0, len(movie) - 1)
        frames = range(first, last + 1)
        settings = self.choices.settings
        job = self.attempt(lambda: session.segment(settings, frames, folder))
        if job is not None and session.frame not in frames:
            # Where there will be something to see.
            session.go_to(first)

    def go_on(self) -> None:
        """Go on with the run that stopped."""
        self.attempt(self.session.go_on)

    def stop(self) -> None:
        """Stop what is going on; frames that are finished stay."""
        if self.session.job is not None:
            self.session.job.stop()
            self.changed.emit()

    # Undoing

    def undo(self) -> None:
        """Take the last step back."""
        # What was said of the cells before is true no longer.
        self.say("")
        self.attempt(self.session.undo)

    def redo(self) -> None:
        """Make the step that was undone last again."""
        self.say("")
        self.attempt(self.session.redo)

    def show_in(self, panel: Panel) -> None:
        """Show all this in a panel, and in no other any longer."""
        if self.panel is not None:
            self.panel.retire()
        self.panel = panel

    def ask_folder(self) -> None:
        """Ask where projects are to be made."""
        if self.panel is not None:
            self.panel.ask_folder()

    def say(self, text: str, kind: str = "said", *offers: Offer) -> None:
        """Show a sentence under the tabs.

        Parameters
        ----------
        text
            The sentence.
        kind
            ``said``, ``note`` or ``error``.
        *offers
            Buttons that mend it or go on.
        """
        self.sentence = Sentence(text, kind, offers)
        self.changed.emit()

    def close(self) -> None:
        """End all work, because the window is gone; layers stay."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self.ruler.stop()
        self.canvas.close()
        self.layers.close()
        self.session.close()
        # A thread may hold the session a moment longer; the window goes now.
        for signal in self._heard:
            signal.disconnect()
        self.mailbox.clear()
        self.panel = None
        self.closed.emit()

    # How

    def _listen(self) -> None:
        session = self.session
        for signal, hear in (
            (session.movie_changed, lambda _: self._on_opened()),
            (session.project_changed, lambda _: self._on_opened()),
            (session.touched, lambda touched: self.layers.touch(touched.frames)),
            # Not the frame it told of: it may have moved on meanwhile.
            (session.frame_changed, lambda _: self._on_frame()),
            (session.selection_changed, lambda _: self.canvas.show_selection()),
            (session.job_changed, self._on_job),
            (session.progressed, self._on_progress),
            (session.ready, self._on_ready),
        ):
            signal.connect(self._posting(hear))
            self._heard.append(signal)
        self.layers.on_list_change(self.changed.emit)
        self.layers.on_step(lambda: session.go_to(self.layers.frame()))
        self.ruler.measured.connect(self._on_measured)
        self.ruler.ended.connect(lambda: self.changed.emit())

    def _posting(self, hear: Callable[[Any], None]) -> Callable[[Any], None]:
        """Make what a thread may call of what the window's thread is to hear."""

        def post(value: Any) -> None:
            self.mailbox.post(partial(self._hear, hear, value))

        return post

    def _hear(self, hear: Callable[[Any], None], value: Any) -> None:
        if not self._closed:
            hear(value)
            self.changed.emit()

    def _on_opened(self) -> None:
        """Show what is open now; that it came in several steps does not matter."""
        movie, project = self.session.movie, self.session.project
        source = None if movie is None else movie.source
        if source is not self._source:
            # What was chosen for one movie says nothing of another.
            self._source = source
            self.choices.frames = self.choices.estimate = None
            self.set_setting("cell_size", None)
        if movie is None and project is not None:
            # Its cells can be looked at and exported all the same.
            self.layers.show_movie(blank_movie(project), without_image=True)
        else:
            layer = self.reading.taken_layer()
            self.layers.show_movie(movie, layer)
        self.layers.show_project(project)

    def _on_frame(self) -> None:
        self.layers.go_to(self.session.frame)
        self.canvas.frame_changed()

    def _on_ready(self, message: Ready) -> None:
        choices = self.choices
        # Folders that the user pointed at are not among those that come installed.
        own = [name for name in choices.models if Path(name).is_absolute()]
        choices.models = tuple(dict.fromkeys((*message.models, *own)))
        choices.devices = message.devices

    def _on_measured(self, length: float) -> None:
        self.set_setting("cell_size", round(length, 1))
        self.say(f"A usual cell is {length:.1f} px across. Preview a frame to see.")

    def _on_progress(self, job: Job) -> None:
        step = job.progress
        if step is None:
            return
        if step.cell_size is not None:
            self.choices.estimate = step.cell_size
        if step.stage == "frames":
            self.pace.advance(step.done, step.total, step.seconds)
        elif step.stage == "teaching":
            self.pace.watch(step.done, step.total)

    def _on_job(self, job: Job) -> None:
        if job.state == "running":
            self._doing = job
            self.sentence, self.pace = Sentence(), Pace()
        elif job is not self._ended:
            # A quick job has ended before its beginning is heard of: told once.
            self._doing, self._ended = None, job
            self._outcomes.hear(job)
            self.corrector.network.heard(job)
        self.canvas.show_job(job)

    def _use(self, new: SegmentSettings, note: str = "") -> None:
        old = self.choices.settings
        if new == old:
            return
        self.choices.settings = new
        if new.model != old.model:
            self.choices.estimate = None
        if (new.model, new.device) != (old.model, old.device):
            self.session.warm(new)
        # A sentence on a preview or run was about other settings.
        self.say(note or (CHANGED if self.sentence.text else ""))

    def _place(self) -> Path | None:
        movie = self.session.movie
        return self.choices.folder or (place_for(movie) if movie is not None else None)

    def attempt(self, act: Callable[[], Any]) -> Any:
        """Do something; an error meant for the user is shown, and None is given."""
        try:
            return act()
        except SemiconvError as error:
            self.say(str(error), "error")
            return None
