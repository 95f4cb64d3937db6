"""Published linking and end of a run, on tracks drawn by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_semiconv.inference.engines.payer.chain import Chain, Shelf, best_pairs
from napari_semiconv.inference.engines.payer.history import (
    FinalTracks,
    cut_parents,
    drop_broken,
    drop_short,
    find_parents,
    repair_splits,
    without_border,
)
from napari_semiconv.inference.engines.payer.smooth import enlarge_smoothly
from napari_semiconv.settings import PayerSettings


def row(*runs, length=40):
    """Labels of one row: pairs of label and the columns it fills, (1, X)."""
    labels = np.zeros((1, length), np.int32)
    for label, begin, end in runs:
        labels[0, begin:end] = label
    return labels


def shelf_of(*frames):
    shelf = Shelf()
    for labels in frames:
        shelf.add(labels)
    return shelf


def spans_of(shelf):
    spans = {}
    for t in range(len(shelf)):
        for label in np.unique(shelf[t][shelf[t] > 0]).tolist():
            spans[label] = spans.get(label, (t, t))[0], t
    return spans


def test_the_shelf_gives_back_what_was_put_on_it():
    frames = [row((1, 2, 5)), row((70_000, 3, 9))]
    shelf = shelf_of(*frames)
    assert len(shelf) == 2
    assert all((shelf[t] == frame).all() for t, frame in enumerate(frames))


def test_pairs_are_taken_greedily_from_the_largest_iou():
    # 1 and 5: 6 of 14; 1 and 6: 4 of 10, though 2 and 5 share 4 of 14 as well.
    one = row((1, 0, 10), (2, 10, 18))
    other = row((6, 0, 4), (5, 4, 14))
    left, right = best_pairs(one, other)
    assert list(zip(left, right, strict=True)) == [(1, 5)]


def test_a_pair_of_iou_a_quarter_is_linked_and_one_below_is_not():
    exactly = best_pairs(row((1, 0, 5)), row((1, 3, 8)))  # 2 of 8
    assert [part.tolist() for part in exactly] == [[1], [1]]
    below = best_pairs(row((1, 0, 5)), row((1, 3, 9)))  # 2 of 9
    assert [part.tolist() for part in below] == [[], []]


def test_a_chain_passes_labels_on_over_the_shared_frame():
    chain = Chain()
    first = np.stack([row((1, 0, 8), (2, 20, 28)), row((1, 2, 10), (2, 22, 30))])
    second = np.stack([row((9, 2, 10), (3, 22, 30)), row((9, 4, 12), (5, 33, 38))])
    begun = chain.push(first)
    assert [np.unique(f).tolist() for f in begun] == [[0, 1, 2], [0, 1, 2]]
    (third,) = chain.push(second)
    assert third[0, 4] == 1, "the same cell goes on"
    assert third[0, 33] == 3, "a cell that was not there before is new"
    assert not third[0, 22:30].any()
    (fourth,) = chain.push(np.stack([np.zeros_like(third), row((1, 4, 12))]))
    assert fourth[0, 4] == 4, "nothing on the shared frame: a new cell"


def test_only_cells_wholly_in_the_border_are_dropped():
    labels = np.zeros((20, 30), np.int32)
    labels[0:3, 10:14] = 1  # within 4 px of the top
    labels[2:6, 20:24] = 2  # reaches out of the strip
    labels[10:12, 0:5] = 3  # within 5 px of the left side
    kept = without_border(labels, (4, 5))
    assert np.unique(kept).tolist() == [0, 2]
    assert without_border(labels, (0, 0)) is labels
    assert not without_border(labels, (10, 0)).any(), "the strips meet"


def parents(shelf, **settings):
    return find_parents(shelf, spans_of(shelf), PayerSettings(**settings))


def test_the_parent_is_the_cell_of_largest_iou_before_a_birth():
    before = row((1, 0, 10), (2, 10, 22))
    shelf = shelf_of(before, before, row((1, 0, 8), (2, 14, 22), (3, 8, 14)))
    # With label 1: 2 of 14, with label 2: 4 of 14, in each frame alike.
    assert parents(shelf, parent_dilation=0, parent_frames=2) == {3: 2}


def test_a_birth_is_searched_no_further_back_than_told():
    shelf = shelf_of(row((1, 0, 10)), row(), row((2, 0, 10)))
    assert parents(shelf, parent_dilation=0, parent_frames=1) == {}
    assert parents(shelf, parent_dilation=0, parent_frames=2) == {2: 1}


def test_a_newborn_grows_to_find_its_parent():
    shelf = shelf_of(row((1, 0, 10)), row((1, 0, 10), (2, 12, 20)))
    assert parents(shelf, parent_dilation=2) == {}
    assert parents(shelf, parent_dilation=3) == {2: 1}


@pytest.mark.parametrize(("size", "found"), [(99, {2: 1}), (100, {})])
def test_a_parent_needs_an_iou_above_a_hundredth(size, found):
    # One pixel is shared, of as many as the parent has, beside the newborn's own one.
    wide = row((1, 0, size), length=120)
    newborn = row((2, 0, 1), length=120)
    shelf = shelf_of(wide, newborn)
    assert parents(shelf, parent_dilation=0) == found


def test_a_cell_of_the_first_frame_has_no_parent():
    assert parents(shelf_of(row((1, 0, 9)), row((1, 0, 9)))) == {}


def test_a_parent_that_lives_on_is_cut_and_its_rest_is_the_second_child():
    tracks = FinalTracks({1: (0, 9), 2: (4, 9)}, {2: 1})
    cut_parents(tracks)
    assert tracks.spans == {1: (0, 3), 2: (4, 9), 3: (4, 9)}
    assert tracks.parents == {2: 1, 3: 1}
    assert [tracks.name(t, 1) for t in (3, 4, 9)] == [1, 3, 3]


def test_a_parent_that_ended_may_have_a_single_child():
    tracks = FinalTracks({1: (0, 3), 2: (4, 9)}, {2: 1})
    cut_parents(tracks)
    assert (tracks.spans, tracks.parents) == ({1: (0, 3), 2: (4, 9)}, {2: 1})


def test_a_parent_is_cut_at_every_birth_and_twins_share_it():
    tracks = FinalTracks(
        {1: (0, 9), 2: (4, 9), 3: (4, 6), 4: (7, 9)}, {2: 1, 3: 1, 4: 1}
    )
    cut_parents(tracks)
    assert tracks.parents == {2: 1, 3: 1, 5: 1, 4: 5, 6: 5}
    assert tracks.spans == {
        1: (0, 3), 2: (4, 9), 3: (4, 6), 4: (7, 9), 5: (4, 6), 6: (7, 9),
    }  # fmt: skip
    assert [tracks.name(t, 1) for t in (0, 4, 6, 7)] == [1, 5, 5, 6]


def split_shelf(last=3, born=2):
    """Cell 1; cell 2 lies beside it from ``born`` to ``last`` and then under it."""
    whole, split = row((1, 0, 20)), row((1, 0, 12), (2, 12, 20))
    return shelf_of(*(split if born <= t <= last else whole for t in range(last + 3)))


def test_a_short_track_that_vanishes_under_its_parent_is_merged_into_it():
    shelf = split_shelf()
    tracks = FinalTracks(spans_of(shelf), {2: 1})
    repair_splits(shelf, tracks)
    cut_parents(tracks)
    assert (tracks.spans, tracks.parents) == ({1: (0, 5)}, {})
    assert (tracks.paint(2, shelf[2]) == row((1, 0, 20))).all()


def test_a_split_that_stands_from_the_first_frame_is_merged_too():
    shelf = split_shelf(born=0)
    tracks = FinalTracks(spans_of(shelf))
    repair_splits(shelf, tracks)
    assert tracks.name(0, 2) == 1


@pytest.mark.parametrize(("last", "merged"), [(11, True), (12, False)])
def test_a_split_of_more_than_ten_frames_stays(last, merged):
    shelf = split_shelf(last)
    tracks = FinalTracks(spans_of(shelf), {2: 1})
    repair_splits(shelf, tracks)
    assert bool(tracks.merged) is merged


def test_a_track_born_elsewhere_or_ending_elsewhere_is_no_split():
    shelf = split_shelf()
    tracks = FinalTracks(
        spans_of(shelf)
    )  # born without a parent, not in the first frame
    repair_splits(shelf, tracks)
    assert not tracks.merged
    gone = shelf_of(row((1, 0, 20)), row((1, 0, 12), (2, 12, 20)), row((1, 0, 12)))
    tracks = FinalTracks(spans_of(gone), {2: 1})  # vanishes, but under nothing
    repair_splits(gone, tracks)
    assert not tracks.merged


def test_children_of_a_merged_track_get_its_owner_for_parent():
    shelf = split_shelf(born=0, last=1)
    tracks = FinalTracks({**spans_of(shelf), 3: (2, 3)}, {3: 2})
    repair_splits(shelf, tracks)
    assert tracks.parents == {3: 1}


def test_short_tracks_go_unless_they_have_a_parent():
    tracks = FinalTracks({1: (0, 4), 2: (3, 3), 3: (5, 5)}, {3: 1})
    drop_short(tracks, 2)
    assert tracks.dropped == {2}
    assert tracks.name(3, 2) == 0


def test_a_track_with_a_gap_is_gone_from_masks_and_parents():
    tracks = FinalTracks({1: (0, 4), 2: (0, 4), 3: (5, 6)}, {3: 1})
    drop_broken(tracks, [(2, 1), (4, 2)])  # 2 only ends a frame earlier
    assert tracks.dropped == {1}
    assert tracks.parent(3) == 0
    assert (tracks.paint(3, row((1, 0, 5), (2, 5, 9))) == row((2, 5, 9))).all()


@given(
    st.dictionaries(
        st.integers(1, 12),
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 12)),
        min_size=1,
    )
)
def test_cut_parents_always_end_before_their_children(drawn):
    spans = {n: (min(a, b), max(a, b)) for n, (a, b, _) in drawn.items()}
    parents = {
        n: p for n, (_, _, p) in drawn.items() if p in spans and spans[p] < spans[n]
        and spans[p][0] < spans[n][0]
    }  # fmt: skip
    tracks = FinalTracks(dict(spans), dict(parents))
    cut_parents(tracks)
    for child, parent in tracks.parents.items():
        assert tracks.spans[parent][1] < tracks.spans[child][0]
        assert tracks.spans[parent][0] <= tracks.spans[parent][1]
    # Every cell keeps one label in every frame, and it is that of a track there.
    for label, (begin, end) in spans.items():
        for t in range(begin, end + 1):
            first, last = tracks.spans[tracks.name(t, label)]
            assert first <= t <= last


def test_enlarged_masks_keep_place_and_size():
    y, x = np.indices((60, 50))
    labels = ((np.hypot(y - 20, x - 25) < 10) * 4).astype(np.int32)
    found = enlarge_smoothly(labels, (120, 150), 1.0)
    y, x = np.indices((120, 150))
    truth = np.hypot((y + 0.5) / 2 - 20.5, (x + 0.5) / 3 - 25.5) < 10
    assert np.unique(found).tolist() == [0, 4]
    both = (found > 0) & truth
    assert both.sum() / ((found > 0) | truth).sum() > 0.95


def test_cells_at_the_edge_and_touching_ones_keep_their_pixels():
    labels = np.zeros((20, 30), np.int32)
    labels[:, :15], labels[:, 15:] = 1, 2
    found = enlarge_smoothly(labels, (40, 60), 2.0)
    assert (found == np.kron(labels, np.ones((2, 2), np.int32))).all()


def test_without_blur_and_resizing_nothing_changes():
    labels = row((1, 3, 4), (2, 7, 20))
    assert enlarge_smoothly(labels, (1, 40), 0) is labels


def test_a_cell_of_one_pixel_is_lost_to_the_blur():
    labels = np.zeros((20, 20), np.int32)
    labels[10, 10] = 1
    assert not enlarge_smoothly(labels, (20, 20), 2.0).any()
