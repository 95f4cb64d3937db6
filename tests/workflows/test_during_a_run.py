"""What the user corrects while a run goes on stays, and reaches what is to come."""

import threading

import numpy as np
import pytest
from tests.edits.worlds import faults
from tests.stand_in_child import command

from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.edits.masks import NewCell, Redraw
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import MarkEmpty
from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.project.constraints import LiveConstraints, write_constraints
from napari_semiconv.project.runs.run import ProjectRun
from napari_semiconv.project.runs.store import RunStore
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.workflows.session import Session

LONG = 60.0
SHAPE = (16, 16)


@pytest.fixture(params=["greedy", "global"])
def running(request, long_choice):
    """A session whose run of twelve frames has just finished the second one."""
    session = Session(Supervisor(command("steady"), patience=LONG))
    opened = session.open(long_choice.path)
    assert opened.wait(LONG)
    seen = threading.Event()
    session.progressed.connect(lambda job: job.progress.frame == 1 and seen.set())
    link = LinkSettings(solver=request.param)
    job = session.segment(SegmentSettings(cell_size=4.0, link=link))
    assert seen.wait(LONG)
    yield session, job
    assert faults(session.project.document) == []
    session.close()


def done(job):
    assert job.wait(LONG)
    assert (job.state, job.error) == ("done", "")


def test_what_is_corrected_in_finished_frames_stays(running):
    session, job = running
    document = session.project.document
    label = int(document.labels(1)[10, 10])
    session.do(Redraw(1, label, Region(9, 8, np.ones((4, 3), bool))))
    session.do(NewCell(0, Region(0, 12, np.ones((2, 2), bool))))
    new = int(document.labels(0)[0, 12])
    done(job)
    now = document.labels(1)
    assert int((now == now[10, 10]).sum()) == 12
    assert session.project.lineage.tracks[int(now[10, 10])].is_confirmed(1)
    assert int(document.labels(0)[0, 12]) == new
    assert all(session.project.lineage.cells(t) for t in range(12))


def test_what_is_fixed_ahead_reaches_the_network(running):
    session, job = running
    session.do(MarkEmpty(11, 3, 3))
    done(job)
    run = ProjectRun(session.project, 1)
    found = np.asarray(RunStore.open(run.folder).labels[11])
    assert not found[3, 3]
    assert found[10, 10]
    assert not session.project.document.labels(11)[3, 3]
    assert session.project.document.labels(10)[3, 3]


def test_constraints_are_read_anew_when_they_change(tmp_path):
    path = tmp_path / "constraints.npz"
    live = LiveConstraints(path)
    assert len(live) == 0
    assert 3 not in live
    write_constraints(path, [(3, Constraints(SHAPE, absent=[(1, 2)]))])
    assert [*live] == [3]
    assert live[3].absent.tolist() == [[1, 2]]
    write_constraints(path, [(4, Constraints(SHAPE, absent=[(5, 6)]))])
    assert 3 not in live
    assert live[4].absent.tolist() == [[5, 6]]
    path.unlink()
    assert 4 not in live
