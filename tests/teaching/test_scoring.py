"""Scores of cells that were held out."""

import numpy as np
import pytest

from napari_semiconv.teaching.scoring import CheckScore, score_cells


def field(*cells, fill=0):
    labels = np.full((20, 40), fill, np.int32)
    for number, (y, x, height, width) in enumerate(cells, 1):
        labels[y : y + height, x : x + width] = number
    return labels


CELL, OTHER = (2, 2, 8, 8), (2, 20, 8, 8)


def test_what_is_found_whole_counts_one():
    score = score_cells(field(CELL, OTHER), field(CELL, OTHER))
    assert score == CheckScore(2, 2.0, 0)
    assert score.value == score.masks == 1


def test_a_missed_cell_counts_nothing():
    score = score_cells(field(CELL), field(CELL, OTHER))
    assert (score.cells, score.found, score.masks) == (2, 1.0, 0.5)


def test_half_a_cell_is_not_found():
    half = (2, 2, 4, 8)
    assert score_cells(field(half), field(CELL)).found == 0
    more = (2, 2, 5, 8)
    assert score_cells(field(more), field(CELL)).found == pytest.approx(40 / 64)


def test_joined_cells_count_for_the_larger_part_alone():
    joined = field((2, 2, 8, 26))
    score = score_cells(joined, field(CELL, OTHER))
    assert score.found == pytest.approx(2 * 64 / 208)


def test_what_lies_where_nothing_is_known_is_not_looked_at():
    truth = field(CELL, fill=-1)
    assert score_cells(field(CELL, OTHER), truth) == CheckScore(1, 1.0, 0)
    truth[:, 18:30] = 0
    assert score_cells(field(CELL, OTHER), truth) == CheckScore(1, 1.0, 1)


def test_a_false_cell_counts_as_one_more_that_was_missed():
    score = score_cells(field(CELL, OTHER), field(CELL))
    assert (score.false, score.masks, score.value) == (1, 1.0, 0.5)
    assert CheckScore() + score == score
    assert np.isnan(CheckScore().value)
