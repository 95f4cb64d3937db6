import numpy as np
import pytest

from napari_semiconv.tracking.measures.instances import (
    InstanceTally,
    symmetric_best_dice,
)
from napari_semiconv.tracking.measures.matching import measure_overlaps

# Cell 1 is found but for one pixel, cell 2 is cut in half, cell 3 missed, 9 invented.
TRUTH = np.array([[1, 1, 1, 1, 0, 2, 2, 0, 3, 0, 0]])
RESULT = np.array([[5, 5, 5, 0, 0, 6, 7, 0, 0, 0, 9]])


@pytest.fixture
def overlaps():
    return measure_overlaps(TRUTH, RESULT)


def tally_of(*images):
    tally = InstanceTally()
    for image in images:
        tally.add(image)
    return tally


def test_seg_is_the_mean_over_true_cells(overlaps):
    assert tally_of(overlaps).seg == pytest.approx((3 / 4 + 0 + 0) / 3)


def test_ap_counts_right_wrong_and_missed_cells(overlaps):
    tally = tally_of(overlaps)
    # At 0.5 one half of cell 2 counts, the other is wrong.
    assert tally.ap(0.5) == pytest.approx(2 / (2 + 2 + 1))
    assert tally.ap(0.7) == pytest.approx(1 / (1 + 3 + 2))
    assert tally.ap(0.8) == 0


def test_best_dice_takes_the_worse_direction(overlaps):
    true_side = (6 / 7 + 2 / 3 + 0) / 3
    found_side = (6 / 7 + 2 / 3 + 2 / 3 + 0) / 4
    assert symmetric_best_dice(overlaps) == pytest.approx(min(true_side, found_side))


def test_count_errors_do_not_cancel():
    more = measure_overlaps(np.array([[1, 0, 0]]), np.array([[1, 2, 3]]))
    fewer = measure_overlaps(np.array([[1, 2, 3]]), np.array([[1, 0, 0]]))
    assert tally_of(more, fewer).count_error == 2


def test_a_perfect_image():
    tally = tally_of(measure_overlaps(TRUTH, TRUTH * 3))
    assert tally.seg == tally.ap(0.9) == tally.sbd == 1
    assert tally.count_error == 0


def test_images_without_cells():
    nothing = np.zeros_like(TRUTH)
    both = tally_of(measure_overlaps(nothing, nothing))
    assert both.seg is None
    assert both.ap(0.5) is None
    assert both.sbd == 1
    assert tally_of(measure_overlaps(TRUTH, nothing)).sbd == 0
    assert tally_of(measure_overlaps(nothing, RESULT)).ap(0.5) == 0


def test_cells_without_outline_are_held_against_nobody(overlaps):
    tally = InstanceTally()
    tally.add(overlaps, complete=False)
    assert tally.seg == pytest.approx(1 / 4)
    assert tally.ap(0.5) is None
    assert tally.sbd is None
    assert tally.count_error is None


def test_pairs_are_chosen_to_match_the_most_cells():
    # Both halves of cell 1 have IoU 0.5 with it; only one may count.
    overlaps = measure_overlaps(np.array([[1, 1]]), np.array([[1, 2]]))
    assert tally_of(overlaps).ap(0.5) == pytest.approx(1 / 2)
