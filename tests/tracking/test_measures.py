import numpy as np
import pytest
from tests.tracking.broken_results import Drawn, as_result, gaps, true_movie

from napari_semiconv.errors import BadInputError
from napari_semiconv.tracking.measures.evaluate import evaluate

TRUTH = true_movie()
EMPTY = as_result(np.zeros_like(TRUTH.masks), {})


class Outlines(dict):
    """Outlines that remember which frames were read."""

    def __getitem__(self, frame):
        self.read = [*getattr(self, "read", []), frame]
        return super().__getitem__(frame)


def test_markers_and_outlines_may_differ_in_size_and_number():
    markers = TRUTH.masks.copy()
    for axis in (1, 2):  # a pixel off all sides
        markers[np.roll(TRUTH.masks, 1, axis) != TRUTH.masks] = 0
        markers[np.roll(TRUTH.masks, -1, axis) != TRUTH.masks] = 0
    outlines = {2: (TRUTH.masks[2] + 100) * (TRUTH.masks[2] > 0)}
    scores = evaluate(TRUTH, Drawn(markers, TRUTH.table), outlines)
    assert scores.TRA == scores.SEG == scores.AP90 == 1
    assert scores.outlined_frames == 1


def test_without_outlines_their_scores_are_open():
    scores = evaluate(TRUTH, TRUTH)
    assert scores.SEG is scores.AP50 is scores.SBD is scores.DiC is None
    assert scores.TRA == 1


def test_frames_with_few_outlines_count_for_seg_only():
    few = np.where(TRUTH.masks[5] == 6, 6, 0)
    scores = evaluate(TRUTH, TRUTH, {5: few})
    assert scores.SEG == 1
    assert scores.AP50 is None


def test_only_outlines_of_the_compared_frames_are_read():
    outlines = Outlines(enumerate(TRUTH.masks))
    evaluate(TRUTH, TRUTH, outlines, frames=range(4, 7))
    assert outlines.read == [4, 5, 6]


def test_an_empty_result_scores_nothing():
    scores = evaluate(EMPTY, TRUTH, dict(enumerate(TRUTH.masks)))
    assert scores.SEG == scores.DET == scores.TRA == scores.LNK == scores.TF == 0
    assert scores.CT == scores.BC1 == scores.CCA == scores.division_recall == 0
    assert scores.division_precision is None


def test_an_empty_truth_leaves_scores_open():
    scores = evaluate(TRUTH, EMPTY, dict(enumerate(EMPTY.masks)))
    assert scores.SEG is scores.DET is scores.TRA is scores.LNK is scores.TF is None
    assert scores.AP50 == 0


def test_counts_are_named():
    scores = evaluate(EMPTY, TRUTH).as_dict()
    assert (scores["frames"], scores["divisions"]) == (12, 5)
    assert scores["found_cells"] == 0
    assert scores["cells"] == sum(len(np.unique(mask)) - 1 for mask in TRUTH.masks)


def test_a_gap_costs_links_but_no_division(random):
    broken = gaps(TRUTH, random)
    scores = evaluate(broken, TRUTH)
    assert scores.TRA is not None
    assert scores.TRA < 1
    assert scores.division_precision == 1


def test_missing_frames_are_an_error():
    short = Drawn(TRUTH.masks[:8], TRUTH.table)
    with pytest.raises(BadInputError, match="frames as the truth, 12, found 8"):
        evaluate(short, TRUTH)


@pytest.mark.parametrize("frames", [range(8, 13), range(3, 3), range(0, 6, 2)])
def test_impossible_frames_are_an_error(frames):
    with pytest.raises(BadInputError, match="successive frames out of 0 to 11"):
        evaluate(TRUTH, TRUTH, frames=frames)


def test_tracks_that_do_not_fit_their_masks_are_an_error():
    with pytest.raises(BadInputError, match="The result: track 1 "):
        evaluate(Drawn(EMPTY.masks, TRUTH.table), TRUTH)
