"""Divisions are marked and unmarked."""

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
    sure,
)
from tests.worlds import draw

from napari_semiconv.edits.divisions import MarkDivision, UnmarkDivision
from napari_semiconv.edits.results import AdoptFrame


def apart():
    """1 ends where 2 and 3 begin, without being their mother."""
    return movie("1..4  1..4  2.34  2.34")


def test_a_cell_that_ends_gets_daughters():
    document = apart()
    do(document, MarkDivision(1, (2, 3), 2))
    assert parents(document) == {2: 1, 3: 1}
    assert sure(document) == {2, 3}
    assert_shows(document, "1..4  1..4  2.34  2.34")


def test_both_sides_of_a_division_are_confirmed():
    document = apart()
    do(document, MarkDivision(1, (2, 3), 2))
    assert [confirmed(document, n) for n in (1, 2, 3)] == [[1], [2], [2]]


def test_a_mother_that_goes_on_as_a_daughter_is_parted():
    document = scored(movie("1..  1..  1.2  1.2"))
    do(document, MarkDivision(1, (1, 2), 2))
    assert_shows(document, "1..  1..  3.2  3.2")
    assert parents(document) == {2: 1, 3: 1}
    assert scores(document, 3) == [102, 103]


def test_a_mother_that_goes_on_need_not_be_named():
    document = movie("1..  1..  1.2  1.2")
    do(document, MarkDivision(1, (2,), 2))
    assert parents(document) == {2: 1, 3: 1}


def test_a_daughter_that_was_there_before_is_parted():
    document = movie("1..  1.2  1.2  1.2")
    do(document, MarkDivision(1, (1, 2), 2))
    assert frames(document, 2) == [1]
    assert len(parents(document)) == 2
    assert 2 not in parents(document)


def test_daughters_of_a_parted_mother_stay_with_the_later_part():
    document = movie("1...5  1...5  23..5", parents={2: 1, 3: 1})
    do(document, MarkDivision(1, (1, 5), 1))
    found = parents(document)
    later = int(document.labels(1)[0, 0])
    assert found[later] == 1
    assert found[2] == found[3] == later


def test_a_daughter_that_is_not_named_is_no_longer_one():
    document = movie("1...  2.34", parents={2: 1, 3: 1})
    do(document, MarkDivision(1, (2, 4), 1))
    assert parents(document) == {2: 1, 4: 1}


def test_a_daughter_may_begin_later():
    document = movie("1..  2..  2.3")
    do(document, MarkDivision(1, (2, 3), 1))
    assert parents(document) == {2: 1, 3: 1}


def test_a_division_has_three_daughters_if_need_be():
    document = movie("1...  2.34")
    do(document, MarkDivision(1, (2, 3, 4), 1))
    assert parents(document) == {2: 1, 3: 1, 4: 1}


def test_a_marked_division_outlives_a_run():
    document = apart()
    do(document, MarkDivision(1, (2, 3), 2))
    for t, found in enumerate(draw("9..8  9..8  999.  999.")):
        do(document, AdoptFrame(t, found.astype(np.int32), {9: 11, 8: 12}))
    assert parents(document) == {2: 1, 3: 1}


def test_a_mother_is_there_before_her_daughters():
    words = "Cell 2 begins in frame 2: expected it before the division in frame 2."
    refuse(apart(), MarkDivision(2, (3, 4), 2), words)


def test_a_division_needs_two_daughters():
    words = "Expected two daughters of cell 1 in frame 2 or later, found 1."
    refuse(apart(), MarkDivision(1, (2,), 2), words)
    refuse(apart(), MarkDivision(1, (2, 2), 2), words)


def test_a_daughter_does_not_end_before_the_division():
    document = movie("1.4  1.4  2.3")
    words = "Cell 4 ends in frame 1: expected a daughter in frame 2 or later."
    refuse(document, MarkDivision(1, (2, 4), 2), words)


def test_a_division_needs_cells_that_exist():
    refuse(apart(), MarkDivision(1, (2, 9), 2), "Cell 9 does not exist")
    refuse(apart(), MarkDivision(9, (2, 3), 2), "Cell 9 does not exist")


def test_a_division_is_unmarked_for_good():
    document = movie("1..  2.3", parents={2: 1, 3: 1})
    do(document, UnmarkDivision(1))
    assert parents(document) == {}
    assert sure(document) == {2, 3}
    assert [confirmed(document, n) for n in (1, 2, 3)] == [[0], [1], [1]]


def test_a_cell_without_daughters_is_not_unmarked():
    words = "Cell 4 has no daughters: expected a cell that divides."
    refuse(apart(), UnmarkDivision(4), words)
    refuse(apart(), UnmarkDivision(9), "Cell 9 does not exist")
