"""Frames in tiles: nothing is left out, memory goes on, a full device halves them."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_semiconv.errors import DeviceError
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.run_state import load_run_state, save_run_state
from napari_semiconv.inference.stream import runner
from napari_semiconv.inference.stream.state import read_tensors, write_tensors
from napari_semiconv.inference.stream.stream import Stream
from napari_semiconv.inference.stream.tiling import Mosaic, cut, tiles_of
from napari_semiconv.movie import movie_from_array
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.model_folder import ModelInfo
from napari_semiconv.network.weights import Model
from napari_semiconv.settings import NETWORK_PRESETS

from .tiny import CRUMBS, tiny_model

MAPS = ("foreground", "embedding", "offset", "motion", "seed")


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 200, (4, 288, 144)).astype(np.uint16)


def model_without_norms(folder, memory="gru", layout="miccai"):
    torch.manual_seed(0)
    changes = {"memory": memory, "normalise": False, "layout": layout, "stacks": 2}
    settings = NETWORK_PRESETS["tiny"].model_copy(update=changes)
    network = Embedder(settings).eval()
    return Model(ModelInfo("random", folder, settings, 24.0, "", "a"), network)


def limited(monkeypatch, model, most):
    """Let the network run out of memory on frames of more pixels."""
    forward, seen = model.network.forward, []

    def run(frame, state=None):
        seen.append(tuple(frame.shape[-2:]))
        if frame[0, 0].numel() > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate a lot.")
        return forward(frame, state)

    monkeypatch.setattr(model.network, "forward", run)
    return seen


def same(one, other):
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in MAPS)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 20), st.integers(0, 40))
def test_kept_parts_cover_each_pixel_once(rows, columns, side, halo):
    stride = 4
    shape = (rows * stride, columns * stride)
    covered = np.zeros(shape, int)
    for tile in tiles_of(shape, side * stride, stride, halo):
        covered[tile.core] += 1
        for outer, core, length in zip(tile.outer, tile.core, shape, strict=True):
            assert 0 <= outer.start <= core.start < core.stop <= outer.stop <= length
            assert outer.start == 0 or core.start - outer.start >= halo
            assert not any(n % stride for n in (*_ends(outer), *_ends(core)))
            fits = outer.stop - outer.start <= side * stride
            assert fits or (side * stride - 2 * halo) < 3 * stride
    assert (covered == 1).all()


def _ends(part):
    return part.start, part.stop


def test_what_is_cut_and_put_together_again_is_the_same():
    shape = (48, 64)
    levels = [torch.rand(1, 3, 48, 64), torch.zeros(0), torch.rand(1, 5, 12, 16)]
    mosaic = Mosaic(shape)
    for tile in tiles_of(shape, 32, 4, 5):
        parts = cut(levels, tile, shape)
        mosaic.put({str(n): part for n, part in enumerate(parts)}, tile)
    for level, found in zip(levels, mosaic.maps.values(), strict=True):
        assert torch.equal(level, found)


@pytest.mark.parametrize("memory", ["gru", "lstm", "none"])
def test_with_a_halo_wide_enough_only_normalisation_shows(tmp_path, frames, memory):
    model = model_without_norms(tmp_path, memory)
    whole, tiled = Stream(model, 24), Stream(model, 24, tile=256)
    differ = 0.0
    for frame in frames:
        one, other = whole.push(frame), tiled.push(frame)
        for name in MAPS:
            a, b = getattr(one, name), getattr(other, name)
            np.testing.assert_allclose(a, b, atol=2e-4 * np.abs(a).max())
            differ = max(differ, float(np.abs(a - b).max()))
    assert same(Stream(model, 24, tile=288).push(frames[0]), _first(model, frames))


def _first(model, frames):
    return Stream(model, 24).push(frames[0])


def test_without_a_halo_seams_would_show(tmp_path, frames, monkeypatch):
    monkeypatch.setattr(runner, "HALO", 0)
    model = model_without_norms(tmp_path)
    one, other = Stream(model, 24), Stream(model, 24, tile=256)
    one, other = one.push(frames[0]), other.push(frames[0])
    assert np.abs(one.embedding - other.embedding).max() > 1e-2


def test_tiles_go_on_from_disk_bit_by_bit(tmp_path, frames):
    movie = movie_from_array(frames, "TYX")
    model = tiny_model(tmp_path)
    settings = CRUMBS.model_copy(update={"tile": "256", "memory_span": 3})
    whole = []
    for result in segment_and_track(movie, model, settings):
        whole.append(result)
        if result.frame == 1:
            save_run_state(tmp_path / "state", result.state())
    state = load_run_state(tmp_path / "state")
    assert state.stream.tile == 256
    again = list(segment_and_track(movie, model, settings, None, state))
    assert [r.frame for r in again] == [2, 3]
    for one, other in zip(whole[2:], again, strict=True):
        assert one.labels.any()
        assert np.array_equal(one.labels, other.labels)


def test_a_full_device_halves_the_tiles_and_says_so(tmp_path, frames, monkeypatch):
    model = tiny_model(tmp_path)
    calm = Stream(model, 24)
    calm.push(frames[0])
    before = calm.snapshot()
    chosen = Stream(model, 24, tile=256)
    chosen.restore(dataclasses.replace(before, tile=256))
    expected = [chosen.push(frame) for frame in frames[1:3]]

    stream = Stream(model, 24)
    stream.push(frames[0])
    assert stream.take_note() == ""
    seen = limited(monkeypatch, model, 256 * 144)
    # The memory of the frame before is kept: it is the one that tiles go on from.
    found = [stream.push(frame) for frame in frames[1:3]]
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))
    note = stream.take_note()
    assert "'cpu' ran out of memory on a frame of 288 x 144 px" in note
    assert "in tiles of 256 px" in note
    assert stream.take_note() == ""
    assert stream.snapshot().tile == 256
    assert seen.count((288, 144)) == 1, "the whole frame is not tried again and again"
    stream.restore(None)
    stream.push(frames[0])
    assert seen.count((288, 144)) == 1


def test_the_note_reaches_the_one_who_waits(tmp_path, frames, monkeypatch):
    model = tiny_model(tmp_path)
    limited(monkeypatch, model, 256 * 144)
    results = segment_and_track(movie_from_array(frames, "TYX"), model, CRUMBS)
    notes = [result.note for result in results]
    assert notes[0].startswith("Frame 0: The device 'cpu' ran out of memory")
    assert notes[1:] == [""] * 3


@pytest.mark.parametrize(
    ("device", "way"), [("cuda", "--device cpu, or Device: cpu"), ("cpu", "cell size.")]
)
def test_the_processor_is_a_choice_and_never_taken(
    tmp_path, frames, monkeypatch, device, way
):
    model = tiny_model(tmp_path)
    limited(monkeypatch, model, 1000)
    stream = Stream(model, 24)
    kind = dataclasses.replace(model, device=torch.device(device))
    monkeypatch.setattr(stream._runner, "_model", kind)
    monkeypatch.setattr(
        runner, "to_device", lambda planes, _: torch.zeros(1, *planes.shape)
    )
    monkeypatch.setattr(runner, "computing_in", lambda *_, half: torch.no_grad())
    monkeypatch.setattr(runner, "_empty", lambda _: None)
    with pytest.raises(DeviceError, match="even in tiles of 256 px") as caught:
        stream.push(frames[0])
    assert way in str(caught.value)
    assert stream.snapshot().memory is None


def test_frames_above_the_limit_are_cut_unasked(tmp_path, frames, monkeypatch):
    model = tiny_model(tmp_path)
    expected = Stream(model, 24, tile=256).push(frames[0])
    monkeypatch.setattr(runner, "MOST_WHOLE", 10_000)
    monkeypatch.setattr(runner, "USUAL_TILE", 256)
    stream = Stream(model, 24)
    assert same(stream.push(frames[0]), expected)
    assert stream.take_note() == ""


def test_a_state_written_before_there_were_tiles_is_read(tmp_path):
    movie = movie_from_array(np.ones((1, 48, 64), np.uint8), "TYX")
    result = next(segment_and_track(movie, tiny_model(tmp_path), CRUMBS))
    save_run_state(tmp_path / "state", result.state())
    tensors, facts = read_tensors(tmp_path / "state")
    del facts["tile"]
    write_tensors(tmp_path / "state", tensors, facts)
    assert load_run_state(tmp_path / "state").stream.tile is None
