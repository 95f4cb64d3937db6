"""Results of networks and solvers are adopted; what the user confirmed stays."""

import numpy as np
import pytest
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
from tests.edits.worlds import state
from tests.worlds import draw

from napari_semiconv.edits.base import Group
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.divisions import MarkDivision
from napari_semiconv.edits.links import Unlink
from napari_semiconv.edits.removing import DeleteCell, MarkEmpty
from napari_semiconv.edits.results import AdoptFrame, AdoptTracks, same_cells


def found(*rows):
    """What was found in one frame."""
    return draw(*rows)[0]


def take(t, *rows, names=None, parents=None):
    return AdoptFrame(t, found(*rows), names or {}, parents or {})


def pair():
    return scored(movie("11.22  11.22  11.22"))


# A frame of a network


def test_a_frame_is_replaced_under_the_names_given():
    document = pair()
    do(document, take(1, "7778.", names={7: 2, 8: 1}))
    assert_shows(document, "11.22  2221.  11.22")
    assert scores(document, 1) == [100, None, 102]


def test_cells_without_a_name_get_new_labels():
    document = pair()
    do(document, take(1, "1.2.3"))
    assert_shows(document, "11.22  3.4.5  11.22")
    assert frames(document, 1) == [0, 2]


def test_what_was_found_is_not_confirmed():
    document = pair()
    do(document, take(1, "77...", names={7: 1}))
    assert confirmed(document, 1) == []


def test_a_confirmed_cell_keeps_its_pixels():
    document = pair()
    do(document, Confirm(1, 1, 1), take(1, "77788"))
    assert document.labels(1)[0, :2].tolist() == [1, 1]
    assert frames(document, 1) == [0, 1, 2]
    assert scores(document, 1) == [100, 101, 102]


def test_what_is_half_a_confirmed_cell_is_left_out():
    document = pair()
    do(document, Confirm(1, 1, 1), take(1, ".77.8"))
    assert_shows(document, "11.22  11..3  11.22")


def test_what_is_less_than_half_a_confirmed_cell_goes_around_it():
    document = movie("111..")
    do(document, Confirm(1), take(0, "..777"))
    assert_shows(document, "11122")


def test_the_label_of_a_confirmed_cell_is_not_given_twice():
    document = pair()
    do(document, Confirm(1, 1, 1), take(1, "...77", names={7: 1}))
    assert_shows(document, "11.22  11.33  11.22")


def test_a_cell_that_was_taken_away_stays_away():
    document = pair()
    do(document, DeleteCell(1, 1), take(1, "77.88", names={7: 1, 8: 2}))
    assert_shows(document, "11.22  ...22  11.22")


def test_it_stays_away_when_it_is_found_a_little_larger():
    document = pair()
    do(document, DeleteCell(1, 1), take(1, "777..", names={7: 1}))
    assert_shows(document, "11.22  .....  11.22")


def test_a_cell_that_holds_a_crumb_that_was_taken_away_comes():
    document = movie("21111")
    do(document, DeleteCell(0, 2), take(0, "77777", names={7: 1}))
    assert_shows(document, "11111")


def test_two_cells_taken_away_hide_no_third_over_less_than_half():
    document = movie("12...34")
    do(document, DeleteCell(0, 1), DeleteCell(0, 2), take(0, ".7777.8", names={7: 5}))
    assert document.labels(0)[0, 1:5].tolist() == [5, 5, 5, 5]


def test_no_cell_comes_where_there_is_none():
    document = pair()
    do(document, MarkEmpty(1, 0, 2), take(1, ".777."))
    assert_shows(document, "11.22  .....  11.22")


def test_a_mark_counts_in_its_frame_alone():
    document = pair()
    do(document, MarkEmpty(0, 0, 2), take(1, ".777."))
    assert_shows(document, "11.22  .333.  11.22")


def test_a_cell_that_begins_gets_the_parent_found():
    document = movie("11.  ...")
    do(document, take(1, "7.8", names={7: 4, 8: 5}, parents={4: 1, 5: 1}))
    assert parents(document) == {4: 1, 5: 1}
    assert sure(document) == set()


def test_a_cell_that_goes_on_gets_no_parent():
    document = movie("11.2  ....")
    do(document, take(1, "7...", names={7: 2}, parents={2: 1}))
    assert parents(document) == {}


def test_a_confirmed_parent_stays():
    document = movie("1..4  2.34  ....", parents={2: 1, 3: 1})
    do(document, MarkDivision(1, (2, 3), 1))
    do(document, take(1, "7.89", names={7: 2, 8: 3, 9: 4}, parents={2: 4, 3: 4}))
    assert parents(document) == {2: 1, 3: 1}


def test_a_mother_confirmed_in_a_later_frame_does_not_divide():
    document = movie("1..  1..  1..")
    do(document, Confirm(1, 1, 2))
    do(document, take(1, "..7", names={7: 5}, parents={5: 1}))
    assert parents(document) == {}


def test_a_mother_that_is_gone_is_no_parent():
    document = movie("1..  ...")
    do(document, take(1, "..7", names={7: 5}, parents={5: 9}))
    assert parents(document) == {}


def test_a_cell_that_goes_on_after_all_has_no_daughters():
    document = movie("1..  2.3", parents={2: 1, 3: 1})
    do(document, take(1, "777", names={7: 1}))
    assert_shows(document, "1..  111")
    assert parents(document) == {}


def test_large_labels_take_no_table_of_their_size():
    document = pair()
    do(document, Confirm(2, 1, 1), DeleteCell(1, 1))
    labels = found("77.77").copy()
    labels[0, 3:] = 2**31 - 1
    do(document, AdoptFrame(1, labels))
    assert_shows(document, "11.22  ...22  11.22")


def test_a_frame_taken_over_is_taken_back():
    document = pair()
    do(document, Confirm(1, 1, 1), DeleteCell(1, 2))
    before = state(document)
    change = do(document, take(1, "5.666"))
    document.apply(change.inverse())
    assert state(document) == before


def test_frames_of_a_range_are_one_to_the_user():
    document = pair()
    edits = tuple(take(t, "7..88", names={7: 1, 8: 2}) for t in (1, 2))
    do(document, Group(edits, "run 1"))
    assert_shows(document, "11.22  1..22  1..22")


def test_a_result_fits_the_movie():
    words = "Expected labels of shape (1, 5), as the frames of the movie, found (1, 4)."
    refuse(pair(), take(1, "77.."), words)
    refuse(pair(), take(3, "77..."), "Frame 3 does not exist")


def test_a_cell_is_the_same_from_half_of_either_mask():
    known = found("11112222..")
    assert same_cells(found("77........"), known) == {7: 1}
    assert same_cells(found("...777777."), known) == {7: 2}
    assert same_cells(found("......7777"), known) == {7: 2}
    assert same_cells(found("...7......"), known) == {7: 1}
    assert same_cells(found("......777."), known) == {7: 2}
    assert same_cells(found(".......777"), known) == {}
    assert same_cells(found(".........."), known) == {}


# Tracks of a solver


def test_cells_get_other_labels():
    document = pair()
    change = do(document, AdoptTracks({1: {1: 2, 2: 1}}))
    assert_shows(document, "11.22  22.11  11.22")
    assert not change.patches


def test_scores_and_confirmations_go_along():
    document = pair()
    do(document, Confirm(1, 1, 1), AdoptTracks({1: {1: 2, 2: 1}}))
    assert scores(document, 1) == [100, 201, 102]
    assert scores(document, 2) == [200, 101, 202]
    assert (confirmed(document, 1), confirmed(document, 2)) == ([], [1])


def test_a_track_gets_a_label_that_none_had():
    document = pair()
    do(document, AdoptTracks({t: {1: 9} for t in range(3)}))
    assert set(document.lineage.tracks) == {2, 9}
    assert scores(document, 9) == [100, 101, 102]
    assert document.next_number == 10


def divided():
    return movie("1..  1..  2.3  2.3", parents={2: 1, 3: 1})


def test_a_daughter_keeps_her_mother_under_another_label():
    document = divided()
    do(document, AdoptTracks({t: {2: 8} for t in (2, 3)}))
    assert parents(document) == {8: 1, 3: 1}


def test_daughters_follow_the_last_cell_of_their_mother():
    document = divided()
    do(document, AdoptTracks({1: {1: 8}}))
    assert parents(document) == {2: 8, 3: 8}


def test_mother_and_daughter_may_both_get_other_labels():
    document = divided()
    labels = {0: {1: 8}, 1: {1: 8}, 2: {2: 1, 3: 2}, 3: {2: 1, 3: 2}}
    do(document, AdoptTracks(labels))
    assert_shows(document, "8..  8..  1.2  1.2")
    assert parents(document) == {1: 8, 2: 8}


def test_a_track_that_got_an_earlier_cell_has_the_parent_of_that():
    document = movie("1..4  2.34  2.3.", parents={2: 1, 3: 1})
    do(document, AdoptTracks({2: {2: 4}}))
    assert parents(document) == {2: 1, 3: 1}
    do(document, AdoptTracks({1: {2: 5}, 2: {4: 5}}))
    assert parents(document) == {5: 1, 3: 1}


def test_a_later_part_has_no_parent():
    document = divided()
    do(document, AdoptTracks({3: {2: 8}}))
    assert parents(document) == {2: 1, 3: 1}


def test_a_mother_that_goes_on_as_a_daughter_has_no_daughters():
    document = divided()
    do(document, AdoptTracks({2: {2: 1}, 3: {2: 1}}))
    assert_shows(document, "1..  1..  1.3  1.3")
    assert parents(document) == {}


def test_parents_of_a_solver_count_for_those_it_names():
    document = movie("1..4  2.3.  2.3.", parents={2: 1})
    do(document, AdoptTracks({1: {3: 6}, 2: {3: 6}}, {6: 4}))
    assert parents(document) == {2: 1, 6: 4}
    do(document, AdoptTracks({}, {2: 0, 6: 1}))
    assert parents(document) == {6: 1}


def test_a_confirmed_link_is_not_parted():
    document = pair()
    do(document, Confirm(1, 0, 1))
    words = "Cell 1 in frame 1: the user confirmed that it is the cell of frame 0"
    refuse(document, AdoptTracks({1: {1: 2, 2: 1}}), words)
    words = "Cell 1 in frame 0: the user confirmed that it is the cell of frame 1"
    refuse(document, AdoptTracks({0: {1: 2, 2: 1}}), words)
    do(document, AdoptTracks({2: {1: 2, 2: 1}}))


def test_a_confirmed_link_over_a_gap_is_not_parted():
    document = movie("1.  .2  1.")
    do(document, Confirm(1))
    words = "Cell 1 in frame 2: the user confirmed that it is the cell of frame 0"
    refuse(document, AdoptTracks({2: {1: 5}}), words)


def test_cells_confirmed_together_may_be_relabelled_together():
    document = pair()
    do(document, Confirm(1, 0, 1), AdoptTracks({0: {1: 6}, 1: {1: 6}}))
    assert confirmed(document, 6) == [0, 1]


def test_a_track_that_the_user_began_is_not_made_longer():
    document = movie("1  1  1")
    do(document, Unlink(1, 1))
    words = "Cell 2 in frame 1: the user confirmed that it begins there"
    refuse(document, AdoptTracks({0: {1: 2}}), words)


def test_a_confirmed_division_is_not_undone():
    document = divided()
    do(document, MarkDivision(1, (2, 3), 2))
    words = "Cell 3 in frame 2: the user confirmed its mother 1"
    refuse(document, AdoptTracks({3: {3: 1}}), words)
    words = "Cell 2 in frame 2: the user confirmed that it begins there"
    refuse(document, AdoptTracks({2: {2: 1}, 3: {2: 1}}), words)
    do(document, AdoptTracks({}, {2: 0}))
    assert parents(document) == {2: 1, 3: 1}


def test_tracks_need_cells_that_are_there_and_labels_of_their_own():
    for names in ({9: 1}, {1: 2}, {1: 5, 2: 5}):
        words = "Frame 1: expected a new label of its own for cells that are there"
        refuse(pair(), AdoptTracks({1: names}), words)
    refuse(pair(), AdoptTracks({3: {1: 5}}), "Frame 3 does not exist")


def test_a_label_is_a_number_from_one():
    refuse(pair(), AdoptTracks({1: {1: 0}}), "Cell 0: labels go from 1")


def test_a_parent_is_there_before():
    refuse(
        divided(), AdoptTracks({}, {1: 2}), "Cell 1 begins in frame 0, but its parent"
    )
    refuse(divided(), AdoptTracks({}, {2: 9}), "Cell 2: its parent 9 does not exist")
    refuse(divided(), AdoptTracks({}, {9: 2}), "Cell 9 does not exist")


@pytest.mark.parametrize("edit", [AdoptTracks({1: {1: 9}}), take(1, "77...")])
def test_the_history_is_told_briefly(edit):
    assert all(isinstance(value, int) for value in edit.describe().values())


def test_a_result_drawn_over_by_the_user_is_not_found_again():
    document = pair()
    do(document, DeleteCell(1, 1), DeleteCell(1, 2))
    assert np.array_equal(document.labels(1), found("....."))
    assert not do(document, take(1, "77.88"))
