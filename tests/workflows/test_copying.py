"""A movie that is only in memory is kept where it can be read again."""

import errno

import numpy as np
import pytest

from napari_semiconv.errors import SaveError
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.workflows.copying import MovieCopy, keep, same_pixels
from napari_semiconv.workflows.progress import Progress, StoppedError, finish


@pytest.fixture
def movie(random):
    """Two channels, three slices; the second channel and the maximum are looked at."""
    images = random.integers(0, 999, (4, 2, 3, 8, 9)).astype(np.uint16)
    return movie_from_array(
        images,
        "TCZYX",
        "mine",
        channel=1,
        pixel_size=(0.5, 0.25),
        frame_interval=60.0,
    )


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_looked_at_becomes_a_file_with_its_units(movie, tmp_path):
    seen = []
    kept = finish(keep(movie, tmp_path / "deep" / "p.semiconv"), seen.append)
    assert kept.path == tmp_path / "deep" / "p.zarr"
    assert (kept.name, kept.axes) == ("mine", "TYX")
    assert (kept.pixel_size, kept.frame_interval) == ((0.5, 0.25), 60.0)
    for t in range(len(movie)):
        assert np.array_equal(kept.frame(t), movie.frame(t))
        assert kept.frame(t).dtype == np.uint16
    assert seen[:4] == [Progress("copying", n, 4) for n in range(1, 5)]
    assert "p.zarr" in seen[4].note
    assert np.array_equal(open_movie(kept.path).frame(2), movie.frame(2))


def test_a_movie_that_is_a_file_stays_where_it_lies(choice, tmp_path):
    movie = choice.open()
    before = left_in(tmp_path)
    seen = []
    assert finish(keep(movie, tmp_path / "p.semiconv"), seen.append) is movie
    assert seen == []
    assert left_in(tmp_path) == before


def test_a_file_of_that_name_is_never_replaced(movie, tmp_path):
    (tmp_path / "p.zarr").write_text("mine")
    with pytest.raises(SaveError, match="Choose another name for the project"):
        finish(keep(movie, tmp_path / "p.semiconv"))
    assert (tmp_path / "p.zarr").read_text() == "mine"
    assert left_in(tmp_path) == ["p.zarr"]


def test_stopped_nothing_is_kept(movie, tmp_path):
    seen = []
    with pytest.raises(StoppedError):
        finish(keep(movie, tmp_path / "p", lambda: len(seen) == 2), seen.append)
    assert len(seen) == 2
    assert left_in(tmp_path) == []


def test_closed_early_nothing_is_kept(movie, tmp_path):
    steps = keep(movie, tmp_path / "p")
    next(steps)
    steps.close()
    assert left_in(tmp_path) == []


def test_a_full_disk_is_told_and_nothing_is_kept(movie, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("zarr.Array.__setitem__", full)
    with pytest.raises(SaveError, match="could not be copied to"):
        finish(keep(movie, tmp_path / "p"))
    assert left_in(tmp_path) == []


def test_a_copy_copies_every_frame_once(movie, tmp_path):
    copy = MovieCopy(movie, tmp_path / "copy.zarr")
    assert len([*copy.steps([1, 2])]) == 2
    assert [*copy.steps([1, 2])] == []
    assert [*copy.steps([0, 1])] == [Progress("copying", 1, 1)]
    found = copy.choice(movie).open()
    for t in (0, 1, 2):
        assert np.array_equal(found.frame(t), movie.frame(t))
    assert (found.name, found.pixel_size) == ("mine", (0.5, 0.25))


def test_a_copy_holds_the_channel_and_slice_that_were_looked_at(movie, tmp_path):
    copy = MovieCopy(movie, tmp_path / "copy.zarr")
    assert copy.holds(movie)
    assert copy.holds(movie.with_choices(pixel_size=(1.0, 1.0)))
    assert not copy.holds(movie.with_choices(channel=0))
    assert not copy.holds(movie.with_choices(z=1))
    other = movie_from_array(np.zeros((4, 8, 9), np.uint16), "TYX")
    assert not copy.holds(other)
    assert same_pixels(movie, movie)
