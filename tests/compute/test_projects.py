"""The network runs for a project: frames are taken over as they come."""

import sys
from pathlib import Path

import numpy as np
import pytest
from napari_semiconv.compute.projects import resume_project, run_project
from tests.edits.worlds import faults, shown

from napari_semiconv.compute.messages import Finished, FrameDone, Solving
from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import BadInputError, ComputeError, SaveError
from napari_semiconv.project.project import Project
from napari_semiconv.project.runs import computed_frames, unfinished_run
from napari_semiconv.settings import LinkSettings, SegmentSettings

# Tracks stay as the child decided them, which is what most tests here look at.
SETTINGS = SegmentSettings(link=LinkSettings(solver="greedy"))
# A child whose labels depend on all that went before, and that can be gone on with.
CHAIN = """
import sys
from napari_semiconv.compute.__main__ import main
from tests.compute.chain import ChainTools
from tests.stand_in_child import TROUBLE
if sys.argv[1] == "crash at 7":
    class Tools(ChainTools):
        def _work(self, done):
            if done == 7:
                TROUBLE["crash"]()
    main(Tools)
else:
    main(lambda: ChainTools(sys.argv[1]))
"""


@pytest.fixture
def supervisor(tmp_path, monkeypatch):
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("PYTHONPATH", str(root))
    script = tmp_path / "chain_child.py"
    script.write_text(CHAIN)
    started = []

    def start(mode="quick"):
        started.append(Supervisor([sys.executable, str(script), mode]))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def project(tmp_path, long_choice):
    with Project.create(tmp_path / "p.semiconv", long_choice.open()) as project:
        yield project


def follow(steps):
    return list(steps)


def run(project, supervisor, frames=None):
    return follow(run_project(project, SETTINGS, frames, supervisor=supervisor))


def resume(project, supervisor):
    return follow(resume_project(project, supervisor=supervisor))


@pytest.fixture
def expected(tmp_path, long_choice, supervisor):
    """What a run gives that nothing stops."""
    with Project.create(tmp_path / "whole.semiconv", long_choice.open()) as whole:
        run(whole, supervisor())
        return shown(whole.document), dict(whole.lineage.tracks)


def test_a_run_fills_the_project_with_families(project, supervisor):
    messages = run(project, supervisor())
    assert isinstance(messages[-1], Finished)
    assert sum(isinstance(m, FrameDone) for m in messages) == 12
    assert project.lineage.tracks[3].parent == 1
    assert faults(project.document) == []
    assert computed_frames(project) == set(range(12))
    assert unfinished_run(project) is None


def test_tracks_are_weighed_together_in_the_end(project, supervisor):
    steps = run_project(project, SegmentSettings(), supervisor=supervisor())
    messages = follow(steps)
    told = [m for m in messages if isinstance(m, Solving)]
    assert [(m.done, m.total) for m in told] == [(n, 12) for n in range(1, 13)]
    # Blobs that stay where they are were parted by the child every third frame.
    tracks = project.lineage.tracks.values()
    assert all(t.intervals == ((0, 11),) and not t.parent for t in tracks)
    assert messages[-1].tracks == len(tracks)
    assert faults(project.document) == []
    project.undo()
    assert not project.lineage.tracks


def test_a_stop_while_tracks_are_weighed_leaves_them_as_they_came(project, supervisor):
    seen = []
    steps = run_project(
        project,
        SegmentSettings(),
        supervisor=supervisor(),
        stop=lambda: any(isinstance(m, Solving) for m in seen),
    )
    for message in steps:
        seen.append(message)
    assert project.lineage.tracks[3].parent == 1
    assert faults(project.document) == []


def test_a_crash_keeps_the_frames_before_and_the_run_goes_on(
    project, supervisor, expected
):
    with pytest.raises(ComputeError, match="6 frames are finished"):
        run(project, supervisor("crash at 7"))
    assert computed_frames(project) == set(range(6))
    assert faults(project.document) == []
    resume(project, supervisor())
    assert np.array_equal(shown(project.document), expected[0])
    assert dict(project.lineage.tracks) == expected[1]
    project.undo()
    assert not project.lineage.tracks


def test_a_closed_project_goes_on_as_well(project, supervisor, expected):
    with pytest.raises(ComputeError):
        run(project, supervisor("crash at 7"))
    project.close()
    with Project.open(project.folder) as again:
        resume(again, supervisor())
        assert np.array_equal(shown(again.document), expected[0])
        assert dict(again.lineage.tracks) == expected[1]
        assert len(again.info.runs) == 1


def test_a_stop_keeps_the_frames_and_the_run_goes_on(project, supervisor, expected):
    seen = []

    def stop():
        return len(seen) >= 3

    steps = run_project(project, SETTINGS, supervisor=supervisor("steady"), stop=stop)
    for message in steps:
        seen += [message] if isinstance(message, FrameDone) else []
        last = message
    assert last.cancelled
    assert 3 <= len(computed_frames(project)) < 12
    resume(project, supervisor())
    assert np.array_equal(shown(project.document), expected[0])
    assert dict(project.lineage.tracks) == expected[1]


def test_frames_that_were_written_but_not_taken_are_taken(
    project, supervisor, expected
):
    steps = run_project(project, SETTINGS, supervisor=supervisor("steady"))
    for message in steps:
        if isinstance(message, FrameDone) and message.done == 5:
            # As if this program died here: nobody takes what the child still writes.
            break
    steps.close()
    resume(project, supervisor())
    assert np.array_equal(shown(project.document), expected[0])
    assert dict(project.lineage.tracks) == expected[1]


def test_a_part_computed_again_keeps_what_is_confirmed(project, supervisor):
    run(project, supervisor())
    project.do(Paint(4, 99, Region(9, 8, np.ones((4, 6), bool))))
    project.do(Confirm(99))
    kept = shown(project.document) == 99
    run(project, supervisor(), range(3, 8))
    assert (shown(project.document)[kept] == 99).all()
    assert faults(project.document) == []


def test_nothing_to_go_on_with_is_told(project, supervisor):
    with pytest.raises(BadInputError, match="expected a run that stopped"):
        resume(project, supervisor())


def test_a_project_to_read_only_is_not_computed_for(project, supervisor):
    with (
        Project.open(project.folder) as second,
        pytest.raises(SaveError, match="read only"),
    ):
        run(second, supervisor())


def test_a_movie_that_is_gone_is_told_before_anything_starts(
    project, supervisor, long_choice
):
    long_choice.path.rename(long_choice.path.with_name("elsewhere.zarr"))
    with pytest.raises(BadInputError, match="neither there nor beside"):
        run(project, supervisor())
    assert project.info.runs == ()
