"""Teach a model in the child, and write the new one."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ..io.cells.staging import new_target
from ..network.weights import Model, save_model
from ..teaching.lesson import Lesson, read_lesson
from ..teaching.record import PICTURES, ScoreRecord, TeachRecord, write_record
from ..teaching.scoring import CheckScore
from ..teaching.teach import Taught, teach
from .messages import TeachEnded, TeachRequest, TeachStep

# Checks of which pictures are kept.
SHOWN = 3


def teach_and_write(
    request: TeachRequest, model: Model, stops: Callable[[], bool]
) -> Generator[TeachStep | TeachEnded, None, None]:
    """Teach a model; the new one is written whole or not at all.

    Parameters
    ----------
    request
        What was asked.
    model
        The model that it names.
    stops
        Whether to stop; asked after each step.

    Yields
    ------
    TeachStep
        After each step; `TeachEnded` at the end.

    Raises
    ------
    SemiconvError
        When it cannot be taught, or written; the model that was taught stays.
    """
    start = time.perf_counter()
    lesson = read_lesson(request.lesson)
    steps = teach(model, lesson, request.settings)
    with closing(steps):
        try:
            while True:
                step = next(steps)
                yield TeachStep(
                    ticket=request.ticket,
                    stage=step.stage,
                    step=step.step,
                    total=step.total,
                    loss=step.loss,
                    held_out=step.held_out,
                )
                if stops():
                    yield TeachEnded(
                        ticket=request.ticket, output=request.output, cancelled=True
                    )
                    return
        except StopIteration as end:
            taught: Taught = end.value
    record = _record_of(request, model, lesson, taught, time.perf_counter() - start)
    _write(request, model, lesson, taught, record)
    yield TeachEnded(ticket=request.ticket, output=request.output)


def _record_of(
    request: TeachRequest, model: Model, lesson: Lesson, taught: Taught, seconds: float
) -> TeachRecord:
    known = bool(np.isfinite(taught.replay[0]))
    return TeachRecord(
        parent=model.name,
        parent_sha256=model.info.digest,
        projects=request.projects,
        facts=lesson.facts,
        notes=lesson.notes,
        before=_score(taught.before),
        after=_score(taught.after),
        replay=taught.replay if known else None,
        settings=request.settings,
        step=taught.step,
        better=taught.better,
        forgets=known and taught.forgets,
        cell_size=lesson.cell_size,
        seconds=seconds,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _score(score: CheckScore) -> ScoreRecord:
    return ScoreRecord(cells=score.cells, found=score.found, false=score.false)


def _write(
    request: TeachRequest,
    model: Model,
    lesson: Lesson,
    taught: Taught,
    record: TeachRecord,
) -> None:
    names = ", ".join(request.projects)
    card = (
        f"# Model taught with napari-semiconv\n\nTaught from the model "
        f"'{model.name}' with {lesson.facts['cells']} corrected cells of {names}.\n\n"
        f"{record.verdict()}\n"
    )
    with new_target(request.output) as draft:
        save_model(
            draft,
            taught.network,
            cell_size=model.info.cell_size,
            description=f"Taught from '{model.name}' with cells of {names}.",
            card=card,
            taught_size=lesson.cell_size,
        )
        write_record(draft, record)
        np.savez_compressed(draft / PICTURES, **_pictures(lesson, taught))


def _pictures(lesson: Lesson, taught: Taught) -> dict[str, Any]:
    """Images, truth and what both models found in some checks, by name."""
    found = {}
    every = list(zip(lesson.checks, taught.found, strict=True))
    # The last one may be a frame that nobody corrected.
    shown = [*every[: SHOWN - 1], *every[-1:]]
    for number, (check, (before, after)) in enumerate(shown):
        for name, picture in (
            ("image", check.images[-1]),
            ("truth", check.truth),
            ("before", before),
            ("after", after),
            ("name", np.array(check.name)),
        ):
            found[f"{name}{number}"] = picture
    return found
