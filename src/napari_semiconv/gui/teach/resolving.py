"""Work out what the tab "Teach" shows, without a window."""

from pathlib import Path

from ...workflows.session import Session
from ..choices import Choices
from ..model_folder import short_name
from .state import ModelsState, ResultState, TeachState
from .teaching import Teaching

START = "Find cells, or open a project, and correct some: a model learns from them."
READ_ONLY = (
    "The project is open elsewhere, and can be looked at only: teach where it is open."
)
NO_MOVIE = "The movie is not found, which is needed to teach: find it first."


def resolve_teach(
    teaching: Teaching, session: Session, choices: Choices, *, shown: bool
) -> TeachState:
    """Work out the tab.

    Parameters
    ----------
    teaching
        What is taught.
    session
        What is open.
    choices
        What the user chose under Find.
    shown
        Whether the tab is in front: what nobody sees is not counted.
    """
    project, job = session.project, session.job
    if project is None:
        return TeachState(words=START, depth=teaching.depth)
    known = teaching.known() if shown else teaching.last_known
    free = job is None and not project.read_only
    if project.read_only:
        words = READ_ONLY
    else:
        words = NO_MOVIE if session.movie is None else known.words()
    ready = known.cells > 0 and session.movie is not None
    return TeachState(
        words=words,
        advice=teaching.advice() if shown and not project.read_only else (),
        model=short_name(choices.settings.model),
        depth=teaching.depth,
        enabled=free,
        can_teach=free and ready,
        can_stop=job is not None and job.kind == "teach" and not job.stopping,
        curve=teaching.curve,
        total=teaching.total,
        result=_result(teaching),
        models=ModelsState(
            entries=teaching.models,
            installed=tuple(n for n in choices.models if not Path(n).is_absolute()),
            in_use=choices.settings.model,
            free=job is None,
            editable=not project.read_only,
        ),
    )


def _result(teaching: Teaching) -> ResultState | None:
    taught = teaching.result
    if taught is None:
        return None
    record, name = taught.record, taught.folder.name
    kept = f"'{name}' is in use. Under Models you go back to another one."
    return ResultState(
        words=kept if teaching.kept else f"'{name}': {record.verdict()}",
        better=record.better,
        kept=teaching.kept,
        pictures=teaching.pictures,
        trouble=teaching.trouble,
    )
