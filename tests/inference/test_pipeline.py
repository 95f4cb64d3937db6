"""From a movie to tracks: order, ranges, damaged frames, odd sizes and cancelling."""

import numpy as np
import pytest
import torch

from napari_semiconv.errors import (
    BadInputError,
    BadModelError,
    DeviceError,
    UnreadableFrameError,
)
from napari_semiconv.inference.describing import describe, enlarge
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.stream.stream import Stream, margins
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.frames import finite, normalise, without_hot_pixels
from napari_semiconv.network.model_folder import ModelInfo
from napari_semiconv.network.weights import Model
from napari_semiconv.settings import NETWORK_PRESETS, SegmentSettings, VotesSettings

from .perfect import perfect_output, same_partition

# A random network finds crumbs.
KNOWN = SegmentSettings(cell_size=24, votes=VotesSettings(smallest=0.01))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small network with random weights: it finds something, but nothing true."""
    torch.manual_seed(0)
    network = Embedder(NETWORK_PRESETS["tiny"]).eval()
    network.heads.draw(0.5)
    folder = tmp_path_factory.mktemp("model")
    info = ModelInfo("random", folder, network.settings, 24.0, "", "")
    return Model(info, network)


def blobs(frames=4, shape=(48, 64)):
    rng = np.random.default_rng(0)
    return rng.integers(0, 200, (frames, *shape)).astype(np.uint16)


def run(movie, model, settings=KNOWN, frames=None):
    return list(segment_and_track(movie, model, settings, frames))


def test_frames_come_in_order_with_the_shape_of_the_movie(model):
    results = run(movie_from_array(blobs(), "TYX"), model)
    assert [(r.frame, r.done, r.total) for r in results] == [
        (t, t + 1, 4) for t in range(4)
    ]
    assert {r.labels.shape for r in results} == {(48, 64)}
    assert any(r.labels.any() for r in results)


def test_the_lineage_says_exactly_where_cells_have_pixels(model):
    results = run(movie_from_array(blobs(6), "TYX"), model)
    seen = {}
    for result in results:
        for label in np.unique(result.labels[result.labels > 0]):
            seen.setdefault(int(label), []).append(result.frame)
    assert seen == {n: t.frames for n, t in results[-1].lineage.tracks.items()}


@pytest.mark.parametrize("engine", ["votes", "hdbscan"])
def test_both_engines_run_behind_the_same_pipeline(model, engine):
    settings = SegmentSettings(cell_size=24, engine=engine)
    assert len(run(movie_from_array(blobs(3), "TYX"), model, settings)) == 3


def test_a_range_of_frames_is_numbered_as_in_the_movie(model):
    results = run(movie_from_array(blobs(), "TYX"), model, frames=range(1, 3))
    assert [r.frame for r in results] == [1, 2]


@pytest.mark.parametrize("frames", [range(2, 9), range(-1, 2), range(3, 3)])
def test_frames_the_movie_does_not_have_are_refused(model, frames):
    with pytest.raises(BadInputError, match="expected frames within 0:4"):
        run(movie_from_array(blobs(), "TYX"), model, frames=frames)


class Damaged:
    """A source whose second frame cannot be read."""

    axes, shape, dtype = "TYX", (3, 48, 64), np.dtype(np.uint16)

    def plane(self, position):
        if position["T"] == 1:
            raise OSError("cut off")
        return blobs(3)[position["T"]]


def test_a_damaged_frame_stops_the_run_and_is_named(model):
    movie = Movie("film", Damaged(), "TYX")
    with pytest.raises(UnreadableFrameError, match="1") as caught:
        run(movie, model)
    assert caught.value.frame == 1


@pytest.mark.parametrize("cell_size", [24, None])
def test_a_damaged_frame_can_be_skipped(model, cell_size):
    movie = Movie("film", Damaged(), "TYX")
    # The middle frame is one of those that the cell size is estimated on.
    settings = SegmentSettings(cell_size=cell_size, skip_unreadable=True)
    results = run(movie, model, settings)
    assert [r.unreadable is None for r in results] == [True, False, True]
    assert not results[1].labels.any()


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((40, 40), np.uint8),
        np.full((40, 40), np.nan, np.float32),
        np.array([[7]], np.uint16),
        np.ones((3, 5), np.uint8),
    ],
    ids=["all zero", "all NaN", "one pixel", "smaller than the stride"],
)
def test_odd_frames_give_labels_of_their_shape(model, frame):
    for cell_size in (24.0, None):
        settings = SegmentSettings(cell_size=cell_size)
        results = run(movie_from_array(frame[None], "TYX"), model, settings)
        assert results[0].labels.shape == frame.shape


def test_a_memory_that_overflowed_is_told_not_taken_for_an_empty_frame(model):
    stream = Stream(model, 24)
    stream.push(blobs(1)[0])
    stream._state = [state * np.nan for state in stream._state]
    with pytest.raises(BadModelError, match="memory span"):
        stream.push(blobs(1)[0])


@pytest.mark.parametrize("level", [0, 7, np.nan])
def test_a_flat_frame_shows_no_cell(model, level):
    frame = np.full((40, 40), level, np.float32)
    assert not run(movie_from_array(frame[None], "TYX"), model)[0].labels.any()


def test_nan_infinite_and_hot_pixels_hardly_change_what_is_seen(model):
    clean = blobs(1)[0].astype(np.float32)
    dirty = clean.copy()
    dirty[3, 4], dirty[10, 20], dirty[30, 30] = np.nan, np.inf, 65_535
    one, other = (Stream(model, 24).push(frame).foreground for frame in (clean, dirty))
    assert np.isfinite(other).all()
    assert np.abs(one - other).mean() < 0.05


def test_a_cell_size_that_blows_the_frame_up_is_refused(model):
    with pytest.raises(BadInputError, match="Check the cell size"):
        Stream(model, 0.1).push(blobs(1)[0])


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 64 GB"),
    ],
)
def test_memory_that_runs_out_is_told_on_any_device(model, monkeypatch, error):
    def fail(*args):
        raise error

    monkeypatch.setattr(model.network, "forward", fail)
    with pytest.raises(DeviceError, match="ran out of memory on a frame of 144 x 144"):
        Stream(model, 24).push(blobs(1)[0])


def test_other_errors_of_the_network_are_not_taken_for_that(model, monkeypatch):
    def fail(*args):
        raise RuntimeError("sizes do not match")

    monkeypatch.setattr(model.network, "forward", fail)
    with pytest.raises(RuntimeError, match="sizes do not match"):
        Stream(model, 24).push(blobs(1)[0])


def test_small_frames_are_seen_as_the_middle_of_larger_ones(model):
    """The network never gets much less than it was trained with."""
    frame = blobs(1, (60, 80))[0]
    planes = normalise(without_hot_pixels(finite(frame)), 2, 24)
    wide = np.pad(planes, ((0, 0), (42, 42), (32, 32)), mode="symmetric")
    with torch.no_grad():
        # Sums depend on how channels lie in memory: together, as in a stream.
        tensor = torch.from_numpy(wide)[None]
        together = tensor.contiguous(memory_format=torch.channels_last)
        output, _ = model.network(together)
    middle = output.maps["foreground"].sigmoid()[0, 0, 42:102, 32:112].numpy()
    assert np.array_equal(Stream(model, 24).push(frame).foreground, middle)


@pytest.mark.parametrize(
    ("shape", "expected"), [((144, 500), (0, 0)), ((143, 1), (1, 72))]
)
def test_only_small_sides_are_mirrored_out(shape, expected):
    assert margins(shape) == expected


def test_the_memory_is_carried_from_frame_to_frame(model):
    frames = blobs(3)
    stream = Stream(model, 24)
    carried = [stream.push(frame) for frame in frames][-1]
    alone = Stream(model, 24).push(frames[-1])
    assert not np.allclose(carried.foreground, alone.foreground, atol=1e-6)


def test_a_memory_with_a_span_forgets_what_lies_before_it(model):
    """From frame 4 on the past of a span of 4 begins with the two frames before."""
    past, frames = blobs(9)[:2], blobs(9)[2:]
    whole = Stream(model, 24, memory_span=4)
    long = [whole.push(frame) for frame in np.concatenate([past, frames])][4]
    short = Stream(model, 24)
    again = [short.push(frame) for frame in frames][2]
    np.testing.assert_allclose(long.foreground, again.foreground, atol=1e-6)


def test_enlarged_labels_follow_the_smooth_border():
    y, x = np.indices((40, 40)) - 19.5
    level = (12 - np.hypot(y, x)).astype(np.float32)
    labels = (level > 0).astype(np.int32)
    found = enlarge(labels, level, (160, 160))
    y, x = np.indices((160, 160)) - 79.5
    truth = np.hypot(y, x) < 48
    assert (found[truth] == 1).mean() > 0.99
    assert (found[~truth] == 0).mean() > 0.99


def test_enlarging_to_the_same_shape_changes_nothing():
    labels = np.eye(5, dtype=np.int32)
    assert enlarge(labels, labels.astype(np.float32), (5, 5)) is labels


def test_touching_cells_stay_apart_when_enlarged():
    labels = np.zeros((10, 20), np.int32)
    labels[:, :10], labels[:, 10:] = 1, 2
    found = enlarge(labels, np.ones((10, 20), np.float32), (30, 60))
    assert same_partition(found, np.kron(labels, np.ones((3, 3), np.int32)))


def test_cells_are_measured_with_centre_area_and_origin():
    labels = np.zeros((20, 30), np.int32)
    labels[2:6, 4:10], labels[10:14, 20:24] = 5, 9
    motion = np.full((2, 20, 30), -3.0, np.float32)
    output = perfect_output(labels)
    shifted = perfect_output(labels, motion=output.offset + motion)
    cells, numbers = describe(labels, shifted)
    assert numbers.tolist() == [5, 9]
    assert cells.areas.tolist() == [24, 16]
    np.testing.assert_allclose(cells.centres, [[3.5, 6.5], [11.5, 21.5]])
    np.testing.assert_allclose(cells.origins, cells.centres - 3, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(cells.embeddings, axis=1), 1, atol=1e-6)
