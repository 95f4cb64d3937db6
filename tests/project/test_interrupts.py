"""Ctrl+C at any instant: an edit is made, or it is not, and nothing between."""

import random
import shutil
from functools import partial

import numpy as np
import pytest
from benchmarks.interrupting import Interrupter
from tests.edits.worlds import (
    SHAPE,
    by_chance,
    family_lineage,
    family_pixels,
    faults,
    shown,
    state,
)

from napari_semiconv.edits.document import Document
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import EditError
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project

# A file that was just opened is closed when nobody knows it any more.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
# Instants of each that are tried, from the first line that runs to the last.
INSTANTS = 16


def some_edits(project, chance, count, group=None):
    made = 0
    while made < count:
        try:
            made += bool(project.do(by_chance(chance, project.document), group))
        except EditError:
            continue


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A project whose last step is one of five edits."""
    folder = tmp_path_factory.mktemp("interrupts") / "p.semiconv"
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    pixels = family_pixels()
    found = TrackedMovie("family", SHAPE, pixels.__getitem__, family_lineage())
    with Project.create(folder, movie, found) as project:
        chance = random.Random(5)
        some_edits(project, chance, 6)
        some_edits(project, chance, 5, project.history.new_group())
    return folder


class Act:
    """What is interrupted, in a copy of the project of its own."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.project = Project.open(folder)
        if name == "redo":
            self.project.undo()
        if name in ("close", "save"):
            some_edits(self.project, random.Random(8), 2)
        # Some centroids are known, and are to stay right.
        for frame in range(0, SHAPE[0], 2):
            self.project.centroids(frame)
        self.before = state(self.project.document)

    def __call__(self):
        if self.name == "do":
            edit = Paint(1, 70, Region(0, 20, np.ones((5, 5), bool)))
            self.project.do(edit)
        else:
            getattr(self.project, self.name)()

    def end(self):
        """State of the open document, as well as of the project opened again."""
        self.project.tracked()
        state_now = state(self.project.document)
        for frame in range(SHAPE[0]):
            found = self.project.centroids(frame).labels
            painted = shown(self.project.document)[frame]
            assert found.tolist() == np.unique(painted[painted > 0]).tolist()
        self.project.close()
        with Project.open(self.folder) as again:
            assert not again.read_only
            assert faults(again.document) == []
            assert [*again.faults()] == []
            assert state(again.document) == state_now
        return state_now


@pytest.mark.parametrize("name", ["do", "undo", "redo", "save", "close"])
def test_whatever_is_interrupted_is_done_or_not(name, edited, tmp_path):
    def act(number, line=None):
        folder = tmp_path / f"{number}.semiconv"
        shutil.copytree(edited, folder)
        act, interrupter = Act(name, folder), Interrupter(line)
        interrupter.run(act)
        return act, interrupter

    whole, counted = act(0)
    after, ends = whole.end(), []
    assert (after == whole.before) == (name in ("save", "close"))
    for number in range(1, INSTANTS + 1):
        tried, interrupter = act(number, counted.count * number // (INSTANTS + 1))
        assert interrupter.came
        ends.append(tried.end())
        assert ends[-1] in (tried.before, after)
    # Both ends were seen, so the instants did fall on either side.
    assert {end == after for end in ends} == {after == whole.before, True}


def interrupt_at_the_third_change(act):
    document, changes = act.project.document, []

    def apply(change):
        changes.append(change)
        if len(changes) == 3:
            raise KeyboardInterrupt
        Document.apply(document, change)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "apply", apply)
        with pytest.raises(KeyboardInterrupt):
            act()


@pytest.mark.parametrize("line", range(20, 420, 20))
def test_one_that_mends_may_be_interrupted_as_well(line, edited, tmp_path, monkeypatch):
    folder = tmp_path / "p.semiconv"
    shutil.copytree(edited, folder)
    act = Act("undo", folder)
    history = act.project.history
    with monkeypatch.context() as patch:
        patch.setattr(
            history, "_replay", partial(Interrupter(line).run, history._replay)
        )
        interrupt_at_the_third_change(act)
    assert history._applied < history.journal.last
    assert act.end() != act.before


def test_what_was_unheard_is_told_with_the_next_change(edited, tmp_path):
    folder = tmp_path / "p.semiconv"
    shutil.copytree(edited, folder)
    act, told = Act("undo", folder), []
    act.project.changed.connect(told.append)
    interrupt_at_the_third_change(act)
    act.project.redo()
    act.end()
    assert len(told) == 1
    assert told[0].frames
