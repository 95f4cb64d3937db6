"""Teaching from the window: what is taught, what came of it, and all models of it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import BadModelError
from ...network.model_folder import SETTINGS
from ...project.project import Project
from ...teaching.record import TeachRecord, read_record
from ...teaching.settings import Depth, TeachSettings
from ...workflows.jobs import Job
from ...workflows.taught_models import (
    ModelEntry,
    check_usable,
    delete_model,
    export_model,
    note_on,
    rename_model,
    taught_models,
)
from ...workflows.teaching_jobs import TaughtModel
from ..model_folder import short_name
from ..state import Offer
from .learnable import Advice, Learnable, advice, learnable
from .pictures import CheckPicture, read_pictures
from .points import CurvePoint, point_of

if TYPE_CHECKING:
    from ..workbench import Workbench

# The tab, as it is called.
TEACH = "Teach"
STAYS = "The model in use stays."
APPLY = "Apply to the rest"
APPLY_HINT = (
    "Find and follow the cells of all frames with it. What you corrected or confirmed "
    "stays; it is one step to undo."
)
# What is used when nothing else is left.
LAST_RESORT = "default"


class Teaching:
    """Teaches models with the open project of a workbench, and sees to what came of it.

    Parameters
    ----------
    bench
        Whose project.
    """

    def __init__(self, bench: "Workbench") -> None:
        self._bench = bench
        self.depth: Depth = TeachSettings().depth
        self.result: TaughtModel | None = None
        self.kept = False
        self.pictures: tuple[CheckPicture, ...] = ()
        self.trouble = ""  # why there are no pictures
        self.models: tuple[ModelEntry, ...] = ()
        self.curve: tuple[CurvePoint, ...] = ()
        self.total = 0
        self._curve_of: Job | None = None
        self._former = LAST_RESORT
        self._known: tuple[Any, Learnable] = (None, Learnable())
        session = bench.session
        # Both are told in the thread of a job; no point of the curve is to be lost.
        session.progressed.connect(self._collect)
        session.project_changed.connect(lambda _: bench.mailbox.post(self._on_opened))
        bench.closed.connect(self._forget)

    # What there is to learn from

    def known(self) -> Learnable:
        """Count what there is to learn from now."""
        project = self._bench.session.project
        if project is None:
            return Learnable()
        # It takes a while in a long movie: once after each edit.
        key = (project, project.history.journal.last)
        if key != self._known[0]:
            self._known = (key, learnable(project))
        return self._known[1]

    @property
    def last_known(self) -> Learnable:
        """What there was to learn from when it was counted last."""
        return self._known[1]

    def advice(self) -> tuple[Advice, ...]:
        """Find where to correct next."""
        return advice(self._bench.corrector.review.queue, self.known())

    # Teaching

    def set_depth(self, depth: Depth) -> None:
        """Choose what learns."""
        self.depth = depth
        self._bench.changed.emit()

    def teach(self) -> None:
        """Teach the model that is chosen; what came of it before stays in the list."""
        bench, chosen = self._bench, self._bench.choices.settings
        settings = TeachSettings(
            model=chosen.model, depth=self.depth, device=chosen.device
        )
        if bench.attempt(lambda: bench.session.teach(settings)) is not None:
            self._forget()
            bench.changed.emit()

    def hear(self, job: Job) -> None:
        """Hear how teaching ended, and say it."""
        bench = self._bench
        if job.state == "done":
            self._show_result(job.outcome)
            ready = f"'{job.outcome.folder.name}' is ready: keep or discard it."
            notes = job.outcome.record.notes
            bench.say(" ".join((ready, *notes)), "note" if notes else "said")
        elif job.state == "stopped":
            bench.say(f"Stopped: nothing is left of it. {STAYS}")
        else:
            bench.say(f"{job.error} {STAYS}", "error")
        self.reload()

    def keep(self) -> None:
        """Use the new model from now on."""
        result = self.result
        if result is None:
            return
        self.kept = self._use_folder(result.folder, result.record)
        self._bench.changed.emit()

    def discard(self) -> None:
        """Delete the new model; the one in use stays."""
        result, project = self.result, self._bench.session.project
        if result is None or project is None or self.kept:
            return
        if self._managed(lambda: delete_model(project, result.folder)):
            self._forget()
            self._bench.say(f"'{result.folder.name}' is deleted. {STAYS}")

    def apply(self) -> None:
        """Find the cells of all frames with the model in use; confirmed ones stay."""
        bench = self._bench
        bench.attempt(lambda: bench.session.segment(bench.choices.settings))

    # Models

    def use(self, model: str) -> None:
        """Use a model from now on: one of the project by its folder, others by name."""
        if not Path(model).is_absolute():
            self._former = self._bench.choices.settings.model
            self._bench.set_setting("model", model)
            self._bench.say(f"'{model}' is in use.")
            return
        folder = Path(model)
        try:
            record = read_record(folder)
        except BadModelError as error:
            self._bench.say(f"{error} {STAYS}", "error")
            return
        self._use_folder(folder, record)

    def note(self, folder: Path, note: str) -> None:
        """Keep a note with a model."""
        self._with_project(lambda project: note_on(project, folder, note))

    def rename(self, folder: Path, name: str) -> None:
        """Give a model another name."""
        bench = self._bench
        renamed: list[Path] = []
        done = self._with_project(
            lambda project: renamed.append(rename_model(project, folder, name.strip()))
        )
        if not done:
            return
        old, new = str(folder.absolute()), str(renamed[0].absolute())
        models = bench.choices.models
        bench.choices.models = tuple(new if m == old else m for m in models)
        if bench.choices.settings.model == old:
            bench.set_setting("model", new)
        if self.result is not None and self.result.folder == folder:
            self.result = TaughtModel(renamed[0], self.result.record)
        bench.say(f"'{folder.name}' is called '{renamed[0].name}' now.")

    def export(self, folder: Path, target: Path) -> None:
        """Copy a model to another place."""
        copied = self._bench.attempt(lambda: export_model(folder, target))
        if copied is not None:
            self._bench.say(f"Copied to {copied}.")

    def delete(self, folder: Path) -> None:
        """Delete a model; if it was in use, the one before is."""
        if not self._with_project(lambda project: delete_model(project, folder)):
            return
        if self.result is not None and self.result.folder == folder:
            self._forget()
        bench, name = self._bench, str(folder.absolute())
        bench.choices.models = tuple(m for m in bench.choices.models if m != name)
        if not self._replace_missing():
            bench.say(f"'{folder.name}' is deleted.")

    def reload(self) -> None:
        """Read anew which models the project has."""
        project = self._bench.session.project
        self.models = () if project is None else taught_models(project)
        self._replace_missing()
        self._bench.changed.emit()

    # How

    def _with_project(self, act: Callable[[Project], object]) -> bool:
        project = self._bench.session.project
        return project is not None and self._managed(lambda: act(project))

    def _managed(self, act: Callable[[], object]) -> bool:
        """Do something to a model; whether it was done. The list is read anew."""
        done = self._bench.attempt(lambda: (act(), True)[1]) is not None
        project = self._bench.session.project
        self.models = () if project is None else taught_models(project)
        self._bench.changed.emit()
        return done

    def _use_folder(self, folder: Path, record: TeachRecord | None) -> bool:
        bench = self._bench
        try:
            check_usable(folder)
        except BadModelError as error:
            bench.say(f"{error} {STAYS}", "error")
            return False
        former = bench.choices.settings.model
        bench.set_model_folder(folder)
        if bench.choices.settings.model == former:
            bench.say(f"'{folder.name}' is in use already.")
            return True
        self._former = former
        if record is not None:
            # Known from what was outlined: it need not be estimated.
            bench.set_setting("cell_size", round(record.cell_size, 1))
        offer = Offer(APPLY, self.apply, APPLY_HINT)
        bench.say(
            f"'{folder.name}' is in use, under Find too. What you confirmed stays "
            f"when it is applied.",
            "said",
            offer,
        )
        return True

    def _replace_missing(self) -> bool:
        """Go back to the model before when the one in use is gone; whether it was."""
        bench = self._bench
        chosen = bench.choices.settings.model
        if not _is_gone(chosen):
            return False
        former = LAST_RESORT if _is_gone(self._former) else self._former
        bench.set_setting("model", former)
        bench.say(
            f"'{Path(chosen).name}' is not there any more: '{short_name(former)}' is "
            f"in use.",
            "note",
        )
        return True

    def _show_result(self, taught: TaughtModel) -> None:
        """Show what came of it; its pictures come a moment later."""
        self.result, self.kept = taught, False
        post = self._bench.mailbox.post

        def read() -> None:
            pictures: tuple[CheckPicture, ...] = ()
            trouble = ""
            try:
                pictures = read_pictures(taught.folder)
            except BadModelError as error:
                trouble = str(error)
            post(lambda: self._show_pictures(taught, pictures, trouble))

        # Unpacking takes a while, in which the window answers.
        threading.Thread(target=read, daemon=True).start()

    def _show_pictures(
        self, taught: TaughtModel, pictures: tuple[CheckPicture, ...], trouble: str
    ) -> None:
        if taught is self.result:
            self.pictures, self.trouble = pictures, trouble
            self._bench.changed.emit()

    def _collect(self, job: Job) -> None:
        """Note a point of the curve, in the thread of the job."""
        step = job.progress
        if job.kind != "teach" or step is None:
            return
        if job is not self._curve_of:
            self._curve_of, self.curve = job, ()
        point = point_of(step)
        if point is not None:
            self.curve, self.total = (*self.curve, point), step.total

    def _forget(self) -> None:
        self.result, self.kept = None, False
        self.pictures, self.trouble = (), ""

    def _on_opened(self) -> None:
        self._forget()
        if self._bench.session.job is None or self._bench.session.project is None:
            self.curve = ()
        self.reload()


def _is_gone(model: str) -> bool:
    path = Path(model)
    return path.is_absolute() and not (path / SETTINGS).is_file()
