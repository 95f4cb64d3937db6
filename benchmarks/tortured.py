"""A small project with a run and edits, and all that it answers, to be compared."""

import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_semiconv.edits.base import Edit
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.document import Document
from napari_semiconv.edits.links import Relabel, Swap, Unlink
from napari_semiconv.edits.masks import Erase, NewCell, Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell, DeleteTrack, MarkEmpty
from napari_semiconv.errors import EditError
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.project.runs.evidence import read_evidence
from napari_semiconv.project.runs.run import begin_run
from napari_semiconv.project.runs.store import RunStore
from napari_semiconv.settings import SegmentSettings
from napari_semiconv.tracking.evidence import Evidence
from napari_semiconv.tracking.lineage import Lineage

SHAPE = (6, 24, 32)
# Frames in which the cells of the run move on, one pixel each.
CELLS = ((2, 2), (2, 14), (12, 3), (13, 20))
SIDE = 6

State = tuple[Any, ...]


def make(folder: Path, seed: int, edits: int) -> None:
    """Make a project of a movie in memory, with a finished run that was edited."""
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX", name="movie")
    with Project.create(folder, movie) as project:
        run = begin_run(project, range(SHAPE[0]), SegmentSettings())
        store = RunStore.create(
            run.folder, movie, SegmentSettings().model_dump(mode="json"), {"name": "m"}
        )
        lineage = Lineage()
        for frame in range(SHAPE[0]):
            labels = found_in(frame)
            store.write_frame(frame, labels)
            store.write_evidence(frame, _evidence(len(CELLS), frame))
            for label in range(1, len(CELLS) + 1):
                lineage.observe(frame, label)
        store.write_lineage(lineage)
        store.finish()
        run.adopt_ready(SHAPE[0])
        for frame in range(SHAPE[0]):
            project.centroids(frame)
        edit(project, random.Random(seed), edits)


def found_in(frame: int) -> NDArray[np.int32]:
    """Give the cells that a run finds in a frame, (Y, X)."""
    labels = np.zeros(SHAPE[1:], np.int32)
    for label, (y, x) in enumerate(CELLS, 1):
        labels[y : y + SIDE, x + frame : x + frame + SIDE] = label
    return labels


def edit(project: Project, chance: random.Random, count: int) -> None:
    """Make edits by chance, until so many changed something."""
    last = project.history.journal.last + count
    while project.history.journal.last < last:
        with suppress(EditError):
            project.do(by_chance(chance, project.document))


def by_chance(chance: random.Random, document: Document) -> Edit:
    """Draw an edit, which may be impossible."""
    frames, height, width = document.shape
    labels = sorted(document.lineage.tracks) or [1]
    label, other, t = (
        chance.choice(labels),
        chance.choice(labels),
        chance.randrange(frames),
    )
    y, x = chance.randrange(height), chance.randrange(width)
    region = Region(y, x, np.ones((chance.randint(1, 7), chance.randint(1, 7)), bool))
    edits: tuple[Edit, ...] = (
        Paint(t, label, region, chance.random() < 0.5),
        Paint(t, chance.randint(60, 90), region),
        NewCell(t, region),
        Erase(t, region),
        DeleteCell(t, label),
        DeleteTrack(label, t),
        MarkEmpty(t, y, x),
        Unlink(label, t),
        Swap(label, other, t),
        Relabel(label, chance.randint(100, 120)),
        Confirm(label),
    )
    return chance.choice(edits)


def state_of(document: Document) -> State:
    """Give all that an undo must restore, to compare with ==."""
    frames = range(document.shape[0])
    return (
        tuple(document.labels(t).tobytes() for t in frames),
        tuple(document.masks.read(t).tobytes() for t in frames),
        dict(document.lineage.tracks),
        frozenset(document.absences),
        document.next_number,
    )


def answers(project: Project) -> Iterator[tuple[str, Any]]:
    """Ask a project, and its runs, for all that they hold, by name."""
    yield "movie", project.info.movie
    yield "facts", project.info.model_dump()
    yield "cells", state_of(project.document)
    for frame in range(project.document.shape[0]):
        yield f"centroids {frame}", _values(project.centroids(frame))
    for number, facts in enumerate(project.info.runs, 1):
        run = RunStore.open(project.folder / facts.folder)
        yield f"run {number}", run.info.model_dump()
        yield f"masks of run {number}", np.asarray(run.labels[:]).tobytes()
        yield f"tracks of run {number}", dict(run.lineage.tracks)
        yield f"frames of run {number}", run.done


def evidence_of(project: Project) -> Iterator[tuple[str, Any]]:
    """Ask for what is None when damaged, and worked out anew."""
    for facts in project.info.runs:
        for frame in range(project.document.shape[0]):
            found = read_evidence(project.folder / facts.folder, frame)
            yield f"evidence {frame}", None if found is None else _values(found)


def copied(source: Path, target: Path) -> Path:
    """Copy a project; files that are one stay so."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


def _values(found: Any) -> tuple[bytes, ...]:
    return tuple(getattr(found, field.name).tobytes() for field in fields(found))


def _evidence(cells: int, frame: int) -> Evidence:
    chance = np.random.default_rng(frame)
    numbers = chance.random((5, cells), np.float32)
    return Evidence(
        np.arange(1, cells + 1),
        chance.random((cells, 4), np.float32),
        chance.random((cells, 2), np.float32),
        *numbers[:3],
        np.zeros(cells, np.int64),
        numbers[3],
    )
