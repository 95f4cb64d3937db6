"""A new word goes before what was said of the cells that it is about, and no others."""

import numpy as np
import pytest
from tests.edits.drawn import assert_shows, confirmed, do, movie

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.removing import DeleteCell, MarkEmpty
from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.constraints.enforce import enforce_within
from napari_semiconv.inference.constraints.maps import Maps
from napari_semiconv.inference.constraints.model import Constraints, Count
from napari_semiconv.project.constraints import read_constraints, write_constraints
from napari_semiconv.project.correcting import correction_of, region_around

SHAPE = (1, 9)
ROW = "112233.44"


def row(*sure):
    """Four cells in a row, the first three touching; some are confirmed."""
    document = movie(ROW)
    for label in sure:
        do(document, Confirm(label, 0, 0))
    return document


def together(*columns):
    return Constraints(SHAPE, must_link=[[(0, x) for x in columns]])


def apart(*columns):
    return Constraints(SHAPE, cannot_link=[[(0, x) for x in columns]])


def number(cells, mask):
    return Constraints(SHAPE, counts=[Count(np.array([list(mask)]) == "x", cells)])


def none(x):
    return Constraints(SHAPE, absent=[(0, x)])


def drawn(mask):
    return Constraints(
        SHAPE, fixed=np.array([[c == "x" for c in mask]]).astype(np.int32)
    )


@pytest.mark.parametrize(
    ("word", "freed"),
    [
        (together(0, 2), (1, 2)),
        (together(0, 1), ()),
        (together(0, 6), (1,)),
        (apart(0, 2), ()),
        (apart(0, 1, 2), (1,)),
        (none(4), (3,)),
        (none(6), ()),
        (drawn(".xx......"), (1, 2)),
        (drawn("xx......."), ()),
        (number(3, "xxxxxx..."), ()),
        (number(2, "xxxxxx..."), (1, 2, 3)),
        (number(1, "x........"), (1,)),
    ],
)
def test_confirmed_cells_are_freed_when_they_do_not_hold_the_word(word, freed):
    correction = correction_of(row(1, 2, 3, 4), 0, word)
    assert correction.freed == freed
    left = {1, 2, 3, 4} - {*freed}
    confirmed = {*np.unique(correction.constraints.confirmed).tolist()} - {0}
    assert left <= confirmed


def test_a_number_leaves_confirmed_cells_as_long_as_others_can_make_it_up():
    assert correction_of(row(1), 0, number(4, "xxxxxx...")).freed == ()
    assert correction_of(row(1), 0, number(2, "xxxxxx...")).freed == ()
    assert correction_of(row(1), 0, number(1, "xxxxxx...")).freed == (1,)
    # One that reaches out of the region cannot stay.
    assert correction_of(row(1, 3), 0, number(2, "xxxxx....")).freed == (3,)


def test_a_mark_gives_way_to_a_pixel_of_a_cell():
    document = movie("11..")
    do(document, MarkEmpty(0, 0, 2), MarkEmpty(0, 0, 3))
    word = Constraints((1, 4), must_link=[[(0, 1), (0, 2)]])
    assert correction_of(document, 0, word).constraints.absent.tolist() == [[0, 3]]


def test_words_that_do_not_fit_are_refused():
    with pytest.raises(BadInputError, match="Use pixels of this movie"):
        correction_of(row(), 0, Constraints((2, 2), absent=[(0, 0)]))
    with pytest.raises(BadInputError, match="Take one back"):
        correction_of(row(), 0, together(0, 1).and_also(apart(0, 1)))


def solved(document, word):
    """Work a word in without a network."""
    correction = correction_of(document, 0, word)
    labels = document.labels(0)
    window, found = enforce_within(labels, correction.constraints, Maps(SHAPE, 2.0))
    do(document, correction.edit(window, found))


def test_cells_spoken_of_are_confirmed_also_where_nothing_changes():
    document = row()
    solved(document, apart(0, 2, 7))
    assert_shows(document, ROW)
    assert [confirmed(document, n) for n in (1, 2, 3, 4)] == [[0], [0], [], [0]]


def test_confirmed_cells_can_be_joined_and_split_again():
    document = row(1, 2, 3)
    solved(document, together(0, 2))
    assert_shows(document, "111133.44")
    assert confirmed(document, 1) == confirmed(document, 3) == [0]
    solved(document, apart(0, 3))
    now = document.labels(0)[0]
    assert now[0] == 1
    assert now[3] not in (0, 1, 3)
    assert confirmed(document, int(now[3])) == [0]


def test_a_place_without_a_cell_takes_a_confirmed_one_away():
    document = row(3)
    solved(document, none(4))
    assert_shows(document, "1122...44")
    assert document.absences == {(0, 0, 4)}


def test_the_region_of_a_cell_holds_those_that_touch_it():
    labels = row().labels(0)
    region = region_around(labels, 0, 0)
    assert region.tolist() == [[c in "12" for c in ROW]]
    for place in ((0, 6), (0, 9), (1, 0)):
        with pytest.raises(BadInputError, match="expected a cell there"):
            region_around(labels, *place)


def test_a_file_keeps_every_kind_of_word(tmp_path):
    document = row(1)
    do(document, DeleteCell(0, 4), MarkEmpty(0, 0, 6))
    word = together(2, 3).and_also(together(4, 5)).and_also(apart(2, 4))
    word = word.and_also(number(1, "..xx.....")).and_also(number(1, "....xx..."))
    told = correction_of(document, 0, word).constraints
    told = told.and_also(Constraints(SHAPE, empty=np.array([[c == "." for c in ROW]])))
    write_constraints(tmp_path / "constraints.npz", [(3, told)])
    said = read_constraints(tmp_path / "constraints.npz")
    assert list(said) == [3]
    for name in ("must_link", "cannot_link"):
        pairs = zip(getattr(said[3], name), getattr(told, name), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs)
    for name in ("fixed", "empty", "gone", "absent"):
        assert np.array_equal(getattr(said[3], name), getattr(told, name))
    for one, other in zip(said[3].counts, told.counts, strict=True):
        assert one.cells == other.cells
        assert np.array_equal(one.mask, other.mask)
