"""Masks of a run are written once: the project's chunk is the very file of the run."""

import errno
import os

import numpy as np
import pytest
import zarr
from tests.edits.worlds import SHAPE, family_pixels, shown
from zarr.codecs import ZstdCodec

from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.mask_array import chunk_of
from napari_semiconv.project.project import Project
from napari_semiconv.project.runs.masks import new_labels
from napari_semiconv.project.runs.run import begin_run
from napari_semiconv.settings import SegmentSettings

FRAMES = range(SHAPE[0])


@pytest.fixture
def project(tmp_path):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    with Project.create(tmp_path / "p", movie) as project:
        yield project


@pytest.fixture
def run(project):
    """A run of which all frames are written and adopted."""
    run = begin_run(project, FRAMES, SegmentSettings())
    run.folder.mkdir(parents=True)
    masks = new_labels(run.folder / "labels.zarr", SHAPE)
    for frame in FRAMES:
        masks[frame] = family_pixels()[frame]
        run.adopt(frame, {3: [(2, 1), (3, 1)]}.get(frame, []))
    return run


def pair(project, run, frame):
    """Chunks of the project and of the run."""
    places = project.folder / "labels.zarr", run.folder / "labels.zarr"
    return [chunk_of(place, frame) for place in places]


def paint(project):
    project.do(Paint(2, 30, Region(0, 20, np.ones((4, 4), bool))))


def test_frames_that_were_adopted_as_they_are_take_no_room(project, run):
    project.save()
    for frame in FRAMES:
        one, other = pair(project, run, frame)
        assert one.samefile(other)
    assert np.array_equal(shown(project.document), family_pixels())


def test_masks_that_a_run_wrote_in_another_way_are_not_taken(project):
    run = begin_run(project, FRAMES, SegmentSettings())
    run.folder.mkdir(parents=True)
    masks = zarr.create_array(
        run.folder / "labels.zarr",
        shape=SHAPE,
        chunks=(1, *SHAPE[1:]),
        dtype="int32",
        compressors=[ZstdCodec(level=1)],
    )
    for frame in FRAMES:
        masks[frame] = family_pixels()[frame]
        run.adopt(frame, {3: [(2, 1), (3, 1)]}.get(frame, []))
    project.save()
    pairs = [pair(project, run, frame) for frame in FRAMES]
    assert not any(one.samefile(other) for one, other in pairs)
    project.close()
    with Project.open(project.folder) as again:
        assert np.array_equal(shown(again.document), family_pixels())


def test_a_later_edit_does_not_change_the_file_of_the_run(project, run):
    project.save()
    before = [pair(project, run, frame)[1].read_bytes() for frame in FRAMES]
    paint(project)
    project.save()
    same = [
        one.samefile(other) for one, other in (pair(project, run, t) for t in FRAMES)
    ]
    assert same == [frame != 2 for frame in FRAMES]
    assert [pair(project, run, t)[1].read_bytes() for t in FRAMES] == before
    project.close()
    with Project.open(project.folder) as again:
        assert (again.document.labels(2)[:4, 20:24] == 30).all()


def test_an_edit_before_it_is_saved_is_in_the_projects_file_alone(project, run):
    paint(project)
    project.save()
    one, other = pair(project, run, 2)
    assert not one.samefile(other)
    with Project.open(project.folder, write=False) as again:
        assert np.array_equal(shown(again.document), shown(project.document))


def test_a_run_computed_again_leaves_the_projects_frames(project, run):
    """A frame written anew in the run's folder is another file."""
    project.save()
    masks = new_labels(run.folder / "again.zarr", SHAPE)
    masks[3] = np.zeros(SHAPE[1:], np.int32)
    chunk_of(run.folder / "again.zarr", 3).replace(pair(project, run, 3)[1])
    project.close()
    with Project.open(project.folder) as again:
        assert np.array_equal(shown(again.document), family_pixels())


def test_taken_away_the_run_leaves_the_projects_frames(project, run):
    project.close()
    for frame in FRAMES:
        pair(project, run, frame)[1].unlink()
    with Project.open(project.folder) as again:
        assert np.array_equal(shown(again.document), family_pixels())


def test_a_disk_without_links_has_both(project, run, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    project.save()
    for frame in FRAMES:
        one, other = pair(project, run, frame)
        assert not one.samefile(other)
    project.close()
    with Project.open(project.folder) as again:
        assert np.array_equal(shown(again.document), family_pixels())


def test_a_frame_that_differs_is_not_taken_from_the_run(project, run):
    """Of confirmed cells the run knows nothing."""
    project.undo()
    paint(project)
    second = begin_run(project, FRAMES, SegmentSettings())
    second.folder.mkdir(parents=True)
    masks = new_labels(second.folder / "labels.zarr", SHAPE)
    for frame in FRAMES:
        masks[frame] = family_pixels()[frame]
        second.adopt(frame, [])
    project.save()
    one, other = pair(project, second, 2)
    assert not one.samefile(other)
    assert (project.document.labels(2)[:4, 20:24] == 30).all()
