"""A cell that was missed is found around a click, and takes no pixel of others."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.constraints.check import violations
from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.inference.constraints.resegment import resegment

from . import scenes
from .perfect import perfect_output


def squares():
    """Two squares that touch, and one by itself, (Y, X)."""
    truth = np.zeros((60, 60), np.int32)
    truth[10:22, 10:22], truth[10:22, 22:34], truth[40:52, 40:52] = 1, 2, 3
    return truth


def added(labels, seed, output=None, **more):
    said = Constraints(labels.shape, must_link=[[seed]], **more)
    output = perfect_output(squares()) if output is None else output
    found = resegment(output, labels, said, seed=seed).within(labels)
    assert violations(found, said) == []
    return found


def without(*labels):
    truth = squares()
    return np.where(np.isin(truth, labels), 0, truth).astype(np.int32)


@pytest.mark.parametrize("missed", [1, 2, 3])
@pytest.mark.parametrize("corner", [(0, 0), (5, 5), (11, 11)])
def test_a_missed_cell_is_found_wherever_it_is_clicked(missed, corner):
    first = np.argwhere(squares() == missed)[0] + corner
    before = without(missed)
    found = added(before, tuple(first.tolist()))
    new = before.max() + 1
    assert np.array_equal(found == new, squares() == missed)
    assert np.array_equal(np.where(found == new, 0, found), before)


def test_of_two_missed_cells_that_touch_the_one_is_found_that_is_clicked():
    found = added(without(1, 2), (12, 24))
    assert np.array_equal(found == 4, squares() == 2)


@pytest.mark.parametrize("factor", [0.7, 1.2, 1.5, 2.3])
def test_it_is_whole_however_large_the_network_sees_it(factor):
    found = added(without(1, 2), (12, 14), scenes.output_of(squares(), factor))
    one, other = found == 4, squares() == 1
    assert (one & other).sum() > 0.8 * (one | other).sum()


def test_a_click_that_misses_by_a_little_finds_it_and_is_of_it():
    found = added(without(3), (38, 45))
    assert found[38, 45] == 3
    assert (found[squares() == 3] == 3).all()
    assert (found == 3).sum() < 160


def test_a_cell_that_was_swallowed_is_split_off():
    merged = np.where(squares() == 2, 1, squares()).astype(np.int32)
    found = added(merged, (15, 30))
    assert np.array_equal(found == found[15, 30], squares() == 2)
    assert np.array_equal(found == found[15, 12], squares() == 1)


def test_without_votes_the_embedding_tells_the_cell():
    output = replace(perfect_output(squares()), offset=None, motion=None, seed=None)
    found = added(without(1, 2), (15, 28), output)
    assert np.array_equal(found == 4, squares() == 2)


def test_nothing_is_found_where_the_network_sees_nothing():
    with pytest.raises(BadInputError, match=r"sees no cell at .*y 30, x 5.* brush"):
        added(without(1), (30, 5))


def test_a_faint_cell_is_found():
    output = perfect_output(squares())
    output.foreground[output.foreground > 0] = 0.3
    found = added(without(3), (45, 45), output)
    assert np.array_equal(found == 3, squares() == 3)


def test_a_confirmed_neighbour_keeps_its_pixels():
    # It was drawn too large, over a part of the missed one.
    before = without(1)
    before[10:22, 18:34] = 2
    found = added(before, (15, 12), fixed=np.where(before == 2, 2, 0))
    assert np.array_equal(found == 2, before == 2)
    assert np.array_equal(found == 4, (squares() == 1) & (before == 0))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_no_cell_loses_a_pixel_to_one_that_is_added(number):
    rng = np.random.default_rng(number)
    truth = scenes.truth_of(rng, (32, 40))
    missed = int(rng.choice(np.unique(truth[truth > 0])))
    labels = np.where(truth == missed, 0, truth).astype(np.int32)
    seed = tuple(rng.choice(np.argwhere(truth == missed)).tolist())
    said = Constraints(labels.shape, must_link=[[seed]])
    output = scenes.output_of(truth, rng.choice([0.7, 1.0, 1.5]))
    found = resegment(output, labels, said, seed=seed).within(labels)
    assert found[seed] not in {0, *np.unique(labels)}
    assert np.array_equal(found[labels > 0], labels[labels > 0])
