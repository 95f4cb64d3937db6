"""A corrected cell is followed, looked at and accepted as one step."""

import numpy as np
import pytest
import tifffile
from tests.edits.worlds import faults, shown
from tests.stand_in_child import command

from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.masks import NewCell, Redraw
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import EditError
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate
from napari_semiconv.workflows.session import Session

SETTINGS = SegmentSettings(cell_size=4.0, link=LinkSettings(solver="greedy"))
LONG = 60.0
# Half of the cell that is 6 px wide.
HALF = Region(9, 8, np.ones((4, 3), bool))


def done(job):
    assert job.wait(LONG)
    assert job.error == ""
    assert job.state == "done"
    return job.outcome


def failed(job):
    assert job.wait(LONG)
    assert job.state == "failed"
    return job.error


@pytest.fixture
def session(choice):
    """A session on a movie of two still cells in four frames, computed."""
    session = Session(Supervisor(command("quick"), patience=LONG))
    done(session.open(choice.path))
    done(session.segment(SETTINGS))
    yield session
    assert faults(session.project.document) == []
    session.close()


def redrawn(session, frame=0):
    """Draw the second cell anew, half of it; give its label."""
    label = int(session.project.document.labels(frame)[10, 10])
    session.do(Redraw(frame, label, HALF))
    return label


def test_a_cell_is_followed_looked_at_and_accepted(session):
    label = redrawn(session)
    before = shown(session.project.document)
    job = session.follow(0, label, 9)
    assert job.place[0] == 0
    found = done(job)
    assert [mask.frame for mask in found.masks] == [1, 2, 3]
    assert all(mask.agreement == 1 for mask in found.masks)
    # Nothing is changed yet.
    assert np.array_equal(shown(session.project.document), before)
    session.accept(found.until(2))
    labels = shown(session.project.document)
    assert np.array_equal(labels[1] == label, labels[0] == label)
    assert np.array_equal(labels[2] == label, labels[0] == label)
    assert np.array_equal(labels[3], before[3])
    track = session.project.lineage.tracks[label]
    assert all(track.is_confirmed(t) for t in (0, 1, 2))
    assert session.project.history.undoable == f"follow cell {label} to frame 2"
    session.undo()
    assert np.array_equal(shown(session.project.document), before)


def test_the_same_cell_under_another_label_goes(session):
    session.do(NewCell(0, HALF, over=True))
    label = int(session.project.document.labels(0)[9, 9])
    other = int(session.project.document.labels(1)[9, 9])
    assert label != other
    session.accept(done(session.follow(0, label, 1)))
    now = session.project.document.labels(1)
    assert int((now == label).sum()) == HALF.area
    assert not (now == other).any()


def test_confirmed_neighbours_keep_their_pixels(session):
    label = redrawn(session)
    other = int(session.project.document.labels(1)[3, 3])
    session.do(NewCell(1, Region(9, 8, np.ones((4, 1), bool)), over=True))
    new = int(session.project.document.labels(1)[9, 8])
    found = done(session.follow(0, label, 1))
    session.accept(found)
    now = session.project.document.labels(1)
    assert int((now == new).sum()) == 4
    assert int((now == label).sum()) == HALF.area - 4
    assert (now == other).any()


def test_it_ends_where_the_cell_is_confirmed_or_cannot_be_seen(session):
    label = redrawn(session)
    session.do(Confirm(label, 2, 2))
    assert [m.frame for m in done(session.follow(0, label, 9)).masks] == [1]
    session.do(Confirm(label, 1, 1))
    assert "confirmed there" in failed(session.follow(0, label, 9))
    assert "the movie ends" in failed(session.follow(3, label, 9))
    assert "expected it in frame 0" in failed(session.follow(0, 99, 9))
    dark = Region(0, 12, np.ones((2, 2), bool))
    session.do(NewCell(0, dark))
    new = int(session.project.document.labels(0)[0, 12])
    found = done(session.follow(0, new, 9))
    assert found.masks == ()
    assert found.note == "In frame 1 the network does not find the cell again."
    with pytest.raises(EditError, match="found in no frame after 0"):
        session.accept(found)


def test_without_a_run_nothing_is_followed(session):
    session.undo()
    session.do(NewCell(0, HALF))
    label = int(session.project.document.labels(0)[9, 9])
    assert "Compute it first" in failed(session.follow(0, label, 2))


def test_a_stopped_one_changes_nothing(session):
    label = redrawn(session)
    session.supervisor.close()
    session.supervisor = Supervisor(command("steady"), patience=LONG)
    before = shown(session.project.document)
    job = session.follow(0, label, 3)
    job.stop()
    assert job.wait(LONG)
    assert job.state == "stopped"
    assert np.array_equal(shown(session.project.document), before)


@pytest.mark.slow
def test_a_cell_of_a_simulated_movie_is_followed_by_the_network(tmp_path):
    made = simulate(
        SyntheticSettings(
            frames=6, height=96, width=96, cells=12, diameter=20, cycle=200
        ),
        seed=3,
    )
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, made.images, imagej=True, metadata={"axes": "TYX"})
    session = Session(Supervisor())
    try:
        done(session.open(path))
        done(session.segment(SegmentSettings(cell_size=20.0, device="cpu")))
        truth = made.labels
        areas = np.bincount(truth[0].ravel())
        areas[0] = 0
        chosen = int(areas.argmax())
        session.do(NewCell(0, Region.where(truth[0] == chosen), over=True))
        place = tuple(np.argwhere(truth[0] == chosen)[0])
        label = int(session.project.document.labels(0)[place])
        found = done(session.follow(0, label, 5))
        assert [mask.frame for mask in found.masks] == [1, 2, 3, 4, 5]
        session.accept(found)
        for frame in range(6):
            one = session.project.document.labels(frame) == label
            other = truth[frame] == chosen
            assert (one & other).sum() / (one | other).sum() > 0.7
        assert faults(session.project.document) == []
        session.undo()
        assert label in session.project.lineage.cells(0)
        assert label not in session.project.lineage.cells(1)
    finally:
        session.close()
