"""Cells that were found anew around a constraint are adopted as one edit."""

import numpy as np
from tests.edits.drawn import assert_shows, confirmed, do, frames, movie, refuse
from tests.worlds import draw

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.removing import MarkEmpty
from napari_semiconv.edits.resegment import Resegment


def found(*rows):
    return draw(*rows)[0].astype(np.int32)


def pair():
    return movie("11.22  11.22  11.22")


def test_a_split_cell_keeps_its_label_and_the_rest_is_new():
    document = pair()
    do(document, Resegment(1, 0, 0, found("19"), constrained=(1, 9)))
    assert_shows(document, "11.22  13.22  11.22")
    assert confirmed(document, 1) == [1]
    assert confirmed(document, 3) == [1]
    assert confirmed(document, 2) == []


def test_a_new_cell_never_takes_the_label_of_another_track():
    document = movie("11...  22...")
    do(document, Resegment(0, 0, 0, found("2")))
    assert_shows(document, "31...  22...")


def test_a_cell_that_goes_is_gone_in_this_frame_alone():
    document = pair()
    do(document, Resegment(1, 0, 0, found("..."), absences=((0, 0),)))
    assert_shows(document, "11.22  ...22  11.22")
    assert document.absences == {(1, 0, 0)}
    assert frames(document, 1) == [0, 2]


def test_a_mark_below_a_cell_is_taken_off():
    document = pair()
    do(document, MarkEmpty(1, 0, 2), Resegment(1, 0, 2, found("2"), constrained=(2,)))
    assert document.absences == set()


def test_a_confirmed_cell_keeps_its_pixels_unless_constrained():
    document = pair()
    do(document, Confirm(2, 1, 1))
    refuse(document, Resegment(1, 0, 2, found("222")), "Cell 2 is confirmed")
    do(document, Resegment(1, 0, 2, found("222"), constrained=(2,)))
    assert_shows(document, "11.22  11222  11.22")


def test_a_window_or_a_mark_that_does_not_fit_is_refused():
    refuse(pair(), Resegment(1, 0, 4, found("22")), "reaches out")
    marked = Resegment(1, 0, 0, found("1"), absences=((0, 0),))
    refuse(pair(), marked, "is marked as empty")
