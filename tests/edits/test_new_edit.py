"""What an edit costs: one class. Door, journal, undo and its name know it by that."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from tests.edits.drawn import assert_shows, movie, refuse
from tests.edits.worlds import faults, state

from napari_semiconv.edits.base import Edit
from napari_semiconv.edits.draft import Draft
from napari_semiconv.edits.history import History
from napari_semiconv.edits.journal import Journal


@dataclass(frozen=True, eq=False)
class Thin(Edit):
    """Take the first pixel of a cell away."""

    kind: ClassVar[str] = "thin"
    label: int
    frame: int

    def make(self, draft: Draft) -> None:
        draft.cell(self.label, self.frame)
        region = draft.region(self.label, self.frame)
        labels = draft.labels(self.frame, region.box).copy()
        labels.flat[(labels == self.label).argmax()] = 0
        draft.paint(self.frame, region.box, labels)


@pytest.fixture
def history(tmp_path):
    with Journal(tmp_path / "journal.bin") as journal:
        yield History(movie("11.22  11.22"), journal)


def test_it_goes_through_the_door_and_back(history):
    before = state(history.document)
    history.do(Thin(1, 0))
    assert_shows(history.document, ".1.22  11.22")
    assert faults(history.document) == []
    assert history.undoable.startswith("thin")
    history.undo()
    assert state(history.document) == before
    history.redo()
    assert_shows(history.document, ".1.22  11.22")


def test_a_cell_that_is_taken_away_whole_leaves_its_track(history):
    history.do(Thin(1, 0))
    history.do(Thin(1, 0))
    assert history.document.lineage.tracks[1].frames == [1]
    assert faults(history.document) == []


def test_the_journal_makes_it_again_after_a_crash(history, tmp_path):
    history.do(Thin(2, 1))
    after = state(history.document)
    with Journal(tmp_path / "journal.bin", writable=False) as journal:
        assert [e.head["what"] for e in journal.entries] == [{"label": 2, "frame": 1}]
        again = History(movie("11.22  11.22"), journal)
        assert state(again.document) == after


def test_it_is_refused_where_there_is_no_such_cell(history):
    refuse(history.document, Thin(3, 0), "Cell 3 does not exist")
