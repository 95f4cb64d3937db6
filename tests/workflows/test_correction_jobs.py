"""Corrections of a session by the computing process: one step each, or none."""

import threading

import numpy as np
import pytest
import tifffile
from tests.edits.worlds import faults, shown
from tests.stand_in_child import command

from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell
from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.constraints.model import Constraints, Count
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate
from napari_semiconv.workflows.jobs import BusyError
from napari_semiconv.workflows.session import Session

SETTINGS = SegmentSettings(cell_size=4.0, link=LinkSettings(solver="greedy"))
LONG = 60.0
SHAPE = (16, 16)
PIXEL = Region(0, 0, np.ones((1, 2), bool))
# Both ends of the cell that is 6 px wide.
PARTED = Constraints(SHAPE, cannot_link=[[(10, 8), (10, 13)]])
JOINED = Constraints(SHAPE, must_link=[[(10, 8), (10, 13)]])


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
def begin(choice):
    """Begin a session on a movie that a quick child computed; another one corrects."""
    begun = []

    def one(mode="quick", frames=None):
        session = Session(Supervisor(command("quick"), patience=LONG))
        begun.append(session)
        done(session.open(choice.path))
        done(session.segment(SETTINGS, frames))
        if mode != "quick":
            session.supervisor.close()
            session.supervisor = Supervisor(command(mode), patience=LONG)
        return session

    yield one
    for session in begun:
        project = session.project
        if project is not None:
            assert faults(project.document) == []
        session.close()


def unchanged(session, before):
    assert np.array_equal(shown(session.project.document), before)
    return session.project.history.undoable == "find and follow cells"


def test_a_constraint_is_a_job_with_a_place_and_one_step(begin):
    session = begin()
    before = shown(session.project.document)
    states = []
    session.job_changed.connect(lambda job: states.append((job.kind, job.state)))
    assert session.can_constrain(1)
    job = session.constrain(1, PARTED)
    assert job.place == (1, 10, 10)
    assert not done(job).at_hand
    now = session.project.document.labels(1)
    assert now[10, 8] != now[10, 13]
    assert done(session.constrain(1, JOINED)).at_hand
    # Told after the job's end, from its thread.
    session.job_changed.disconnect()
    assert states[0] == ("correct", "running")
    session.undo()
    session.undo()
    assert unchanged(session, before)


def test_corrections_wait_for_one_another(begin):
    session = begin("steady")
    jobs = [session.constrain(t, PARTED) for t in (1, 2, 3)]
    jobs.append(session.add_cell(0, 10, 8))
    assert session.jobs[-1] is jobs[-1]
    with pytest.raises(BusyError, match="Correcting cells of frame 1"):
        session.preview(0, SETTINGS)
    for job in jobs:
        done(job)
    assert session.job is None
    labels = [session.project.document.labels(t) for t in range(4)]
    assert [len(np.unique(one)) - 1 for one in labels] == [3, 3, 3, 3]


def test_one_that_waits_is_stopped_and_changes_nothing(begin):
    session = begin("steady")
    first, second = session.constrain(3, PARTED), session.constrain(1, PARTED)
    second.stop()
    done(first)
    assert second.wait(LONG)
    assert second.state == "stopped"
    assert len(session.project.lineage.cells(1)) == 2


def test_a_cell_is_added_at_a_click_and_confirmed(begin):
    session = begin()
    session.do(DeleteCell(1, 1))
    before, tracks = (
        shown(session.project.document),
        dict(session.project.lineage.tracks),
    )
    job = session.add_cell(1, 3, 3)
    assert job.place == (1, 3, 3)
    done(job)
    label = int(session.project.document.labels(1)[3, 3])
    assert label not in {0, 1, 2}
    assert session.project.lineage.tracks[label].is_confirmed(1)
    session.undo()
    assert np.array_equal(shown(session.project.document), before)
    assert dict(session.project.lineage.tracks) == tracks


def test_where_nothing_is_seen_and_in_confirmed_cells_no_cell_is_added(begin):
    session = begin()
    before = shown(session.project.document)
    assert "sees no cell" in failed(session.add_cell(1, 0, 0))
    assert "lies outside the frame" in failed(session.add_cell(1, 99, 0))
    assert unchanged(session, before)
    session.do(Confirm(2, 1, 1))
    assert "which is confirmed in frame 1" in failed(session.add_cell(1, 10, 8))


def test_frames_that_no_run_computed_are_split_by_shape(begin):
    session = begin(frames=range(2))
    assert [session.can_constrain(t) for t in range(4)] == [True, True, False, False]
    assert "Compute it first" in failed(session.constrain(3, PARTED))
    assert "Compute it first" in failed(session.add_cell(3, 3, 3))
    session.undo()
    assert not session.can_constrain(0)
    session.redo()
    assert session.can_constrain(0)
    session.close_project()
    assert not session.can_constrain(0)
    with pytest.raises(BadInputError, match="Expected an open project"):
        session.constrain(0, PARTED)


@pytest.mark.parametrize("mode", ["crash", "killed", "memory"])
def test_a_child_that_fails_changes_nothing_and_says_so(begin, mode):
    session = begin(mode)
    before = shown(session.project.document)
    error = failed(session.constrain(1, PARTED))
    assert error.endswith(".")
    assert "\n" not in error
    assert unchanged(session, before)


def test_a_stuck_child_is_stopped_and_changes_nothing(begin):
    session = begin()
    session.supervisor.close()
    session.supervisor = Supervisor(command("stuck"), patience=1.0)
    before = shown(session.project.document)
    job = session.constrain(1, PARTED)
    job.stop()
    assert job.wait(LONG)
    assert job.state == "stopped"
    assert unchanged(session, before)


def test_during_a_run_edits_by_hand_are_made_and_others_refused(begin, choice):
    session = begin("steady")
    seen = threading.Event()
    session.progressed.connect(lambda job: job.progress.frame == 1 and seen.set())
    job = session.segment(SETTINGS)
    assert seen.wait(LONG)
    assert not session.can_constrain(0)
    for act in (
        lambda: session.constrain(0, PARTED),
        lambda: session.add_cell(0, 3, 3),
    ):
        with pytest.raises(BusyError, match="Correct this by hand meanwhile"):
            act()
    session.do(Paint(0, 1, PIXEL))
    done(job)
    assert session.project.document.labels(0)[0, 0] == 1


@pytest.mark.slow
def test_the_network_finds_a_cell_that_was_taken_away(tmp_path):
    settings = SyntheticSettings(
        frames=3, height=96, width=96, cells=12, diameter=20, cycle=200
    )
    path = tmp_path / "movie.tif"
    images = simulate(settings, seed=3).images
    tifffile.imwrite(path, images, imagej=True, metadata={"axes": "TYX"})
    session = Session(Supervisor())
    try:
        done(session.open(path))
        done(session.segment(SegmentSettings(cell_size=20.0, device="cpu")))
        document, shares = session.project.document, []
        for label in session.project.lineage.cells(2):
            mask = document.labels(2) == label
            pixels = np.argwhere(mask)
            middle = np.linalg.norm(pixels - pixels.mean(0), axis=1).argmin()
            y, x = pixels[middle].tolist()
            session.do(DeleteCell(2, label))
            done(session.add_cell(2, y, x))
            found = document.labels(2) == document.labels(2)[y, x]
            shares.append((found & mask).sum() / (found | mask).sum())
            session.undo()
            session.undo()
        assert np.median(shares) > 0.9
        assert min(shares) > 0.5
        assert faults(document) == []
    finally:
        session.close()


def test_counts_and_empty_places_have_a_place_too(begin):
    session = begin()
    mask = np.zeros(SHAPE, bool)
    mask[2:6, 2:6] = True
    counted = Constraints(SHAPE, counts=[Count(mask, 1)])
    assert session.constrain(1, counted).place == (1, 4, 4)
    job = session.constrain(2, Constraints(SHAPE, absent=[(3, 3)]))
    assert job.place == (2, 3, 3)
    done(job)
    assert session.project.lineage.cells(2) == [2]


def test_tracks_are_solved_around_a_frame_as_one_step(begin):
    session = begin()
    before = dict(session.project.lineage.tracks)
    done(session.solve_around(range(1, 3)))
    assert session.project.history.undoable.startswith("solve tracks")
    session.undo()
    assert dict(session.project.lineage.tracks) == before
    assert session.project.history.undoable == "find and follow cells"


def test_what_the_network_says_is_shown_beside_other_jobs(begin):
    session = begin()
    ended = []
    session.aside_ended.connect(ended.append)
    job = session.look(2)
    found = done(job)
    assert found.frame == 2
    assert found.pictures["embeddings"].shape == (*SHAPE, 3)
    seen = found.pictures["foreground"] > 0
    assert np.array_equal(seen, session.project.document.labels(2) > 0)
    assert session.job is None
    assert session.project.history.undoable == "find and follow cells"
    session.aside_ended.disconnect()
    assert ended in ([], [job])


def test_a_frame_that_was_looked_at_is_corrected_with_its_maps_at_hand(begin):
    session = begin()
    done(session.look_closer(1))
    assert done(session.constrain(1, PARTED)).at_hand
    assert not done(session.constrain(2, PARTED)).at_hand


def test_looking_makes_way_for_what_is_asked_elsewhere_and_not_here(begin):
    session = begin("steady")
    here = session.look_closer(3)
    assert session.look_closer(3) is here
    assert done(session.constrain(3, PARTED)).at_hand
    assert here.state == "done"
    away = session.look_closer(2)
    done(session.constrain(1, PARTED))
    assert away.wait(LONG)
    assert away.state in ("stopped", "done")
    one, other = session.look(2), session.look(1)
    assert done(other).frame == 1
    assert one.wait(LONG)


def test_nothing_is_looked_at_without_a_run_or_while_one_goes_on(begin):
    session = begin("steady", frames=range(2))
    assert session.look_closer(3) is None
    assert "Compute it first" in failed(session.look(3))
    seen = threading.Event()
    session.progressed.connect(lambda job: job.progress.frame == 0 and seen.set())
    job = session.segment(SETTINGS)
    assert seen.wait(LONG)
    assert session.look_closer(0) is None
    with pytest.raises(BusyError, match="network is busy"):
        session.look(0)
    done(job)
    aside = session.look_closer(3)
    session.close_project()
    assert aside.wait(LONG)
