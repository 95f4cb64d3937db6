"""A correction changes what it touches alone; maps are kept or made again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.constraints.check import violations
from napari_semiconv.inference.constraints.maps import Maps
from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.inference.constraints.resegment import (
    OutputCache,
    bytes_of,
    replay,
    resegment,
)
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.stream.stream import Stream
from napari_semiconv.movie import movie_from_array

from . import scenes
from .perfect import perfect_output
from .tiny import CRUMBS, tiny_model


def grid(cells=6, spacing=16, side=12):
    """Squares that touch in pairs, (Y, X)."""
    y, x = np.indices((cells * spacing, cells * spacing))
    inside = (y % spacing < side) & (x % spacing < side)
    inside |= (x // spacing % 2 == 0) & (y % spacing < side)
    return np.where(inside, y // spacing * cells + x // spacing + 1, 0).astype(np.int32)


def test_two_cells_found_as_one_are_parted_and_the_rest_stays():
    truth = grid()
    labels = np.where(truth == 16, 15, truth).astype(np.int32)
    said = Constraints(labels.shape, cannot_link=[[(36, 38), (36, 54)]])
    found = resegment(perfect_output(truth), labels, said)
    rows, columns = found.window
    assert (rows.stop - rows.start, columns.stop - columns.start) == (12, 12)
    whole = found.within(labels)
    assert np.array_equal(whole == 15, truth == 15)
    assert np.array_equal(whole == 37, truth == 16)


def test_what_holds_already_is_an_empty_window():
    truth = grid()
    found = resegment(
        perfect_output(truth), truth, Constraints(truth.shape, fixed=truth)
    )
    assert not found.labels.size
    assert np.array_equal(found.within(truth), truth)


def test_labels_of_another_shape_are_refused():
    with pytest.raises(BadInputError, match="Labels of a frame"):
        resegment(perfect_output(grid()), grid(), Constraints((3, 3)))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_nothing_changes_outside_of_the_window(seed):
    rng = np.random.default_rng(seed)
    truth = scenes.truth_of(rng, (32, 40))
    labels, said = scenes.mistaken(rng, truth), scenes.corrections(rng, truth)
    output = scenes.output_of(truth, rng.choice([0.7, 1.0, 1.5]))
    found = resegment(output, labels, said)
    whole = found.within(labels)
    assert violations(whole, said) == []
    outside = np.ones(labels.shape, bool)
    outside[found.window] = False
    assert np.array_equal(whole[outside], labels[outside])
    for label in np.unique(labels[labels > 0]):
        mask = labels == label
        new = np.unique(whole[mask])
        # A cell with the same pixels as before has the same label.
        if len(new) == 1 and np.array_equal(whole == new[0], mask):
            assert new[0] in (0, label)
    again = resegment(output, labels, said)
    assert again.window == found.window
    assert np.array_equal(again.labels, found.labels)


# Maps


def test_the_cache_lets_go_of_what_was_not_asked_for_longest():
    output = perfect_output(grid(2))
    cache = OutputCache(2 * bytes_of(output))
    made = []

    def make(key):
        return cache.get(key, lambda: made.append(key) or replace(output))

    make(1), make(2), make(1), make(3)
    assert (len(cache), cache.bytes) == (2, 2 * bytes_of(output))
    make(1), make(3), make(2)
    assert made == [1, 2, 3, 2]


def test_one_output_is_kept_however_large():
    cache = OutputCache(1)
    cache.put(1, perfect_output(grid(2)))
    assert len(cache) == 1


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path)


@pytest.fixture(scope="module")
def movie():
    frames = np.random.default_rng(0).integers(0, 200, (9, 40, 48))
    return movie_from_array(frames.astype(np.uint16), "TYX")


class Counted:
    """A movie that notes which frames are read."""

    def __init__(self, movie):
        self.movie, self.read = movie, []

    def frame(self, t):
        self.read.append(t)
        return self.movie.frame(t)


@pytest.mark.parametrize(
    ("span", "wanted", "read"),
    [
        (0, 4, [0, 1, 2, 3, 4]),
        (3, 8, [4, 5, 6, 7, 8]),
        (3, 6, [4, 5, 6]),
        (1, 1, [0, 1]),
    ],
)
def test_maps_made_again_are_those_of_the_run(movie, model, span, wanted, read):
    stream = Stream(model, 24.0, span)
    outputs = [stream.push(movie.frame(t)) for t in range(wanted + 1)]
    counted = Counted(movie)
    told = CRUMBS.model_copy(update={"memory_span": span})
    again = [*replay(counted, model, told, range(wanted + 1), 24.0)][-1]
    assert counted.read == read
    assert np.array_equal(again.embedding, outputs[-1].embedding)
    assert np.array_equal(again.offset, outputs[-1].offset)


def test_maps_are_made_again_from_a_state(movie, model):
    told = CRUMBS.model_copy(update={"memory_span": 0})
    states = [r.state() for r in segment_and_track(movie, model, told, range(5))]
    counted = Counted(movie)
    again = [*replay(counted, model, told, range(7), 24.0, states[4])][-1]
    assert counted.read == [5, 6]
    plain = [*replay(movie, model, told, range(7), 24.0)][-1]
    assert np.array_equal(again.embedding, plain.embedding)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_network_finer_than_the_movie_sees_whole_cells(factor):
    # Cells of a few pixels are enlarged for the network, by two and more.
    cells = np.zeros((24, 24), np.int32)
    cells[4:12, 4:12] = 1
    cells[4:12, 14:22] = 2
    seen = cells.repeat(factor, 0).repeat(factor, 1)
    maps = Maps.of(perfect_output(seen), cells.shape)
    window = (slice(2, 24), slice(0, 24))
    segments, _ = maps.segments(window, cells[window] > 0)
    assert len(np.unique(segments)) == 3
    for label in (1, 2):
        assert len(np.unique(segments[cells[window] == label])) == 1
