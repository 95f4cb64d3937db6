import numpy as np
import pytest
from tests.tracking.broken_results import Drawn, as_result

from napari_semiconv.tracking.measures.divisions import DivisionCounts, count_divisions
from napari_semiconv.tracking.measures.matching import match_frame, measure_overlaps

PICTURE = (  # one row per frame; 1 becomes 2 and 3 in frame 3
    "111111....",
    "111111....",
    "111111....",
    "222.333...",
    "222.333...",
    "222.333...",
)


def drawn(rows, parents):
    masks = np.array([[list(row)] for row in rows])
    return as_result(np.where(masks == ".", "0", masks).astype(np.uint16), parents)


TRUTH = drawn(PICTURE, {2: 1, 3: 1})


def counts(result: Drawn, truth: Drawn = TRUTH, tolerance: int = 1):
    matches = [
        match_frame(measure_overlaps(true, found))
        for true, found in zip(truth.masks, result.masks, strict=True)
    ]
    found = count_divisions(matches, result.table, truth.table, tolerance)
    return found.right, found.wrong, found.missed


def changed(frame, row, parents=None):
    rows = list(PICTURE)
    rows[frame] = row
    return drawn(rows, {2: 1, 3: 1} if parents is None else parents)


def test_the_truth_is_right():
    assert counts(TRUTH, tolerance=0) == (1, 0, 0)


def test_other_numbers_do_not_matter():
    rows = [row.translate(str.maketrans("123", "987")) for row in PICTURE]
    assert counts(drawn(rows, {8: 9, 7: 9})) == (1, 0, 0)


@pytest.mark.parametrize("row", ["1111111...", "222333...."])
def test_a_frame_early_or_late_is_forgiven(row):
    result = changed(3 if row[0] == "1" else 2, row)
    assert counts(result, tolerance=1) == (1, 0, 0)
    assert counts(result, tolerance=0) == (0, 1, 1)


def test_two_frames_late_need_a_tolerance_of_two():
    rows = (*PICTURE[:3], "1111111...", "1111111...", PICTURE[5])
    late = drawn(rows, {2: 1, 3: 1})
    assert counts(late, tolerance=1) == (0, 1, 1)
    assert counts(late, tolerance=2) == (1, 0, 0)


def test_a_mother_lost_before_the_division_is_still_the_mother():
    assert counts(changed(2, "..........")) == (1, 0, 0)


def test_a_daughter_lost_for_a_frame_is_still_the_daughter():
    gap = changed(4, "....333...")
    assert len(gap.table) == 4  # the gap begins a new track
    assert counts(gap) == (1, 0, 0)


def test_a_daughter_seen_a_frame_late_is_still_the_daughter():
    assert counts(changed(3, "222.......")) == (1, 0, 0)


def test_a_missing_link_misses_the_division():
    assert counts(changed(0, PICTURE[0], parents={2: 1})) == (0, 0, 1)


def test_a_wrong_mother_is_wrong():
    rows = [row[:9] + "4" if t < 3 else row for t, row in enumerate(PICTURE)]
    assert counts(drawn(rows, {2: 4, 3: 4})) == (0, 1, 1)


def test_a_wrong_daughter_is_wrong():
    rows = [row if t < 3 else row[:9] + "4" for t, row in enumerate(PICTURE)]
    assert counts(drawn(rows, {2: 1, 4: 1})) == (0, 1, 1)


def test_a_third_daughter_does_no_harm():
    rows = [row if t < 3 else row[:9] + "4" for t, row in enumerate(PICTURE)]
    assert counts(drawn(rows, {2: 1, 3: 1, 4: 1})) == (1, 0, 0)


def test_a_truth_without_divisions():
    quiet = drawn(PICTURE[:3], {})
    assert counts(quiet, quiet) == (0, 0, 0)


def test_shares_are_open_without_divisions():
    nothing = DivisionCounts(0, 0, 0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    some = DivisionCounts(3, 1, 2)
    assert some.precision == pytest.approx(3 / 4)
    assert some.recall == pytest.approx(3 / 5)
    assert some.f1 == pytest.approx(6 / 9)
