"""The HDBSCAN engine on groups of pixels: what a perfect network would say."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from napari_semiconv.inference.engines.hdbscan.engine import HdbscanEngine
from napari_semiconv.inference.engines.hdbscan.separate import follow, separate
from napari_semiconv.settings import HdbscanSettings

from .perfect import cells_of, perfect_output, same_partition

GROUPS = HdbscanEngine(HdbscanSettings())
PIXELS = HdbscanEngine(HdbscanSettings(clustered="pixels", most_pixels=0))


def dish(side=96, spacing=16, size=12, shift=0):
    """Square cells in rows that touch on one side, (Y, X)."""
    y, x = np.indices((side, side))
    inside = (y % spacing < size) & (x % (2 * size) != 2 * size - 1)
    labels = np.where(inside, 1 + y // spacing * side + x // size, 0)
    return np.roll(labels, shift, (0, 1)).astype(np.int32)


def noisy(output, spread, seed=0):
    """The output with embeddings and votes disturbed."""
    rng = np.random.default_rng(seed)
    off = output.offset + 4 * spread * rng.normal(size=output.offset.shape)
    embedding = output.embedding + spread * rng.normal(size=output.embedding.shape)
    embedding /= np.linalg.norm(embedding, axis=0)
    return replace(
        output,
        offset=off.astype(np.float32),
        embedding=embedding.astype(np.float32),
    )


def test_groups_are_the_usual_way_and_as_good_as_single_pixels():
    labels = dish(64)
    outputs = [noisy(perfect_output(labels), 0.15, seed) for seed in (0, 1)]
    truth = np.stack([labels, labels])
    groups, pixels = (
        adjusted_rand_score(truth[truth > 0], np.stack(cells_of(e, outputs))[truth > 0])
        for e in (GROUPS, PIXELS)
    )
    assert min(groups, pixels) > 0.99


def test_the_same_frames_give_the_same_cells():
    outputs = [noisy(perfect_output(dish()), 0.3, seed) for seed in (2, 3)]
    one, other = (
        cells_of(GROUPS, outputs),
        cells_of(HdbscanEngine(HdbscanSettings()), outputs),
    )
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("drift", [(60, -45), (-5000, 5000)])
def test_votes_may_all_fall_beside_the_frame(drift):
    labels = dish()
    output = perfect_output(labels)
    moved = replace(output, offset=output.offset + np.float32(drift)[:, None, None])
    assert same_partition(cells_of(GROUPS, [moved])[0], labels)


def test_one_stray_vote_takes_no_memory():
    labels = dish()
    output = perfect_output(labels)
    offset = output.offset.copy()
    offset[:, 3, 3] = 1e7
    found = cells_of(GROUPS, [replace(output, offset=offset)])[0]
    assert same_partition(found, labels)


def test_without_votes_the_pixels_own_place_is_taken():
    labels = dish()
    blind = replace(perfect_output(labels), offset=None)
    assert same_partition(cells_of(GROUPS, [blind])[0], labels)


def test_a_single_cell_is_found():
    labels = np.zeros((30, 30), np.int32)
    labels[8:20, 8:20] = 1
    assert same_partition(cells_of(GROUPS, [perfect_output(labels)])[0], labels)


def test_far_cells_of_one_embedding_and_noise_are_cells_of_their_own():
    """Scattered votes are no cluster, yet the foreground says that there is a cell."""
    labels = np.zeros((40, 90), np.int32)
    labels[5:17, 5:17], labels[20:32, 60:72] = 1, 2
    output = perfect_output(labels, directions={1: 0, 2: 0})
    rng = np.random.default_rng(0)
    offset = output.offset.copy()
    offset[:, labels == 2] += 15 * rng.normal(size=(2, 144)).astype(np.float32)
    found = cells_of(GROUPS, [replace(output, offset=offset)])[0]
    assert same_partition(found, labels)


def test_scores_tell_a_sure_cell_from_a_doubtful_one():
    labels = dish()
    sure, unsure = perfect_output(labels), noisy(perfect_output(labels), 0.35)
    doubtful = np.unique(labels)[1]
    mixed = replace(
        sure,
        embedding=np.where(labels == doubtful, unsure.embedding, sure.embedding),
        offset=np.where(labels == doubtful, unsure.offset, sure.offset),
    )
    ((found, scores),) = GROUPS.cluster([mixed])
    assert (found == cells_of(GROUPS, [mixed])[0]).all()
    numbers = np.unique(found)
    assert scores.numbers.tolist() == numbers[numbers > 0].tolist()
    own = np.unique(found[labels == doubtful]).tolist()
    worst = np.isin(scores.numbers, own)
    for values in (scores.persistence, scores.margin):
        assert values[worst].max() < values[~worst].min()
        assert (np.abs(values) <= 1).all()


def test_scores_of_nothing_are_none():
    ((found, scores),) = GROUPS.cluster([perfect_output(np.zeros((9, 9), np.int32))])
    assert not found.any()
    assert not len(scores.numbers)


def test_single_pixels_have_no_scores():
    output = perfect_output(dish())
    ((found, scores),) = PIXELS.cluster([output])
    assert scores is None
    assert np.array_equal(found, cells_of(PIXELS, [output])[0])


def test_a_cell_that_divides_keeps_its_number_on_the_larger_piece():
    before, after = np.zeros((2, 12, 30), np.int32)
    before[2:10, 2:28] = 4
    after[2:10, 2:12], after[2:10, 15:28] = 4, 4
    one, two = separate([before, after], 10)
    assert np.unique(one).tolist() == [0, *np.unique(two[2:10, 15:28])]
    assert len(np.unique(two)) == 3
    assert not (np.unique(two[2:10, 2:12]) == one.max()).any()


def test_small_pieces_are_no_cells():
    image = np.zeros((12, 12), np.int32)
    image[1:8, 1:8], image[9:11, 9:11] = 3, 3
    (found,) = separate([image], 5)
    assert same_partition(found, np.where(np.arange(12)[:, None] < 9, image, 0))


def test_a_cell_that_moved_far_is_found_again_where_it_came_from():
    before, after = np.zeros((2, 20, 40), np.int32)
    before[5:15, 5:15], after[5:15, 25:35] = 1, 2
    shift = np.zeros((2, 20, 40), np.float32)
    shift[1] = -20
    assert (follow(before, after, None) == after).all()
    assert (follow(before, after, shift) == np.where(after, 1, 0)).all()


def test_of_two_that_came_from_one_cell_the_larger_is_it():
    before, after = np.zeros((2, 20, 40), np.int32)
    before[5:15, 5:30] = 1
    after[5:15, 5:15], after[5:15, 16:30] = 2, 3
    expected = np.where(after == 3, 1, after)
    assert (follow(before, after, None) == expected).all()
