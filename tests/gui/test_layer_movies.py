import numpy as np
import pytest
import tifffile
from napari.layers import Image
from tests.gui.movies import dish, write_dish

from napari_semiconv.errors import BadInputError
from napari_semiconv.gui.layer_movies import (
    file_of,
    movie_of_layer,
    tracked_of_layer,
)
from napari_semiconv.gui.movie_layer import movie_layer
from napari_semiconv.movie import movie_from_array


def test_a_movie_of_a_layer_keeps_names_and_units():
    layer = Image(
        np.zeros((6, 4, 5)),
        name="mine",
        scale=(2, 0.5, 0.5),
        units=("min", "um", "um"),
        axis_labels=("t", "y", "x"),
    )
    movie = movie_of_layer(layer)
    assert (movie.name, movie.axes, movie.notes) == ("mine", "TYX", ())
    assert movie.pixel_size == (0.5, 0.5)
    assert movie.frame_interval == 120.0


def test_what_a_layer_does_not_say_is_guessed_and_told():
    movie = movie_of_layer(Image(np.zeros((6, 4, 5)), scale=(1, 0.5, 0.5), name="m"))
    assert movie.axes == "TYX"
    assert movie.pixel_size == (0.5, 0.5)
    assert movie.frame_interval is None
    axes, scale = movie.notes
    assert "taken as TYX" in axes
    assert "no unit" in scale


def test_a_layer_of_ours_gives_its_movie_back():
    movie = movie_from_array(np.zeros((4, 3, 5)), "TYX", "dish")
    assert movie_of_layer(Image(**movie_layer(movie))) is movie


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Image(np.zeros((4, 4, 3), np.uint8), rgb=True), "colour image"),
        (Image(np.zeros((1, 1, 1, 1, 4, 4))), "found 6"),
    ],
)
def test_layers_that_cannot_be_movies_are_refused(layer, words):
    with pytest.raises(BadInputError, match=words):
        movie_of_layer(layer)


def test_a_layer_that_shows_its_file_gives_the_file(tmp_path, make_layer):
    path = write_dish(tmp_path / "dish.tif", frames=3)
    movie = file_of(make_layer(dish(frames=3), path))
    assert movie.path == path
    assert (movie.pixel_size, movie.frame_interval) == ((0.5, 0.5), 300.0)


def test_a_layer_that_was_changed_since_it_was_read_is_not_its_file(
    tmp_path, make_layer
):
    path = write_dish(tmp_path / "dish.tif", frames=3)
    assert file_of(make_layer(dish(frames=3) + 1, path)).path is None
    tifffile.imwrite(tmp_path / "other.tif", np.zeros((5, 64, 64), np.uint8))
    assert file_of(make_layer(dish(frames=3), tmp_path / "other.tif")).path is None


@pytest.fixture
def make_layer():
    """Make a layer as napari does when it opens a file."""
    from napari.layers._source import layer_source

    def make_layer(data, path):
        with layer_source(path=str(path)):
            return Image(data, name="dish", axis_labels=("t", "y", "x"))

    return make_layer


def test_cells_of_a_layer_are_numbers_through_time():
    movie = movie_from_array(np.zeros((3, 4, 5)), "TYX", "dish", pixel_size=(1.0, 2.0))
    labels = np.zeros((3, 4, 5), np.uint16)
    labels[:2, 0, 0], labels[2, 3, 3] = 3, 9
    found = tracked_of_layer(labels, "mine", movie)
    tracks = found.lineage.tracks
    assert {n: list(track.frames) for n, track in tracks.items()} == {3: [0, 1], 9: [2]}
    np.testing.assert_array_equal(found.read(2), labels[2])
    assert (found.pixel_size, found.movie) == ((1.0, 2.0), movie)


def test_cells_of_another_movie_are_refused():
    movie = movie_from_array(np.zeros((3, 4, 5)), "TYX", "dish")
    with pytest.raises(BadInputError, match=r"\(3, 4, 5\), as the movie dish"):
        tracked_of_layer(np.zeros((2, 4, 5), int), "mine", movie)
