"""Edits of tracks: no pixel is written, all that belongs to a cell goes along."""

from tests.edits.drawn import (
    assert_shows,
    confirmed,
    do,
    frames,
    movie,
    parents,
    refuse,
    scored,
    scores,
    sure,
)

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.divisions import MarkDivision
from napari_semiconv.edits.links import Link, Move, Relabel, Swap, Unlink


def two():
    return scored(movie("1.2  1.2  1.2  1.2"))


def divided():
    """1 divides into 2 and 3; 4 is beside them."""
    return movie("1..4  1..4  2.34  2.34", parents={2: 1, 3: 1})


def grandmother():
    """1, then 2 and 3, then 4 and 5 of 2."""
    return movie("1...  2..3  45.3  45.3", parents={2: 1, 3: 1, 4: 2, 5: 2})


def test_no_pixel_is_written_by_an_edit_of_tracks():
    for edit in (Swap(1, 2, 2), Move(1, 2), Unlink(1, 2), Relabel(1, 9)):
        assert not do(two(), edit).patches


# Move


def test_cells_are_moved_to_a_new_track_from_a_frame_on():
    document = two()
    do(document, Move(1, 2))
    assert_shows(document, "1.2  1.2  3.2  3.2")
    assert scores(document, 1) == [100, 101]
    assert scores(document, 3) == [102, 103]


def test_one_cell_is_moved_to_a_new_track():
    document = two()
    do(document, Move(1, 2, onward=False))
    assert_shows(document, "1.2  1.2  3.2  1.2")
    assert scores(document, 1) == [100, 101, None, 103]


def test_cells_are_moved_to_a_track_that_lacks_them():
    document = scored(movie("1.  1.  .2  .2"))
    do(document, Move(2, 3, 1))
    assert_shows(document, "1.  1.  .2  .1")
    assert scores(document, 1) == [100, 101, None, 203]


def test_a_moved_cell_and_its_new_neighbours_are_confirmed():
    document = movie("1.  1.  .2  1.  1.")
    do(document, Move(2, 2, 1, onward=False))
    assert confirmed(document, 1) == [1, 2, 3]


def test_a_cell_moved_into_a_gap_brings_its_scores():
    document = scored(movie("1.  1.  1.  .2"))
    do(document, Move(1, 1, onward=False), Move(2, 3, 1, onward=False))
    assert scores(document, 1) == [100, None, 102, 203]
    do(document, Move(3, 1, 1, onward=False))
    assert scores(document, 1) == [100, 101, 102, 203]


def test_confirmations_go_along_with_moved_cells():
    document = two()
    do(document, Confirm(1, 1, 2), Move(1, 2))
    assert confirmed(document, 1) == [1]
    assert confirmed(document, 3) == [2]


def test_daughters_go_along_with_the_last_cell():
    document = divided()
    do(document, Move(1, 1))
    assert parents(document) == {2: 5, 3: 5}


def test_a_confirmed_division_stays_confirmed_when_its_mother_moves():
    document = divided()
    do(document, MarkDivision(1, (2, 3), 2), Move(1, 1))
    assert parents(document) == {2: 5, 3: 5}
    assert sure(document) == {2, 3}


def test_daughters_stay_when_the_last_cell_was_that_of_another_track():
    document = movie("1..4  1...  .1..  2.34", parents={2: 1, 3: 1})
    do(document, Move(1, 2, 4, onward=False))
    assert frames(document, 4) == [0, 2, 3]
    assert parents(document) == {2: 1, 3: 1}


def test_the_last_cell_of_a_mother_may_be_the_first_of_a_daughter():
    document = divided()
    do(document, Move(1, 1, 2))
    assert_shows(document, "1..4  2..4  2.34  2.34")
    assert parents(document) == {2: 1, 3: 1}


def test_a_mother_moved_whole_to_a_daughter_is_that_cell():
    document = grandmother()
    do(document, Move(2, 1, 4))
    assert_shows(document, "1...  4..3  45.3  45.3")
    assert parents(document) == {4: 1, 3: 1}


def test_a_track_moved_whole_keeps_its_parent():
    document = divided()
    do(document, Move(2, 2))
    assert parents(document) == {5: 1, 3: 1}


def test_a_track_moved_whole_before_another_brings_its_parent():
    document = movie("1..  2.3  2.3  4.3", parents={2: 1, 3: 1})
    do(document, Move(2, 1, 4))
    assert parents(document) == {4: 1, 3: 1}


def test_a_first_cell_moved_alone_leaves_the_parent_with_the_track():
    document = divided()
    do(document, Move(2, 2, onward=False))
    assert parents(document) == {2: 1, 3: 1}


def test_cells_are_not_moved_where_the_track_has_some():
    words = "Cell 2 is in frame 1 already: expected a track without cells where 1 is"
    refuse(two(), Move(1, 1, 2), words)


def test_a_cell_is_not_moved_to_its_own_track():
    words = "Expected two different tracks, found 1 twice."
    refuse(two(), Move(1, 1, 1), words)


def test_only_what_is_there_is_moved():
    refuse(two(), Move(1, 4), "Frame 4 does not exist")
    refuse(two(), Move(9, 1), "Cell 9 does not exist")
    refuse(two(), Move(1, 1, 9), "Cell 9 does not exist")
    refuse(movie("1.  .2"), Move(1, 1), "Cell 1 has no pixels in frame 1")


def test_a_daughter_cannot_have_cells_before_her_mother_ends():
    document = movie("1..4  1...  2.3.", parents={2: 1, 3: 1})
    words = "Cell 2 begins in frame 0, but its parent 1 has pixels until frame 1."
    refuse(document, Move(4, 0, 2), words)


# Link


def test_two_cells_are_linked_to_one_track():
    document = scored(movie("1..  1..  .2.  .2."))
    do(document, Link(1, 1, 2, 2))
    assert_shows(document, "1..  1..  .1.  .1.")
    assert scores(document, 1) == [100, 101, 202, 203]
    assert confirmed(document, 1) == [1, 2]


def test_a_link_may_leave_a_gap():
    document = movie("1..  ...  .2.")
    do(document, Link(1, 0, 2, 2))
    assert frames(document, 1) == [0, 2]
    assert confirmed(document, 1) == [0, 2]


def test_the_rest_of_a_linked_track_gets_a_new_label():
    document = two()
    do(document, Link(1, 1, 2, 2))
    assert_shows(document, "1.2  1.2  3.1  3.1")
    assert scores(document, 1) == [100, 101, 202, 203]
    assert scores(document, 3) == [102, 103]


def test_daughters_go_with_the_rest_of_a_linked_track():
    document = divided()
    do(document, Link(1, 0, 4, 1))
    assert_shows(document, "1..4  5..1  2.31  2.31")
    assert parents(document) == {2: 5, 3: 5}


def test_a_mother_linked_with_a_daughter_does_not_divide():
    document = divided()
    do(document, Link(1, 1, 2, 2))
    assert_shows(document, "1..4  1..4  1.34  1.34")
    assert parents(document) == {}


def test_a_linked_track_brings_its_daughters():
    document = grandmother()
    do(document, Link(1, 0, 2, 1))
    assert parents(document) == {4: 1, 5: 1}


def test_a_link_needs_the_earlier_cell_first():
    for frame in (1, 0):
        words = f"Expected the later cell in a frame after 1, found frame {frame}."
        refuse(two(), Link(1, 1, 2, frame), words)


def test_a_link_needs_two_cells_that_are_there():
    refuse(two(), Link(1, 1, 1, 2), "Expected two different tracks, found 1 twice.")
    refuse(movie("1.  .2"), Link(1, 1, 2, 1), "Cell 1 has no pixels in frame 1")
    refuse(movie("1.  .2"), Link(1, 0, 2, 0), "Cell 2 has no pixels in frame 0")


# Unlink


def test_a_track_is_parted():
    document = two()
    do(document, Unlink(1, 2))
    assert_shows(document, "1.2  1.2  3.2  3.2")
    assert confirmed(document, 1) == [1]
    assert confirmed(document, 3) == [2]
    assert sure(document) == {3}
    assert scores(document, 3) == [102, 103]


def test_a_track_is_parted_at_a_gap():
    document = movie("1  .  1")
    do(document, Unlink(1, 1))
    assert_shows(document, "1  .  2")
    assert confirmed(document, 1) == [0]
    assert confirmed(document, 2) == [2]


def test_daughters_stay_with_the_later_part():
    document = divided()
    do(document, Unlink(1, 1))
    assert parents(document) == {2: 5, 3: 5}


def test_a_track_is_parted_within_it():
    refuse(two(), Unlink(1, 0), "Cell 1 begins in frame 0: expected a later frame")
    refuse(two(), Unlink(1, 4), "Cell 1 ends before frame 4: expected a frame of it.")
    refuse(two(), Unlink(7, 1), "Cell 7 does not exist")


# Swap


def test_two_tracks_are_exchanged_from_a_frame_on():
    document = two()
    do(document, Swap(1, 2, 2))
    assert_shows(document, "1.2  1.2  2.1  2.1")
    assert scores(document, 1) == [100, 101, 202, 203]
    assert scores(document, 2) == [200, 201, 102, 103]


def test_the_links_of_exchanged_tracks_are_confirmed():
    document = two()
    do(document, Swap(1, 2, 2))
    assert confirmed(document, 1) == confirmed(document, 2) == [1, 2]


def test_a_track_that_ends_gets_the_rest_of_the_other():
    document = movie("1.2  1.2  ..2  ..2")
    do(document, Swap(1, 2, 2))
    assert frames(document, 1) == [0, 1, 2, 3]
    assert frames(document, 2) == [0, 1]


def test_daughters_are_exchanged_too():
    document = movie("1..4  1..4  2.34  2.34", parents={2: 1, 3: 1})
    do(document, Swap(1, 4, 1))
    assert_shows(document, "1..4  4..1  2.31  2.31")
    assert parents(document) == {2: 4, 3: 4}


def test_whole_daughters_exchange_their_mothers():
    document = movie("1...2...  3.4.5.6.  3.4.5.6.", parents={3: 1, 4: 1, 5: 2, 6: 2})
    do(document, Swap(3, 5, 1))
    assert_shows(document, "1...2...  5.4.3.6.  5.4.3.6.")
    assert parents(document) == {5: 1, 4: 1, 3: 2, 6: 2}


def test_a_mother_and_her_daughter_exchange_all():
    document = grandmother()
    do(document, Swap(1, 2, 0))
    assert_shows(document, "2...  1..3  45.3  45.3")
    assert parents(document) == {1: 2, 3: 2, 4: 1, 5: 1}


def test_a_mother_does_not_get_cells_beside_another_daughter():
    words = "Cell 1 divides: its daughters 3 begin in frame 2"
    refuse(divided(), Swap(1, 2, 2), words)


def test_an_exchange_needs_cells():
    document = movie("1.2  1.2  ...")
    words = "Cells 1 and 2 end before frame 2"
    refuse(document, Swap(1, 2, 2), words)
    refuse(document, Swap(1, 1, 1), "Expected two different tracks, found 1 twice.")
    refuse(document, Swap(1, 8, 1), "Cell 8 does not exist")


# Relabel


def test_a_track_gets_another_label_with_all_that_it_has():
    document = scored(grandmother())
    do(document, MarkDivision(1, (2, 3), 1), Confirm(2), Relabel(2, 8))
    assert_shows(document, "1...  8..3  45.3  45.3")
    assert parents(document) == {8: 1, 3: 1, 4: 8, 5: 8}
    assert confirmed(document, 8) == [1]
    assert {8, 3} <= sure(document)
    assert scores(document, 8) == [201]


def test_a_label_that_was_given_is_not_given_again():
    document = two()
    do(document, Relabel(1, 8), Relabel(8, 4), Move(4, 2))
    assert set(document.lineage.tracks) == {2, 4, 9}


def test_a_new_label_is_one_that_no_track_has():
    for label in (0, -3, 2, 2**31):
        words = f"Label {label} cannot be given to cell 1: expected a label from 1 to"
        refuse(two(), Relabel(1, label), words)
    refuse(two(), Relabel(1, 1), "Label 1 cannot be given to cell 1")
