"""Teach a model with the corrections of projects."""

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

from ..compute.messages import TeachEnded, TeachRequest, TeachStep
from ..compute.supervisor import Supervisor
from ..io.cells.staging import check_free
from ..network.model_folder import find_model, read_info
from ..project.project import Project
from ..project.runs.run import MODELS, last_settings
from ..teaching.corrections import check_enough, corrections_of
from ..teaching.lesson import lesson_of, write_lesson
from ..teaching.record import TeachRecord, read_record
from ..teaching.settings import TeachSettings
from .progress import Progress, Stage, Steps, Stop, StoppedError, never
from .segmenting import supervised

STAGES: dict[str, Stage] = {
    "before": "checking",
    "learning": "teaching",
    "after": "checking",
}


def teach(
    projects: Sequence[Project],
    output: Path,
    settings: TeachSettings | None = None,
    *,
    frames: Iterable[int] | None = None,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[TeachRecord]:
    """Teach a model with what was corrected in projects; the model itself stays.

    Parameters
    ----------
    projects
        The projects; they may be open to be read alone.
    output
        New folder of the new model.
    settings
        How; the usual way when None.
    frames
        Frames to learn from; all with corrections when None.
    supervisor, stop
        As in `segment`. One that is stopped leaves nothing behind.

    Returns
    -------
    TeachRecord
        How the new model did; it is written in any case.

    Raises
    ------
    BadInputError
        When there is nothing to learn from, or a movie is not found.
    ComputeError
        When teaching fails; nothing is written.
    SaveError
        When there is something at ``output``, or it cannot be written.
    StoppedError
        When ``stop`` asked for it.
    """
    settings = settings or TeachSettings()
    check_free(output)
    yield Progress("reading")
    several = []
    for project in projects:
        several.append(corrections_of(project, settings.trust, frames))
        yield Progress("reading", len(several), len(projects))
        if stop():
            raise StoppedError
    check_enough(several)
    taught = settings.model or last_settings(projects[0]).model
    info = read_info(find_model(taught))
    lesson = lesson_of(several, info.cell_size, settings.seed)
    for note in lesson.notes:
        yield Progress("reading", note=note)
    with tempfile.TemporaryDirectory(prefix="semiconv-") as scratch:
        request = TeachRequest(
            lesson=Path(scratch) / "lesson.npz",
            model=taught,
            projects=tuple(corrections.name for corrections in several),
            settings=settings,
            output=output.absolute(),
        )
        write_lesson(request.lesson, lesson)
        yield from _follow(request, supervisor, stop)
    record = read_record(output)
    assert record is not None  # the child has just written it
    return record


def _follow(
    request: TeachRequest, supervisor: Supervisor | None, stop: Stop
) -> Steps[None]:
    """Tell what the computing process tells; at the end the model is there."""
    with (
        supervised(supervisor) as child,
        closing(child.follow(request, stop)) as messages,
    ):
        for message in messages:
            if isinstance(message, TeachStep):
                scores = {"loss": message.loss, "held out": message.held_out}
                yield Progress(
                    STAGES[message.stage],
                    message.step,
                    message.total,
                    scores={n: v for n, v in scores.items() if v is not None},
                )
            elif isinstance(message, TeachEnded) and not message.cancelled:
                return
    raise StoppedError


def free_model_folder(project: Project) -> Path:
    """Find a folder for the next model that is taught in a project."""
    folder = project.folder / MODELS
    numbers = (folder / f"taught-{number}" for number in count(1))
    return next(path for path in numbers if not path.exists())
