import numpy as np
import pytest
import tifffile
from skimage.io import imsave

from napari_semiconv.errors import BadInputError
from napari_semiconv.io.movies.opener import open_movie


@pytest.mark.parametrize("suffix", [".tif", ".png", ".txt"])
def test_what_is_no_image_is_refused_by_content(tmp_path, suffix):
    path = tmp_path / f"notes{suffix}"
    path.write_text("cells were seen", encoding="utf-8")
    with pytest.raises(BadInputError, match="is not an image"):
        open_movie(path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "cells.tif"
    path.touch()
    with pytest.raises(BadInputError, match=r"cells.tif is empty"):
        open_movie(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="cannot be opened: No such file"):
        open_movie(tmp_path / "cells.tif")


def test_an_image_under_a_wrong_name_is_read(tmp_path):
    path = tmp_path / "cells.dat"
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    tifffile.imwrite(path, image)
    np.testing.assert_array_equal(open_movie(path).frame(0), image)


def test_a_png_is_a_movie_of_one_frame(tmp_path):
    path = tmp_path / "cells.png"
    image = np.arange(12, dtype=np.uint16).reshape(3, 4) * 999
    imsave(path, image, check_contrast=False)
    movie = open_movie(path)
    assert (movie.axes, len(movie), movie.dtype) == ("YX", 1, np.uint16)
    np.testing.assert_array_equal(movie.frame(0), image)


def test_a_colour_png_has_channels(tmp_path):
    path = tmp_path / "cells.png"
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    imsave(path, image, check_contrast=False)
    movie = open_movie(path).with_choices(channel=2)
    assert (movie.axes, movie.size("C")) == ("CYX", 3)
    np.testing.assert_array_equal(movie.frame(0), image[..., 2])
    assert "colour samples" in movie.notes[0]


def test_a_truncated_png_is_refused(tmp_path):
    path = tmp_path / "cells.png"
    imsave(path, np.eye(64, dtype=np.uint8), check_contrast=False)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(BadInputError, match=r"cells.png cannot be read"):
        open_movie(path)


def test_a_result_is_not_a_movie(tmp_path):
    (tmp_path / "result.json").touch()
    with pytest.raises(BadInputError, match="is a result"):
        open_movie(tmp_path)


@pytest.mark.parametrize(
    ("folder", "frames", "shape"),
    [
        ("DIC-C2DH-HeLa", 84, (512, 512)),
        ("Fluo-C2DL-MSC", 48, (832, 992)),
        ("Fluo-N2DH-GOWT1", 92, (1024, 1024)),
        ("Fluo-N2DH-SIM+", 65, (690, 628)),
        ("PhC-C2DL-PSC", 100, (576, 720)),
    ],
)
def test_the_real_movies(data, folder, frames, shape):
    movie = open_movie(data / folder / "01")
    assert (movie.axes, len(movie), movie.frame_shape) == ("TYX", frames, shape)
    assert movie.notes == ()
    expected = tifffile.imread(data / folder / "01" / f"t{frames - 1:03d}.tif")
    np.testing.assert_array_equal(movie.frame(frames - 1), expected)
