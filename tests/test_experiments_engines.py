"""Engines and radius: the recording of a network, movies with truth, the measures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.experiments import cases, crowds, replay, stills
from benchmarks.experiments.cases import real_cases, simulated_case
from benchmarks.experiments.crowds import Parts, Seen
from benchmarks.experiments.suite import engines, radius

from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.result import FrameResult
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.weights import load_model, save_model
from napari_semiconv.settings import NETWORK_PRESETS, SegmentSettings
from napari_semiconv.synthetic import SyntheticSettings
from napari_semiconv.tracking.lineage import Lineage

SMALL = SyntheticSettings(frames=4, height=32, width=32, cells=3, diameter=14)
TINY = replace(
    radius.SMALL, side=40, steps=2, pictures=4, held_out=2, channels=(8, 8, 8)
)


@pytest.fixture(scope="module")
def case():
    return simulated_case("small", SMALL, 1, 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network with chance weights, so that it says something of every frame."""
    torch.manual_seed(0)
    network = Embedder(NETWORK_PRESETS["tiny"])
    network.heads.draw(0.5)
    folder = tmp_path_factory.mktemp("models") / "chance"
    save_model(folder, network, cell_size=16, description="", card="")
    return load_model(folder, "cpu")


@pytest.fixture(scope="module")
def recording(case, model):
    return replay.record(case.movie, model, case.frames, case.cell_size)


def perfect(case):
    lineage = Lineage()
    for frame in case.frames:
        for label in np.unique(case.truth(frame))[1:].tolist():
            parent = int(case.tracks.table[case.tracks.table[:, 0] == label, 3][0])
            lineage.observe(frame, label, parent)
    return [
        FrameResult(t, t, len(case.movie), case.truth(t), lineage, 16)
        for t in case.frames
    ]


@pytest.mark.parametrize("engine", ["votes", "hdbscan"])
@pytest.mark.parametrize("span", [0, 2])
def test_a_replay_finds_what_the_network_itself_finds(case, model, engine, span):
    """Span 2 makes the memory start anew and see frames a second time."""
    usual = SegmentSettings(engine=engine, memory_span=span, cell_size=16)
    told = replay.record(case.movie, model, case.frames, 16, span)
    found, seconds = replay.play(told, usual)
    direct = segment_and_track(case.movie, model, usual, case.frames)
    for one, other in zip(found, direct, strict=True):
        assert np.array_equal(one.labels, other.labels)
    assert seconds > 0


@pytest.mark.parametrize("way", engines.WAYS)
def test_every_engine_gets_the_same_embeddings(case, recording, way, monkeypatch):
    """The network itself is never asked again."""

    def refuse(*_):
        raise AssertionError("the network ran again")

    monkeypatch.setattr(recording.model.network.network, "forward", refuse)
    trial = engines.compare(case, recording, way)
    assert trial.shown.shape == case.movie.frame_shape
    assert trial.scores.frames == len(case.scored)


def test_the_truth_scores_best(case):
    scores = case.score(perfect(case))
    assert (scores.SEG, scores.TRA, scores.AP50) == (1, 1, 1)
    assert scores.frames == len(case.scored) == 3


def test_an_empty_result_scores_nothing(case):
    empty = [
        replace(result, labels=np.zeros_like(result.labels), lineage=Lineage())
        for result in perfect(case)
    ]
    scores = case.score(empty)
    assert (scores.SEG, scores.TRA, scores.AP50) == (0, 0, 0)


def test_the_cell_size_is_that_of_the_true_outlines(case):
    areas = np.concatenate(
        [np.bincount(case.truth(t).ravel())[1:] for t in case.scored]
    )
    median = np.median(areas[areas > 0])
    assert np.pi / 4 * case.cell_size**2 == pytest.approx(median)


def test_times_are_told_against_votes(case):
    scores = case.score(perfect(case))
    label = case.truth(3)
    trials = [
        engines.Trial(case, way, scores, 0.5 + i, label)
        for i, way in enumerate(engines.WAYS)
    ]
    rows = engines.rows(trials, {"small": 2.0})
    assert [row["time / votes"] for row in rows] == [1, 3, 5, 7, 9, 11]
    assert {row["network / votes"] for row in rows} == {4}
    figure = engines.draw(trials)
    assert len(figure.axes) == len(engines.WAYS) + 1 + 3


def test_without_real_movies_the_simulated_ones_are_left(monkeypatch, tmp_path):
    monkeypatch.setenv("SEMICONV_DATA", str(tmp_path))
    assert list(real_cases(engines.REAL, 6, 2)) == []


def test_simulated_seeds_are_not_those_of_training(monkeypatch):
    used = []
    monkeypatch.setattr(
        cases, "simulate", lambda settings, seed: used.append(seed) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        simulated_case("small", SMALL, 3, 1)
    assert used == [cases.SIMULATED + 3]
    assert cases.SIMULATED > 400  # training takes those up to 307 and from 10,000 on
    assert cases.SIMULATED < 10_000


def parts_of(embeddings):
    """One picture of three cells side by side, the second touching both others."""
    labels = np.repeat([[1, 2, 3]], 10, axis=0).repeat(10, axis=1).astype(np.int32)
    picture = stills.Picture(np.zeros(labels.shape, np.float32), labels)
    unit = np.asarray(embeddings, float)[labels.ravel() - 1]
    return Parts(picture, unit, np.argwhere(labels > 0).astype(float))


def test_cells_of_one_embedding_are_told_apart_by_their_place_alone():
    parts = parts_of([[1, 0], [0, 1], [1, 0]])
    seen = crowds.measure([parts], radius.SMALL)
    assert seen.scores["ARI with place"] == seen.scores["SEG with place"] == 1
    assert seen.scores["ARI"] < 0.7
    assert seen.scores["touching told apart"] == 1
    assert seen.scores["all told apart"] == pytest.approx(2 / 3)
    assert [len(np.unique(labels)) for labels in seen.shown] == [2, 3]


def test_cells_of_one_embedding_that_touch_are_not_told_apart():
    parts = parts_of([[1, 0], [1, 0.1], [0, 1]])
    assert crowds.told_apart([parts])["touching told apart"] == 0.5


def test_a_wide_radius_asks_for_more_different_cells():
    pictures = stills.test_pictures(TINY)
    asked = [crowds.crowded(pictures, r * crowds.DIAMETER) for r in radius.RADII]
    assert asked == sorted(asked)
    cells = np.mean([len(np.unique(p.labels)) - 1 for p in pictures])
    assert asked[0] < asked[-1] == cells


def test_setups_are_a_row_and_a_column_or_all_pairs():
    small, full = radius.setups(full=False), radius.setups(full=True)
    assert len(full) == len(set(full)) == len(radius.RADII) * len(radius.SIZES)
    assert len(small) == len(radius.RADII) + len(radius.SIZES) - 1
    assert set(small) < set(full)


def test_each_setup_learns_and_is_drawn():
    setup = radius.Setup(2.0, 4)
    one = radius.trial(setup.plan(TINY), 0, "cpu")
    again = radius.trial(setup.plan(TINY), 0, "cpu")
    assert one.scores == again.scores
    assert all(-1 <= value <= 1 for value in one.scores.values())
    seen = {setup: [one, again] for setup in radius.setups(full=False)}
    assert len(radius.draw(seen, TINY).axes) == 2 * 5 + 3
    (row,) = (r for r in radius.rows(seen, TINY) if r["radius (cells)"] == "all")
    assert row["± ARI"] == 0


def test_deviations_are_those_of_the_seeds():
    assert crowds.means([{"ARI": 0.2}, {"ARI": 0.6}]) == pytest.approx(
        {"ARI": 0.4, "± ARI": 0.2}
    )


def test_the_network_is_seen_through_its_unit_embeddings():
    network = stills.build("cosine", TINY).eval()
    (part,) = crowds.look(network, stills.test_pictures(TINY)[:1])
    np.testing.assert_allclose(np.linalg.norm(part.unit, axis=1), 1, rtol=1e-5)
    assert isinstance(crowds.measure([part], TINY), Seen)
    assert part.codes(placed=True).shape[1] == part.unit.shape[1] + 2
