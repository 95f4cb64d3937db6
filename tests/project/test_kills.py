"""A writer is killed at any instant: no journalled edit is ever lost."""

import hashlib
import os
import random
import signal
import time

import numpy as np
import pytest
from tests.edits.worlds import (
    SHAPE,
    by_chance,
    family_lineage,
    family_pixels,
    faults,
    state,
)

from napari_semiconv.errors import EditError
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project import project as project_module
from napari_semiconv.project.project import Project

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def digest(document):
    pixels, names, tracks, absences, number = state(document)
    facts = sorted(names.items()), sorted(tracks.items()), sorted(absences), number
    return hashlib.sha256(b"".join([*pixels, repr(facts).encode()])).hexdigest()


def write_until_killed(folder, seed, pipe):
    """Edit, undo and redo; after each, tell its number in the journal and the state."""
    chance = random.Random(seed)
    # Frames and tracks reach the disk often, so that kills fall between those as well.
    project_module.ENTRIES_BETWEEN = 5
    with Project.open(folder) as project:
        os.write(pipe, f"0 {project.history.journal.last} open\n".encode())
        while True:
            try:
                act = chance.choice(["do"] * 5 + ["undo", "redo", "compact"])
                if act == "do":
                    project.do(by_chance(chance, project.document))
                elif act == "compact" and chance.random() < 0.3:
                    project.save()
                    project.history.compact()
                elif act in ("undo", "redo"):
                    getattr(project, act)()
            except EditError:
                continue
            last = project.history.journal.last
            os.write(pipe, f"1 {last} {digest(project.document)}\n".encode())


def killed_writer(folder, seed, seconds):
    """What a writer told before it was killed: its last entry and state."""
    source, target = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write_until_killed(folder, seed, target)
        finally:
            os._exit(1)
    os.close(target)
    told = b""
    while b"\n" not in told:
        told += os.read(source, 1 << 16)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while part := os.read(source, 1 << 16):
        told += part
    os.close(source)
    rows = [line.split() for line in told.decode().splitlines(keepends=False)]
    return [row for row in rows if len(row) == 3]


def check_kills(folder, times, seed=0):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    pixels = family_pixels()
    found = TrackedMovie("family", SHAPE, pixels.__getitem__, family_lineage())
    Project.create(folder, movie, found).close()
    chance = random.Random(seed)
    edits = 0
    for kill in range(times):
        # From the first instant on to some hundred edits.
        told = killed_writer(folder, kill, chance.random() ** 2 * 0.25)
        flag, last, expected = told[-1]
        with Project.open(folder) as project:
            journal = project.history.journal
            # The writer may have written one more than it could tell.
            assert int(last) <= journal.last <= int(last) + 1, project.notes
            if flag == "1" and journal.last == int(last):
                assert digest(project.document) == expected, (kill, project.notes)
            assert faults(project.document) == [], kill
            edits += int(last) - int(told[0][1])
    return edits


@needs_fork
def test_no_edit_is_lost_in_a_dozen_kills(tmp_path):
    assert check_kills(tmp_path / "p", 12) > 5


@needs_fork
@pytest.mark.slow
def test_no_edit_is_lost_in_two_hundred_kills(tmp_path):
    assert check_kills(tmp_path / "p", 220, seed=1) > 220
