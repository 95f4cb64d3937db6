"""Sets of frames as intervals, against sets."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from napari_semiconv.tracking.intervals import (
    count_frames,
    difference,
    frames_in,
    holds,
    intersection,
    intervals_of,
    joined,
    since,
    union,
    until,
)

# The machine may be busy with other things.
CALMLY = settings(deadline=None)

FRAMES = st.sets(st.integers(0, 24))
FRAME = st.integers(-2, 27)


def proper(intervals):
    """Intervals are ordered, not empty, and do not touch."""
    assert all(first <= last for first, last in intervals)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(intervals))
    return set(frames_in(intervals))


@CALMLY
@given(FRAMES)
def test_frames_come_back_in_order(frames):
    intervals = intervals_of(frames)
    assert proper(intervals) == frames
    assert list(frames_in(intervals)) == sorted(frames)
    assert count_frames(intervals) == len(frames)


@CALMLY
@given(FRAMES, FRAMES)
def test_runs_are_united_met_and_taken_away_as_sets(one, other):
    intervals = intervals_of(one), intervals_of(other)
    assert proper(union(*intervals)) == one | other
    assert proper(intersection(*intervals)) == one & other
    assert proper(difference(*intervals)) == one - other


@CALMLY
@given(FRAMES, FRAME)
def test_runs_are_looked_into_and_cut_as_sets(frames, frame):
    intervals = intervals_of(frames)
    assert holds(intervals, frame) == (frame in frames)
    assert proper(until(intervals, frame)) == {t for t in frames if t < frame}
    assert proper(since(intervals, frame)) == {t for t in frames if t >= frame}


@CALMLY
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5))))
def test_runs_in_any_order_become_one_where_they_touch(pairs):
    intervals = [(first, first + more) for first, more in pairs]
    frames = {t for first, last in intervals for t in range(first, last + 1)}
    assert proper(joined(intervals)) == frames
