"""Tracks and the lineage of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_semiconv.tracking.intervals import intervals_of
from napari_semiconv.tracking.lineage import BLOCK, Lineage, Track

# The machine may be busy with other things.
CALMLY = settings(deadline=None)

NAN = float("nan")


def scored(label, frames, value=0.0, **facts):
    """A track whose scores are the frames plus a value; NaN in gaps."""
    track = Track(label, intervals_of(frames), **facts)
    values = [
        t + value if track.has(t) else NAN for t in range(track.begin, track.end + 1)
    ]
    scores = np.array(values, np.float32).tobytes()
    return Track(label, track.intervals, track.parent, track.confirmed, scores=scores)


def scores(track):
    values = np.frombuffer(track.scores, np.float32).tolist()
    return [None if value != value else value for value in values]


def test_a_track_knows_its_frames_and_gaps():
    track = Track.of(3, (5, 1, 2, 9), parent=7)
    assert (track.label, track.parent) == (3, 7)
    assert (track.begin, track.end) == (1, 9)
    assert track.frames == [1, 2, 5, 9]
    assert track.gaps == ((3, 4), (6, 8))
    assert [track.has(t) for t in (0, 1, 3, 9)] == [False, True, False, True]


def test_the_part_of_a_track_from_a_frame_on():
    track = scored(1, (1, 2, 5, 6), confirmed=((2, 2), (5, 5)))
    onward = track.onward(5)
    assert (onward.frames, onward.confirmed) == ([5, 6], ((5, 5),))
    assert scores(onward) == [5, 6]
    assert track.onward(7) is None


def test_a_frame_that_is_lost_loses_its_scores():
    track = scored(1, range(5)).reshaped(((0, 1), (3, 4)))
    assert scores(track) == [0, 1, None, 3, 4]


def test_frames_that_come_have_no_scores():
    track = scored(1, (3, 4)).reshaped(((1, 4), (6, 6)))
    assert scores(track) == [None, None, 3, 4, None, None]


def test_wholly_other_frames_have_no_scores():
    assert scores(scored(1, (3, 4)).reshaped(((7, 8),))) == [None, None]
    assert scores(scored(1, (3, 4)).reshaped(((0, 1),))) == [None, None]


def test_a_track_takes_over_another():
    one = scored(1, (1, 2, 6), parent=4, confirmed=((2, 2),))
    other = scored(2, (3, 4), 100, parent=5, confirmed=((3, 3),))
    both = one.merged(other)
    assert (both.label, both.parent) == (1, 4)
    assert both.frames == [1, 2, 3, 4, 6]
    assert both.confirmed == ((2, 3),)
    assert scores(both) == [1, 2, 103, 104, None, 6]


def test_the_cells_that_are_there_bring_their_scores():
    one = scored(1, range(4)).reshaped(((0, 0), (3, 3)))
    assert scores(one.merged(scored(2, (1,), 50))) == [0, 51, None, 3]


def test_tracks_without_scores_are_taken_over_too():
    assert scores(Track.of(1, (0,)).merged(scored(2, (2,)))) == [None, None, 2]
    assert scores(scored(2, (2,)).merged(Track.of(1, (0,)))) == [None, None, 2]
    assert scores(Track.of(2, (2,)).merged(Track.of(1, (0,)))) == []


def test_scores_of_a_frame_are_forgotten():
    track = scored(1, range(3))
    assert scores(track.unscored(1)) == [0, None, 2]
    assert track.unscored(7) is track


@CALMLY
@given(
    st.sets(st.integers(0, 9), min_size=1),
    st.lists(st.sets(st.integers(0, 9), min_size=1), max_size=5),
)
def test_scores_stay_with_the_frames_that_were_always_there(first, more):
    track, left = scored(1, first), set(first)
    for frames in more:
        track = track.reshaped(intervals_of(frames))
        left &= frames
    found = dict(zip(range(track.begin, track.end + 1), scores(track), strict=True))
    assert found == {t: t if t in left else None for t in found}


def test_scores_of_a_lineage_are_read_by_name():
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    track = Track(1, ((4, 6),), scores=values.tobytes())
    lineage = Lineage([track, Track.of(2, (0,))], ("sure", "size"))
    assert np.array_equal(lineage.scores(1), values)
    assert lineage.scores(2).shape == (0, 0)


def test_cells_are_observed_frame_by_frame():
    lineage = Lineage()
    for frame in (2, 3, 6):
        lineage.observe(frame, 5, parent=1)
    assert lineage.tracks[5] == Track(5, ((2, 3), (6, 6)), 1)


def test_a_track_that_is_not_there_cannot_be_dropped():
    with pytest.raises(KeyError):
        Lineage().drop(3)


LAST = 3 * BLOCK
FRAMES = st.sets(
    st.one_of(st.integers(0, LAST), st.sampled_from([BLOCK - 1, BLOCK, 2 * BLOCK])),
    min_size=1,
    max_size=6,
)
TRACKS = st.builds(Track.of, st.integers(1, 6), FRAMES, st.integers(0, 6))


@CALMLY
@given(
    st.lists(TRACKS, max_size=4),
    st.lists(st.one_of(TRACKS, st.integers(1, 6)), max_size=12),
    st.integers(0, LAST),
    st.integers(0, LAST),
)
def test_the_index_knows_what_looking_at_all_tracks_tells(begin, changes, t, u):
    lineage = Lineage(begin)
    model = {track.label: track for track in begin}
    for change in changes:
        lineage.cells(0)  # made now, and kept from here on
        if isinstance(change, Track):
            lineage.put(change)
            model[change.label] = change
        elif change in model:
            lineage.drop(change)
            del model[change]
        assert lineage == Lineage(model)
        for frame in (0, BLOCK - 1, BLOCK, t, u):
            there = sorted(n for n, track in model.items() if frame in track.frames)
            assert lineage.cells(frame) == there
        family = {
            n: sorted(d for d, track in model.items() if track.parent == n)
            for n in range(1, 7)
        }
        assert {n: lineage.daughters_of(n) for n in family} == family
        assert lineage.daughters() == {n: d for n, d in family.items() if d}
        first, last = min(t, u), max(t, u)
        there = {
            n for n, k in model.items() if any(first <= f <= last for f in k.frames)
        }
        assert there <= lineage.living(first, last) <= model.keys()


def test_the_table_has_a_row_for_each_track():
    lineage = Lineage([Track.of(7, (3, 4), 2), Track.of(2, (0, 1))])
    assert lineage.table().tolist() == [[2, 0, 1, 0], [7, 3, 4, 2]]
    assert Lineage().table().shape == (0, 4)
