"""Precision and looking ahead: what may differ a little, and what may not at all."""

import threading

import numpy as np
import pytest
import torch

from napari_semiconv.errors import DeviceError, UnreadableFrameError
from napari_semiconv.inference import pipeline
from napari_semiconv.inference.engines.votes.engine import VotesEngine
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.stream import precision
from napari_semiconv.inference.stream.prefetch import prefetch, prefetches
from napari_semiconv.inference.stream.stream import Stream
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.weights import load_model
from napari_semiconv.settings import SegmentSettings, VotesSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate

from .perfect import same_partition
from .tiny import CRUMBS, tiny_model

THREAD = "frame-ahead"
# Largest difference to float32 on a simulated frame, as measured, and some room.
FOREGROUND, OFFSET, OUTSIDE = 0.03, 0.3, 0.001  # OFFSET: the mean, px


@pytest.fixture(scope="module")
def simulated():
    settings = SyntheticSettings(
        frames=2, height=144, width=144, cells=8, diameter=24, cycle=200
    )
    return simulate(settings, 3).images


@pytest.fixture(scope="module")
def movie():
    frames = np.random.default_rng(0).integers(0, 200, (4, 48, 64)).astype(np.uint16)
    return movie_from_array(frames, "TYX")


class Damaged:
    """A source whose third frame cannot be read."""

    axes = "TYX"

    def __init__(self, movie):
        self.inner, self.read = movie.source, []
        self.shape, self.dtype = movie.source.shape, movie.source.dtype

    def plane(self, position):
        self.read.append(position["T"])
        if position["T"] == 2:
            raise OSError("cut off")
        return self.inner.plane(position)


def seen_in(precision_name, frames, device="cpu"):
    stream = Stream(load_model("default", device), 24, precision=precision_name)
    return stream, [stream.push(frame) for frame in frames]


def cells(output):
    return VotesEngine(VotesSettings()).cells(output)


def test_bfloat16_finds_the_same_cells(simulated):
    _, whole = seen_in("float32", simulated)
    stream, half = seen_in("bfloat16", simulated)
    assert all(m.dtype == torch.float32 for m in stream.snapshot().memory)
    assert next(stream.model.network.parameters()).dtype == torch.float32
    for one, other in zip(whole, half, strict=True):
        inside = one.foreground > VotesSettings().foreground
        assert 0 < np.abs(one.foreground - other.foreground).max() < FOREGROUND
        assert np.abs(one.offset - other.offset)[:, inside].mean() < OFFSET
        assert other.embedding.dtype == other.offset.dtype == np.float32
        one, other = cells(one), cells(other)
        assert len(np.unique(one)) == len(np.unique(other)) > 4
        both = (one > 0) & (other > 0)
        assert ((one > 0) != (other > 0)).mean() < OUTSIDE
        assert same_partition(one[both], other[both])


def test_on_the_processor_auto_is_float32_to_the_bit(simulated):
    _, plain = seen_in("float32", simulated[:1])
    _, auto = seen_in("auto", simulated[:1])
    assert np.array_equal(plain[0].embedding, auto[0].embedding)


@pytest.mark.parametrize(
    ("name", "capability", "half"),
    [
        ("auto", (9, 0), True),
        ("auto", (8, 0), True),
        ("auto", (7, 5), False),
        ("float32", (9, 0), False),
        ("bfloat16", (9, 0), True),
    ],
)
def test_a_card_computes_in_what_it_was_built_for(monkeypatch, name, capability, half):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert precision.is_half(name, torch.device("cuda")) is half


def test_a_card_without_bfloat16_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    with pytest.raises(DeviceError, match="Choose the precision float32"):
        precision.is_half("bfloat16", torch.device("cuda"))


def test_float32_on_a_card_is_not_rounded_to_tf32():
    with precision.computing_in(torch.device("cuda"), half=False):
        assert not torch.backends.cudnn.allow_tf32
    with precision.computing_in(torch.device("cpu"), half=True):
        assert torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(("device", "ahead"), [("cpu", False), ("cuda", True)])
def test_the_network_runs_ahead_where_it_has_its_own_device(device, ahead):
    assert prefetches(torch.device(device)) is ahead


@pytest.fixture
def ahead(monkeypatch):
    """Let the network run ahead, or not, whatever the device."""
    return lambda wanted: monkeypatch.setattr(pipeline, "prefetches", lambda _: wanted)


def test_the_next_step_is_begun_before_it_is_asked_for():
    begun = [threading.Event() for _ in range(3)]

    def steps():
        for number, event in enumerate(begun):
            event.set()
            yield number

    ahead = prefetch(steps())
    assert next(ahead) == 0
    assert begun[1].wait(10)
    assert not begun[2].is_set(), "one step ahead, not two"
    assert list(ahead) == [1, 2]


def test_running_ahead_changes_nothing_that_is_kept(tmp_path, movie, ahead):
    model = tiny_model(tmp_path)
    settings = CRUMBS.model_copy(update={"memory_span": 3, "skip_unreadable": True})
    runs = []
    for wanted in (False, True):
        ahead(wanted)
        damaged = Movie("film", Damaged(movie), "TYX")
        results = segment_and_track(damaged, model, settings)
        # The state after a frame must not be that of the frame ahead.
        runs.append([(r, r.state()) for r in results])
    for (one, before), (other, after) in zip(*runs, strict=True):
        assert (one.frame, one.done, one.unreadable) == (
            other.frame,
            other.done,
            other.unreadable,
        )
        assert np.array_equal(one.labels, other.labels)
        assert (before.frame, before.stream.age) == (after.frame, after.stream.age)
        for a, b in zip(before.stream.memory, after.stream.memory, strict=True):
            assert torch.equal(a, b)
        for a, b in zip(before.stream.recent, after.stream.recent, strict=True):
            assert np.array_equal(a, b)
    assert one.labels.any()


@pytest.mark.parametrize("wanted", [False, True])
def test_an_error_comes_with_its_own_frame(tmp_path, movie, ahead, wanted):
    ahead(wanted)
    damaged = Movie("film", Damaged(movie), "TYX")
    results = segment_and_track(damaged, tiny_model(tmp_path), CRUMBS)
    assert [next(results).frame for _ in range(2)] == [0, 1]
    with pytest.raises(UnreadableFrameError) as caught:
        next(results)
    assert caught.value.frame == 2
    assert not _threads()


def test_closing_ends_the_thread_and_reads_no_further(tmp_path, movie, ahead):
    ahead(wanted=True)
    source = Damaged(movie)
    film = Movie("film", source, "TYX")
    results = segment_and_track(film, tiny_model(tmp_path), CRUMBS)
    next(results)
    assert _threads()
    results.close()
    assert not _threads()
    assert source.read == [0, 1]


def _threads():
    return [t for t in threading.enumerate() if t.name.startswith(THREAD)]


needs_card = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card")


@pytest.mark.gpu
@needs_card
@pytest.mark.parametrize("name", ["float32", "auto"])
def test_a_card_finds_the_cells_that_the_processor_finds(simulated, name):
    _, here = seen_in("float32", simulated)
    _, there = seen_in(name, simulated, "cuda")
    for one, other in zip(here, there, strict=True):
        most = 1e-3 if name == "float32" else FOREGROUND
        assert np.abs(one.foreground - other.foreground).max() < most
        assert len(np.unique(cells(one))) == len(np.unique(cells(other)))


@pytest.mark.gpu
@needs_card
def test_on_a_card_tiles_and_running_ahead_change_no_frame_order(simulated, ahead):
    model = load_model("default", "cuda")
    movie = movie_from_array(np.tile(simulated, (2, 2, 2)), "TYX")
    known = SegmentSettings(cell_size=24, device="cuda")
    tiles = known.model_copy(update={"tile": "256"})
    runs = []
    for settings, wanted in ((known, False), (known, True), (tiles, True)):
        ahead(wanted)
        runs.append(list(segment_and_track(movie, model, settings)))
    for one, other, tiled in zip(*runs, strict=True):
        assert one.frame == other.frame == tiled.frame
        assert np.array_equal(one.labels, other.labels)
        assert abs(int(one.labels.max()) - int(tiled.labels.max())) <= 4
