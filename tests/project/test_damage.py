"""Flipped bits and lost bytes in the journal: later edits are used, none is wrong."""

import os
import random
import shutil

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

from napari_semiconv.errors import BadInputError, EditError, SaveError
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.project.recovery import JOURNAL
from napari_semiconv.project.written import WRITTEN

EDITS = 14


class Edited:
    """A project with edits, and the states that they went through."""

    def __init__(self, folder, *, closed):
        movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
        pixels = family_pixels()
        found = TrackedMovie("family", SHAPE, pixels.__getitem__, family_lineage())
        self.folder, chance = folder, random.Random(11)
        project = Project.create(folder, movie, found)
        self.states = [state(project.document)]
        while len(self.states) <= EDITS:
            if not closed and len(self.states) == EDITS // 2:
                project.save()
            try:
                if project.do(by_chance(chance, project.document)):
                    self.states.append(state(project.document))
            except EditError:
                continue
        entries = project.history.journal.entries
        self.places = [(entry.begin, entry.end) for entry in entries]
        if closed:
            project.close()
        else:
            # As a kill leaves it.
            project.history.journal.close()
            project._lock.free()

    def copied(self, folder):
        shutil.copytree(self.folder, folder)
        return folder


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    return Edited(tmp_path_factory.mktemp("closed") / "p", closed=True)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    return Edited(tmp_path_factory.mktemp("killed") / "p", closed=False)


def flip(path, place, bit=0):
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def undo_all(project, states):
    """Undo until that is refused; each state must be the one before."""
    steps = 0
    while True:
        try:
            project.undo()
        except (EditError, BadInputError):
            return steps
        steps += 1
        assert state(project.document) == states[-1 - steps]


@pytest.mark.parametrize("entry", range(0, EDITS, 3))
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.6, 0.99])
def test_a_flipped_bit_of_an_old_entry_spares_the_later_ones(
    closed, tmp_path, entry, share
):
    folder = closed.copied(tmp_path / "p")
    begin, end = closed.places[entry]
    flip(folder / JOURNAL, begin + int(share * (end - begin)), entry % 8)
    with Project.open(folder) as project:
        assert not project.read_only
        assert state(project.document) == closed.states[-1]
        assert undo_all(project, closed.states) == EDITS - 1 - entry
        for _ in range(EDITS - 1 - entry):
            project.redo()
        assert state(project.document) == closed.states[-1]
        assert project.history.journal.last == EDITS + 2 * (EDITS - 1 - entry)
    with Project.open(folder) as project:
        assert state(project.document) == closed.states[-1]
        assert len([*project.faults()]) == 1


@pytest.mark.parametrize("cut", [1, 50, 900, 3000])
def test_nothing_is_undone_across_what_a_cut_journal_lacks(closed, tmp_path, cut):
    folder = closed.copied(tmp_path / "p")
    os.truncate(folder / JOURNAL, closed.places[-1][1] - cut)
    with Project.open(folder) as project:
        assert "the journal lacks its last" in project.notes[0]
        assert state(project.document) == closed.states[-1]
        assert undo_all(project, closed.states) == 0
        chance, states = random.Random(3), [state(project.document)]
        while len(states) < 4:
            try:
                if project.do(by_chance(chance, project.document)):
                    states.append(state(project.document))
            except EditError:
                continue
        # As a kill leaves it.
        project.history.journal.close()
        project._lock.free()
        project._lock = None
    with Project.open(folder) as project:
        assert state(project.document) == states[-1]
        assert undo_all(project, states) == 3
    with Project.open(folder) as project:
        assert project.notes == ()


@pytest.mark.parametrize("entry", range(EDITS // 2 - 1, EDITS))
@pytest.mark.parametrize("share", [0.1, 0.99])
def test_damage_where_tracks_are_older_gives_the_state_before_it(
    killed, tmp_path, entry, share
):
    folder = killed.copied(tmp_path / "p")
    begin, end = killed.places[entry]
    flip(folder / JOURNAL, begin + int(share * (end - begin)))
    with Project.open(folder, write=False) as project:
        assert state(project.document) == killed.states[entry]
        assert "cut off" in project.notes[0] or "in part" in project.notes[0]
    data = (folder / JOURNAL).read_bytes()
    with Project.open(folder) as project:
        assert not project.read_only
        assert state(project.document) == killed.states[entry]
        undo_all(project, killed.states[: entry + 1])
    if entry < EDITS - 1:
        assert (folder / f"{JOURNAL}.damaged").read_bytes() == data[begin:]


@pytest.mark.parametrize("told", [True, False], ids=["told", "older release"])
def test_masks_that_are_ahead_of_a_damaged_journal_are_never_edited(
    killed, tmp_path, told
):
    folder = killed.copied(tmp_path / "p")
    with Project.open(folder) as project:
        history, masks = project.history, project.document.masks
        done = history.journal.last
        chance = random.Random(1)
        while history.journal.last < done + 4:
            try:
                project.do(by_chance(chance, project.document))
            except EditError:
                continue
        # Killed while it saved: frames are written, tracks are not.
        masks.flush()
        place = history.journal.entries[done + 1].end - 1
        history.journal.close()
        project._lock.free()
        project._lock = None
    if not told:
        (folder / WRITTEN).unlink()
    flip(folder / JOURNAL, place)
    data = (folder / JOURNAL).read_bytes()
    for _ in range(2):
        with Project.open(folder) as project:
            assert project.read_only
            assert "its masks may be newer" in project.notes[-1]
            with pytest.raises(SaveError, match="read only"):
                project.undo()
        assert (folder / JOURNAL).read_bytes() == data


def test_what_was_undone_of_a_damaged_edit_is_not_guessed(closed, tmp_path):
    """Killed after an undo whose edit has been damaged since."""
    folder = closed.copied(tmp_path / "p")
    project = Project.open(folder)
    project.undo()
    project.history.journal.close()
    project._lock.free()
    flip(folder / JOURNAL, closed.places[-1][1] - 1)
    with Project.open(folder) as project:
        assert state(project.document) == closed.states[-1]
        assert "1 entry was cut off" in project.notes[0]
        assert faults(project.document) == []
