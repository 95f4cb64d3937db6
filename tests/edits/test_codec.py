"""Changes become bytes and come back; damaged bytes are told."""

import contextlib
import json
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_semiconv.edits.change import Change, Patch
from napari_semiconv.edits.codec import decode, encode
from napari_semiconv.errors import BadInputError, EditError
from napari_semiconv.tracking.intervals import intervals_of
from napari_semiconv.tracking.lineage import Track

# The machine may be busy with other things.
CALMLY = settings(deadline=None)

SHAPE = (100, 120, 120)

LABELS = st.integers(1, 2**31 - 1)
FRAMES = st.sets(st.integers(0, 30), min_size=1).map(intervals_of)
TRACKS = st.builds(
    Track,
    LABELS,
    FRAMES,
    st.integers(0, 9),
    FRAMES,
    st.booleans(),
    st.binary(max_size=4).map(lambda row: row * 8),
)
PIXELS = st.tuples(st.integers(0, 4), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(
        *(arrays.arrays(np.int32, shape, elements=LABELS | st.just(0)) for _ in "ab")
    )
)
PATCHES = st.builds(
    lambda place, pixels: Patch(*place, *pixels),
    st.tuples(*(st.integers(0, 99) for _ in "tyx")),
    PIXELS,
)
PLACES = st.frozensets(st.tuples(*(st.integers(0, 99) for _ in "tyx")), max_size=4)
NAMES = st.tuples(st.integers(0, 99), LABELS, LABELS, LABELS.map(lambda n: -n))
CHANGES = st.builds(
    Change,
    st.lists(PATCHES, max_size=3).map(tuple),
    st.lists(NAMES, max_size=4).map(
        lambda rows: np.array(rows, np.int64).reshape(-1, 4)
    ),
    st.lists(st.tuples(*(st.none() | TRACKS for _ in "ab")), max_size=4).map(tuple),
    PLACES,
    PLACES,
    st.tuples(LABELS, LABELS),
)

MOVED = Track(3, ((0, 4),), scores=bytes(range(20)))
CHANGE = Change(
    (Patch(1, 2, 3, np.zeros((2, 2), np.int32), np.ones((2, 2), np.int32)),),
    np.array([[1, 2, 3, -4]]),
    ((MOVED, MOVED.reshaped(((1, 3),))), (None, Track(9, ((0, 0), (2, 5)), 3))),
    frozenset({(1, 2, 3)}),
    frozenset(),
    (5, 7),
)


@CALMLY
@given(CHANGES)
def test_a_change_comes_back_as_it_was(change):
    assert decode(encode(change), SHAPE) == change
    assert decode(encode(change.inverse()), SHAPE) == change.inverse()


def test_scores_that_both_tracks_have_are_kept_once():
    scores = np.random.default_rng(0).bytes(4000)
    track = Track(1, ((0, 9),), scores=scores)
    pair = track, track.reshaped(((2, 7),))
    assert len(encode(Change(tracks=(pair,)))) < 4300


def test_numbers_of_numpy_become_numbers():
    track = Track(np.int32(4), ((np.int64(1), np.int64(2)),))
    place = (np.int64(1), np.int64(2), np.int64(3))
    change = Change(tracks=((None, track),), added=frozenset({place}))
    found = decode(encode(change), SHAPE)
    assert found.tracks == ((None, Track(4, ((1, 2),))),)
    assert type(found.tracks[0][1].label) is int
    assert found.added == {(1, 2, 3)}


def test_every_cut_is_told():
    data = encode(CHANGE)
    for size in range(len(data)):
        with pytest.raises(BadInputError, match="journal is damaged"):
            decode(data[:size], SHAPE)


@settings(CALMLY, max_examples=300)
@given(st.data())
def test_changed_bytes_are_told_or_give_a_change(data):
    """The journal's own check finds them all; nothing else may be raised here."""
    broken = bytearray(encode(CHANGE))
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(
            st.integers(0, 255)
        )
    with contextlib.suppress(BadInputError):
        assert isinstance(decode(bytes(broken), SHAPE), Change)


def packed(facts, more=b"", scores=b""):
    text = json.dumps(facts).encode()
    plain = zlib.compress(len(text).to_bytes(4, "little") + text + more)
    return len(plain).to_bytes(8, "little") + plain + scores


EMPTY = {
    "tracks": [],
    "added": [],
    "removed": [],
    "numbers": [1, 1],
    "names": 0,
    "patches": [],
}


def test_an_empty_change_is_what_the_broken_ones_are_made_of():
    assert decode(packed(EMPTY), SHAPE) == Change()


@pytest.mark.parametrize(
    "facts",
    [
        [],
        3,
        None,
        {},
        EMPTY | {"names": -1},
        EMPTY | {"names": 1},
        EMPTY | {"names": "many"},
        EMPTY | {"numbers": [1]},
        EMPTY | {"numbers": [float("inf"), 1]},
        EMPTY | {"added": [[1, 2]]},
        EMPTY | {"tracks": [[None]]},
        EMPTY | {"tracks": [[None, [1, [[0, 1]], 0, [], 0]]]},
        EMPTY | {"tracks": [[None, [1, [[0, 1]], 0, [], 0, 0, 4]]]},
        EMPTY | {"tracks": [[None, [1, [[0, 1]], 0, [], 0, -1, 0]]]},
        EMPTY | {"tracks": [[None, ["a", [[0, 1]], 0, [], 0, 0, 0]]]},
        EMPTY | {"patches": [[0, 0, 0, 2]]},
        EMPTY | {"patches": [[0, 0, 0, 2**40, 2**40]]},
        EMPTY | {"patches": [[0, 0, 0, -2, -2]]},
        EMPTY | {"patches": [[100, 0, 0, 1, 1]]},
        EMPTY | {"patches": [[0, -1, 0, 1, 1]]},
        EMPTY | {"patches": [[0, 0, 119, 1, 2]]},
        EMPTY | {"patches": [[float("nan"), 0, 0, 1, 1]]},
        EMPTY | {"names": 2**40},
        EMPTY | {"added": [[0, 120, 0]]},
        EMPTY | {"tracks": [[None, [2**40, [[0, 1]], 0, [], 0, 0, 0]]]},
        EMPTY | {"tracks": [[None, [-1, [[0, 1]], 0, [], 0, 0, 0]]]},
        EMPTY | {"tracks": [[None, [1, [[0, 10**12]], 0, [], 0, 0, 0]]]},
        EMPTY | {"tracks": [[None, [1, [[3, 4], [1, 2]], 0, [], 0, 0, 0]]]},
        EMPTY | {"tracks": [[None, [1, [], 0, [], 0, 0, 0]]]},
    ],
    ids=str,
)
def test_facts_that_cannot_be_are_told(facts):
    with pytest.raises(BadInputError, match="An entry of the journal is damaged"):
        decode(packed(facts), SHAPE)


def test_bytes_too_many_are_told():
    with pytest.raises(BadInputError, match="journal is damaged"):
        decode(packed(EMPTY, b"more"), SHAPE)


def test_facts_nested_without_end_are_told():
    text = b"[" * 100_000
    plain = zlib.compress(len(text).to_bytes(4, "little") + text)
    with pytest.raises(BadInputError, match="journal is damaged"):
        decode(len(plain).to_bytes(8, "little") + plain, SHAPE)


PIXELS_OF_ONE = EMPTY | {"patches": [[0, 0, 0, 1, 1]]}
NAME_OF_ONE = EMPTY | {"names": 1}


@pytest.mark.parametrize(
    ("facts", "kind", "numbers"),
    [
        (PIXELS_OF_ONE, "<i4", [0, -1]),
        (NAME_OF_ONE, "<i8", [100, 1, 1, 2]),
        (NAME_OF_ONE, "<i8", [0, 1, 1, 2**40]),
        (NAME_OF_ONE, "<i8", [0, -1, 1, 2]),
    ],
    ids=["negative pixel", "frame of a name", "label of a name", "number of a name"],
)
def test_numbers_out_of_range_are_told(facts, kind, numbers):
    with pytest.raises(BadInputError, match="journal is damaged"):
        decode(packed(facts, np.array(numbers, kind).tobytes()), SHAPE)


@pytest.mark.parametrize(
    "facts",
    [
        EMPTY,
        EMPTY | {"patches": [[0, 0, 0, 120, 120]] * 10_000},
        EMPTY | {"names": 10**8},
    ],
    ids=["more than it says", "too many pixels", "too many names"],
)
def test_a_bomb_is_told_before_it_is_unpacked(facts):
    data = packed(facts, bytes(10**8))
    tracemalloc.start()
    try:
        with pytest.raises(BadInputError, match="journal is damaged"):
            decode(data, SHAPE)
        assert tracemalloc.get_traced_memory()[1] < 2 * 10**7
    finally:
        tracemalloc.stop()


def test_scores_that_all_tracks_share_are_told():
    """Each would have a copy of its own."""
    row = [1, [[0, 0]], 0, [], 0, 0, 1000]
    facts = EMPTY | {"tracks": [[None, row]] * 10}
    with pytest.raises(BadInputError, match="journal is damaged"):
        decode(packed(facts, scores=bytes(1000)), SHAPE)


def test_an_edit_that_could_not_be_read_again_is_refused(monkeypatch):
    monkeypatch.setattr("napari_semiconv.edits.codec.MOST_BYTES", 1 << 26)
    with pytest.raises(EditError, match="Change fewer frames at once"):
        encode(CHANGE)
