"""The published procedures whole: what is yielded, when, and whether it is a result."""

import numpy as np
import pytest
import torch

from napari_semiconv.errors import BadSettingsError, UnreadableFrameError
from napari_semiconv.inference.engines.payer import published
from napari_semiconv.inference.engines.payer.feeds import WINDOW, PairFeed, WindowFeed
from napari_semiconv.inference.pipeline import cell_size_for, segment_and_track
from napari_semiconv.inference.presets import (
    PAPER_PRESETS,
    PRESETS,
    preset_of,
    with_engine,
    with_preset,
)
from napari_semiconv.inference.stream.stream import Stream
from napari_semiconv.io.cells.ctc.folder import check_masks, read_ctc
from napari_semiconv.io.cells.ctc.tracked import write_ctc
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.model_folder import ModelInfo
from napari_semiconv.network.weights import Model
from napari_semiconv.settings import NETWORK_PRESETS, PayerSettings, SegmentSettings

from .perfect import perfect_output, same_partition

PROCEDURES = ("payer2018", "payer2019")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small network with random weights."""
    torch.manual_seed(0)
    network = Embedder(NETWORK_PRESETS["tiny"]).eval()
    folder = tmp_path_factory.mktemp("model")
    info = ModelInfo("random", folder, network.settings, 24.0, "", "")
    return Model(info, network)


class PerfectStream:
    """A network that sees the truth: frames hold labels."""

    def __init__(self, model, cell_size, memory_span=0, resize=None):
        self.pushed = 0

    @classmethod
    def of(cls, model, cell_size, settings, memory_span=None):
        return cls(model, cell_size)

    def take_note(self):
        return ""

    def restore(self, state):
        self.pushed = 0

    def push(self, frame):
        self.pushed += 1
        return perfect_output(frame, directions={n: n for n in range(9)})


@pytest.fixture
def perfect(monkeypatch):
    monkeypatch.setattr(published, "Stream", PerfectStream)


def settings_for(procedure, **payer):
    chosen = {"smallest": 20, "smoothing": 0, "parent_dilation": 0, **payer}
    return SegmentSettings(
        engine=procedure, cell_size=24, payer=PayerSettings(**chosen)
    )


def moving(frames=10):
    """Two cells side by side; the right one divides in frame 4."""
    labels = np.zeros((frames, 30, 48), np.int32)
    for t in range(frames):
        labels[t, 4:14, 2 + t // 2 : 14 + t // 2] = 1
        if t < 4:
            labels[t, 16:28, 20:40] = 2
        else:
            labels[t, 16:28, 20:29], labels[t, 16:28, 31:40] = 3, 4
    return labels


def run(data, model, settings, frames=None):
    movie = data if isinstance(data, Movie) else movie_from_array(data, "TYX")
    return list(segment_and_track(movie, model, settings, frames))


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_cells_that_move_and_divide_are_followed(perfect, model, procedure):
    truth = moving()
    results = run(truth, model, settings_for(procedure))
    final = [r for r in results if r.final]
    assert [r.frame for r in results] == [*range(10), *range(10)]
    assert [r.final for r in results] == [False] * 10 + [True] * 10
    assert same_partition(np.stack([r.labels for r in final]), truth)
    lineage = final[-1].lineage
    assert sorted((t.begin, t.end) for t in lineage.tracks.values()) == [
        (0, 3), (0, 9), (4, 9), (4, 9),
    ]  # fmt: skip
    assert [len(born) for born in lineage.daughters().values()] == [2]


@pytest.mark.parametrize("procedure", PROCEDURES)
@pytest.mark.parametrize("frames", [1, 2, WINDOW - 1, WINDOW])
def test_short_movies_are_done_whole(perfect, model, procedure, frames):
    truth = moving(frames)
    settings = settings_for(procedure, shortest_track=2)
    final = [r for r in run(truth, model, settings) if r.final]
    assert same_partition(np.stack([r.labels for r in final]), truth)


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_the_result_keeps_the_rules_of_the_challenge(
    perfect, model, procedure, tmp_path
):
    rng = np.random.default_rng(1)
    truth = moving(12)
    truth[:, :, :] *= rng.random(truth.shape) > 0.3  # torn to pieces
    results = run(truth, model, settings_for(procedure, smallest=4))
    found = [r for r in results if r.final]
    labels, lineage = [r.labels for r in found], found[-1].lineage
    shape = (len(labels), *labels[0].shape)
    tracked = TrackedMovie("found", shape, labels.__getitem__, lineage)
    write_ctc(tracked, tmp_path / "01_RES")
    check_masks(read_ctc(tmp_path / "01_RES"))


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_both_passes_say_exactly_where_cells_have_pixels(perfect, model, procedure):
    settings = settings_for(procedure, smallest=6, smoothing=3.0)
    data = moving()
    data[:, 26:28, 4:6] = 5  # too small for the blur
    results = run(data, model, settings)
    assert not any(r.labels[26:28, 4:6].any() for r in results)
    for final in (False, True):
        seen = {}
        chosen = [r for r in results if r.final is final]
        for r in chosen:
            for label in np.unique(r.labels[r.labels > 0]).tolist():
                seen.setdefault(label, []).append(r.frame)
        tracks = chosen[-1].lineage.tracks
        assert seen == {n: t.frames for n, t in tracks.items()}


def test_a_parent_that_is_lost_to_the_blur_is_no_parent(perfect, model):
    data = moving(4)
    data[:, :, :] = np.where(data == 1, 0, data)
    data[0, 5:8, 8:11] = 5
    data[1:, 2:14, 2:14] = 6
    bare, blurred = (
        run(data, model, settings_for("payer2018", smallest=6, smoothing=blur))[-1]
        for blur in (0, 3)
    )
    assert sum(t.parent > 0 for t in bare.lineage.tracks.values()) == 1
    assert not any(t.parent for t in blurred.lineage.tracks.values())


class Damaged:
    """A source whose third frame cannot be read."""

    axes, shape, dtype = "TYX", (6, 30, 48), np.dtype(np.int32)

    def plane(self, position):
        if position["T"] == 2:
            raise OSError("cut off")
        return moving(6)[position["T"]]


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_a_damaged_frame_is_skipped_in_its_place_or_stops(perfect, model, procedure):
    movie, settings = Movie("film", Damaged(), "TYX"), settings_for(procedure)
    with pytest.raises(UnreadableFrameError, match="frame 2"):
        run(movie, model, settings)
    results = run(movie, model, settings.model_copy(update={"skip_unreadable": True}))
    for final in (False, True):
        chosen = [r for r in results if r.final is final]
        assert [r.frame for r in chosen] == [*range(6)]
        assert [r.unreadable is None for r in chosen] == [t != 2 for t in range(6)]
        assert not chosen[2].labels.any()
        assert chosen[3].labels[8, 8] == chosen[1].labels[8, 8] > 0


def test_a_cell_that_comes_back_from_the_border_is_another_track(perfect, model):
    """Published as it is here (defect 5): deletion at the border cuts a track."""
    data = np.zeros((5, 30, 48), np.int32)
    for t, top in enumerate((2, 1, 0, 1, 2)):
        data[t, top : top + 6, 10:22] = 1
    data[:, 20:28, 10:22] = 2
    settings = settings_for("payer2018", border_y=6, parent_frames=1)
    final = [r for r in run(data, model, settings) if r.final]
    tops = [int(r.labels[:8].max()) for r in final]
    assert tops[2] == 0
    assert tops[0] == tops[1] != tops[3] == tops[4]


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_a_real_network_runs_behind_the_procedures(model, procedure):
    frames = np.random.default_rng(0).integers(0, 200, (3, 48, 64)).astype(np.uint16)
    settings = with_preset(SegmentSettings(cell_size=24), procedure)
    results = run(frames, model, settings)
    assert [r.done for r in results] == [1, 2, 3, 1, 2, 3]
    assert {r.labels.shape for r in results} == {(48, 64)}


def test_pairs_overlap_by_one_frame_and_the_memory_is_carried():
    stream = PerfectStream(None, 24)
    feed = PairFeed(stream)
    ready = [feed.push(frame) for frame in moving(4)]
    assert [len(stacks) for stacks in ready] == [0, 1, 1, 1]
    assert ready[1][0][1] is ready[2][0][0]
    assert feed.finish() == []
    assert stream.pushed == 4


def test_the_window_is_run_anew_for_every_frame():
    stream = PerfectStream(None, 24)
    feed = WindowFeed(stream)
    ready = [feed.push(frame) for frame in moving(WINDOW + 2)]
    assert [len(stacks) for stacks in ready] == [0] * (WINDOW - 1) + [WINDOW - 1, 1, 1]
    assert stream.pushed == WINDOW, "since the memory was last emptied"
    assert feed.finish() == []


def test_frames_are_resized_whatever_their_aspect(model):
    frame = np.random.default_rng(0).random((48, 64)).astype(np.float32)
    assert Stream(model, 24, resize=(32, 96)).push(frame).shape == (32, 96)


def test_the_cell_size_follows_from_resizing(model):
    movie = movie_from_array(np.zeros((1, 512, 1024)), "TYX")
    settings = SegmentSettings(resize="256x256", cell_size=3)
    size = cell_size_for(movie, model, settings, range(1))
    assert size == pytest.approx(24 * np.sqrt(2 * 4))


def test_presets_hold_the_published_numbers():
    dic, psc = PAPER_PRESETS["payer2018-dic"], PAPER_PRESETS["payer2019-psc"]
    assert (dic.network_shape, dic.memory_span) == ((256, 256), 0)
    assert (dic.payer.coordinate_weight, dic.payer.smallest) == (0.02, 1000)
    assert dic.payer.most_pixels == 0, "all pixels, as published"
    assert psc.network_shape == (576, 720)
    assert (psc.payer.coordinate_weight, psc.payer.shortest_track) == (0.005, 5)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_recognised_by_what_it_decides(name):
    mine = SegmentSettings(model="mine", device="cpu", cell_size=20)
    settings = with_preset(mine, name)
    assert preset_of(settings) == name
    assert (settings.model, settings.device, settings.cell_size) == ("mine", "cpu", 20)
    assert SegmentSettings.model_validate(settings.model_dump()) == settings


def test_an_engine_takes_what_goes_with_it_and_leaves_nothing_behind():
    mine = SegmentSettings(memory_span=4, device="cpu")
    hdbscan = with_engine(mine, "hdbscan")
    assert hdbscan == mine.model_copy(update={"engine": "hdbscan"})
    published = with_engine(mine, "payer2019")
    assert published == with_preset(mine, "payer2019")
    special = with_preset(mine, "payer2018-hela")
    assert with_engine(special, "payer2018") is special
    back = with_engine(special, "votes")
    assert preset_of(back) == "usual"
    assert (back.resize, back.memory_span, back.device) == ("cells", 8, "cpu")


def test_settings_of_ones_own_have_no_preset_and_unknown_names_are_refused():
    payer = PayerSettings(smallest=77)
    assert preset_of(SegmentSettings(engine="payer2018", payer=payer)) == ""
    with pytest.raises(BadSettingsError, match="payer2020"):
        with_preset(SegmentSettings(), "payer2020")
