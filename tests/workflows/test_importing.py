"""A project of masks and tracks that any program found."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from tests.edits.worlds import faults, shown
from tests.old_results import write_old_result
from tests.tracked_worlds import PARENTS, lively, tracked_of
from tests.workflows.test_progress import let_go_on_when_joined

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.formats import format_of
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.workflows.importing import import_tracked
from napari_semiconv.workflows.progress import StoppedError, finish


@pytest.fixture
def movie(tmp_path):
    path = tmp_path / "movie.tif"
    images = lively.astype(np.uint8)
    tifffile.imwrite(path, images, imagej=True, metadata={"axes": "TYX"})
    return open_movie(path)


def imported(source, movie, folder, **more):
    seen = []
    with finish(import_tracked(source, movie, folder, **more), seen.append) as project:
        assert faults(project.document) == []
        parents = {n: t.parent for n, t in project.lineage.tracks.items() if t.parent}
        return shown(project.document), parents, seen


@pytest.mark.parametrize("name", ["tiff", "geff", "ome-zarr"])
def test_masks_and_parents_become_a_project(tmp_path, movie, name):
    form = format_of(name)
    source = tmp_path / f"cells{form.suffix}"
    form.write(tracked_of(lively, PARENTS), source)
    labels, parents, seen = imported(source, movie, tmp_path / "p.semiconv")
    assert np.array_equal(labels, lively)
    assert parents == PARENTS
    told = [(step.done, step.total) for step in seen if step.total]
    assert told == [(n, len(lively)) for n in range(1, len(lively) + 1)]


def test_masks_that_are_open_already(tmp_path, movie):
    labels, parents, _ = imported(tracked_of(lively, PARENTS), movie, tmp_path / "p")
    assert np.array_equal(labels, lively)
    assert parents == PARENTS


def test_a_result_of_the_first_releases_is_converted(tmp_path, movie):
    source = write_old_result(tmp_path / "old.semiconv", lively, PARENTS, movie=movie)
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    labels, parents, _ = imported(source, movie, tmp_path / "new.semiconv")
    assert np.array_equal(labels, lively)
    assert parents == PARENTS
    assert all(path.read_bytes() == data for path, data in before.items())


def test_a_movie_in_memory_is_kept_beside(tmp_path):
    movie = movie_from_array(lively.astype(np.uint8), "TYX", "mine")
    imported(tracked_of(lively), movie, tmp_path / "p.semiconv")
    assert open_movie(tmp_path / "p.zarr").frame_shape == lively.shape[1:]


def test_masks_of_another_size_are_refused_and_nothing_is_left(tmp_path, movie):
    with pytest.raises(BadInputError, match="Choose the movie they belong to"):
        imported(tracked_of(lively[:3]), movie, tmp_path / "p.semiconv")
    assert [path.name for path in tmp_path.iterdir()] == ["movie.tif"]


def test_what_holds_no_masks_is_refused(tmp_path, movie):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadInputError, match="found none of them"):
        imported(tmp_path / "notes.txt", movie, tmp_path / "p.semiconv")
    assert not (tmp_path / "p.semiconv").exists()


def test_a_folder_with_files_is_not_written_into(tmp_path, movie):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "thesis.docx").write_text("years of work")
    with pytest.raises(SaveError, match="expected a new or empty folder"):
        imported(tracked_of(lively), movie, tmp_path / "p")
    assert (tmp_path / "p" / "thesis.docx").read_text() == "years of work"


def test_stopped_nothing_is_kept(tmp_path, movie):
    seen = []
    steps = import_tracked(
        tracked_of(lively), movie, tmp_path / "p", stop=lambda: len(seen) > 2
    )
    with pytest.raises(StoppedError):
        finish(steps, seen.append)
    assert [path.name for path in tmp_path.iterdir()] == ["movie.tif"]
    imported(tracked_of(lively), movie, tmp_path / "p")


def test_closed_early_nothing_is_kept(tmp_path, movie, monkeypatch):
    gate = threading.Semaphore(0)

    def read(frame):
        assert frame < 3 or gate.acquire(timeout=20)
        return lively[frame]

    source = replace(tracked_of(lively), read=read)
    steps = import_tracked(source, movie, tmp_path / "p")
    assert any(step.done == 2 for step in steps)
    let_go_on_when_joined(gate, monkeypatch)
    steps.close()
    assert [path.name for path in tmp_path.iterdir()] == ["movie.tif"]
