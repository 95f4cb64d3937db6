import numpy as np
import pytest

from napari_semiconv.errors import BadInputError
from napari_semiconv.tracking.measures.matching import (
    check_table,
    cut_table,
    match_frame,
    measure_overlaps,
)

TRUTH = np.array([[1, 1, 1, 1, 0, 4, 4]])
RESULT = np.array([[7, 7, 7, 0, 0, 9, 7]])


def test_overlaps_count_areas_and_shared_pixels():
    overlaps = measure_overlaps(TRUTH, RESULT)
    assert overlaps.truth.tolist() == [1, 4]
    assert overlaps.result.tolist() == [7, 9]
    assert overlaps.truth_area.tolist() == [4, 2]
    assert overlaps.result_area.tolist() == [4, 1]
    assert overlaps.pairs.tolist() == [[0, 0], [1, 0], [1, 1]]
    assert overlaps.shared.tolist() == [3, 1, 1]
    assert overlaps.iou == pytest.approx([3 / 5, 1 / 5, 1 / 2])
    assert overlaps.dice == pytest.approx([6 / 8, 2 / 6, 2 / 3])


def test_half_a_cell_is_not_a_majority():
    match = match_frame(measure_overlaps(TRUTH, RESULT))
    assert match.partner == {1: 7}


def test_a_cell_over_two_true_ones_stands_for_neither():
    match = match_frame(measure_overlaps(np.array([[1, 2, 3]]), np.array([[5, 5, 6]])))
    assert match.partner == {1: 5, 2: 5, 3: 6}
    assert match.sole == {3: 6}


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.int64])
def test_every_kind_of_integer_will_do(kind):
    overlaps = measure_overlaps(TRUTH.astype(kind), RESULT.astype(np.uint16))
    assert overlaps.shared.tolist() == [3, 1, 1]


def test_huge_labels_need_no_huge_tables():
    far = TRUTH.astype(np.int64) * 10**12
    overlaps = measure_overlaps(far, RESULT)
    assert overlaps.truth.tolist() == [10**12, 4 * 10**12]
    assert overlaps.shared.tolist() == [3, 1, 1]


@pytest.mark.parametrize("empty", ["truth", "result", "both"])
def test_frames_without_cells(empty):
    nothing = np.zeros_like(TRUTH)
    overlaps = measure_overlaps(
        TRUTH if empty == "result" else nothing, RESULT if empty == "truth" else nothing
    )
    assert overlaps.pairs.shape == (0, 2)
    assert match_frame(overlaps).partner == {}


def test_frames_of_other_size_are_refused():
    with pytest.raises(BadInputError, match=r"\(1, 7\) px, found \(1, 6\) px"):
        measure_overlaps(TRUTH, RESULT[:, :6])


def test_negative_labels_are_refused():
    with pytest.raises(BadInputError, match="found -1"):
        measure_overlaps(TRUTH - 1, RESULT)


TABLE = np.array([[1, 0, 3, 0], [2, 4, 9, 1], [3, 4, 5, 1], [4, 6, 7, 3], [5, 8, 9, 0]])


def test_a_cut_keeps_what_is_seen_and_counts_from_0():
    assert cut_table(TABLE, range(3, 7)).tolist() == [
        [1, 0, 0, 0],
        [2, 1, 3, 1],
        [3, 1, 2, 1],
        [4, 3, 3, 3],
    ]


def test_parents_before_the_cut_are_none():
    assert cut_table(TABLE, range(4, 10))[:, 3].tolist() == [0, 0, 3, 0]
    assert cut_table(TABLE, range(6, 10))[:, 3].tolist() == [0, 0, 0]


CELLS = [(1,), (1,), (2, 3)]
GOOD = [[1, 0, 1, 0], [2, 2, 2, 1], [3, 2, 2, 1]]


def test_tracks_and_masks_that_agree_pass():
    check_table("result", np.array(GOOD), CELLS)


@pytest.mark.parametrize(
    ("row", "value", "words"),
    [
        (0, [1, 0, 2, 0], "parent 1 of track 2 to be a track that ends before frame 2"),
        (1, [2, 2, 2, 8], "parent 8 of track 2"),
        (1, [3, 2, 2, 1], "one row per track"),
        (1, [4, 2, 2, 1], "track 2 is either painted in frame 2"),
        (2, [3, 1, 2, 0], "track 3 is either painted in frame 1"),
    ],
)
def test_tracks_and_masks_that_differ_are_refused(row, value, words):
    table = np.array(GOOD)
    table[row] = value
    with pytest.raises(BadInputError, match=f"The result: .*{words}"):
        check_table("result", table, CELLS)
