"""A run that goes on from a file is bit by bit the one that never stopped."""

import errno
from dataclasses import replace

import numpy as np
import pytest

from napari_semiconv.errors import (
    BadInputError,
    BadModelError,
    BadSettingsError,
    SaveError,
)
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.run_state import load_run_state, save_run_state
from napari_semiconv.inference.stream import state as files
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.heads import HEADS, Head
from napari_semiconv.network.weights import Model

from .tiny import CRUMBS, tiny_model

FRAMES = 5


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path)


@pytest.fixture(scope="module")
def movie():
    frames = np.random.default_rng(0).integers(0, 200, (FRAMES, 48, 64))
    return movie_from_array(frames.astype(np.uint16), "TYX")


def settings_of(**changes):
    return CRUMBS.model_copy(update=changes)


def stopped_after(frame, movie, model, settings, path, frames=None):
    """Run until a frame is done and write the state that the run has then."""
    for result in segment_and_track(movie, model, settings, frames):
        if result.frame == frame:
            save_run_state(path, result.state())
            return path
    raise AssertionError("the run ended before")


def check_same(whole, again):
    assert [r.frame for r in again] == [r.frame for r in whole][-len(again) :]
    for one, other in zip(whole[-len(again) :], again, strict=True):
        assert np.array_equal(one.labels, other.labels)
        assert (one.done, one.total) == (other.done, other.total)
        assert one.cell_size == other.cell_size
    assert whole[-1].lineage == again[-1].lineage


@pytest.mark.parametrize(
    ("engine", "span"), [("votes", 0), ("votes", 3), ("hdbscan", 0)]
)
def test_going_on_from_disk_is_bit_equal(tmp_path, movie, model, engine, span):
    settings = settings_of(engine=engine, memory_span=span)
    whole = []
    for result in segment_and_track(movie, model, settings):
        whole.append(result)
        save_run_state(tmp_path / str(result.frame), result.state())
    assert len(whole[-1].lineage.tracks) > FRAMES, "there is something to compare"
    for frame in (1, 3):
        state = load_run_state(tmp_path / str(frame))
        assert state.lineage == _until(whole, frame)
        again = list(segment_and_track(movie, model, settings, None, state))
        assert len(again) == FRAMES - 1 - frame
        check_same(whole, again)


def test_maps_of_further_heads_are_kept(tmp_path, movie, model, monkeypatch):
    class Rim(Head):
        name = "rim"

        def channels(self, settings):
            return 1

        def read(self, maps):
            return maps.sigmoid()

    monkeypatch.setitem(HEADS, "rim", Rim())
    network = model.info.network.model_copy(update={"further_heads": ("rim",)})
    info = replace(model.info, network=network)
    model = Model(info, Embedder(network).eval())
    first = next(segment_and_track(movie, model, settings_of(engine="hdbscan")))
    state = first.state()
    rim = state.outputs[0].further["rim"]
    assert rim.shape == (1, *state.outputs[0].shape)
    assert 0 < rim.min() <= rim.max() < 1
    save_run_state(tmp_path / "state", state)
    kept = load_run_state(tmp_path / "state").outputs[0]
    assert kept.further.keys() == {"rim"}
    assert np.array_equal(kept.further["rim"], rim)


def _until(whole, frame):
    """The lineage as it was, from that at the end: tracks are only added to."""
    lineage = type(whole[-1].lineage)()
    for label, track in whole[-1].lineage.tracks.items():
        for t in track.frames:
            if t <= frame:
                lineage.observe(t, label, track.parent)
    return lineage


@pytest.mark.parametrize("memory", ["lstm", "none"])
def test_every_kind_of_memory_is_kept(tmp_path, movie, memory):
    model = tiny_model(tmp_path, memory)
    whole = list(segment_and_track(movie, model, CRUMBS))
    path = stopped_after(2, movie, model, CRUMBS, tmp_path / "state")
    check_same(
        whole,
        list(segment_and_track(movie, model, CRUMBS, None, load_run_state(path))),
    )


def test_an_estimated_cell_size_is_not_estimated_again(tmp_path, movie, model):
    settings = settings_of(cell_size=None)
    whole = list(segment_and_track(movie, model, settings))
    state = load_run_state(stopped_after(2, movie, model, settings, tmp_path / "state"))
    check_same(whole, list(segment_and_track(movie, model, settings, None, state)))


def test_a_part_of_a_movie_goes_on_with_its_own_numbers(tmp_path, movie, model):
    frames = range(1, 5)
    whole = list(segment_and_track(movie, model, CRUMBS, frames))
    path = stopped_after(2, movie, model, CRUMBS, tmp_path / "state", frames)
    state = load_run_state(path)
    again = list(segment_and_track(movie, model, CRUMBS, frames, state))
    assert [(r.frame, r.done, r.total) for r in again] == [(3, 3, 4), (4, 4, 4)]
    check_same(whole, again)


def test_a_run_that_was_done_has_nothing_left(tmp_path, movie, model):
    path = stopped_after(FRAMES - 1, movie, model, CRUMBS, tmp_path / "state")
    state = load_run_state(path)
    assert not list(segment_and_track(movie, model, CRUMBS, None, state))


class Damaged:
    """A source whose fourth frame cannot be read."""

    axes, shape, dtype = "TYX", (FRAMES, 48, 64), np.dtype(np.uint16)

    def __init__(self, movie):
        self._movie = movie

    def plane(self, position):
        if position["T"] == 3:
            raise OSError("cut off")
        return self._movie.frame(position["T"])


@pytest.mark.parametrize("engine", ["votes", "hdbscan"])
def test_a_state_after_a_skipped_frame_is_as_good(tmp_path, movie, model, engine):
    damaged = Movie("film", Damaged(movie), "TYX")
    settings = settings_of(engine=engine, skip_unreadable=True)
    whole = list(segment_and_track(damaged, model, settings))
    state = load_run_state(
        stopped_after(3, damaged, model, settings, tmp_path / "state")
    )
    check_same(whole, list(segment_and_track(damaged, model, settings, None, state)))


def test_a_state_is_not_changed_by_the_run_that_goes_on(movie, model):
    results = segment_and_track(movie, model, CRUMBS)
    state = [next(results) for _ in range(3)][-1].state()
    first = list(segment_and_track(movie, model, CRUMBS, None, state))
    rest = list(results)
    check_same(rest, first)
    check_same(rest, list(segment_and_track(movie, model, CRUMBS, None, state)))


@pytest.mark.parametrize("engine", ["payer2018", "payer2019"])
def test_published_procedures_need_all_frames(movie, model, engine):
    state = next(segment_and_track(movie, model, CRUMBS)).state()
    settings = settings_of(engine=engine)
    with pytest.raises(BadSettingsError, match="start from the first frame"):
        next(segment_and_track(movie, model, settings, None, state))


@pytest.mark.parametrize(
    ("changes", "frames", "error", "words"),
    [
        ({}, range(4, 5), BadInputError, "frames 4:5, found one of frame 2"),
        ({"engine": "hdbscan"}, None, BadSettingsError, "found one of 'votes'"),
        ({"cell_size": 20.0}, None, BadSettingsError, "20 px, found 24 px"),
    ],
    ids=["frames", "engine", "cell size"],
)
def test_a_state_that_does_not_fit_is_refused(
    tmp_path, movie, model, changes, frames, error, words
):
    state = load_run_state(stopped_after(2, movie, model, CRUMBS, tmp_path / "state"))
    with pytest.raises(error, match=words):
        next(segment_and_track(movie, model, settings_of(**changes), frames, state))


def test_a_state_of_another_movie_or_model_is_refused(tmp_path, movie, model):
    state = next(segment_and_track(movie, model, CRUMBS)).state()
    other = movie_from_array(np.zeros((FRAMES, 32, 64), np.uint8), "TYX")
    with pytest.raises(BadInputError, match="32 x 64 px, found one of 48 x 64 px"):
        next(segment_and_track(other, model, CRUMBS, None, state))
    stranger = tiny_model(tmp_path, digest="b")
    with pytest.raises(BadModelError, match="found that of other weights"):
        next(segment_and_track(movie, stranger, CRUMBS, None, state))


def test_damaged_missing_and_altered_files_are_told(tmp_path, movie, model):
    path = tmp_path / "state"
    with pytest.raises(BadModelError, match="missing or damaged"):
        load_run_state(path)
    stopped_after(2, movie, model, CRUMBS, path)
    good = path.read_bytes()
    path.write_bytes(good[:-7])
    with pytest.raises(BadModelError, match="missing or damaged"):
        load_run_state(path)
    path.write_bytes(good[:-9] + b"\x07" + good[-8:])
    with pytest.raises(BadModelError, match="missing or damaged"):
        load_run_state(path)


def test_another_fact_than_was_written_is_told(tmp_path, movie, model):
    """As a bit does that flips in the header, whose length stays the same."""
    path = tmp_path / "state"
    stopped_after(2, movie, model, CRUMBS, path)
    good = path.read_bytes()
    assert good.count(b'\\"frame\\": 2') == 1
    path.write_bytes(good.replace(b'\\"frame\\": 2', b'\\"frame\\": 3'))
    with pytest.raises(BadModelError, match="missing or damaged"):
        load_run_state(path)


def test_a_file_of_something_else_is_told(tmp_path):
    files.write_tensors(tmp_path / "state", {}, {"frame": 3})
    with pytest.raises(BadModelError, match="found something else"):
        load_run_state(tmp_path / "state")


def test_a_full_disk_keeps_the_state_before(tmp_path, movie, model, monkeypatch):
    path = tmp_path / "state"
    stopped_after(2, movie, model, CRUMBS, path)
    before = path.read_bytes()

    def full(tensors, draft, facts):
        draft.write_bytes(b"half of")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "save_file", full)
    with pytest.raises(SaveError, match="No space left"):
        stopped_after(3, movie, model, CRUMBS, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
