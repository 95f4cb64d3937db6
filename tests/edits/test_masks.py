"""Edits of masks in one frame."""

import numpy as np
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
    stroke,
)
from tests.edits.worlds import shown, state

from napari_semiconv.edits.base import Group
from napari_semiconv.edits.links import Relabel
from napari_semiconv.edits.masks import (
    CopyMask,
    Erase,
    Fill,
    FillHoles,
    MergeMasks,
    NewCell,
    Paint,
    Redraw,
)
from napari_semiconv.edits.removing import MarkEmpty

LARGEST = 2**31 - 1


def pair():
    return movie(
        "11..2  11..2  11..2",
        "11..2  11..2  11..2",
    )


def divided():
    return movie("11.  23.  23.", "11.  23.  23.", parents={2: 1, 3: 1})


def test_a_stroke_goes_over_other_cells():
    document = pair()
    do(document, Paint(1, 1, stroke("...##")))
    assert_shows(document, "11..2  11.11  11..2", "11..2  11..2  11..2")


def test_a_stroke_may_leave_other_cells_alone():
    document = pair()
    do(document, Paint(1, 1, stroke("...##"), over=False))
    assert_shows(document, "11..2  11.12  11..2", "11..2  11..2  11..2")


def test_what_is_painted_is_confirmed_and_nothing_else():
    document = pair()
    do(document, Paint(1, 1, stroke("...##")))
    assert confirmed(document, 1) == [1]
    assert confirmed(document, 2) == []


def test_a_stroke_over_its_own_cell_confirms_it():
    document = pair()
    do(document, Paint(1, 1, stroke("#")))
    assert confirmed(document, 1) == [1]


def test_a_stroke_is_cut_off_at_the_border():
    document = pair()
    do(document, Paint(0, 1, stroke("##", "##").moved(1, 4)))
    assert_shows(document, "11..2  11..2  11..2", "11..1  11..2  11..2")


def test_a_cell_painted_over_wholly_has_a_gap():
    document = pair()
    do(document, Paint(1, 1, stroke("....#", "....#")))
    assert frames(document, 2) == [0, 2]


def test_a_label_that_no_track_has_begins_one():
    document = pair()
    do(document, Paint(1, 7, stroke("..#")), NewCell(1, stroke("...#")))
    assert frames(document, 7) == [1]
    assert frames(document, 8) == [1]


def test_the_scores_of_a_changed_cell_are_forgotten():
    document = scored(pair())
    do(document, Paint(1, 1, stroke("....#")))
    assert scores(document, 1) == [100, None, 102]
    assert scores(document, 2) == [200, None, 202]


def test_a_second_stroke_takes_what_the_first_left_of_a_cell():
    document = pair()
    strokes = Erase(1, stroke("....#")), Erase(1, stroke(".....", "....#"))
    do(document, Group(strokes, "erase twice"))
    assert frames(document, 2) == [0, 2]


def test_the_largest_label_can_be_painted_and_shown():
    document = pair()
    do(document, Paint(1, LARGEST, stroke("..#")), Relabel(1, 5))
    assert shown(document)[1].tolist() == [[5, 5, LARGEST, 0, 2], [5, 5, 0, 0, 2]]


def test_no_label_is_left_after_the_largest():
    document = pair()
    do(document, Paint(1, LARGEST, stroke("..#")))
    refuse(document, NewCell(1, stroke("...#")), "No label is left for a new cell")


def test_painting_needs_a_label():
    for label in (0, -1, 2**31):
        words = f"Expected a label from 1 to {LARGEST} to paint with, found {label}."
        refuse(pair(), Paint(0, label, stroke("#")), words)


def test_painting_needs_pixels():
    for region in (stroke("....#"), stroke("#").moved(5, 5), stroke(".")):
        refuse(pair(), Paint(0, 1, region, over=False), "Nothing to paint in frame 0")


def test_painting_needs_a_frame():
    for frame in (-1, 3):
        words = f"Frame {frame} does not exist: expected 0 to 2."
        refuse(pair(), Paint(frame, 1, stroke("#")), words)


def test_a_mother_cannot_be_painted_beside_her_daughters():
    words = "Cell 1 divides: its daughters 2 and 3 begin in frame 1"
    refuse(divided(), Paint(1, 1, stroke("..#")), words)


def test_a_daughter_cannot_be_painted_beside_her_mother():
    words = "Cell 2 begins in frame 0, but its parent 1 has pixels until frame 0."
    refuse(divided(), Paint(0, 2, stroke("..#")), words)


def test_a_new_cell_has_a_label_of_its_own_and_leaves_others_alone():
    document = pair()
    do(document, NewCell(1, stroke("..###")))
    assert_shows(document, "11..2  11332  11..2", "11..2  11..2  11..2")
    assert confirmed(document, 3) == [1]


def test_a_new_cell_may_go_over_others():
    document = pair()
    do(document, NewCell(1, stroke("..###"), over=True))
    assert_shows(document, "11..2  11333  11..2", "11..2  11..2  11..2")


def test_the_eraser_takes_all_cells_and_confirms_what_is_left():
    document = pair()
    do(document, Erase(1, stroke("#####")))
    assert_shows(document, "11..2  .....  11..2", "11..2  11..2  11..2")
    assert confirmed(document, 1) == confirmed(document, 2) == [1]


def test_the_eraser_may_take_one_cell_alone():
    document = pair()
    do(document, Erase(1, stroke("#####"), 2))
    assert_shows(document, "11..2  11...  11..2", "11..2  11..2  11..2")
    assert confirmed(document, 1) == []


def test_a_cell_erased_wholly_leaves_its_track():
    document = scored(pair())
    do(document, Erase(1, stroke("#####", "#####")))
    assert frames(document, 1) == [0, 2]
    assert scores(document, 1) == [100, None, 102]


def test_the_last_cell_erased_takes_the_track_away():
    document = movie("12  .2")
    do(document, Erase(0, stroke("#")))
    assert set(document.lineage.tracks) == {2}


def test_erasing_nothing_changes_nothing():
    assert not do(pair(), Erase(0, stroke("..#")))


def test_a_pocket_of_background_is_filled():
    document = movie("111", "1.1", "111")
    do(document, Fill(0, 1, 1, 2))
    assert_shows(document, "111", "121", "111")


def test_filling_a_cell_gives_it_the_label_there_alone():
    document = pair()
    do(document, Fill(1, 0, 4, 1))
    assert_shows(document, "11..2  11..1  11..2", "11..2  11..1  11..2")
    assert frames(document, 2) == [0, 2]


def test_filling_takes_the_piece_around_the_point_alone():
    document = movie("1.1")
    do(document, Fill(0, 0, 2, 2))
    assert_shows(document, "1.2")


def test_filling_with_nothing_takes_a_piece_away():
    document = movie("1.12")
    do(document, Fill(0, 0, 2, 0))
    assert_shows(document, "1..2")


def test_a_point_to_fill_lies_inside():
    for y, x in ((2, 0), (0, 5), (-1, 0), (0, -1)):
        words = f"The point (y {y}, x {x}) lies outside the frame"
        refuse(pair(), Fill(0, y, x, 1), words)


def test_holes_are_filled_but_cells_in_them_stay():
    document = movie("1111", "1.21", "1111")
    do(document, FillHoles(0, 1))
    assert_shows(document, "1111", "1121", "1111")
    assert confirmed(document, 1) == [0]


def test_the_first_of_merged_cells_takes_the_others_over():
    document = movie("1223  1223")
    do(document, MergeMasks(1, (3, 2)))
    assert_shows(document, "1223  1333")
    assert confirmed(document, 3) == [1]


def test_merging_needs_two_cells():
    words = "Expected two cells or more to merge in frame 0, found 1."
    refuse(pair(), MergeMasks(0, (1, 1)), words)


def test_merging_needs_cells_that_are_there():
    document = movie("12.  1.3")
    words = "Cell 3 has no pixels in frame 0: expected one of its frames, 1."
    refuse(document, MergeMasks(0, (1, 3)), words)
    words = "Cell 9 does not exist: expected the label of a track."
    refuse(document, MergeMasks(0, (1, 9)), words)


def test_a_mask_is_redrawn():
    document = scored(pair())
    do(document, Redraw(1, 1, stroke(".####")))
    assert_shows(document, "11..2  .1112  11..2", "11..2  ....2  11..2")
    assert scores(document, 1) == [100, None, 102]
    assert confirmed(document, 1) == [1]


def test_a_mask_redrawn_elsewhere_keeps_its_track():
    document = pair()
    do(document, Redraw(1, 1, stroke("...#")))
    assert_shows(document, "11..2  ...12  11..2", "11..2  ....2  11..2")


def test_redrawing_needs_a_cell_and_pixels():
    document = movie("1.  .2")
    refuse(document, Redraw(1, 1, stroke("#")), "Cell 1 has no pixels in frame 1")
    refuse(document, Redraw(0, 1, stroke("#").moved(0, 5)), "Nothing to paint")


def test_a_mask_is_copied_as_far_as_there_is_room():
    document = movie("11.2  .222")
    do(document, CopyMask(0, 1, 1))
    assert_shows(document, "11.2  1222")
    assert confirmed(document, 1) == [1]


def test_a_mask_is_copied_backwards():
    document = movie(".2  12")
    do(document, CopyMask(1, 1, 0))
    assert_shows(document, "12  12")


def test_a_mask_is_not_copied_where_the_cell_is():
    refuse(pair(), CopyMask(0, 1, 1), "Cell 1 is in frame 1 already")


def test_a_mask_is_not_copied_where_others_are():
    refuse(movie("11.  222"), CopyMask(0, 1, 1), "Nothing to paint in frame 1")


def test_a_mask_is_not_copied_outside_of_the_movie():
    refuse(pair(), CopyMask(0, 1, 3), "Frame 3 does not exist")


def test_a_mother_is_not_copied_beside_her_daughters():
    document = movie("1.  .2", parents={2: 1})
    refuse(document, CopyMask(0, 1, 1), "Cell 1 divides: its daughters 2 begin")


def test_a_cell_drawn_where_there_was_said_to_be_none_takes_that_back():
    document = movie("....  ....")
    do(document, MarkEmpty(0, 0, 1), MarkEmpty(0, 0, 3), MarkEmpty(1, 0, 1))
    change = do(document, NewCell(0, stroke("##")))
    assert document.absences == {(0, 0, 3), (1, 0, 1)}
    document.apply(change.inverse())
    assert document.absences == {(0, 0, 1), (0, 0, 3), (1, 0, 1)}


def test_a_division_goes_with_the_last_cell_of_a_mother_painted_over():
    document = divided()
    do(document, Erase(0, stroke("###", "###")))
    assert parents(document) == {}
    assert not shown(document)[0].any()


def test_frames_and_labels_may_be_numbers_of_numpy():
    one, other = pair(), pair()
    do(one, Paint(np.int64(1), np.int32(2), stroke("..#")))
    do(other, Paint(1, 2, stroke("..#")))
    assert state(one) == state(other)
