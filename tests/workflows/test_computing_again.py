"""From a corrected frame on all is computed again, and what is confirmed stays."""

import shutil

import numpy as np
import pytest
from tests.compute.chain import ChainTools
from tests.edits.worlds import faults, shown

from napari_semiconv.edits.masks import Redraw
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell
from napari_semiconv.errors import BadInputError, ComputeError
from napari_semiconv.project.project import Project
from napari_semiconv.project.runs.run import ProjectRun, unfinished_run
from napari_semiconv.project.runs.states import RunStates
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.workflows.computing_again import compute_again
from napari_semiconv.workflows.progress import finish
from napari_semiconv.workflows.segmenting import go_on, run

# Tracks stay as the child decided them.
SETTINGS = SegmentSettings(link=LinkSettings(solver="greedy"))


def identities(project):
    """Labels of both cells in every frame, by where they lie."""
    return [
        tuple(int(project.document.labels(t)[place]) for place in ((3, 3), (10, 10)))
        for t in range(project.document.shape[0])
    ]


@pytest.fixture
def chained(tmp_path, long_choice, chain):
    """A project whose labels depend on all that went before, and its supervisor."""
    child = chain()
    with Project.create(tmp_path / "p.semiconv", long_choice.open()) as project:
        finish(run(project, SETTINGS, supervisor=child))
        tools, folder = ChainTools(), ProjectRun(project, 1).folder
        results = tools.run(long_choice.open(), "default", SETTINGS, range(12))
        (state,) = [one.state() for one in results if one.frame == 5]
        tools.save_state(RunStates(folder).path(5), state)
        yield project, child
        assert faults(project.document) == []


@pytest.mark.parametrize("frame", [6, 7])
def test_the_network_goes_on_from_the_state_before_a_frame(chained, frame):
    project, child = chained
    before = shown(project.document)
    done = finish(compute_again(project, frame, supervisor=child))
    assert (done.done, done.total, done.cancelled) == (12 - frame, 12 - frame, False)
    facts = project.info.runs[-1]
    assert (facts.after, facts.frames, facts.first) == ((1, 5), (6, 11), frame)
    # Nothing was corrected: the same comes of it, by the same labels.
    assert np.array_equal(shown(project.document), before)


def test_only_what_is_not_confirmed_changes(chained):
    project, child = chained
    label = int(project.document.labels(8)[3, 3])
    mine = Region(2, 2, np.ones((2, 2), bool))
    project.do(Redraw(8, label, mine))
    other = int(project.document.labels(9)[10, 10])
    project.do(DeleteCell(9, other))
    corrected, names = shown(project.document), identities(project)
    finish(compute_again(project, 7, supervisor=child))
    after = shown(project.document)
    assert np.array_equal(after[8] == label, corrected[8] == label)
    assert not after[9][10, 10]
    assert np.array_equal(after[:7], corrected[:7])
    assert [n for n, _ in identities(project)] == [n for n, _ in names]
    project.undo()
    assert np.array_equal(shown(project.document), corrected)


def test_a_run_computed_again_that_stopped_goes_on(chained, chain):
    project, child = chained
    before = shown(project.document)
    with pytest.raises(ComputeError, match="run again to go on"):
        finish(compute_again(project, 5, supervisor=chain("crash at 7")))
    assert unfinished_run(project).facts.first == 5
    finish(go_on(project, supervisor=child))
    assert unfinished_run(project) is None
    assert np.array_equal(shown(project.document) > 0, before > 0)
    project.undo()
    assert np.array_equal(shown(project.document), before)


def test_without_a_state_near_the_network_sees_some_frames_before(chained):
    project, child = chained
    states = RunStates(ProjectRun(project, 1).folder)
    for path in states.all().values():
        path.unlink()
    before = shown(project.document) > 0
    finish(compute_again(project, 7, supervisor=child))
    facts = project.info.runs[-1]
    assert (facts.after, facts.frames) == (None, (4, 11))
    assert np.array_equal(shown(project.document) > 0, before)


def test_a_state_that_went_meanwhile_makes_the_network_begin_anew(chained, chain):
    project, child = chained
    before = shown(project.document) > 0
    with pytest.raises(ComputeError, match="run again to go on"):
        finish(compute_again(project, 6, supervisor=chain("crash")))
    assert unfinished_run(project).before is not None
    shutil.rmtree(ProjectRun(project, 1).folder / "states")
    assert unfinished_run(project).before is None
    finish(go_on(project, supervisor=child))
    assert np.array_equal(shown(project.document) > 0, before)


def test_a_damaged_state_makes_the_network_begin_anew(chained):
    project, child = chained
    for path in RunStates(ProjectRun(project, 1).folder).all().values():
        path.write_text("nothing")
    before = shown(project.document) > 0
    finish(compute_again(project, 7, supervisor=child))
    assert np.array_equal(shown(project.document) > 0, before)


def test_what_no_run_computed_is_not_computed_again(chained):
    project, child = chained
    with pytest.raises(BadInputError, match="12 frames"):
        finish(compute_again(project, 12, supervisor=child))
    project.undo()
    with pytest.raises(BadInputError, match="Compute it first"):
        finish(compute_again(project, 3, supervisor=child))
