"""Tracks are solved around a correction as of the whole movie, by few frames alone."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import worlds
from tests.edits.worlds import SHAPE as SMALL
from tests.edits.worlds import by_chance, family_pixels, faults, shown, state

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.links import Swap
from napari_semiconv.errors import BadInputError, EditError
from napari_semiconv.project import solving
from napari_semiconv.project.solving import solve_steps
from napari_semiconv.settings import LinkSettings, SegmentSettings

from .test_solving import (
    LINK,
    cells_by_track,
    exchanged,
    keeps,
    parents,
    project_of,
    solve,
    still,
    sure_facts,
)

# Longer than the frames that are looked at around one.
LONG = 24


def around(project, within, **link):
    """Solve it around some frames; return what was found, and how many were seen."""
    link = SegmentSettings(link=LinkSettings(**link))
    steps = solve_steps(project, link, within)
    seen = 0
    while True:
        try:
            _, seen = next(steps)
        except StopIteration as end:
            return end.value, seen


@pytest.fixture
def make(tmp_path):
    made = []

    def one(pixels, parents=None):
        made.append(project_of(tmp_path / str(len(made)), pixels, parents))
        return made[-1]

    yield one
    for project in made:
        assert faults(project.document) == []
        project.close()


def test_what_goes_on_beyond_follows_and_few_frames_are_looked_at(make):
    pixels = still(1, 2, 3, frames=LONG)
    project = make(exchanged(pixels, 1, 2, range(12, LONG)))
    before, tracks = shown(project.document), dict(project.lineage.tracks)
    _, seen = around(project, range(11, 13))
    assert seen < LONG / 2
    assert np.array_equal(shown(project.document), pixels)
    assert len(project.lineage.tracks) == 3
    project.undo()
    assert np.array_equal(shown(project.document), before)
    assert dict(project.lineage.tracks) == tracks
    assert project.history.undoable is None


def test_the_same_comes_of_it_as_of_the_whole_movie(make, monkeypatch):
    pixels = exchanged(still(1, 2, 3, 4, frames=LONG), 1, 3, range(10, LONG))
    pixels[14:][pixels[14:] == 2] = 9
    for within in (range(9, 11), range(13, 15), range(8, 16), range(20, 22)):
        one, other = make(pixels), make(pixels)
        _, few = around(one, within)
        with monkeypatch.context() as patch:
            patch.setattr(solving, "CONTEXT", LONG)
            _, seen = around(other, within)
        frames = range(LONG)
        assert few < seen == LONG
        assert cells_by_track(one, frames) == cells_by_track(other, frames)


def test_a_confirmed_swap_stays(make):
    project = make(still(1, 2, frames=LONG))
    project.do(Swap(1, 2, 12))
    project.do(Confirm(1))
    before = shown(project.document)
    around(project, range(10, 14))
    assert np.array_equal(shown(project.document), before)


def test_a_division_is_found_and_one_beyond_the_frames_stays(make, monkeypatch):
    world = worlds.enlarge(worlds.one_division)
    still_before = np.repeat(world[:1], 15, 0)
    pixels = np.concatenate([still_before, world, np.repeat(world[-1:], 15, 0)])
    last = int(pixels[-1].max())
    # The daughters divide once more where nothing is asked.
    pixels[-2:][pixels[-2:] == last] = last + 1
    project = make(pixels, {last + 1: last})
    whole = make(pixels, {last + 1: last})
    around(project, range(13, 20))
    monkeypatch.setattr(solving, "CONTEXT", len(pixels))
    around(whole, range(13, 20))
    assert last + 1 in parents(project)
    assert len(parents(project)) == len(parents(whole)) == 3


def test_scores_are_those_of_the_links_that_were_decided(make):
    project = make(still(1, 2, frames=LONG))
    solve(project)
    before = project.lineage.scores(1).copy()
    around(project, range(10, 12))
    now = project.lineage.scores(1)
    assert now.shape == before.shape
    rest = [t for t in range(LONG) if t not in (10, 11, 12)]
    np.testing.assert_array_equal(now[rest], before[rest])
    assert np.isfinite(now[[10, 11, 12], LINK]).all()


def test_frames_without_cells_are_told(make):
    pixels = still(1, 2, frames=LONG)
    pixels[5:] = 0
    with pytest.raises(BadInputError, match="frames 15 to 16: expected cells"):
        around(make(pixels), range(15, 17))


@settings(
    deadline=None,
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.randoms(use_true_random=False))
def test_whatever_was_edited_what_is_confirmed_or_elsewhere_stays(random):
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(solving, "CONTEXT", 1)
        project = project_of(Path(folder) / "p", family_pixels(), {2: 1, 3: 1})
        with project:
            for _ in range(random.randint(0, 8)):
                try:
                    project.do(by_chance(random, project.document))
                except EditError:
                    continue
            before, sure = state(project.document), sure_facts(project.document)
            first = random.randrange(SMALL[0])
            within = range(first, random.randint(first + 1, SMALL[0]))
            early, late = range(within.start), range(within.stop, SMALL[0])
            apart = [cells_by_track(project, part) for part in (early, late)]
            try:
                around(project, within, most_gap=random.randint(0, 2))
            except BadInputError:
                assert state(project.document) == before
                return
            assert faults(project.document) == []
            assert keeps(sure_facts(project.document), sure)
            assert [cells_by_track(project, part) for part in (early, late)] == apart
            if state(project.document) != before:
                project.undo()
                assert state(project.document) == before
