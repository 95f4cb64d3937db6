"""What is right is locked, and unlocked."""

from tests.edits.drawn import confirmed, do, movie, refuse, scored, scores, sure

from napari_semiconv.edits.confirming import Confirm, Unconfirm


def divided():
    return movie("1..4  1..4  2.34  2..4  2...", parents={2: 1, 3: 1})


def test_a_cell_is_confirmed():
    document = divided()
    do(document, Confirm(1, 1, 1))
    assert confirmed(document, 1) == [1]
    assert sure(document) == set()


def test_a_whole_track_is_confirmed_with_its_parent():
    document = divided()
    do(document, Confirm(2))
    assert confirmed(document, 2) == [2, 3, 4]
    assert sure(document) == {2}


def test_a_range_of_a_track_is_confirmed():
    document = divided()
    do(document, Confirm(2, 3, 4))
    assert confirmed(document, 2) == [3, 4]
    assert sure(document) == set()


def test_all_cells_of_a_range_are_confirmed():
    document = divided()
    do(document, Confirm(None, 1, 2))
    assert [confirmed(document, n) for n in (1, 2, 3, 4)] == [[1], [2], [2], [1, 2]]


def test_a_parent_is_confirmed_when_both_sides_are():
    document = divided()
    do(document, Confirm(None, 1, 2))
    assert sure(document) == {2, 3}


def test_the_first_frame_of_a_range_says_nothing_of_parents():
    document = divided()
    do(document, Confirm(None, 2, 4))
    assert sure(document) == set()


def test_all_is_confirmed():
    document = divided()
    do(document, Confirm())
    assert [confirmed(document, n) for n in (1, 4)] == [[0, 1], [0, 1, 2, 3]]
    assert sure(document) == {1, 2, 3, 4}


def test_a_gap_is_not_confirmed():
    document = movie("1  .  1")
    do(document, Confirm(1))
    assert confirmed(document, 1) == [0, 2]


def test_scores_stay_as_they_are():
    document = scored(divided())
    do(document, Confirm(), Unconfirm(2))
    assert scores(document, 2) == [202, 203, 204]


def test_confirming_twice_changes_nothing():
    document = divided()
    do(document, Confirm(2))
    assert not do(document, Confirm(2))


def test_a_cell_is_unconfirmed():
    document = divided()
    do(document, Confirm(), Unconfirm(2, 3, 3))
    assert confirmed(document, 2) == [2, 4]
    assert 2 in sure(document)


def test_the_parent_is_unconfirmed_with_the_first_cell():
    document = divided()
    do(document, Confirm(), Unconfirm(2, 2, 2))
    assert confirmed(document, 2) == [3, 4]
    assert sure(document) == {1, 3, 4}


def test_all_is_unconfirmed():
    document = divided()
    do(document, Confirm(), Unconfirm())
    assert not any(confirmed(document, n) for n in (1, 2, 3, 4))
    assert sure(document) == set()


def test_frames_lie_in_the_movie_and_in_order():
    for edit in (Confirm, Unconfirm):
        for first, last in ((-1, 2), (3, 2), (0, 5)):
            words = (
                f"Expected frames within 0 to 4, first before last, found {first} to "
                f"{last}."
            )
            refuse(divided(), edit(None, first, last), words)


def test_there_are_cells_to_confirm():
    for edit in (Confirm, Unconfirm):
        words = "Frames 2 to 4: expected cell 1 there, found none."
        refuse(divided(), edit(1, 2, 4), words)
        refuse(movie("1  ."), edit(None, 1, 1), "expected any cell there, found none.")
        refuse(divided(), edit(9), "Cell 9 does not exist")
