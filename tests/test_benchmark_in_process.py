"""Every frame twice: as it comes, and with the best tracks of all frames."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks import in_process as solve
from benchmarks.in_process import renamed, segment_and_solve
from tests import worlds
from tests.inference.hidden import hide, say
from tests.inference.test_linking_solve import cut_in_two
from tests.inference.tiny import CRUMBS, tiny_model

from napari_semiconv.inference.result import FrameResult
from napari_semiconv.movie import movie_from_array
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.tracking.invariants import faults_of_frame, faults_of_lineage
from napari_semiconv.tracking.lineage import Lineage

MODEL = SimpleNamespace(info=SimpleNamespace(network=SimpleNamespace(embedding_size=0)))


@dataclass
class Pipeline:
    """Stands in for the network: frames as drawn, each with labels by chance."""

    masks: np.ndarray
    size: float = 12.0
    closed: bool = False
    computed: int = 0

    def __call__(self, movie, model, settings, frames, stop, constraints):
        assert stop is None
        lineage = Lineage()
        frames = frames or range(len(self.masks))
        try:
            for done, t in enumerate(frames, 1):
                labels = self.masks[t]
                self.computed += 1
                there = np.unique(labels[labels > 0]).tolist()
                yield FrameResult(
                    t, done, len(frames), labels, lineage, self.size,
                    state=object, evidence=say(there), note="slow" if t == 0 else "",
                )  # fmt: skip
        finally:
            self.closed = True


@pytest.fixture
def pipeline(monkeypatch):
    def use(world, size=12.0):
        masks, _ = hide(worlds.enlarge(world), np.random.default_rng(0))
        made = Pipeline(masks, size)
        monkeypatch.setattr(solve, "segment_and_track", made)
        return made

    return use


def settings(**link):
    return SegmentSettings(link=LinkSettings(**link))


def follow(frames=None, stop=None, **link):
    return list(segment_and_solve(None, MODEL, settings(**link), frames, stop))


def assert_sound(final):
    lineage = final[-1].lineage
    assert list(faults_of_lineage(lineage, final[-1].frame + 1)) == []
    for result in final:
        assert result.lineage is lineage
        assert list(faults_of_frame(lineage, result.frame, result.labels)) == []


def test_every_frame_comes_twice(pipeline):
    drawn = pipeline(worlds.one_division)
    results = follow()
    assert [(r.frame, r.final) for r in results] == [
        (t, final) for final in (False, True) for t in range(4)
    ]
    assert [r.done for r in results] == [1, 2, 3, 4] * 2
    for early, late in zip(results[:4], results[4:], strict=True):
        assert np.array_equal(early.labels, drawn.masks[early.frame])
        assert np.array_equal(late.labels > 0, early.labels > 0)
    assert_sound(results[4:])
    assert results[-1].lineage.daughters()
    assert drawn.closed


def test_what_is_told_of_a_frame_is_told_once(pipeline):
    pipeline(worlds.gap)
    assert [r.note for r in follow()] == ["slow", *[""] * 7]


def test_no_frame_can_be_gone_on_from(pipeline):
    pipeline(worlds.gap)
    assert {r.state for r in follow()} == {None}


def test_what_looked_like_a_division_is_solved(pipeline):
    pipeline(cut_in_two, 20.0)
    lineage = follow()[-1].lineage
    assert lineage.daughters() == {}
    assert max(len(t.frames) for t in lineage.tracks.values()) == 4


def test_a_range_is_numbered_as_in_the_movie(pipeline):
    pipeline(worlds.one_division)
    results = follow(range(1, 4))
    assert [r.frame for r in results] == [1, 2, 3, 1, 2, 3]
    assert_sound(results[3:])


def test_a_movie_without_cells_has_no_tracks(pipeline):
    pipeline(worlds.empty)
    results = follow()
    assert len(results) == 6
    assert dict(results[-1].lineage.tracks) == {}


def test_a_stop_solves_the_frames_so_far(pipeline):
    drawn = pipeline(worlds.gap)
    seen = []
    stopping = segment_and_solve(None, MODEL, settings(), stop=lambda: len(seen) >= 2)
    for result in stopping:
        seen.append(result)
    assert [(r.frame, r.final) for r in seen] == [
        (0, False), (1, False), (0, True), (1, True)
    ]  # fmt: skip
    assert drawn.computed == 2
    assert drawn.closed
    assert_sound(seen[2:])


def test_a_caller_who_leaves_closes_all(pipeline):
    drawn = pipeline(worlds.gap)
    steps = segment_and_solve(None, MODEL, settings())
    next(steps)
    steps.close()
    assert drawn.closed


def test_the_greedy_way_is_passed_through(pipeline):
    drawn = pipeline(worlds.one_division)
    results = follow(solver="greedy")
    assert [r.frame for r in results] == [0, 1, 2, 3]
    assert all(r.final and r.state is object for r in results)
    assert all(r.labels is not None for r in results)
    for result in results:
        assert np.array_equal(result.labels, drawn.masks[result.frame])


def test_the_greedy_way_stops_too(pipeline):
    drawn = pipeline(worlds.gap)
    assert len(follow(stop=lambda: drawn.computed >= 2, solver="greedy")) == 2


def test_published_procedures_decide_in_their_own_way(pipeline):
    pipeline(worlds.gap)
    chosen = settings().model_copy(update={"engine": "payer2018"})
    results = list(segment_and_solve(None, MODEL, chosen))
    assert len(results) == 4


def test_a_cell_that_nobody_is_sure_of_is_left_out(pipeline, monkeypatch):
    drawn = pipeline(worlds.gap)
    drawn.masks[2, 0, 0] = 99

    def doubtful(*given):
        for result in drawn(*given):
            sure = np.where(result.evidence.labels == 99, 0.1, 0.9)
            said = replace(result.evidence, sure=sure.astype(np.float32))
            yield replace(result, evidence=said)

    monkeypatch.setattr(solve, "segment_and_track", doubtful)
    kept = follow()[6]
    assert kept.labels[0, 0] > 0
    final = follow(least_sure=0.5)[4:]
    assert final[2].labels[0, 0] == 0
    assert_sound(final)


def test_a_real_network_gives_a_sound_lineage(tmp_path):
    noise = np.random.default_rng(0).integers(0, 200, (3, 48, 64)).astype(np.uint16)
    movie = movie_from_array(noise, "TYX")
    results = list(segment_and_solve(movie, tiny_model(tmp_path), CRUMBS))
    assert [r.final for r in results] == [False] * 3 + [True] * 3
    assert results[-1].lineage.tracks
    assert_sound(results[3:])


def test_cells_get_their_new_labels_all_at_once():
    labels = np.array([[0, 1, 2], [3, 3, 0]], np.int32)
    assert renamed(labels, {1: 2, 2: 1, 3: 9}).tolist() == [[0, 2, 1], [9, 9, 0]]
    assert renamed(labels * 0, {}).tolist() == [[0, 0, 0], [0, 0, 0]]
