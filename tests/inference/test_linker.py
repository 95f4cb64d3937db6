"""Linking in drawn worlds: the true labels are hidden and must be found again."""

import numpy as np
import pytest
from tests import worlds

from napari_semiconv.inference.linking.features import FrameCells
from napari_semiconv.inference.linking.linker import Linker
from napari_semiconv.settings import LinkSettings


def cells_of(labels, origins=None, embeddings=None):
    """Cells of a frame, numbered anew from 1 by place, and their true labels."""
    truth, dense = np.unique(labels, return_inverse=True)
    dense = dense.reshape(labels.shape).astype(np.int32)
    if truth[0] != 0:
        dense += 1
    truth = truth[truth > 0]
    inside = [np.argwhere(labels == label) for label in truth]
    count = len(truth)
    centres = np.array([p.mean(0) for p in inside]).reshape(count, 2)
    unknown = np.full((count, 2), np.nan)
    return truth.tolist(), FrameCells(
        labels=dense,
        centres=centres,
        areas=np.array([float(len(p)) for p in inside]),
        embeddings=np.zeros((count, 0)) if embeddings is None else embeddings(truth),
        origins=unknown if origins is None else origins(truth, centres),
        scores=np.ones(count),
    )


def follow(world, size=12.0, origins=None, embeddings=None, **settings):
    """Link a world; give the linker and the found label of each (frame, true label)."""
    linker = Linker(LinkSettings(**settings), size)
    found = {}
    for frame, labels in enumerate(worlds.enlarge(world)):
        truth, cells = cells_of(labels, origins and origins(frame), embeddings)
        for label, given in zip(truth, linker.link(frame, cells), strict=True):
            found[frame, label] = int(given)
    return linker, found


def names_of(found, label):
    """All labels that a true track was given."""
    return {given for (_, true), given in found.items() if true == label}


def assert_followed(found, *labels):
    """Each true track has one label of its own."""
    names = [names_of(found, label) for label in labels]
    assert all(len(name) == 1 for name in names), names
    assert len(set.union(*names)) == len(labels)


def parents(linker):
    return [row[3] for row in linker.lineage.table().tolist()]


@pytest.mark.parametrize("name", ["enters", "leaves", "touching", "newcomer"])
def test_cells_keep_their_labels(name):
    linker, found = follow(getattr(worlds, name))
    assert_followed(found, 1, 2)
    assert not any(parents(linker))


def test_cells_that_pass_each_other_keep_their_labels():
    _, found = follow(worlds.crossing, size=8.0, most_distance=3)
    assert_followed(found, 1, 2)


def test_a_world_without_cells_has_no_tracks():
    linker, found = follow(worlds.empty)
    assert found == {}
    assert linker.lineage.table().shape == (0, 4)


def test_a_division_gives_two_daughters_with_new_labels():
    linker, found = follow(worlds.one_division)
    assert_followed(found, 1, 2, 3)
    (mother,) = names_of(found, 1)
    daughters = sorted(names_of(found, 2) | names_of(found, 3))
    assert linker.lineage.daughters() == {mother: daughters}
    assert linker.lineage.tracks[mother].end == 1
    assert linker.lineage.tracks[daughters[0]].begin == 2


def test_two_cells_divide_at_once():
    linker, found = follow(worlds.two_divisions)
    first, second = names_of(found, 1).pop(), names_of(found, 2).pop()
    born = linker.lineage.daughters()
    assert set(born[first]) == names_of(found, 3) | names_of(found, 4)
    assert set(born[second]) == names_of(found, 5) | names_of(found, 6)


def test_divisions_can_be_switched_off():
    linker, _ = follow(worlds.one_division, divisions=False)
    assert not any(parents(linker))


@pytest.mark.parametrize("name", ["newcomer", "crumb", "merge", "gap"])
def test_what_only_looks_like_a_division_is_none(name):
    linker, found = follow(getattr(worlds, name))
    assert not any(parents(linker))
    assert len(names_of(found, 1)) == 1


def test_a_cell_that_is_missing_for_two_frames_is_the_same():
    linker, found = follow(worlds.gap, most_gap=2)
    assert_followed(found, 1, 2)
    (label,) = names_of(found, 2)
    assert linker.lineage.tracks[label].frames == [0, 3]


def test_a_cell_that_is_missing_too_long_is_another():
    _, found = follow(worlds.gap, most_gap=1)
    assert len(names_of(found, 2)) == 2


def test_the_smaller_of_two_merged_cells_comes_back_with_its_label():
    _, found = follow(worlds.merge)
    assert_followed(found, 1, 2)


def swap(frame):
    """The motion head says that the two cells have changed places."""

    def origins(truth, centres):
        return centres[::-1] if frame else np.full_like(centres, np.nan)

    return origins


def test_motion_overrules_nearness():
    world = np.stack([worlds.gap[0], worlds.gap[0]])
    _, still = follow(world)
    assert_followed(still, 1, 2)
    _, swapped = follow(world, origins=swap)
    assert swapped[0, 1] == swapped[1, 2]
    assert swapped[0, 2] == swapped[1, 1]


def test_embeddings_tell_apart_cells_equally_far():
    # The left cell steps to where the right one was, so that each could be either.
    rest = "........  ........"
    world = worlds.draw(rest, ".12.....  ..12....", ".12.....  ..12....", rest)
    codes = {1: (1.0, 0.0), 2: (-1.0, 0.0)}
    _, blind = follow(world, size=8.0)
    assert blind[0, 2] == blind[1, 1]
    _, found = follow(
        world, size=8.0, embeddings=lambda truth: np.array([codes[t] for t in truth])
    )
    assert_followed(found, 1, 2)


def test_the_shared_frame_decides_where_it_is_given():
    first, second = worlds.enlarge(worlds.gap)[[0, 0]]
    linker = Linker(LinkSettings(), 8.0)
    names = linker.link(0, cells_of(first)[1])
    _, cells = cells_of(second)
    swapped = np.array([0, 2, 1], np.int32)[cells.labels]
    assert linker.link(1, cells, shared=swapped).tolist() == names[::-1].tolist()


def test_no_link_without_overlap_on_the_shared_frame():
    frame = worlds.enlarge(worlds.gap)[0]
    linker = Linker(LinkSettings(most_gap=0), 8.0)
    first = linker.link(0, cells_of(frame)[1])
    nothing = np.zeros_like(frame)
    second = linker.link(1, cells_of(frame)[1], shared=nothing)
    assert not set(first) & set(second)


def test_a_frame_without_cells_is_bridged():
    linker = Linker(LinkSettings(), 8.0)
    frame = worlds.enlarge(worlds.gap)[0]
    first = linker.link(0, cells_of(frame)[1])
    assert linker.link(1, cells_of(np.zeros_like(frame))[1]).shape == (0,)
    assert linker.link(2, cells_of(frame)[1]).tolist() == first.tolist()


def test_a_label_is_used_once_in_a_frame(random):
    linker = Linker(LinkSettings(), 6.0)
    for frame in range(6):
        grid = random.permutation(64).reshape(8, 8) * (random.random((8, 8)) < 0.6)
        labels = np.kron(grid, np.ones((5, 5), int)).astype(np.int32)
        labels[::5] = labels[:, ::5] = 0
        given = linker.link(frame, cells_of(labels)[1])
        assert len(set(given.tolist())) == len(given)
        assert given.min() > 0
    daughters = linker.lineage.daughters()
    assert all(len(pair) == 2 for pair in daughters.values())


def test_memory_does_not_grow_with_the_movie(random):
    linker = Linker(LinkSettings(most_gap=1, most_distance=0.2), 6.0)
    for frame in range(30):
        labels = np.zeros((60, 60), np.int32)
        y, x = random.integers(5, 50, 2)
        labels[y : y + 6, x : x + 6] = 1
        linker.link(frame, cells_of(labels)[1])
    assert len(linker.snapshot().known.labels) <= 3


def test_joint_matches_are_told_where_frames_were_clustered_in_pairs():
    first, second = worlds.enlarge(worlds.gap)[[0, 0]]
    linker = Linker(LinkSettings(), 12.0)
    _, cells = cells_of(first)
    labels = linker.link(0, cells)
    assert not linker.joint_match[0].any()
    _, cells = cells_of(second)
    linker.link(1, cells, shared=cells.labels)
    assert linker.joint_match[0].tolist() == labels.tolist()
    assert linker.joint_match[1].tolist() == [1.0] * len(labels)
    linker.link(2, cells)
    assert not linker.joint_match[0].any()
