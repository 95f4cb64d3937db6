"""Any sequence of edits, undo, redo, close and reopen gives the state it should."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.edits.worlds import by_chance, family, faults, state

from napari_semiconv.edits.base import plan
from napari_semiconv.edits.document import Centroids
from napari_semiconv.edits.history import History
from napari_semiconv.edits.journal import Journal
from napari_semiconv.errors import EditError

SLOWLY = settings(
    deadline=None, max_examples=1500, suppress_health_check=[HealthCheck.too_slow]
)
QUICKLY = settings(SLOWLY, max_examples=60)


class Session:
    """A document with its journal, and the states it went through."""

    def __init__(self, folder):
        self.path = Path(folder) / "journal.bin"
        self.history = History(family(), Journal(self.path))
        self.past = [state(self.document)]
        self.future = []

    @property
    def document(self):
        return self.history.document

    def do(self, random):
        edit = by_chance(random, self.document)
        before = state(self.document)
        try:
            change = self.history.do(edit)
        except EditError:
            assert state(self.document) == before, "a refused edit changed something"
            return
        if change:
            self.past.append(state(self.document))
            self.future.clear()
        else:
            assert state(self.document) == before

    def undo(self):
        if len(self.past) < 2:
            with pytest.raises(EditError, match="nothing to undo"):
                self.history.undo()
            return
        self.history.undo()
        self.future.append(self.past.pop())

    def redo(self):
        if not self.future:
            with pytest.raises(EditError, match="nothing to redo"):
                self.history.redo()
            return
        self.history.redo()
        self.past.append(self.future.pop())

    def reopen(self):
        self.history.journal.close()
        self.history = History(family(), Journal(self.path))

    def compact(self):
        # Only what the document has in it already may lose its body.
        applied, document = self.history.journal.last, self.document
        self.history.compact()
        self.history.journal.close()
        self.history = History(document, Journal(self.path), applied)


def play(random, steps, *, compacting):
    with tempfile.TemporaryDirectory() as folder:
        session = Session(folder)
        try:
            for _ in range(steps):
                act = random.choice(["do"] * 6 + ["undo", "undo", "redo", "reopen"])
                if act == "reopen" and compacting:
                    act = "compact"
                getattr(session, act)(*([random] if act == "do" else []))
                assert state(session.document) == session.past[-1], act
                assert faults(session.document) == [], act
                is_up_to_date(session.document)
        finally:
            session.history.journal.close()


def is_up_to_date(document):
    """What is kept of frames, between edits, is what is found in them anew."""
    for frame in range(document.shape[0]):
        labels = document.names(frame).show(document.masks.read(frame))
        np.testing.assert_array_equal(document.labels(frame), labels)
        kept, found = document.centroids(frame), Centroids.of(labels)
        for name in ("labels", "areas", "y", "x"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(found, name))


@QUICKLY
@given(st.randoms(use_true_random=False), st.integers(1, 25), st.booleans())
def test_any_sequence_equals_the_states_it_went_through(random, steps, compacting):
    play(random, steps, compacting=compacting)


@pytest.mark.slow
@SLOWLY
@given(st.randoms(use_true_random=False), st.integers(1, 60), st.booleans())
def test_long_sequences_too(random, steps, compacting):
    play(random, steps, compacting=compacting)


@QUICKLY
@given(st.randoms(use_true_random=False))
def test_every_inverse_restores_every_bit(random):
    document = family()
    for _ in range(12):
        try:
            change = plan(by_chance(random, document), document)
        except EditError:
            continue
        before = state(document)
        document.apply(change)
        after = state(document)
        document.apply(change.inverse())
        assert state(document) == before
        document.apply(change.inverse().inverse())
        assert state(document) == after
