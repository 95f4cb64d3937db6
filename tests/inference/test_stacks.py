"""Published clustering of frame stacks, stage by stage, on cases worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from napari_semiconv.inference.engines.payer.meanshift import mean_shift
from napari_semiconv.inference.engines.payer.stacks import (
    Clusterer2018,
    Clusterer2019,
    background_2018,
    components,
    without_background,
)
from napari_semiconv.inference.engines.payer.tiles import (
    StackTile,
    merge_tiles,
    tiles_of,
)
from napari_semiconv.settings import PayerSettings

from .perfect import perfect_output, same_partition

RNG_SEED = 3


def two_cells():
    labels = np.zeros((24, 40), np.int32)
    labels[4:16, 4:14], labels[4:16, 14:24] = 1, 2
    return labels


def output_of(vectors):
    """Output of one row of pixels with the given embeddings, (P, D)."""
    embedding = np.asarray(vectors, np.float32).T[:, None, :]
    return replace(
        perfect_output(np.zeros(embedding.shape[1:], np.int32)), embedding=embedding
    )


def test_the_background_is_the_median_of_each_component_and_not_normalised():
    first = output_of([[1, 0], [0.8, 0.6], [0, 1]])
    second = output_of([[1, 0], [0.6, 0.8], [0.8, -0.6]])
    # Sorted: 0 .6 .8 .8 1 1 and -.6 0 0 .6 .8 1; even counts take the middle of two.
    np.testing.assert_allclose(background_2018([first, second]), [0.8, 0.3], atol=1e-6)


def test_only_the_first_pair_sets_the_background():
    labels = two_cells()
    clusterer = Clusterer2018(PayerSettings(smallest=20))
    clusterer.cluster([perfect_output(labels), perfect_output(labels)])
    # Were it computed anew, the cell that now fills most of it would be background.
    filled = np.ones((24, 40), np.int32)
    filled[:, 26:] = 2
    found = clusterer.cluster([perfect_output(filled), perfect_output(filled)])
    assert same_partition(found[0], filled)


@pytest.mark.parametrize("kind", [Clusterer2018, Clusterer2019])
def test_a_cell_has_one_number_in_both_frames(kind):
    first, second = two_cells(), np.roll(two_cells(), (2, 3), (0, 1))
    clusterer = kind(PayerSettings(smallest=20))
    found = clusterer.cluster([perfect_output(first), perfect_output(second)])
    assert same_partition(found, np.stack([first, second]))


@pytest.mark.parametrize("kind", [Clusterer2018, Clusterer2019])
def test_frames_without_a_cell_give_none(kind):
    empty = perfect_output(np.zeros((20, 20), np.int32))
    assert not kind(PayerSettings()).cluster([empty, empty]).any()


def test_clusters_along_the_background_are_dropped():
    background = np.array([1, 0], np.float32)
    embedding = np.array([[0.96, 0.28], [0.96, -0.28], [0.8, 0.6], [0, 1]], np.float32)
    numbers = np.array([1, 1, 2, 0], np.int32)
    found = without_background(numbers, embedding, background)
    assert found.tolist() == [0, 0, 2, 0]


def test_pieces_of_fewer_than_half_m_pixels_in_both_frames_are_dropped():
    stack = np.zeros((2, 6, 12), np.int32)
    stack[0, 0, :3], stack[1, 0, :2] = 1, 1  # 5 pixels over both frames
    stack[0, 3, :4] = 1  # 4 pixels of the same cluster, elsewhere
    found = components(stack, 10 / 2)
    assert found[0, 0, 0] == found[1, 0, 0] == 1
    assert np.count_nonzero(found) == 5


def test_of_a_cluster_the_pieces_below_half_m_are_dropped():
    labels = np.zeros((24, 60), np.int32)
    labels[4:8, 2:7] = 1  # 40 pixels over both frames
    labels[4:7, 30:34] = 2  # 24 pixels, of the same embedding
    labels[14:22, 40:50] = 3
    output = perfect_output(labels, directions={1: 0, 2: 0, 3: 1})
    settings = PayerSettings(smallest=60, coordinate_weight=0)
    found = Clusterer2018(settings).cluster([output, output])
    assert same_partition(found[0], np.where(labels == 2, 0, labels))


def test_pieces_hang_together_through_time_but_not_by_corners():
    stack = np.zeros((2, 3, 5), np.int32)
    stack[0, 0, 0] = stack[1, 0, 0] = 1
    stack[1, 1, 1] = 1  # touches by a corner only
    stack[0, 0, 1] = 2  # touches, but is another cluster
    found = components(stack, 1)
    assert found[0, 0, 0] == found[1, 0, 0]
    assert len({found[0, 0, 0], found[1, 1, 1], found[0, 0, 1]}) == 3


def blobs(rng, centres, count=60):
    spread = rng.normal(0, 0.02, (len(centres), count, len(centres[0])))
    return (np.asarray(centres)[:, None] + spread).reshape(-1, len(centres[0]))


def test_mean_shift_finds_three_blobs():
    rng = np.random.default_rng(RNG_SEED)
    codes = blobs(rng, np.eye(3)).astype(np.float32)
    numbers, centres = mean_shift(codes, rng)
    assert same_partition(numbers, np.repeat([1, 2, 3], 60))
    assert len(centres) == 3
    np.testing.assert_allclose(centres[numbers[::60] - 1], np.eye(3), atol=0.02)


def test_blobs_nearer_than_the_bandwidth_are_one():
    rng = np.random.default_rng(RNG_SEED)
    angle = np.arccos(0.95)
    near = [[1, 0, 0], [np.cos(angle), np.sin(angle), 0], [0, 0, 1]]
    numbers, centres = mean_shift(blobs(rng, near).astype(np.float32), rng)
    assert len(centres) == 2
    assert same_partition(numbers, np.repeat([1, 1, 2], 60))


def test_mean_shift_of_one_code_and_of_none():
    rng = np.random.default_rng(RNG_SEED)
    assert mean_shift(np.ones((1, 4), np.float32), rng)[0].tolist() == [1]
    assert mean_shift(np.zeros((0, 4), np.float32), rng)[0].tolist() == []


def test_mean_shift_can_be_repeated():
    rng = np.random.default_rng(RNG_SEED)
    codes = blobs(rng, rng.normal(size=(8, 6))).astype(np.float32)
    one, other = (mean_shift(codes, np.random.default_rng(0))[0] for _ in range(2))
    assert (one == other).all()


def test_tiles_cover_a_frame_and_stay_inside():
    assert tiles_of((100, 256)) == [(slice(0, 100), slice(0, 256))]
    rows = {rows.start: rows.stop for rows, _ in tiles_of((500, 100))}
    assert rows == {0: 256, 128: 384, 244: 500}


def test_cells_that_an_inner_edge_cuts_or_that_hug_it_are_left_to_other_tiles():
    stack = np.zeros((1, 256, 256), np.int32)
    stack[0, 140:160, 180:256] = 1  # cut by the right edge, beyond which is frame
    stack[0, 100:120, 228:240] = 2  # wholly within 32 px of it
    stack[0, 100:120, 210:226] = 3  # reaches out of that strip
    stack[0, 100:120, 0:12] = 4  # at the left edge, which is that of the frame
    tile = StackTile((slice(0, 256), slice(0, 256)), (256, 400), stack)
    assert tile.good().tolist() == [3, 4]
    # All four edges alike: the same tile turned round, in the middle of a frame.
    turned = StackTile((slice(0, 256), slice(144, 400)), (256, 400), stack[:, :, ::-1])
    assert turned.good().tolist() == [3, 4]


def test_where_tiles_conflict_the_larger_cell_wins():
    shape = (256, 384)
    left, right = (np.zeros((1, 256, 256), np.int32) for _ in range(2))
    left[0, 100:120, 150:180] = 1  # 600 pixels of a cell that has 800
    right[0, 100:120, 22:62] = 7  # the whole cell, 150 to 190 of the frame
    left[0, 10:20, 10:20] = 2
    columns = slice(0, 256), slice(128, 384)
    tiles = [
        StackTile((slice(0, 256), c), shape, s)
        for c, s in zip(columns, (left, right), strict=True)
    ]
    found = merge_tiles(tiles, (1, *shape))
    expected = np.zeros((1, *shape), np.int32)
    expected[0, 100:120, 150:190] = 1
    expected[0, 10:20, 10:20] = 2
    assert (found == expected).all()


def test_a_frame_of_many_tiles_is_clustered_as_a_whole():
    labels = np.zeros((60, 600), np.int32)
    for i in range(7):
        # Cells of one embedding lie in different places of the frame.
        labels[20:40, 20 + 80 * i : 50 + 80 * i] = i + 1
    output = perfect_output(labels)
    settings = PayerSettings(coordinate_weight=0.005, smallest=50)
    found = Clusterer2019(settings).cluster([output, output])
    assert same_partition(found[1], labels)
