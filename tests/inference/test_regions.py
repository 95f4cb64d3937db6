"""Connected pieces, what touches, and which holes are filled."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_semiconv.inference.engines.regions import (
    connected_components,
    fill_holes,
    find_regions,
    tidy,
)
from napari_semiconv.inference.engines.tensors import rest, unite

from .perfect import same_partition


def spotted(seed, shape=(23, 31), kinds=4):
    """Blotches of a few labels."""
    rng = np.random.default_rng(seed)
    return np.kron(
        rng.integers(0, kinds, (shape[0] // 3 + 1, shape[1] // 3 + 1)),
        np.ones((3, 3), int),
    )[: shape[0], : shape[1]].astype(np.int32)


@pytest.mark.parametrize("seed", range(5))
def test_pieces_are_those_of_each_label_alone(seed):
    labels = spotted(seed)
    wanted, last = np.zeros(labels.shape, int), 0
    for label in range(1, 4):
        part, count = ndimage.label(labels == label)
        wanted[part > 0] = part[part > 0] + last
        last += count
    pieces, owners = connected_components(labels)
    assert same_partition(pieces, wanted)
    assert (np.append(0, owners)[pieces] == labels).all()
    # Numbered in the order in which rows meet them.
    _, first = np.unique(pieces[pieces > 0], return_index=True)
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 4)])
def test_frames_of_any_shape_are_parted(shape):
    labels = np.arange(1, shape[0] * shape[1] + 1, dtype=np.int32).reshape(shape)
    assert same_partition(connected_components(labels)[0], labels)
    assert not connected_components(np.zeros(shape, np.int32))[0].any()


def test_neighbours_in_the_next_row_do_not_touch_over_the_edge():
    labels = np.array([[0, 1], [2, 0]], np.int32)
    regions = find_regions(torch.from_numpy(labels))
    assert regions.cells == 2
    assert [0, 1] not in regions.pairs.tolist()


def test_a_spiral_is_one_piece():
    """The longest way that pointers may have to go."""
    labels = np.zeros((41, 41), np.int32)
    for ring in range(0, 20, 2):
        far = 41 - ring
        labels[ring, max(0, ring - 2) : far] = labels[ring:far, far - 1] = 1
        labels[far - 1, ring:far] = labels[ring + 2 : far, ring] = 1
    assert ndimage.label(labels)[1] == 1
    assert len(connected_components(labels)[1]) == 1


def test_pointers_are_followed_to_rest():
    assert rest(torch.tensor([0, 0, 1, 2, 3, 5])).tolist() == [0] * 5 + [5]


@pytest.mark.parametrize("seed", range(5))
def test_united_nodes_share_their_first(seed):
    rng = np.random.default_rng(seed)
    edges = torch.from_numpy(rng.integers(0, 50, (2, 35)))
    wanted = np.arange(50)
    for _ in range(50):
        for one, other in edges.T.tolist():
            wanted[[one, other]] = wanted[[one, other]].min()
    assert unite(50, *edges).tolist() == wanted.tolist()


def filled(labels):
    """What fills a hole, found hole by hole."""
    found = labels.copy()
    holes, count = ndimage.label(labels == 0)
    for hole in range(1, count + 1):
        mask = holes == hole
        around = labels[ndimage.binary_dilation(mask) & ~mask]
        edge = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
        if not edge and len(np.unique(around)) == 1:
            found[mask] = around[0]
    return found


@pytest.mark.parametrize("seed", range(8))
def test_holes_that_one_cell_encloses_are_filled(seed):
    labels = spotted(seed, kinds=2)
    regions = find_regions(torch.from_numpy(labels))
    cell = fill_holes(regions, regions.labels)
    assert (cell[regions.image].numpy() == filled(labels)).all()


def test_a_hole_left_by_a_dropped_crumb_is_filled():
    labels = np.zeros((12, 12), np.int32)
    labels[1:11, 1:11] = 3
    labels[4:8, 4:8] = 0
    labels[5, 5] = 7
    found = tidy(labels, 2)
    assert (found[1:11, 1:11] == 3).all()
    assert np.unique(found).tolist() == [0, 3]


def test_of_two_equal_pieces_of_a_cell_the_first_is_kept():
    labels = np.array([[2, 2, 0, 2, 2]], np.int32)
    assert tidy(labels, 1).tolist() == [[2, 2, 0, 0, 0]]
