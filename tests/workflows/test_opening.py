"""What a path holds, and where the project of a movie lies or is made."""

import os

import numpy as np
import pytest
import tifffile
from tests.old_results import write_old_result
from tests.tracked_worlds import PARENTS, lively, tracked_of

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.formats import format_of
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.project.runs.store import RunStore
from napari_semiconv.workflows.opening import (
    free_folder,
    movie_beside,
    name_of_cells,
    open_project,
    place_for,
    project_beside,
    recognise,
)


@pytest.fixture
def movie(tmp_path):
    path = tmp_path / "Zellen 細胞.tif"
    images = lively.astype(np.uint8)
    tifffile.imwrite(path, images, imagej=True, metadata={"axes": "TYX"})
    return open_movie(path)


def test_a_project(family):
    found = recognise(family.folder)
    assert (found.kind, found.path) == ("project", family.folder)


def test_a_result_of_the_first_releases(tmp_path):
    folder = write_old_result(tmp_path / "old.semiconv", lively, PARENTS)
    assert recognise(str(folder)).kind == "old result"


def test_a_movie(movie, choice, tmp_path):
    assert recognise(movie.path).kind == "movie"
    assert recognise(choice.path).kind == "movie"
    folder = tmp_path / "frames"
    folder.mkdir()
    for t in range(3):
        tifffile.imwrite(folder / f"t{t:03d}.tif", lively[t].astype(np.uint8))
    assert recognise(folder).kind == "movie"


@pytest.mark.parametrize("name", ["ctc", "geff", "tiff", "ome-zarr"])
def test_masks_that_were_exported(tmp_path, name):
    form = format_of(name)
    target = tmp_path / f"cells{form.suffix}"
    form.write(tracked_of(lively, PARENTS), target)
    assert recognise(target).kind == "tracked"


@pytest.mark.parametrize("name", ["trackmate", "csv", "rois"])
def test_what_is_only_written_is_refused_before_its_movie_is_asked_for(tmp_path, name):
    form = format_of(name)
    target = tmp_path / f"cells{form.suffix}"
    form.write(tracked_of(lively, PARENTS), target)
    with pytest.raises(BadInputError, match="be opened as cells again") as caught:
        recognise(target)
    assert form.title in str(caught.value)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("01_GT/", "01_GT"),
        ("01_GT/TRA/", "01_GT"),
        ("run 2.5_RES/", "run 2.5_RES"),
        ("dish_cells.geff/", "dish_cells"),
        ("dish.ome.zarr/", "dish"),
        ("labels.ome.tif", "labels"),
        ("old.semiconv/", "old"),
    ],
)
def test_a_project_of_cells_is_named_after_where_they_lie(tmp_path, path, name):
    target = tmp_path / path
    if path.endswith("/"):
        target.mkdir(parents=True)
    assert name_of_cells(target) == name


@pytest.mark.parametrize("part", ["runs/0001", "labels.zarr", "project.json"])
def test_what_a_project_keeps_for_itself_is_not_opened(family, monkeypatch, part):
    movie = movie_from_array(np.zeros((2, 4, 4), np.uint8), "TYX")
    RunStore.create(family.folder / "runs" / "0001", movie, {}, {})
    path = family.folder / part
    monkeypatch.chdir(path.parent)
    for name in (path, path.name):
        with pytest.raises(BadInputError, match="a project keeps") as caught:
            recognise(name)
        assert f"Open the project: {family.folder}" in str(caught.value)


def test_what_others_call_run_json_hides_no_movie(tmp_path):
    for t in range(3):
        tifffile.imwrite(tmp_path / f"t{t:03d}.tif", lively[t].astype(np.uint8))
    (tmp_path / "run.json").write_text("{}")
    assert recognise(tmp_path).kind == "movie"


def test_nothing_is_told(tmp_path):
    with pytest.raises(BadInputError, match="found nothing there"):
        recognise(tmp_path / "none")


def test_the_project_beside_a_movie_is_found(movie):
    assert project_beside(movie) is None
    folder = movie.path.with_suffix(".semiconv")
    folder.mkdir()
    assert project_beside(movie) is None, "a folder of that name is no project"
    Project.create(folder, movie).close()
    assert project_beside(movie) == folder


def test_a_movie_in_memory_has_no_place(tmp_path):
    movie = movie_from_array(lively.astype(np.uint8), "TYX")
    assert project_beside(movie) is None
    assert place_for(movie) is None


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_may_not_be_written_is_no_place(movie):
    parent = movie.path.parent
    parent.chmod(0o500)
    try:
        assert place_for(movie) is None
    finally:
        parent.chmod(0o700)


def test_a_project_is_made_beside_its_movie(movie):
    assert place_for(movie) == movie.path.parent


def test_the_next_free_name_is_taken(tmp_path):
    names = []
    for _ in range(3):
        folder = free_folder(tmp_path, "cells")
        folder.mkdir()
        names.append(folder.name)
    assert names == ["cells.semiconv", "cells-2.semiconv", "cells-3.semiconv"]
    (tmp_path / "file").write_text("x")
    for parent in (tmp_path / "file", tmp_path / "none"):
        with pytest.raises(SaveError, match="expected a folder to keep projects in"):
            free_folder(parent, "cells")


def test_the_movie_of_an_old_result_is_found_where_it_was(tmp_path, movie):
    result = write_old_result(tmp_path / "old.semiconv", lively, PARENTS, movie=movie)
    assert movie_beside(result).path == movie.path
    movie.path.rename(tmp_path / "elsewhere.tif")
    assert movie_beside(result) is None


def test_the_movie_of_an_old_result_may_never_have_been_a_file(tmp_path):
    assert movie_beside(write_old_result(tmp_path / "old", lively, PARENTS)) is None


def test_a_damaged_old_result_is_told(tmp_path):
    folder = write_old_result(tmp_path / "old", lively, PARENTS)
    (folder / "result.json").write_text("{")
    with pytest.raises(BadInputError, match=r"result\.json"):
        movie_beside(folder)


def test_a_project_that_is_open_elsewhere_is_opened_to_be_read(family):
    with open_project(family.folder) as second:
        assert second.read_only
        assert second.notes
    family.close()
    with open_project(str(family.folder)) as third:
        assert not third.read_only


def test_what_is_no_project_is_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"project\.json"):
        open_project(tmp_path)


def test_a_movie_that_moved_is_named(movie):
    folder = movie.path.with_suffix(".semiconv")
    Project.create(folder, movie).close()
    moved = movie.path.with_name("moved.tif")
    movie.path.rename(moved)
    # Beside another name nothing finds it.
    with open_project(folder, open_movie(moved)) as project:
        assert project.movie().path == moved


def test_a_name_too_long_for_a_project_is_told(tmp_path):
    with pytest.raises(BadInputError, match="Choose a shorter one"):
        free_folder(tmp_path, "x" * 250)
