"""Edits go through one door, and come back in the order they were made."""

import errno

import numpy as np
import pytest
from tests.edits.drawn import assert_shows, movie, parents, stroke
from tests.edits.worlds import faults, state
from tests.worlds import draw

from napari_semiconv.edits.base import Group, plan
from napari_semiconv.edits.codec import encode
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.divisions import MarkDivision
from napari_semiconv.edits.history import History
from napari_semiconv.edits.journal import Journal
from napari_semiconv.edits.links import Link, Swap
from napari_semiconv.edits.masks import Erase, NewCell, Paint
from napari_semiconv.edits.removing import DeleteTrack, MarkEmpty
from napari_semiconv.edits.resegment import Resegment
from napari_semiconv.edits.results import AdoptFrame, AdoptScores, AdoptTracks
from napari_semiconv.edits.shaping import SplitByLine
from napari_semiconv.errors import EditError, SaveError
from napari_semiconv.project.history_text import as_lines, rows


def world():
    return movie("1..2  1..2  1..2")


class Broken:
    """A file on a full disk."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def history(tmp_path):
    with Journal(tmp_path / "journal.bin") as journal:
        yield History(world(), journal)


MIXED = (
    NewCell(1, stroke(".#")),
    Swap(1, 2, 1),
    MarkEmpty(2, 0, 1),
    Link(1, 0, 3, 1),
    MarkDivision(2, (2, 5), 1),
    DeleteTrack(2),
    Confirm(),
    Erase(0, stroke("####")),
)


def test_masks_and_tracks_are_undone_and_redone_in_one_order(history):
    document = history.document
    past = [state(document)]
    for edit in MIXED:
        history.do(edit)
        past.append(state(document))
        assert faults(document) == []
    for before in reversed(past[:-1]):
        history.undo()
        assert state(document) == before
    for after in past[1:]:
        history.redo()
        assert state(document) == after


def test_undo_goes_on_after_reopening(history):
    states = [state(history.document)]
    for edit in MIXED:
        history.do(edit)
        states.append(state(history.document))
    history.undo()
    history.journal.close()
    with Journal(history.journal.path) as journal:
        again = History(world(), journal)
        assert state(again.document) == states[-2]
        assert (again.undoable, again.redoable) == (
            "confirm",
            "erase, frame 0",
        )
        again.redo()
        assert state(again.document) == states[-1]
        while again.undoable:
            again.undo()
        assert state(again.document) == states[0]


def test_a_group_is_undone_at_once(history):
    before = state(history.document)
    parts = (
        SplitByLine(0, 1, ((0, 0), (0, 0))),
        Paint(0, 1, stroke(".#")),
    )
    with pytest.raises(EditError):
        history.do(Group(parts))
    assert state(history.document) == before
    history.do(Group((Paint(0, 1, stroke(".#")), Swap(1, 2, 1)), "mend"))
    assert_shows(history.document, "11.2  2..1  2..1")
    history.undo()
    assert state(history.document) == before
    assert history.undoable is None


def test_edits_that_share_a_number_are_undone_together(history):
    history.do(Confirm(1))
    group = history.new_group()
    history.do(Swap(1, 2, 1), group)
    history.do(Swap(1, 2, 2), group)
    assert len(history.undo()) == 2
    assert_shows(history.document, "1..2  1..2  1..2")
    assert history.undoable == "confirm cell 1"
    assert len(history.redo()) == 2
    assert_shows(history.document, "1..2  2..1  1..2")


def test_a_group_stays_one_step_when_others_edit_in_between(history):
    before = state(history.document)
    group = history.new_group()
    history.do(Swap(1, 2, 1), group)
    history.do(MarkEmpty(0, 0, 1))
    history.do(Swap(1, 2, 2), group)
    assert_shows(history.document, "1..2  2..1  1..2")
    # The edit came later than the step that it fell into: it is undone first.
    assert history.undoable == "no cell here, frame 0"
    history.undo()
    assert_shows(history.document, "1..2  2..1  1..2")
    assert history.undoable == "swap cells 1 and 2, frame 2"
    history.undo()
    assert state(history.document)[:4] == before[:4]
    assert history.undoable is None
    history.redo()
    history.redo()
    assert_shows(history.document, "1..2  2..1  1..2")
    assert history.document.absences == {(0, 0, 1)}


def test_the_number_of_a_group_is_never_given_twice(history):
    first, second = history.new_group(), history.new_group()
    history.do(Confirm(1))
    history.do(Swap(1, 2, 1), first)
    history.do(Swap(1, 2, 2), second)
    groups = [entry.head["group"] for entry in history.journal.entries]
    assert len({*groups}) == 3
    history.journal.close()
    with Journal(history.journal.path) as journal:
        assert History(world(), journal).new_group() > max(groups)


def test_what_was_undone_can_be_redone_though_a_group_went_on(history):
    group = history.new_group()
    history.do(Swap(1, 2, 1), group)
    history.do(MarkEmpty(0, 0, 1))
    history.undo()
    history.do(Swap(1, 2, 2), group)
    assert history.redoable == "no cell here, frame 0"
    history.redo()
    assert history.document.absences == {(0, 0, 1)}
    assert_shows(history.document, "1..2  2..1  1..2")


def test_a_group_that_was_undone_is_not_taken_up_again(history):
    group = history.new_group()
    history.do(Swap(1, 2, 1), group)
    history.undo()
    history.do(Swap(1, 2, 2), group)
    assert history.redoable is None
    history.undo()
    assert_shows(history.document, "1..2  1..2  1..2")


def test_a_new_edit_ends_what_could_be_redone(history):
    history.do(Confirm(1))
    history.undo()
    assert history.redoable == "confirm cell 1"
    history.do(Confirm(2))
    assert history.redoable is None
    with pytest.raises(EditError, match="nothing to redo"):
        history.redo()


def test_nothing_is_undone_in_a_new_document(history):
    with pytest.raises(EditError, match="nothing to undo"):
        history.undo()


def test_a_refused_edit_is_not_in_the_journal(history):
    with pytest.raises(EditError):
        history.do(Paint(9, 1, stroke("#")))
    assert history.journal.last == 0


def test_an_edit_that_changes_nothing_is_not_in_the_journal(history):
    assert not history.do(Erase(0, stroke(".#")))
    assert history.journal.last == 0


def test_a_full_disk_stops_an_edit_and_an_undo(history):
    history.do(Swap(1, 2, 1))
    before = state(history.document)
    file = history.journal._file
    history.journal._file = Broken(file)
    for act in (lambda: history.do(Confirm()), history.undo):
        with pytest.raises(SaveError, match="the disk is full"):
            act()
        assert state(history.document) == before
        assert history.undoable == "swap cells 1 and 2, frame 1"
    history.journal._file = file
    history.undo()
    assert_shows(history.document, "1..2  1..2  1..2")


def test_every_entry_says_who_when_and_what(history):
    history.do(Group((Paint(0, 1, stroke(".#")), MarkDivision(1, (1, 2), 1)), "both"))
    history.undo()
    edit, undo = (entry.head for entry in history.journal.entries)
    assert (edit["kind"], undo["kind"]) == ("group", "group")
    assert all(head["by"] and head["at"] for head in (edit, undo))
    assert edit["what"]["title"] == "both"
    assert [part["kind"] for part in edit["what"]["edits"]] == [
        "paint",
        "mark division",
    ]
    assert edit["what"]["edits"][0]["region"] == {"y": 0, "x": 1, "pixels": 1}


def test_compaction_keeps_what_can_be_undone_and_redone(history):
    history.do(Confirm(1))
    history.do(Swap(1, 2, 1))
    history.do(MarkDivision(1, (1, 2), 2))
    history.undo()
    history.compact()
    history.redo()
    assert len(parents(history.document)) == 2
    while history.undoable:
        history.undo()
    assert_shows(history.document, "1..2  1..2  1..2")


# As earlier releases named them in the journals of projects that still exist.
EARLIER = (
    ("take over frame", AdoptFrame(0, draw("33.4")[0].astype(np.int32), run=1)),
    ("take over tracks", AdoptTracks({1: {1: 8}})),
    ("take over scores", AdoptScores({})),
    ("solve again", Resegment(2, 0, 0, draw("19")[0].astype(np.int32), (1, 9))),
)


def test_a_journal_with_earlier_kinds_opens_and_is_undone_and_redone(tmp_path):
    document = world()
    states = [state(document)]
    with Journal(tmp_path / "journal.bin") as journal:
        for number, (kind, edit) in enumerate(EARLIER, 1):
            change = plan(edit, document)
            document.apply(change)
            states.append(state(document))
            head = {"do": "edit", "kind": kind, "group": number}
            head |= {"what": edit.describe(), "at": "2026-01-01", "by": "someone"}
            journal.append(head, encode(change))
    with Journal(tmp_path / "journal.bin") as journal:
        history = History(world(), journal)
        assert state(history.document) == states[-1]
        # A run is told as what it does, in whatever words it was written.
        names = ["find and follow cells", *(edit.kind for _, edit in EARLIER[1:3])]
        names.append("resegment, frame 2")
        for before, name in zip(states[-2::-1], names[::-1], strict=True):
            assert history.undoable == name
            history.undo()
            assert state(history.document) == before
        for after, name in zip(states[1:], names, strict=True):
            assert history.redoable == name
            history.redo()
            assert state(history.document) == after
        rows_now = [row for row in rows(history) if row["do"] == "edit"]
        assert [(row["kind"], row["state"]) for row in rows_now] == [
            (edit.kind, "done") for _, edit in EARLIER
        ]
        assert "solve again" not in "".join(as_lines(history))
