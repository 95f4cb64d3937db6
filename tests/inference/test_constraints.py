"""What the user says of cells: contradictions, and labels that hold all of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import draw

from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.constraints.check import violations
from napari_semiconv.inference.constraints.enforce import enforce
from napari_semiconv.inference.constraints.maps import Maps
from napari_semiconv.inference.constraints.model import Constraints, Count
from napari_semiconv.inference.describing import shrink

from .perfect import perfect_output, same_partition
from .scenes import SIZE, corrections, mistaken, output_of, truth_of

SHAPE = (24, 40)
SEEDS = st.integers(0, 2**32 - 1)


def three():
    labels = np.zeros(SHAPE, np.int32)
    labels[4:16, 4:16], labels[4:16, 16:28], labels[18:23, 4:12] = 1, 2, 3
    return labels


def maps():
    return Maps.of(perfect_output(three()), SHAPE)


def box(rows, columns):
    mask = np.zeros(SHAPE, bool)
    mask[rows, columns] = True
    return mask


def told(**said):
    return Constraints(SHAPE, **said)


def held(labels, **said):
    """Labels that hold what is said, and no cell changed that it does not touch."""
    found = enforce(labels, told(**said), maps())
    assert violations(found, told(**said)) == []
    return found


def refused(match, **said):
    with pytest.raises(BadInputError, match=match):
        enforce(three(), told(**said), maps())


# Contradictions


def test_a_pixel_outside_of_the_frame_is_refused():
    with pytest.raises(BadInputError, match=r"y 24, x 3.* outside the frame"):
        told(must_link=[[(24, 3)]])


def test_masks_of_another_frame_are_refused():
    with pytest.raises(BadInputError, match="expected the shape"):
        told(empty=np.zeros((3, 3), bool))


def test_one_cell_in_two_confirmed_masks_is_refused():
    refused("confirmed cells 1 and 2", must_link=[[(5, 5), (5, 20)]], fixed=three())


def test_a_pixel_beside_the_confirmed_mask_of_its_cell_is_refused():
    refused("confirmed without it", must_link=[[(5, 5), (1, 1)]], fixed=three())


def test_pixels_of_one_cell_and_of_two_are_refused():
    pair = [(5, 5), (7, 7)]
    refused("of two cells, and of one", must_link=[pair], cannot_link=[pair])


def test_one_cell_over_a_chain_of_groups_is_one():
    groups = [[(5, 5), (6, 6)], [(6, 6), (7, 7)]]
    refused("of two cells", must_link=groups, cannot_link=[[(5, 5), (7, 7)]])


def test_a_cell_where_none_is_is_refused():
    refused("and of none", must_link=[[(5, 5)]], empty=box(5, 5))
    refused("and of none", must_link=[[(5, 5)]], absent=[(5, 5)])


def test_a_confirmed_cell_that_reaches_out_of_a_region_is_refused():
    count = Count(box(slice(3, 10), slice(3, 30)), 2)
    refused("confirmed cell 1 reaches out", fixed=three(), counts=[count])


def test_regions_that_overlap_are_refused():
    refused("two that do", counts=[Count(box(5, 5), 1), Count(box(5, 5), 1)])


def test_a_region_without_room_is_refused():
    refused("found 0 confirmed cells and 1 px", counts=[Count(box(5, 5), 2)])


def test_a_confirmed_mask_all_around_leaves_no_way():
    wall = np.where(box(slice(0, 24), 30), 1, 0).astype(np.int32)
    refused("other cells all around", must_link=[[(5, 20), (5, 35)]], fixed=wall)


def test_two_confirmed_masks_on_one_pixel_are_refused():
    other = told(fixed=np.where(three() > 0, three() + 1, 0).astype(np.int32))
    with pytest.raises(BadInputError, match="of cell 1 and of cell 2"):
        told(fixed=three()).and_also(other)


# What each of them does


def test_nothing_said_changes_nothing():
    labels = three()
    assert enforce(labels, told(), maps()) is labels
    assert not told()


def test_what_holds_already_changes_nothing():
    labels = three()
    said = told(
        must_link=[[(5, 5), (9, 9)]], cannot_link=[[(5, 5), (5, 20)]], fixed=labels
    )
    assert enforce(labels, said, maps()) is labels


def test_two_clicks_part_a_cell_where_the_network_would():
    merged = np.where(three() == 2, 1, three()).astype(np.int32)
    found = held(merged, cannot_link=[[(8, 8), (9, 24)]])
    assert same_partition(found, three())
    assert set(np.unique(found)) == {0, 1, 3, 4}


def test_a_gap_between_pixels_of_one_cell_is_bridged():
    found = held(three(), must_link=[[(8, 8), (20, 6)]])
    assert found[8, 8] == found[20, 6] == 1
    assert (found == 2).sum() == (three() == 2).sum()


def test_joined_cells_become_one():
    found = held(three(), must_link=[[(8, 8), (8, 20)]])
    assert same_partition(found, np.where(three() == 2, 1, three()))


def test_a_confirmed_mask_replaces_the_cell_below_it():
    fixed = np.where(box(slice(3, 14), slice(6, 16)), 7, 0).astype(np.int32)
    found = held(three(), fixed=fixed)
    assert (found == 1).sum() == (fixed > 0).sum()
    assert (found == 2).sum() == (three() == 2).sum()


def test_what_is_left_on_both_sides_of_a_confirmed_mask_are_two_cells():
    blob = np.where(box(slice(4, 16), slice(2, 38)), 1, 0).astype(np.int32)
    fixed = np.where(box(slice(4, 16), slice(14, 26)), 7, 0).astype(np.int32)
    found = held(blob, fixed=fixed)
    assert len({found[8, 5], found[8, 20], found[8, 35]} - {0}) == 3


def test_a_cell_at_an_absent_point_goes_as_a_whole():
    assert not (held(three(), absent=[(8, 8)]) == 1).any()


def test_of_a_cell_that_is_spoken_of_only_the_part_at_the_point_goes():
    merged = np.where(three() == 2, 1, three()).astype(np.int32)
    found = held(merged, absent=[(8, 8)], must_link=[[(9, 24)]])
    assert same_partition(found, np.where(three() == 1, 0, three()))


def test_an_area_is_cleared():
    found = held(three(), empty=box(slice(0, 8), slice(0, 40)))
    assert not found[:8].any()
    assert found[8:, :].any()


def test_a_cell_mostly_where_one_was_taken_away_goes():
    gone = three() == 1
    assert not (held(three(), gone=gone) == 1).any()
    whole = np.where(three() == 2, 1, three()).astype(np.int32)
    less = gone & box(slice(0, 24), slice(0, 10))
    assert enforce(whole, told(gone=less), maps()) is whole


@pytest.mark.parametrize("cells", range(6))
def test_a_region_has_as_many_cells_as_said(cells):
    region = box(slice(2, 17), slice(2, 30))
    found = held(three(), counts=[Count(region, cells)])
    assert len(np.unique(found[region & (found > 0)])) == cells
    assert (found == 3).sum() == (three() == 3).sum()


def test_a_region_takes_over_what_the_network_sees_of_a_missed_cell():
    missed = np.where(three() == 2, 0, three()).astype(np.int32)
    region = box(slice(2, 17), slice(2, 30))
    assert same_partition(held(missed, counts=[Count(region, 2)]), three())


def test_every_pixel_of_a_region_can_be_a_cell():
    region = box(slice(1, 3), slice(30, 33))
    found = held(three(), counts=[Count(region, 6)])
    assert len(np.unique(found[region])) == 6


def test_a_click_on_background_makes_a_small_cell():
    found = held(three(), must_link=[[(10, 35)]])
    assert 4 < (found == found[10, 35]).sum() < 80
    assert same_partition(np.where(found == found[10, 35], 0, found), three())


# By chance


def scene(seed):
    rng = np.random.default_rng(seed)
    truth = truth_of(rng, (24, 32))
    labels, said = mistaken(rng, truth), corrections(rng, truth)
    if rng.integers(4):
        output = output_of(truth, rng.choice([0.6, 1.0, 1.7]))
        return labels, said, Maps.of(output, truth.shape)
    return labels, said, Maps(truth.shape, SIZE)


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_what_is_true_holds_exactly_and_once(seed):
    labels, said, seen = scene(seed)
    before = labels.copy()
    found = enforce(labels, said, seen)
    assert np.array_equal(labels, before)
    assert violations(found, said) == []
    assert enforce(found, said, seen) is found
    assert np.array_equal(enforce(labels, said, seen), found)


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_what_a_project_says_can_always_hold(seed):
    """Settled masks in pieces, cells taken away and marks, whatever was found."""
    rng = np.random.default_rng(seed)
    truth = truth_of(rng, (24, 32))
    labels, fixed = mistaken(rng, truth), mistaken(rng, truth_of(rng, truth.shape))
    fixed[rng.random(truth.shape) < 0.05] = 0
    free = rng.permutation(np.argwhere(fixed == 0))[: rng.integers(5)]
    gone = (truth_of(rng, truth.shape) > 0) & (fixed == 0)
    said = Constraints(truth.shape, fixed=fixed, gone=gone, absent=free)
    found = enforce(labels, said, Maps.of(output_of(truth), truth.shape))
    assert violations(found, said) == []


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_a_region_of_enough_pixels_can_have_any_number_of_cells(seed):
    rng = np.random.default_rng(seed)
    truth = truth_of(rng, (24, 32))
    labels, region = mistaken(rng, truth), rng.random(truth.shape) < 0.7
    region &= truth_of(rng, truth.shape) > 0
    cells = int(rng.integers(0, min(12, region.sum()) + 1))
    said = Constraints(truth.shape, counts=[Count(region, cells)])
    found = enforce(labels, said, Maps.of(output_of(truth), truth.shape))
    assert violations(found, said) == []


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_a_small_image_has_all_cells(seed):
    rng = np.random.default_rng(seed)
    labels = mistaken(rng, truth_of(rng, (24, 32)))
    small = shrink(labels, (int(rng.integers(8, 40)), int(rng.integers(8, 40))))
    assert set(np.unique(small)) | {0} == set(np.unique(labels)) | {0}


def test_the_drawn_world_is_split_without_any_map():
    labels = draw("11111111", "11111111")[0].astype(np.int32)
    said = Constraints(labels.shape, cannot_link=[[(0, 0), (0, 3), (1, 7)]])
    found = enforce(labels, said, Maps(labels.shape, 3.0))
    assert violations(found, said) == []
    assert (found > 0).all()


def test_a_cell_whose_votes_gather_nowhere_is_split_all_the_same():
    merged = np.where(three() == 2, 1, three()).astype(np.int32)
    output = perfect_output(three())
    silent = replace(output, seed=np.zeros_like(output.seed))
    said = told(cannot_link=[[(8, 8), (9, 24)]])
    assert violations(enforce(merged, said, Maps.of(silent, SHAPE)), said) == []
