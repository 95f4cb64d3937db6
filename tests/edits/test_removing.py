"""Cells are taken away, and places said to have none."""

from tests.edits.drawn import (
    assert_shows,
    do,
    frames,
    movie,
    parents,
    refuse,
    scored,
    scores,
    stroke,
    sure,
)
from tests.edits.worlds import state

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.masks import NewCell, Paint
from napari_semiconv.edits.removing import (
    DeleteCell,
    DeleteTrack,
    MarkEmpty,
    UnmarkEmpty,
)


def pair():
    return scored(movie("1.2  1.2  1.2  1.2"))


def divided():
    return movie("1..  1..  2.3", parents={2: 1, 3: 1})


def test_a_cell_is_taken_away_in_one_frame():
    document = pair()
    change = do(document, DeleteCell(1, 1))
    assert_shows(document, "1.2  ..2  1.2  1.2")
    assert scores(document, 1) == [100, None, 102, 103]
    assert not change.patches


def test_a_track_is_taken_away_from_a_frame_on():
    document = pair()
    change = do(document, DeleteTrack(1, 2))
    assert_shows(document, "1.2  1.2  ..2  ..2")
    assert scores(document, 1) == [100, 101]
    assert not change.patches


def test_a_whole_track_is_taken_away():
    document = pair()
    do(document, DeleteTrack(1))
    assert set(document.lineage.tracks) == {2}


def test_a_track_is_taken_away_from_a_gap_on():
    document = movie("1  .  1")
    do(document, DeleteTrack(1, 1))
    assert frames(document, 1) == [0]


def test_what_was_taken_away_comes_back_bit_by_bit():
    document = pair()
    do(document, Confirm(1))
    before = state(document)
    change = do(document, DeleteTrack(1, 1))
    document.apply(change.inverse())
    assert state(document) == before


def test_another_cell_can_be_drawn_where_one_was_taken_away():
    document = pair()
    do(document, DeleteCell(1, 1), NewCell(1, stroke("##")))
    assert document.labels(1)[0, 0] == max(document.lineage.tracks)
    assert document.labels(1)[0, 2] == 2


def test_a_cell_that_was_taken_away_can_be_drawn_again():
    document = pair()
    do(document, DeleteCell(1, 1), Paint(1, 1, stroke(".#")))
    assert_shows(document, "1.2  .12  1.2  1.2")
    do(document, DeleteCell(1, 1), Paint(1, 1, stroke("#")))
    assert_shows(document, "1.2  1.2  1.2  1.2")


def test_daughters_outlive_their_mother():
    document = divided()
    do(document, Confirm(), DeleteTrack(1))
    assert set(document.lineage.tracks) == {2, 3}
    assert parents(document) == {}
    assert sure(document) == set()


def test_daughters_keep_a_mother_who_only_ends_earlier():
    document = divided()
    do(document, DeleteCell(1, 1))
    assert parents(document) == {2: 1, 3: 1}


def test_a_mother_taken_away_from_a_frame_on_does_not_divide():
    document = divided()
    do(document, DeleteTrack(1, 1))
    assert frames(document, 1) == [0]
    assert parents(document) == {}


def test_only_what_is_there_is_taken_away():
    document = movie("1.  .2")
    refuse(document, DeleteCell(1, 1), "Cell 1 has no pixels in frame 1")
    refuse(document, DeleteCell(2, 1), "Frame 2 does not exist")
    refuse(document, DeleteCell(0, 9), "Cell 9 does not exist")
    refuse(document, DeleteTrack(9), "Cell 9 does not exist")
    words = "Cell 1 ends in frame 0: expected a frame up to that, found 1."
    refuse(document, DeleteTrack(1, 1), words)


def test_a_place_is_marked_as_empty():
    document = pair()
    do(document, MarkEmpty(1, 0, 1))
    assert document.absences == {(1, 0, 1)}
    assert_shows(document, "1.2  1.2  1.2  1.2")


def test_a_cell_at_an_empty_place_is_taken_away():
    document = pair()
    do(document, MarkEmpty(1, 0, 2))
    assert_shows(document, "1.2  1..  1.2  1.2")
    assert frames(document, 2) == [0, 2, 3]


def test_a_mark_is_taken_off():
    document = pair()
    do(document, MarkEmpty(1, 0, 1), UnmarkEmpty(1, 0, 1))
    assert document.absences == set()


def test_a_place_is_marked_once():
    document = pair()
    do(document, MarkEmpty(1, 0, 1))
    words = "The place (y 0, x 1) in frame 1 is marked as empty already."
    refuse(document, MarkEmpty(1, 0, 1), words)


def test_a_place_lies_in_the_movie():
    refuse(pair(), MarkEmpty(0, 0, 3), "The point (y 0, x 3) lies outside the frame")
    refuse(pair(), MarkEmpty(4, 0, 0), "Frame 4 does not exist")


def test_a_mark_that_is_not_there_is_not_taken_off():
    words = "The place (y 0, x 1) in frame 1 is not marked as empty."
    refuse(pair(), UnmarkEmpty(1, 0, 1), words)
