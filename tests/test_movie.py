import numpy as np
import pytest

from napari_semiconv.errors import BadInputError, UnreadableFrameError
from napari_semiconv.movie import ArraySource, movie_from_array


def pixels(*shape):
    """Every pixel of another value, so that a wrong index cannot pass."""
    return np.arange(np.prod(shape)).reshape(shape)


class DamagedSource(ArraySource):
    def plane(self, position):
        if position["T"] == 2:
            raise OSError("t002.tif ends too early")
        return super().plane(position)


def test_a_frame_is_read_with_the_chosen_channel_and_slice():
    data = pixels(3, 2, 4, 5, 6)
    movie = movie_from_array(data, "TCZYX", channel=1, z=3)
    assert len(movie) == 3
    assert movie.frame_shape == (5, 6)
    np.testing.assert_array_equal(movie.frame(2), data[2, 1, 3])


def test_the_maximum_over_slices_is_the_default():
    data = -pixels(2, 3, 4, 5)
    movie = movie_from_array(data, "TZYX")
    np.testing.assert_array_equal(movie.frame(1), data[1].max(0))


@pytest.mark.parametrize(
    ("shape", "stored", "corrected", "index"),
    [
        ((4, 5, 6), "ZYX", "TYX", np.s_[3]),
        ((4, 5, 6), "CYX", "TYX", np.s_[3]),
        ((2, 4, 5, 6), "TZYX", "ZTYX", np.s_[1, 3]),
        ((2, 4, 3, 5, 6), "TZCYX", "CTZYX", np.s_[0, 3, 1]),
        ((4, 2, 3, 5, 6), "TZCYX", "TCZYX", np.s_[3, 0, 1]),
    ],
)
def test_corrected_axes_rename_by_place(shape, stored, corrected, index):
    data = pixels(*shape)
    movie = movie_from_array(data, stored).with_choices(axes=corrected)
    if "Z" in corrected:
        movie = movie.with_choices(z=1)
    expected = data[index]
    if corrected == "ZTYX":
        expected = data[1, 3]
    np.testing.assert_array_equal(movie.frame(3), expected)


def test_corrected_axes_let_go_of_a_channel_that_is_no_more():
    movie = movie_from_array(pixels(4, 5, 6), "CYX", channel=3)
    assert movie.with_choices(axes="TYX").channel == 0
    assert movie.with_choices(pixel_size=(1.0, 1.0)).channel == 3


def test_colours_may_be_last_and_axes_swapped():
    data = pixels(4, 5, 6, 3)
    movie = movie_from_array(data, "TYXC", channel=2)
    assert movie.axes == "TCYX"
    np.testing.assert_array_equal(movie.frame(3), data[3, :, :, 2])
    swapped = movie_from_array(data[..., 0], "TXY")
    np.testing.assert_array_equal(swapped.frame(1), data[1, :, :, 0].T)


def test_a_single_image_is_a_movie_of_one_frame():
    movie = movie_from_array(pixels(1, 1), "YX")
    assert len(movie) == 1
    assert movie.frame(0).shape == (1, 1)


@pytest.mark.parametrize("axes", ["TYX", "TTYX", "TAYX", "TCZYX"])
def test_wrong_axes_are_refused(axes):
    with pytest.raises(BadInputError):
        movie_from_array(pixels(2, 3, 4, 5), axes)


def test_choices_outside_the_movie_are_refused():
    movie = movie_from_array(pixels(2, 3, 4, 5), "CZYX")
    for choice in ({"channel": 2}, {"z": 3}, {"axes": "CYX"}, {"axes": "YXCZ"}):
        with pytest.raises(BadInputError):
            movie.with_choices(**choice)


def test_frames_outside_the_movie_do_not_exist():
    movie = movie_from_array(pixels(2, 4, 5), "TYX")
    for t in (-1, 2):
        with pytest.raises(IndexError):
            movie.frame(t)


def test_a_damaged_frame_is_named_and_the_others_are_read():
    source = DamagedSource(pixels(4, 5, 6), "TYX")
    movie = movie_from_array(source.data, "TYX", name="cells")
    movie = movie.with_choices(source=source)
    with pytest.raises(UnreadableFrameError, match="cells: frame 2") as caught:
        movie.frame(2)
    assert caught.value.frame == 2
    assert "t002.tif ends too early" in str(caught.value)
    assert movie.frame(3).shape == (5, 6)
