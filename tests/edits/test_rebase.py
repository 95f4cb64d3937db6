"""A run is one step, however the user edits, undoes and redoes while it goes on."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.edits.worlds import (
    SHAPE,
    MemoryMasks,
    by_chance,
    family_pixels,
    faults,
    shown,
    state,
)

from napari_semiconv.edits.document import Document
from napari_semiconv.edits.history import History
from napari_semiconv.edits.journal import Journal
from napari_semiconv.edits.masks import Erase, NewCell, Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.results import AdoptFrame, AdoptTracks
from napari_semiconv.errors import EditError
from napari_semiconv.project.adopt import Adopter
from napari_semiconv.tracking.lineage import Lineage

PARENTS = {3: {2: 1, 3: 1}}
SLOWLY = settings(
    deadline=None,
    max_examples=2000,
    # What random edits do cannot be made simpler: shrinking takes minutes for nothing.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
QUICKLY = settings(SLOWLY, max_examples=80)


def empty():
    return Document(MemoryMasks(np.zeros(SHAPE, np.int32)), Lineage())


class Session:
    """A user and a run at one document: what a run asks of a project is here too."""

    def __init__(self, folder):
        self.path = Path(folder) / "journal.bin"
        self.history = History(empty(), Journal(self.path))
        self.group = self.history.new_group()
        self.adopter = Adopter(self, 1, self.group)
        self.left = list(range(SHAPE[0]))

    @property
    def document(self):
        return self.history.document

    @property
    def lineage(self):
        return self.document.lineage

    def do(self, edit, group=None):
        return self.history.do(edit, group)

    @contextmanager
    def editing(self):
        with self.history.writing:
            yield

    def adopt(self):
        frame = self.left.pop(0)
        self.adopter.adopt(frame, family_pixels()[frame], PARENTS.get(frame, {}))

    def edit(self, random):
        edit = by_chance(random, self.document)
        if isinstance(edit, AdoptFrame | AdoptTracks):
            return
        try:
            self.history.do(edit)
        except EditError:
            return

    def turn(self, way):
        """Undo or redo; tell whether something was. None is ever refused."""
        words = getattr(self.history, f"{way}able")
        if words is None:
            before = state(self.document)
            with pytest.raises(EditError, match=f"nothing to {way}"):
                getattr(self.history, way)()
            assert state(self.document) == before
            return False
        getattr(self.history, way)()
        return True

    def check(self):
        assert faults(self.document) == []

    def check_replay(self):
        """The journal alone gives the same document."""
        journal = Journal(self.path)
        try:
            replayed = History(empty(), journal)
            assert state(replayed.document) == state(self.document)
            assert replayed.standing == self.history.standing
            assert replayed.undoable == self.history.undoable
            assert replayed.redoable == self.history.redoable
        finally:
            journal.close()

    def check_one_step(self):
        """All frames of the run are undone, or redone, together."""
        of_run = {e.number for e in self.history.journal.entries if self._of_run(e)}
        done, undone = self.history.standing
        assert of_run <= done or of_run <= undone

    def _of_run(self, entry):
        return entry.head["do"] == "edit" and entry.head["group"] == self.group


@pytest.fixture
def session(tmp_path):
    session = Session(tmp_path)
    yield session
    session.check()
    session.check_replay()
    session.history.journal.close()


def test_a_run_that_goes_on_after_its_journal_was_made_small_is_undone(session):
    before = state(session.document)
    session.adopt()
    paint = Paint(0, 30, Region(0, 20, np.ones((4, 4), bool)))
    session.do(paint)
    session.turn("undo")
    session.do(NewCell(0, Region(0, 26, np.ones((2, 2), bool))))
    session.history.compact()
    session.adopt()
    after = state(session.document)
    assert session.turn("undo")
    session.check_one_step()
    assert session.turn("redo")
    assert state(session.document) == after
    while session.turn("undo"):
        session.check()
    assert state(session.document) == before


def play(random, edits, ways):
    """A run in the middle of edits, and of undoing and redoing in some ways."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(folder)
        try:
            session.adopt()
            acts = ["adopt"] * len(session.left) + ["edit"] * edits
            acts += [random.choice(ways) for _ in range(edits) if ways]
            random.shuffle(acts)
            for act in acts:
                if act == "adopt":
                    session.adopt()
                elif act == "edit":
                    session.edit(random)
                else:
                    session.turn(act)
                session.check()
            session.check_replay()
            yield session
        finally:
            session.history.journal.close()


def wind_back(session):
    """Undo all, redo all, undo all: sound after each, and empty in the end."""
    for way in ("undo", "redo", "undo"):
        while session.turn(way):
            session.check()
            session.check_one_step()
        session.check_replay()
    assert not shown(session.document).any()
    assert not session.lineage.tracks
    assert not session.document.absences


@QUICKLY
@given(st.randoms(use_true_random=False), st.integers(0, 12))
def test_a_run_with_edits_in_between_is_one_step(random, edits):
    for session in play(random, edits, []):
        session.check_one_step()
        wind_back(session)


@QUICKLY
@given(st.randoms(use_true_random=False), st.integers(0, 12))
def test_undo_and_redo_while_it_goes_on_too(random, edits):
    for session in play(random, edits, ["undo", "redo"]):
        for way in ("undo", "redo", "undo"):
            while session.turn(way):
                session.check()
            session.check_replay()
        assert not shown(session.document).any()
        assert not session.lineage.tracks


@pytest.mark.slow
@SLOWLY
@given(st.randoms(use_true_random=False), st.integers(0, 40))
def test_long_sessions_too(random, edits):
    for session in play(random, edits, []):
        session.check_one_step()
        wind_back(session)


def block(y, x, height, width):
    return Region(y, x, np.ones((height, width), bool))


def test_what_the_user_drew_outlives_the_undoing_of_an_earlier_step(session):
    """The run's pixels go, those that the user painted since stay until undone."""
    session.adopt()
    session.do(Paint(0, 1, block(2, 10, 6, 3)))
    session.adopt()
    session.turn("undo")
    assert np.array_equal(session.document.labels(0), family_pixels()[0])
    session.turn("redo")
    assert (session.document.labels(0)[2:8, 10:13] == 1).all()


def same_but_for_names(found, expected):
    """Tell whether two label images part the same pixels into the same cells."""
    pairs = np.unique(np.stack([found.ravel(), expected.ravel()]), axis=1)
    return len(pairs[0]) == len({*pairs[0]}) == len({*pairs[1]}) and (0, 0) in {
        *zip(*pairs.tolist(), strict=True)
    }


def test_frames_adopted_after_an_edit_are_undone_with_those_before(session):
    session.adopt()
    # It gets the label that the run has for a cell of its own.
    session.do(NewCell(5, block(0, 28, 3, 3)))
    new = int(session.document.labels(5)[1, 29])
    while session.left:
        session.adopt()
    assert session.document.labels(5)[1, 29] == new
    assert session.lineage.tracks[new].frames == [5]
    assert session.turn("undo")
    assert session.document.labels(5)[1, 29] == 0
    assert new not in session.lineage.tracks
    assert same_but_for_names(shown(session.document), family_pixels())
    assert session.turn("undo")
    assert not shown(session.document).any()
    assert not session.turn("undo"), "the run was one step"
    assert session.turn("redo")
    assert same_but_for_names(shown(session.document), family_pixels())
    assert {n: t.parent for n, t in session.lineage.tracks.items() if t.parent} == {
        2: 1,
        3: 1,
    }
    assert session.turn("redo")
    assert session.document.labels(5)[1, 29] == new


def test_an_edit_that_is_undone_leaves_the_frames_that_came_since(session):
    session.adopt()
    session.do(Erase(0, block(0, 0, 24, 32), 4))
    for _ in range(3):
        session.adopt()
    session.turn("undo")
    assert np.array_equal(shown(session.document)[:4], family_pixels()[:4])
    assert session.lineage.tracks[4].frames == [0, 1, 3]


def test_edits_that_nobody_went_on_after_are_journalled_as_before(session):
    """Their undoing needs no change of its own: it is that of the entry turned."""
    session.adopt()
    session.do(Paint(0, 30, block(20, 20, 2, 2)))
    session.turn("undo")
    undo = session.history.journal.entries[-1]
    assert undo.head["do"] == "undo"
    assert undo.size == 0
