"""A run holds the constraints on its frames, whatever the engine."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_semiconv.inference import pipeline
from napari_semiconv.inference.constraints.check import violations
from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.inference.engines.payer import published
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.movie import movie_from_array
from napari_semiconv.settings import (
    ENGINES,
    HdbscanSettings,
    PayerSettings,
    SegmentSettings,
)

from .scenes import SIZE, corrections, mistaken, output_of, truth_of
from .tiny import tiny_model

SHAPE = (24, 32)
# The region version has a network of its own, see `test_region_engine`.
HERE = [name for name in ENGINES if name != "region"]


class MistakenStream:
    """A network that sees what the frames hold, at a resolution of its own."""

    factor = 1.0

    @classmethod
    def of(cls, model, cell_size, settings, memory_span=None):
        return cls()

    def restore(self, state):
        pass

    def snapshot(self):
        return None

    def take_note(self):
        return ""

    def push(self, frame):
        return output_of(frame.astype(np.int32), self.factor)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def stream(monkeypatch):
    monkeypatch.setattr(pipeline, "Stream", MistakenStream)
    monkeypatch.setattr(published, "Stream", MistakenStream)
    monkeypatch.setattr(pipeline.Tracker, "snapshot", lambda *_: None)


def settings_of(engine):
    return SegmentSettings(
        engine=engine,
        cell_size=SIZE,
        device="cpu",
        hdbscan=HdbscanSettings(smallest=0.1),
        payer=PayerSettings(smallest=4, coordinate_weight=0.1, shortest_track=3),
    )


def scene(seed, frames=3):
    """Frames that a network mistakes, and the constraints on some."""
    rng = np.random.default_rng(seed)
    MistakenStream.factor = float(rng.choice([0.6, 1.0, 1.7]))
    truth = truth_of(rng, SHAPE)
    seen = np.stack([mistaken(rng, truth) for _ in range(frames)])
    told = {t: corrections(rng, truth) for t in range(frames) if rng.integers(3)}
    return movie_from_array(seen.astype(np.uint16), "TYX"), told


def run(engine, seed, model):
    movie, told = scene(seed)
    results = segment_and_track(movie, model, settings_of(engine), constraints=told)
    return list(results), told


@pytest.mark.parametrize("engine", HERE)
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_engine_holds_the_constraints(engine, seed, model):
    results, told = run(engine, seed, model)
    for result in results:
        if result.frame in told:
            assert violations(result.labels, told[result.frame]) == []
        for label in np.unique(result.labels[result.labels > 0]).tolist():
            assert result.lineage.tracks[label].has(result.frame)
    again, _ = run(engine, seed, model)
    for one, other in zip(results, again, strict=True):
        assert np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("engine", HERE)
def test_no_constraints_are_as_none_given(engine, model):
    movie, _ = scene(1)
    plain = list(segment_and_track(movie, model, settings_of(engine)))
    nothing = {t: Constraints(SHAPE) for t in range(3)}
    settings = settings_of(engine)
    told = list(segment_and_track(movie, model, settings, constraints=nothing))
    for one, other in zip(plain, told, strict=True):
        assert np.array_equal(one.labels, other.labels)
    assert plain[-1].lineage == told[-1].lineage


@pytest.mark.parametrize("engine", HERE)
def test_a_cell_confirmed_in_every_frame_is_one_track(engine, model):
    """Its mask moves on by a pixel, and the network sees nothing of it."""
    MistakenStream.factor = 1.0
    fixed = np.zeros((4, *SHAPE), np.int32)
    for t in range(4):
        fixed[t, 8:17, 10 + t : 19 + t] = 5
    movie = movie_from_array(np.zeros(fixed.shape, np.uint16), "TYX")
    told = {t: Constraints(SHAPE, fixed=fixed[t]) for t in range(4)}
    results = segment_and_track(movie, model, settings_of(engine), constraints=told)
    final = [result for result in results if result.final]
    assert len({int(r.labels[12, 15]) for r in final}) == 1
    assert all(np.array_equal(r.labels > 0, fixed[r.frame] > 0) for r in final)
