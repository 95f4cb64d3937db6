"""Every run fills a project: frames are adopted as they come."""

import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from tests.compute.conftest import write_cells
from tests.edits.worlds import faults, shown

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import BadInputError, ComputeError, SaveError
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.project.runs.run import adopted_frames, unfinished_run
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.workflows.progress import Progress, StoppedError, finish
from napari_semiconv.workflows.segmenting import go_on, preview, run, segment

# Tracks stay as the child decided them, which is what most tests here look at.
SETTINGS = SegmentSettings(link=LinkSettings(solver="greedy"))
FRAMES = 12


@dataclass
class Watch:
    """Notes the steps of work, and asks it to stop at one of them."""

    until: object = lambda step: False
    steps: list[Progress] = field(default_factory=list)

    def tell(self, step):
        self.steps.append(step)

    def stop(self):
        return any(map(self.until, self.steps))

    @property
    def frames(self):
        return [step.frame for step in self.steps if step.frame is not None]


@pytest.fixture
def project(tmp_path, long_choice):
    with Project.create(tmp_path / "p.semiconv", long_choice.open()) as project:
        yield project


@pytest.fixture
def expected(tmp_path, long_choice, chain):
    """What a run gives that nothing stops."""
    with Project.create(tmp_path / "whole.semiconv", long_choice.open()) as whole:
        finish(run(whole, SETTINGS, supervisor=chain()))
        yield whole


def frames_of_runs(project):
    """Frames that any run of a project computed."""
    numbers = range(1, len(project.info.runs) + 1)
    return set().union(*(adopted_frames(project, number) for number in numbers))


def contents(folder):
    """All files of a folder, byte by byte."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def check_same(project, expected):
    """As an uninterrupted run left it, to the last byte of masks and runs."""
    assert np.array_equal(shown(project.document), shown(expected.document))
    assert dict(project.lineage.tracks) == dict(expected.lineage.tracks)
    assert faults(project.document) == []
    project.save()
    expected.save()
    for place in ("labels.zarr", "runs/0001/labels.zarr"):
        found = contents(project.folder / place)
        assert len(found) > FRAMES
        assert found == contents(expected.folder / place)
    one, other = (p.folder / "runs/0001/tracks.json" for p in (project, expected))
    assert json.loads(one.read_text()) == json.loads(other.read_text())


def test_a_movie_becomes_a_project_with_families(tmp_path, long_choice, chain):
    watch = Watch()
    folder = tmp_path / "new.semiconv"
    steps = segment(long_choice.open(), folder, SETTINGS, supervisor=chain())
    done = finish(steps, watch.tell)
    assert (done.done, done.total, done.cancelled, done.skipped) == (12, 12, False, {})
    assert watch.frames == [*range(FRAMES)]
    assert [step.cell_size for step in watch.steps if step.cell_size] == [4.0]
    with done.project as project:
        assert project.folder == folder
        assert project.lineage.tracks[3].parent == 1
        assert faults(project.document) == []
        assert frames_of_runs(project) == set(range(FRAMES))
        assert unfinished_run(project) is None


def test_a_movie_in_memory_is_kept_beside_its_project(tmp_path, blobs, random):
    images = np.zeros((3, 16, 16), np.uint8)
    images[:, 2:6, 2:6] = 9
    movie = movie_from_array(images, "TYX", "mine", pixel_size=(0.5, 0.5))
    watch = Watch()
    steps = segment(movie, tmp_path / "mine.semiconv", SETTINGS, supervisor=blobs())
    with finish(steps, watch.tell).project as project:
        assert project.lineage.cells(2) == [1]
        assert project.movie().path == tmp_path / "mine.zarr"
        assert project.movie().pixel_size == (0.5, 0.5)
    copied = [s.done for s in watch.steps if s.stage == "copying" and s.total]
    assert copied == [1, 2, 3]
    assert any("mine.zarr" in step.note for step in watch.steps)


def test_what_fails_before_a_frame_leaves_no_folder(tmp_path, long_choice, blobs):
    folder = tmp_path / "new.semiconv"
    settings = SETTINGS.model_copy(update={"model": "missing"})
    with pytest.raises(ComputeError, match="Model 'missing'"):
        finish(segment(long_choice.open(), folder, settings, supervisor=blobs()))
    assert not folder.exists()


def test_what_fails_after_a_frame_leaves_a_project_that_goes_on(
    tmp_path, long_choice, chain, expected
):
    folder = tmp_path / "new.semiconv"
    steps = segment(
        long_choice.open(), folder, SETTINGS, supervisor=chain("crash at 7")
    )
    with pytest.raises(ComputeError, match="6 frames are finished"):
        finish(steps)
    with Project.open(folder) as project:
        assert frames_of_runs(project) == set(range(6))
        assert finish(go_on(project, supervisor=chain())).done == FRAMES
        check_same(project, expected)


def test_tracks_are_weighed_together_in_the_end(project, chain):
    watch = Watch()
    finish(run(project, SegmentSettings(), supervisor=chain()), watch.tell)
    told = [s for s in watch.steps if s.stage == "tracks" and s.total]
    assert [(s.done, s.total) for s in told] == [(n, 12) for n in range(1, 13)]
    # Blobs that stay where they are were parted by the child every third frame.
    tracks = project.lineage.tracks.values()
    assert all(t.intervals == ((0, 11),) and not t.parent for t in tracks)
    assert faults(project.document) == []
    project.undo()
    assert not project.lineage.tracks


def test_a_stop_while_tracks_are_weighed_leaves_them_as_they_came(project, chain):
    watch = Watch(lambda step: step.stage == "tracks")
    steps = run(project, SegmentSettings(), supervisor=chain(), stop=watch.stop)
    assert finish(steps, watch.tell).cancelled
    assert project.lineage.tracks[3].parent == 1
    assert faults(project.document) == []
    # Going on decides what is left: the tracks.
    assert not finish(go_on(project, supervisor=chain())).cancelled
    tracks = project.lineage.tracks.values()
    assert all(t.intervals == ((0, 11),) and not t.parent for t in tracks)
    assert unfinished_run(project) is None
    project.undo()
    assert not project.lineage.tracks


def test_a_crash_keeps_the_frames_before_and_the_run_goes_on(project, chain, expected):
    with pytest.raises(ComputeError, match="6 frames are finished"):
        finish(run(project, SETTINGS, supervisor=chain("crash at 7")))
    assert frames_of_runs(project) == set(range(6))
    assert faults(project.document) == []
    finish(go_on(project, supervisor=chain()))
    check_same(project, expected)
    project.undo()
    assert not project.lineage.tracks


def test_a_closed_project_goes_on_as_well(project, chain, expected):
    with pytest.raises(ComputeError):
        finish(run(project, SETTINGS, supervisor=chain("crash at 7")))
    project.close()
    with Project.open(project.folder) as again:
        finish(go_on(again, supervisor=chain()))
        check_same(again, expected)
        assert len(again.info.runs) == 1


def test_a_stop_keeps_the_frames_and_the_run_goes_on(project, chain, expected):
    watch = Watch(lambda step: step.frame == 2)
    steps = run(project, SETTINGS, supervisor=chain("steady"), stop=watch.stop)
    stopped = finish(steps, watch.tell)
    assert stopped.cancelled
    assert 3 <= stopped.done == len(frames_of_runs(project)) < FRAMES
    done = finish(go_on(project, supervisor=chain()))
    assert (done.done, done.total, done.cancelled) == (FRAMES, FRAMES, False)
    check_same(project, expected)


def test_frames_that_were_written_but_not_adopted_are_adopted(project, chain, expected):
    steady = chain("steady")
    steps = run(project, SETTINGS, supervisor=steady)
    # As if this program died here: nobody takes what the child still writes.
    assert any(step.frame == 4 for step in steps)
    steps.close()
    steady.close()
    finish(go_on(project, supervisor=chain()))
    check_same(project, expected)


def test_cells_corrected_while_a_run_goes_on_stay(project, chain):
    steps = run(project, SETTINGS, supervisor=chain("steady"))
    assert any(step.frame == 2 for step in steps)
    project.do(Paint(1, 70, Region(0, 12, np.ones((3, 3), bool))))
    finish(steps)
    assert faults(project.document) == []
    assert (project.document.labels(1)[:3, 12:15] == 70).all()
    assert frames_of_runs(project) == set(range(FRAMES))
    # The correction goes first, then all frames of the run at once.
    project.undo()
    assert 70 not in project.lineage.tracks
    project.undo()
    assert not project.lineage.tracks
    project.redo()
    project.redo()
    assert (project.document.labels(1)[:3, 12:15] == 70).all()
    assert faults(project.document) == []


def test_a_part_computed_again_keeps_what_is_confirmed(project, chain):
    finish(run(project, SETTINGS, supervisor=chain()))
    project.do(Paint(4, 99, Region(9, 8, np.ones((4, 6), bool))))
    project.do(Confirm(99))
    kept = shown(project.document) == 99
    done = finish(run(project, SETTINGS, range(3, 8), supervisor=chain()))
    assert (done.done, done.total) == (5, 5), "frames seen before are not counted"
    assert (shown(project.document)[kept] == 99).all()
    assert faults(project.document) == []


def test_nothing_to_go_on_with_is_told(project, chain):
    with pytest.raises(BadInputError, match="expected a run that stopped"):
        finish(go_on(project, supervisor=chain()))


@pytest.mark.parametrize("work", [run, go_on])
def test_a_project_to_read_only_is_not_computed_for(project, chain, work):
    with (
        Project.open(project.folder) as second,
        pytest.raises(SaveError, match="read only"),
    ):
        finish(work(second, supervisor=chain()))


def test_a_movie_that_is_gone_is_told_before_anything_starts(
    project, chain, long_choice
):
    long_choice.path.rename(long_choice.path.with_name("elsewhere.zarr"))
    with pytest.raises(BadInputError, match="neither there nor beside"):
        finish(run(project, SETTINGS, supervisor=chain()))
    assert project.info.runs == ()


def test_a_preview_is_given_and_nothing_is_kept(choice, blobs, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    watch = Watch()
    found = finish(preview(choice, SETTINGS, 2, supervisor=blobs()), watch.tell)
    assert (found.frame, found.cells) == (2, 2)
    assert np.unique(found.labels).tolist() == [0, 1, 2]
    assert [step.cell_size for step in watch.steps] == [4.0, None]
    assert watch.steps[1].masks == found.masks == 0.81
    assert sorted(tmp_path.rglob("*")) == before


def test_a_preview_that_is_stopped_gives_nothing(choice, blobs):
    with pytest.raises(StoppedError):
        finish(preview(choice, SETTINGS, 2, supervisor=blobs(), stop=lambda: True))


def test_masks_of_a_run_are_written_once(tmp_path, blobs):
    """A frame that nobody changed is the very file that the run wrote."""
    movie = write_cells(tmp_path / "movie.zarr", 4).open()
    folder = tmp_path / "p.semiconv"
    finish(segment(movie, folder, SETTINGS, supervisor=blobs())).project.close()
    for frame in range(4):
        chunk = f"labels.zarr/c/{frame}/0/0"
        one, other = (folder / place / chunk for place in ("", "runs/0001"))
        assert one.samefile(other)
