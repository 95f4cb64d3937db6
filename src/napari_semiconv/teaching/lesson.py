"""A lesson: examples to learn from, and frames to check what was learned."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ..errors import BadInputError
from ..labels import labels_in, overlap
from ..project.facts import is_project
from ..project.project import Project
from ..safe import replacing
from ..training.clips import FINER
from ..training.truth import Recording, read_recordings
from .corrections import Corrections, check_enough, corrections_of
from .examples import Check, Examples

# Share of the tracks that are never learned from, and tracks from which some are.
HELD_OUT, LEAST_TRACKS = 0.2, 4
MOST_CHECKS = 6
# A cell this many times larger or smaller than usual is named.
UNLIKE = 4.0


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a model is taught with.

    Parameters
    ----------
    recordings
        What clips are cut from; labels are -1 where nothing is known.
    checks
        Frames to check what was learned; none when there are too few cells.
    cell_size
        Diameter of a usual cell in the first movie, px.
    facts
        Counts by name, for the record: ``cells``, ``tracks``, ``frames``, ``held_out``.
    notes
        What the user should know of it, a sentence each.
    """

    recordings: list[Recording]
    checks: list[Check]
    cell_size: float
    facts: dict[str, int]
    notes: tuple[str, ...] = ()


def lesson_of(
    several: Sequence[Corrections], cell_size: float, seed: int = 0
) -> Lesson:
    """Make examples and checks of the corrections of some projects; reads movies.

    Parameters
    ----------
    several
        What is trusted in each project, with cells in one of them at least.
    cell_size
        Diameter that the model expects of cells, px.
    seed
        Decides which tracks are held out.

    Raises
    ------
    BadInputError
        When a movie is not found.
    """
    rng = np.random.default_rng(seed)
    recordings: list[Recording] = []
    checks: list[Check] = []
    untouched: list[Check] = []
    notes: list[str] = []
    held = 0
    for corrections in several:
        if not corrections.frames:
            notes.append(f"{corrections.name}: nothing is corrected there.")
            continue
        aside = _held_out(corrections, HELD_OUT, rng)
        held += len(aside)
        scaled = Examples(corrections, cell_size * FINER)
        recordings += scaled.recordings(aside)
        checks += scaled.checks(aside)
        untouched += scaled.untouched()
        notes += _unlike(corrections)
    for one, other in combinations(several, 2):
        notes += _contradictions(one, other)
    if not held:
        notes.append(
            f"Fewer than {LEAST_TRACKS} cells are corrected: all are learned from, and "
            f"none is left to check what was learned. Correct some more to have it "
            f"checked."
        )
    facts = {
        "cells": sum(c.cells for c in several),
        "tracks": sum(len(c.tracks) for c in several),
        "frames": sum(len(c.frames) for c in several),
        "held_out": held,
    }
    checks = _spread(checks) + untouched[:1]
    size = next(c.size for c in several if c.size is not None)
    return Lesson(recordings, checks, size, facts, tuple(notes))


def _contradictions(one: Corrections, other: Corrections) -> Iterator[str]:
    """Name cells of the same movie that two projects outline in different ways."""
    if one.project.info.fingerprint != other.project.info.fingerprint:
        return
    theirs = {known.frame: known for known in other.frames}
    for mine in one.frames:
        known = theirs.get(mine.frame)
        if known is None:
            continue
        both = overlap(mine.cells, known.cells)
        pairs = zip(both.pairs.tolist(), both.shared.tolist(), strict=True)
        for (a, b), shared in pairs:
            sizes = [int((f.cells == n).sum()) for f, n in ((mine, a), (known, b))]
            if 2 * shared > min(sizes) and 3 * shared <= sum(sizes):
                yield (
                    f"Frame {mine.frame}: cell {a} of {one.name} and cell {b} of "
                    f"{other.name} are the same place, outlined in different ways. "
                    f"Both are learned from; correct one of them."
                )
        for a in labels_in(np.where(known.empty, mine.cells, 0)):
            yield (
                f"Frame {mine.frame}: cell {a} of {one.name} lies where "
                f"{other.name} says that none is. Both are learned from; correct one "
                f"of them."
            )


def read_folders(
    folders: Sequence[Path], held_out: float, size: float
) -> tuple[list[Recording], list[Recording]]:
    """Read annotated folders and projects, and set the held-out part of each aside.

    Parameters
    ----------
    folders
        See `read_recordings`; or projects, whose corrected and confirmed cells are
        learned from.
    held_out
        Share of the frames of a folder, and of the tracks of a project, set aside.
    size
        Diameter to which larger cells are rescaled, px.

    Returns
    -------
    tuple
        Recordings to train on, and held out.

    Raises
    ------
    BadInputError
        When a folder is of no such kind, or has no cell to learn from.
    """
    annotated = [folder for folder in folders if not is_project(folder)]
    train_on, held = read_recordings(annotated, held_out, size)
    for folder in folders:
        if is_project(folder):
            with Project.open(folder, write=False) as project:
                corrections = corrections_of(project)
                check_enough([corrections])
                aside = _held_out(corrections, held_out, np.random.default_rng(0))
                scaled = Examples(corrections, size)
                train_on += scaled.recordings(aside)
                checks = [check.recording() for check in scaled.checks(aside)]
                held += [replace(check, name=corrections.name) for check in checks]
    return train_on, held


def _held_out(
    corrections: Corrections, share: float, rng: np.random.Generator
) -> set[int]:
    """Choose the tracks that are not learned from."""
    tracks = corrections.tracks
    if len(tracks) < LEAST_TRACKS or not share:
        return set()
    count = max(1, round(share * len(tracks)))
    return {int(n) for n in rng.choice(tracks, count, replace=False)}


def _spread(checks: list[Check]) -> list[Check]:
    """Take those with most cells, as far as there are too many."""
    best = sorted(checks, key=lambda check: -len(labels_in(check.truth)))
    return best[:MOST_CHECKS]


def _unlike(corrections: Corrections) -> Iterator[str]:
    """Name cells of a very different size: a slip of the brush, perhaps."""
    usual = corrections.size
    if usual is None:
        return
    for known in corrections.frames:
        labels, counts = np.unique(known.cells[known.cells > 0], return_counts=True)
        for label, count in zip(labels.tolist(), counts.tolist(), strict=True):
            size = float(np.sqrt(4 * count / np.pi))
            if not 1 / UNLIKE <= size / usual <= UNLIKE:
                yield (
                    f"{corrections.name}: cell {label} in frame {known.frame} is "
                    f"{size:.0f} px across, where usual ones are {usual:.0f} px. It is "
                    f"learned from all the same; undo it if it was a slip."
                )


def write_lesson(path: Path, lesson: Lesson) -> None:
    """Write a lesson for the process that teaches.

    Raises
    ------
    SaveError
        When it could not be written.
    """
    arrays: dict[str, Any] = {}
    about: dict[str, Any] = {
        "cell_size": lesson.cell_size,
        "facts": lesson.facts,
        "notes": lesson.notes,
        "recordings": [],
        "checks": [],
    }
    for number, recording in enumerate(lesson.recordings):
        key = f"recording{number}"
        arrays[f"{key}_images"] = np.stack(recording.images)
        arrays[f"{key}_labels"] = np.stack(recording.labels)
        arrays[f"{key}_outlined"] = np.array(recording.outlined)
        arrays[f"{key}_table"] = recording.table
        about["recordings"].append([recording.name, recording.cell_size])
    for number, check in enumerate(lesson.checks):
        arrays[f"check{number}_images"] = np.stack(check.images)
        arrays[f"check{number}_truth"] = check.truth
        about["checks"].append([check.name, check.cell_size])
    with replacing(path, sync=False) as stream:
        np.savez(stream, about=np.array(json.dumps(about)), **arrays)


def read_lesson(path: Path) -> Lesson:
    """Read what `write_lesson` wrote.

    Raises
    ------
    BadInputError
        When the file is missing or damaged.
    """
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            about = json.loads(str(file["about"]))
            recordings = [
                Recording(
                    name,
                    list(file[f"recording{n}_images"]),
                    list(file[f"recording{n}_labels"]),
                    file[f"recording{n}_outlined"].tolist(),
                    file[f"recording{n}_table"],
                    size,
                )
                for n, (name, size) in enumerate(about["recordings"])
            ]
            checks = [
                Check(
                    name, list(file[f"check{n}_images"]), file[f"check{n}_truth"], size
                )
                for n, (name, size) in enumerate(about["checks"])
            ]
        return Lesson(
            recordings,
            checks,
            about["cell_size"],
            about["facts"],
            tuple(about["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise BadInputError(
            f"{path}: expected examples to learn from, found nothing that can be read "
            f"({type(error).__name__}). Teach again."
        ) from error
