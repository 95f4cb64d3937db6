from unittest.mock import Mock

import numpy as np
import pytest

from napari_semiconv.errors import SaveError
from napari_semiconv.movie import movie_from_array
from napari_semiconv.workspace import Workspace, beside, free_folder


@pytest.fixture
def workspace():
    return Workspace()


def movie(**facts):
    return movie_from_array(np.zeros((3, 4, 5)), "TYX", **facts)


def test_a_change_is_told_once_and_no_change_is_not(workspace):
    hear = Mock()
    workspace.events.connect(hear)
    workspace.message = "Hello."
    workspace.message = "Hello."
    assert hear.call_count == 1


def test_two_movies_of_arrays_can_be_told_apart(workspace):
    hear = Mock()
    workspace.events.movie.connect(hear)
    workspace.movie = first = movie()
    workspace.movie = movie()
    workspace.movie = workspace.movie
    assert hear.call_count == 2
    assert workspace.movie is not first


def test_beginning_forgets_the_last_error(workspace):
    workspace.fail("It is broken.")
    assert (workspace.error, workspace.activity) == ("It is broken.", "idle")
    workspace.begin("running", "Starting ...", total=9)
    assert (workspace.error, workspace.activity, workspace.total) == ("", "running", 9)


def test_the_time_left_forgets_the_slow_first_frame(workspace):
    assert workspace.seconds_left is None
    workspace.advance(1, 10, 30.0)
    assert workspace.seconds_left == pytest.approx(270)
    workspace.advance(2, 10, 1.0)
    assert workspace.seconds_left == pytest.approx(8)
    workspace.advance(3, 10, 2.0)
    assert workspace.seconds_left == pytest.approx(7 * 1.2)


def test_results_lie_beside_the_movie(tmp_path):
    assert beside(movie(path=tmp_path / "a.tif")) == tmp_path


def test_a_movie_from_memory_has_no_place_for_results():
    assert beside(movie()) is None


def test_no_place_where_writing_is_not_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert beside(movie(path=tmp_path / "a.tif")) is None


def test_an_earlier_result_is_never_overwritten(tmp_path):
    first = free_folder(tmp_path, "a", ".semiconv")
    assert first == tmp_path / "a.semiconv"
    first.mkdir()
    second = free_folder(tmp_path, "a", ".semiconv")
    assert second == tmp_path / "a-2.semiconv"
    second.mkdir()
    assert free_folder(tmp_path, "a", ".semiconv") == tmp_path / "a-3.semiconv"


def test_a_parent_that_is_no_folder_is_said(tmp_path):
    with pytest.raises(SaveError, match="expected a folder"):
        free_folder(tmp_path / "missing", "a", "")
