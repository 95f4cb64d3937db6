"""Sets of frames as runs, against sets."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from napari_semiconv.tracking.runs import (
    count_frames,
    difference,
    frames_in,
    holds,
    intersection,
    joined,
    runs_of,
    since,
    union,
    until,
)

# The machine may be busy with other things.
CALMLY = settings(deadline=None)

FRAMES = st.sets(st.integers(0, 24))
FRAME = st.integers(-2, 27)


def proper(runs):
    """Runs are ordered, not empty, and do not touch."""
    assert all(first <= last for first, last in runs)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(runs))
    return set(frames_in(runs))


@CALMLY
@given(FRAMES)
def test_frames_come_back_in_order(frames):
    runs = runs_of(frames)
    assert proper(runs) == frames
    assert list(frames_in(runs)) == sorted(frames)
    assert count_frames(runs) == len(frames)


@CALMLY
@given(FRAMES, FRAMES)
def test_runs_are_united_met_and_taken_away_as_sets(one, other):
    runs = runs_of(one), runs_of(other)
    assert proper(union(*runs)) == one | other
    assert proper(intersection(*runs)) == one & other
    assert proper(difference(*runs)) == one - other


@CALMLY
@given(FRAMES, FRAME)
def test_runs_are_looked_into_and_cut_as_sets(frames, frame):
    runs = runs_of(frames)
    assert holds(runs, frame) == (frame in frames)
    assert proper(until(runs, frame)) == {t for t in frames if t < frame}
    assert proper(since(runs, frame)) == {t for t in frames if t >= frame}


@CALMLY
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5))))
def test_runs_in_any_order_become_one_where_they_touch(pairs):
    runs = [(first, first + more) for first, more in pairs]
    frames = {t for first, last in runs for t in range(first, last + 1)}
    assert proper(joined(runs)) == frames
