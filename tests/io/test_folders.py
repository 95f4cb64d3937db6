import numpy as np
import pytest
import tifffile
from skimage.io import imsave

from napari_semiconv.errors import BadInputError, UnreadableFrameError
from napari_semiconv.io.movies.opener import open_movie

MOVIE = np.arange(12 * 6 * 7, dtype=np.uint16).reshape(12, 6, 7)


def write(folder, names, frames=MOVIE):
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in zip(names, frames, strict=False):
        if name.endswith("tif"):
            tifffile.imwrite(folder / name, frame)
        else:
            imsave(folder / name, frame, check_contrast=False)
    return folder


@pytest.mark.parametrize(
    "pattern", ["t{:03d}.tif", "cell2_{}.tif", "{}.png", "2024 µ frame {} x40.tif"]
)
def test_frames_come_in_the_order_of_their_numbers(tmp_path, pattern):
    folder = write(tmp_path / "01", [pattern.format(t) for t in range(12)])
    movie = open_movie(folder)
    assert (movie.name, movie.axes, movie.notes) == ("01", "TYX", ())
    for t in range(len(movie)):
        np.testing.assert_array_equal(movie.frame(t), MOVIE[t])


def test_numbers_may_begin_anywhere(tmp_path):
    movie = open_movie(write(tmp_path / "m", [f"t{t}.tif" for t in range(95, 107)]))
    np.testing.assert_array_equal(movie.frame(11), MOVIE[11])


def test_the_only_movie_of_a_data_set_is_found(tmp_path):
    write(tmp_path / "set" / "01", ["t000.tif", "t001.tif"])
    (tmp_path / "set" / "01_GT").mkdir()
    movie = open_movie(tmp_path / "set")
    assert len(movie) == 2
    assert movie.path == tmp_path / "set" / "01"
    write(tmp_path / "set" / "02", ["t000.tif"])
    with pytest.raises(BadInputError, match=r"several movies \(01, 02\)"):
        open_movie(tmp_path / "set")


def test_a_single_frame(tmp_path):
    assert len(open_movie(write(tmp_path / "m", ["t000.tif"]))) == 1


def test_a_missing_frame_is_named(tmp_path):
    folder = write(tmp_path / "m", [f"t{t:03d}.tif" for t in (0, 1, 2, 4, 5, 7)])
    with pytest.raises(BadInputError, match="no frame 3, and 1 more are missing"):
        open_movie(folder)
    folder = write(tmp_path / "two", ["t000.tif", "t002.tif"])
    with pytest.raises(BadInputError, match=r"no frame 1\."):
        open_movie(folder)


def test_numbers_in_even_steps_are_told(tmp_path):
    movie = open_movie(write(tmp_path / "m", ["t0.tif", "t10.tif", "t20.tif"]))
    assert len(movie) == 3
    assert "in steps of 10" in movie.notes[0]


def test_frames_of_mixed_size_are_refused(tmp_path):
    frames = [MOVIE[0], MOVIE[1], MOVIE[2, :5]]
    folder = write(tmp_path / "m", ["t0.tif", "t1.tif", "t2.tif"], frames)
    with pytest.raises(BadInputError, match=r"6 x 7 .* t0.tif and 5 x 7 .* t2.tif"):
        open_movie(folder)


def test_an_unreadable_frame_is_told_and_can_be_skipped(tmp_path):
    folder = write(tmp_path / "m", [f"t{t}.tif" for t in range(4)])
    (folder / "t2.tif").write_bytes(b"II*\0")
    movie = open_movie(folder)
    assert "t2.tif" in movie.notes[-1]
    with pytest.raises(UnreadableFrameError, match="frame 2") as caught:
        movie.frame(2)
    assert caught.value.frame == 2
    np.testing.assert_array_equal(movie.frame(3), MOVIE[3])


def test_a_frame_that_changes_its_size_later_is_unreadable(tmp_path):
    folder = write(tmp_path / "m", [f"t{t}.tif" for t in range(3)])
    movie = open_movie(folder)
    tifffile.imwrite(folder / "t1.tif", MOVIE[0, :3])
    with pytest.raises(UnreadableFrameError, match="has changed its size"):
        movie.frame(1)


def test_no_readable_frame(tmp_path):
    folder = write(tmp_path / "m", ["t0.tif", "t1.tif"])
    for path in folder.iterdir():
        path.write_bytes(b"II*\0")
    with pytest.raises(BadInputError, match="none of its frames can be read"):
        open_movie(folder)


def test_an_empty_folder(tmp_path):
    with pytest.raises(BadInputError, match="found neither"):
        open_movie(tmp_path)


def test_frames_without_numbers(tmp_path):
    folder = write(tmp_path / "m", ["one.tif", "two.tif"])
    with pytest.raises(BadInputError, match="with frame numbers"):
        open_movie(folder)


def test_files_without_a_number_are_left_out_and_told(tmp_path):
    folder = write(tmp_path / "m", ["t0.tif", "t1.tif", "mean.tif", ".hidden3.tif"])
    movie = open_movie(folder)
    assert len(movie) == 2
    assert "mean.tif" in movie.notes[0]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["t0.tif", "t1.tif", "u0.tif"], "several .t0.tif, u0.tif"),
        (["t0c0.tif", "t0c1.tif", "t1c0.tif"], "found 2 in names"),
        (["t1.tif", "t01.tif", "t2.tif"], "found frame 1 as"),
    ],
)
def test_folders_that_hold_more_than_one_series(tmp_path, names, found):
    with pytest.raises(BadInputError, match=found):
        open_movie(write(tmp_path / "m", names))


def test_each_file_may_hold_slices(tmp_path):
    frames = np.arange(3 * 5 * 6 * 7, dtype=np.uint16).reshape(3, 5, 6, 7)
    (tmp_path / "m").mkdir()
    for t in range(3):
        tifffile.imwrite(tmp_path / "m" / f"t{t}.tif", frames[t], metadata=None,
                         photometric="minisblack")  # fmt: skip
    movie = open_movie(tmp_path / "m")
    assert movie.axes == "TZYX"
    assert "taken as z slices" in movie.notes[0]
    np.testing.assert_array_equal(movie.frame(2), frames[2].max(0))


def test_files_that_are_movies_themselves_are_refused(tmp_path):
    (tmp_path / "m").mkdir()
    for t in range(2):
        tifffile.imwrite(tmp_path / "m" / f"t{t}.tif", MOVIE, metadata={"axes": "TYX"})
    with pytest.raises(BadInputError, match="found T twice"):
        open_movie(tmp_path / "m")
