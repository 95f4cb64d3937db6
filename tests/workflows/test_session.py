"""A session owns what is open, runs one job at a time, and tells every change."""

import threading

import numpy as np
import pytest
from tests.edits.worlds import shown
from tests.stand_in_child import command

from napari_semiconv.compute.messages import Ready
from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import BadInputError, EditError
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.workflows.jobs import BusyError
from napari_semiconv.workflows.session import Session

SETTINGS = SegmentSettings(cell_size=4.0, link=LinkSettings(solver="greedy"))
LONG = 60.0
PIXEL = Region(0, 0, np.ones((1, 2), bool))


@pytest.fixture
def begin():
    """Begin a session whose child behaves as told; it is closed at the end."""
    begun = []

    def one(mode="quick"):
        begun.append(Session(Supervisor(command(mode), patience=LONG)))
        return begun[-1]

    yield one
    for session in begun:
        session.close()


def done(job):
    assert job.wait(LONG)
    assert job.error == ""
    assert job.state == "done"
    return job.outcome


def turn(session, act):
    """Undo or redo, and wait for the end of a step that takes long."""
    act()
    if session.job is not None:
        done(session.job)


def test_a_movie_becomes_a_project_beside_it(begin, long_choice):
    session = begin()
    movies, projects, touched = [], [], []
    session.movie_changed.connect(movies.append)
    session.project_changed.connect(projects.append)
    session.touched.connect(touched.append)
    assert done(session.open(long_choice.path)).kind == "movie"
    outcome = done(session.segment(SETTINGS))
    assert projects == [session.project]
    assert movies == [session.movie]
    assert session.project.folder == long_choice.path.parent / "long.semiconv"
    assert (outcome.done, outcome.total, outcome.cancelled) == (12, 12, False)
    assert {frame for one in touched for frame in one.frames} == {*range(12)}
    assert touched[0].labels == {1, 2}


def test_a_project_is_opened_with_its_movie_and_closed_with_another(begin, long_choice):
    session = begin()
    done(session.open(long_choice.path))
    done(session.segment(SETTINGS))
    folder = session.project.folder
    session.close_project()
    assert session.project is None
    done(session.open(folder))
    assert len(session.movie) == 12
    assert shown(session.project.document).any()
    done(session.open(long_choice.path))
    assert session.project is None
    with Project.open(folder) as free:
        assert not free.read_only


def test_a_project_whose_movie_is_gone_can_be_looked_at(begin, choice):
    session = begin()
    done(session.open(choice.path))
    done(session.segment(SETTINGS))
    folder = session.project.folder
    session.close_project()
    moved = choice.path.rename(choice.path.with_name("elsewhere.zarr"))
    job = session.open(folder)
    done(job)
    assert session.movie is None
    assert any("neither there nor beside" in note for note in job.notes)
    done(session.find_movie(moved))
    assert session.movie.path == moved


def test_one_job_at_a_time(begin, long_choice):
    session = begin("steady")
    done(session.open(long_choice.path))
    job = session.segment(SETTINGS)
    with pytest.raises(BusyError, match="wait for its end"):
        session.preview(0, SETTINGS)
    with pytest.raises(BusyError, match="stop it first"):
        session.close_project()
    job.stop()
    assert job.wait(LONG)
    assert session.job is None


def test_a_stopped_run_goes_on(begin, long_choice):
    session = begin("steady")
    done(session.open(long_choice.path))
    seen = threading.Event()
    session.progressed.connect(lambda job: job.progress.frame == 1 and seen.set())
    job = session.segment(SETTINGS)
    assert seen.wait(LONG)
    job.stop()
    outcome = done(job)
    assert outcome.cancelled
    assert session.unfinished.frames == range(12)
    assert not done(session.go_on()).cancelled
    assert session.unfinished is None


def test_edits_while_a_run_goes_on_are_undone_first_and_the_run_after_its_end(
    begin, long_choice
):
    session = begin("steady")
    done(session.open(long_choice.path))
    seen = threading.Event()
    session.progressed.connect(lambda job: job.progress.frame == 1 and seen.set())
    job = session.segment(SETTINGS)
    assert seen.wait(LONG)
    with pytest.raises(EditError, match="run is still going on"):
        session.undo()
    before = session.project.document.labels(0)
    session.do(Paint(0, 1, PIXEL))
    assert not np.array_equal(session.project.document.labels(0), before)
    session.undo()
    assert np.array_equal(session.project.document.labels(0), before)
    session.redo()
    done(job)
    session.undo()
    assert np.array_equal(session.project.document.labels(0), before)
    turn(session, session.undo)
    assert not shown(session.project.document).any()
    with pytest.raises(EditError, match="nothing to undo"):
        session.undo()


def test_an_edit_before_the_first_frame_of_a_run_is_a_step_of_its_own(
    begin, long_choice
):
    session = begin("steady")
    done(session.open(long_choice.path))
    begun = threading.Event()
    session.project_changed.connect(lambda project: project and begun.set())
    job = session.segment(SETTINGS)
    assert begun.wait(LONG)
    session.do(Paint(11, 7, PIXEL))
    assert session.project.history.undoable == "paint cell 7, frame 11"
    done(job)
    groups = {
        entry.head["group"]
        for entry in session.project.history.journal.entries
        if entry.head["do"] == "edit"
    }
    assert len(groups) == 2


def test_nobody_edits_what_an_export_writes(begin, long_choice, tmp_path, monkeypatch):
    session = begin()
    done(session.open(long_choice.path))
    done(session.segment(SETTINGS))
    write, go = threading.Event(), threading.Event()

    def slow(tracked, target, progress):
        write.set()
        assert go.wait(LONG)
        target.mkdir()

    monkeypatch.setattr(
        "napari_semiconv.io.cells.format.Format.write",
        lambda self, *given: slow(*given),
    )
    job = session.export("ctc", tmp_path / "01_RES")
    assert write.wait(LONG)
    for act in (session.undo, lambda: session.do(Paint(0, 1, PIXEL))):
        with pytest.raises(BusyError, match="edit when it is done"):
            act()
    go.set()
    done(job)
    session.undo()


def test_a_long_step_is_undone_as_a_job_and_nobody_edits_meanwhile(
    begin, long_choice, monkeypatch
):
    session = begin()
    done(session.open(long_choice.path))
    done(session.segment(SETTINGS))
    project = session.project
    before = shown(project.document).copy()
    session.do(Paint(0, 1, PIXEL))
    assert session.undo() != [], "a short step is undone at once"
    go, threads = threading.Event(), []
    turn = project.history._turn

    def slow(way, step):
        threads.append(threading.current_thread())
        assert go.wait(LONG)
        return turn(way, step)

    monkeypatch.setattr(project.history, "_turn", slow)
    for act, cells in ((session.undo, 0), (session.redo, 2)):
        go.clear()
        assert act() == []
        job = session.job
        assert job.title.endswith("do: find and follow cells")
        for other in (session.undo, lambda: session.do(Paint(0, 1, PIXEL))):
            with pytest.raises(BusyError, match="find and follow cells"):
                other()
        go.set()
        assert len(done(job)) >= 12
        assert len(project.lineage.tracks) == cells
    assert threading.current_thread() not in threads
    assert np.array_equal(shown(project.document), before)


def test_a_preview_leaves_nothing(begin, choice):
    session = begin()
    done(session.open(choice.path))
    found = done(session.preview(2, SETTINGS))
    assert (found.frame, found.cells) == (2, 2)
    assert np.array_equal(np.unique(found.labels), [0, 1, 2])
    assert session.project is None
    assert {path.name for path in choice.path.parent.iterdir()} == {choice.path.name}


def test_a_movie_in_memory_is_kept_beside_its_project(begin, tmp_path, choice):
    session = begin()
    images = np.stack([choice.open().frame(t) for t in range(4)])
    session.take_movie(movie_from_array(images, "TYX", "layer"))
    assert done(session.preview(1, SETTINGS)).cells == 2
    with pytest.raises(BadInputError, match="Choose one"):
        session.segment(SETTINGS)
    done(session.segment(SETTINGS, folder=tmp_path / "mine.semiconv"))
    assert session.movie.path == tmp_path / "mine.zarr"
    assert np.array_equal(session.movie.frame(3), images[3])


def test_a_run_that_fails_at_once_leaves_no_project(begin, choice):
    session = begin()
    done(session.open(choice.path))
    job = session.segment(SETTINGS.model_copy(update={"model": "missing"}))
    assert job.wait(LONG)
    assert job.state == "failed"
    assert "Model 'missing'" in job.error
    assert session.project is None
    assert not choice.path.with_suffix(".semiconv").exists()


def test_a_run_that_crashes_keeps_what_is_finished(begin, long_choice):
    session = begin("crash")
    done(session.open(long_choice.path))
    job = session.segment(SETTINGS)
    assert job.wait(LONG)
    assert "1 frame is finished and stays" in job.error
    assert session.project.document.labels(0).any()


def test_what_is_selected_is_told_once(begin):
    session = begin()
    frames, labels = [], []
    session.frame_changed.connect(frames.append)
    session.selection_changed.connect(labels.append)
    for _ in range(2):
        session.go_to(3)
        session.select(frozenset({1}))
    assert (frames, labels) == ([3], [frozenset({1})])


def test_warming_tells_what_there_is_and_jobs_wait_for_it(begin, choice):
    session = begin()
    there, answers = threading.Event(), []
    session.ready.connect(lambda ready: (answers.append(ready), there.set()))
    session.warm(SETTINGS)
    done(session.open(choice.path))
    assert done(session.preview(0, SETTINGS)).cells == 2
    assert there.wait(LONG)
    assert isinstance(answers[0], Ready)
    assert "default" in answers[0].models


def test_closing_stops_the_run_and_saves(begin, long_choice):
    session = begin("steady")
    done(session.open(long_choice.path))
    seen = threading.Event()
    session.progressed.connect(lambda job: job.progress.frame == 1 and seen.set())
    session.segment(SETTINGS)
    assert seen.wait(LONG)
    folder = session.project.folder
    session.close()
    with Project.open(folder) as project:
        assert not project.read_only
        assert project.document.labels(1).any()
        assert list(project.faults()) == []
