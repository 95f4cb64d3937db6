"""Both engines on what a perfect network would say, and what tidying leaves."""

from dataclasses import replace

import numpy as np
import pytest

from napari_semiconv.errors import BadSettingsError
from napari_semiconv.inference.engines.hdbscan.engine import HdbscanEngine
from napari_semiconv.inference.engines.protocol import build_engine
from napari_semiconv.inference.engines.regions import tidy
from napari_semiconv.inference.engines.votes.engine import VotesEngine
from napari_semiconv.settings import HdbscanSettings, SegmentSettings, VotesSettings

from .perfect import cells_of, perfect_output, same_partition
from .tiny import tiny_model


def dots(side=64, spacing=16, radius=4):
    """Identical dots on a grid, (Y, X)."""
    y, x = np.indices((side, side))
    inside = np.hypot(y % spacing - spacing / 2, x % spacing - spacing / 2) < radius
    return np.where(inside, y // spacing * (side // spacing) + x // spacing + 1, 0)


def two_touching():
    labels = np.zeros((24, 40), np.int32)
    labels[4:16, 4:16], labels[4:16, 16:28] = 1, 2
    return labels


def long_cell():
    labels = np.zeros((20, 80), np.int32)
    labels[8:12, 5:75] = 1
    return labels


def test_votes_tell_identical_dots_apart():
    """The decisive case of Novotny et al.: same embedding, another place."""
    labels = dots()
    output = perfect_output(labels, 8.0, directions=dict.fromkeys(range(1, 17), 0))
    found = VotesEngine(VotesSettings()).cells(output)
    assert same_partition(found, labels)


@pytest.mark.parametrize("drift", [(60, -45), (-500, 500)])
def test_votes_that_all_fall_beside_the_frame_are_told_apart(drift):
    """The loss leaves the centres free: a network may let them drift together."""
    output = perfect_output(dots())
    moved = output.offset + np.array(drift, np.float32)[:, None, None]
    found = VotesEngine(VotesSettings()).cells(replace(output, offset=moved))
    assert same_partition(found, dots())


def test_a_cell_without_a_peak_of_its_own_is_kept():
    """Its votes gather too little to be a seed, and the nearest one is far away."""
    labels = np.zeros((40, 60), np.int32)
    labels[5:17, 5:17], labels[22:34, 40:52] = 1, 2
    output = perfect_output(labels)
    weak = np.where(labels == 2, 1e-4, output.seed).astype(np.float32)
    found = VotesEngine(VotesSettings()).cells(replace(output, seed=weak))
    assert same_partition(found, labels)


def test_votes_part_touching_cells():
    found = VotesEngine(VotesSettings()).cells(perfect_output(two_touching()))
    assert same_partition(found, two_touching())


def smeared(labels, share=0.5):
    """Votes of a long cell stay short of the centre, so they gather along a line."""
    output = perfect_output(labels)
    return replace(output, offset=output.offset * share)


def test_a_long_cell_whose_votes_lie_along_a_line_stays_whole():
    found = VotesEngine(VotesSettings()).cells(smeared(long_cell()))
    assert same_partition(found, long_cell())


def test_segments_are_joined_as_readily_as_is_asked():
    votes = perfect_output(two_touching())
    never, always = (
        VotesEngine(VotesSettings(join=chance)).cells(votes) for chance in (1.0, 0.0)
    )
    assert same_partition(never, two_touching())
    assert same_partition(always, two_touching() > 0)


def test_small_remains_are_no_cells():
    labels = two_touching()
    labels[20:22, 35:37] = 3
    found = VotesEngine(VotesSettings(smallest=0.1)).cells(perfect_output(labels))
    assert same_partition(found, two_touching())


def test_no_foreground_gives_no_cell():
    for engine in (VotesEngine(VotesSettings()), HdbscanEngine(HdbscanSettings())):
        found = cells_of(engine, [perfect_output(np.zeros((16, 16), np.int32))])
        assert [f.any() for f in found] == [False]


def one_row(count=4):
    """Cells side by side without a gap, each 12 px wide."""
    labels = np.zeros((20, 12 * count + 8), np.int32)
    for i in range(count):
        labels[4:16, 4 + 12 * i : 16 + 12 * i] = i + 1
    return labels


def test_places_where_votes_fall_part_touching_cells_of_one_embedding():
    """Pixels of one embedding that touch are one cluster unless votes count."""
    labels = one_row()
    output = perfect_output(labels, directions=dict.fromkeys(range(1, 5), 0))
    pixel, vote = (
        cells_of(HdbscanEngine(HdbscanSettings(position=p)), [output, output])[0]
        for p in ("pixel", "vote")
    )
    assert not same_partition(pixel, labels)
    assert same_partition(vote, labels)


def test_embeddings_part_cells_whose_votes_fall_together():
    """The joint code needs both: here the votes of two cells fall on one place."""
    labels = two_touching()
    output = perfect_output(labels)
    middle = np.array([9.5, 15.5])[:, None, None]
    offset = np.where(labels > 0, middle - np.indices(labels.shape), 0)
    joint = replace(output, offset=offset.astype(np.float32))
    votes_alone = HdbscanSettings(position="vote", embedding_weight=0)
    both = HdbscanSettings(position="vote")
    alone, together = (
        cells_of(HdbscanEngine(s), [joint, joint])[0] for s in (votes_alone, both)
    )
    assert not same_partition(alone, labels)
    assert same_partition(together, labels)


def model_with(tmp_path, *, votes):
    model = tiny_model(tmp_path)
    network = model.info.network.model_copy(update={"offsets": votes})
    return replace(model, info=replace(model.info, network=network))


def test_votes_for_places_need_a_network_with_votes(tmp_path):
    place = HdbscanSettings(position="vote")
    settings = SegmentSettings(engine="hdbscan", hdbscan=place)
    assert build_engine(settings, model_with(tmp_path, votes=True)).window == 2
    with pytest.raises(BadSettingsError, match=r"place 'vote'.*'pixel'"):
        build_engine(settings, model_with(tmp_path, votes=False))


def test_hdbscan_gives_a_cell_one_number_in_both_frames():
    first = two_touching()
    second = np.roll(first, (2, 3), (0, 1))
    outputs = [perfect_output(first), perfect_output(second)]
    before, after = cells_of(HdbscanEngine(HdbscanSettings()), outputs)
    assert same_partition(before, first)
    assert same_partition(after, second)
    for label in (1, 2):
        assert np.unique(before[first == label]) == np.unique(after[second == label])


def test_hdbscan_on_a_sample_finds_the_same_cells():
    labels = two_touching()
    few = HdbscanEngine(HdbscanSettings(clustered="pixels", most_pixels=100))
    assert same_partition(cells_of(few, [perfect_output(labels)])[0], labels)


def test_an_engine_refuses_a_network_without_its_heads(tmp_path):
    blind = model_with(tmp_path, votes=False)
    wanted = r"'votes' needs a model with semi-convolutional heads.*hdbscan"
    with pytest.raises(BadSettingsError, match=wanted):
        build_engine(SegmentSettings(engine="votes"), blind)
    assert build_engine(SegmentSettings(engine="hdbscan"), blind).window == 2


def test_tidying_keeps_the_largest_piece_and_fills_its_holes():
    labels = np.zeros((12, 12), np.int32)
    labels[1:8, 1:8] = 4
    labels[3:5, 3:5] = 0  # a hole
    labels[10:12, 10:12] = 4  # a crumb of the same cell
    expected = np.zeros_like(labels)
    expected[1:8, 1:8] = 4
    assert (tidy(labels, 1) == expected).all()


def test_a_hole_between_two_cells_stays():
    labels = np.zeros((9, 9), np.int32)
    labels[1:8, 1:5], labels[1:8, 5:8] = 1, 2
    labels[4, 4:6] = 0
    assert (tidy(labels, 1) == labels).all()


def test_touching_pieces_of_two_cells_are_counted_apart():
    labels = np.array([[1, 2, 1, 1], [2, 2, 1, 1]], np.int32)
    assert tidy(labels, 1).tolist() == [[0, 2, 1, 1], [2, 2, 1, 1]]
