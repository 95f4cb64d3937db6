import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_semiconv.errors import BadInputError, UnreadableFrameError
from napari_semiconv.gui.layers import (
    LayerBoard,
    MovieArray,
    make_tracks,
    movie_layer,
    movie_of_layer,
    placement,
)
from napari_semiconv.movie import ArraySource, Movie, movie_from_array

UNITS = {"pixel_size": (0.5, 0.25), "frame_interval": 300.0}


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def board(viewer):
    return LayerBoard(viewer)


@pytest.fixture
def movie():
    pixels = np.arange(4 * 3 * 5, dtype=np.uint16).reshape(4, 3, 5)
    return movie_from_array(pixels, "TYX", "dish", **UNITS)


def units(layer):
    return tuple(str(unit) for unit in layer.units)


def test_a_movie_array_is_read_frame_by_frame(movie):
    array = MovieArray(movie)
    pixels = movie.source.data
    assert (array.shape, array.ndim, array.dtype) == ((4, 3, 5), 3, np.uint16)
    np.testing.assert_array_equal(array[2], pixels[2])
    np.testing.assert_array_equal(array[1, :, 2:4], pixels[1, :, 2:4])
    np.testing.assert_array_equal(array[1:3], pixels[1:3])
    np.testing.assert_array_equal(array[np.int64(3), 1], pixels[3, 1])
    assert array[2:2].shape == (0, 3, 5)


def test_an_unreadable_frame_is_said_once_and_shown_black(movie, monkeypatch):
    said = []
    monkeypatch.setattr("napari_semiconv.gui.layers.show_warning", said.append)

    class Damaged(ArraySource):
        def plane(self, position):
            raise UnreadableFrameError("Frame 1 is damaged.", 1)

    source = Damaged(movie.source.data, "TYX")
    array = MovieArray(Movie("dish", source, "TYX"))
    assert not array[1].any()
    assert not array[1].any()
    assert said == ["Frame 1 is damaged."]


def test_every_layer_has_the_units_of_the_movie(viewer, board, movie):
    board.show_movie(movie)
    board.show_preview(2, np.ones((3, 5), np.int32))
    board.show_cells(np.ones((4, 3, 5), np.int32))
    rows = np.array([[1, 0, 1.0, 1.0], [1, 1, 1.0, 2.0], [2, 2, 0.0, 0.0]])
    board.show_tracks(make_tracks(rows, {2: 1}, movie))
    assert len(viewer.layers) == 3
    for layer in viewer.layers:
        assert tuple(layer.scale) == (300.0, 0.5, 0.25)
        assert units(layer) == ("second", "micrometer", "micrometer")
        assert layer.axis_labels == ("t", "y", "x")
    assert viewer.layers["dish tracks"].graph == {2: [1]}


def test_a_second_run_hides_what_the_first_showed(viewer, board, movie):
    rows = np.array([[1, 0, 1.0, 1.0], [1, 1, 1.0, 2.0]])
    board.show_movie(movie)
    board.show_cells(np.ones((4, 3, 5), np.int32))
    board.show_tracks(make_tracks(rows, {}, movie))
    board.show_cells(np.ones((4, 3, 5), np.int32))
    names = [layer.name for layer in viewer.layers if layer.visible]
    assert names == ["dish", "dish cells [1]"]


def test_unknown_units_are_pixels():
    where = placement(movie_from_array(np.zeros((2, 3, 3)), "TYX"))
    assert where["scale"] == (1.0, 1.0, 1.0)
    assert where["units"] == ("pixel", "pixel", "pixel")


def test_the_movie_starts_at_its_beginning_and_tells_its_frame(viewer, board, movie):
    board.show_movie(movie)
    assert board.current_frame() == 0
    viewer.dims.set_point(0, 600.0)
    assert board.current_frame() == 2


def test_a_preview_lies_on_its_frame_alone(viewer, board, movie):
    board.show_movie(movie)
    board.show_preview(2, np.ones((3, 5), np.int32))
    board.show_preview(3, np.ones((3, 5), np.int32))
    (layer,) = [layer for layer in viewer.layers if layer.name == "dish preview"]
    assert tuple(layer.translate) == (900.0, 0.0, 0.0)
    assert layer.data.shape == (1, 3, 5)
    assert not layer.editable


def test_cells_take_the_place_of_the_preview_and_hide_earlier_cells(
    viewer, board, movie
):
    board.show_movie(movie)
    board.show_preview(2, np.ones((3, 5), np.int32))
    board.show_cells(np.ones((4, 3, 5), np.int32))
    assert tuple(viewer.layers["dish cells"].translate) == (0.0, 0.0, 0.0)
    board.show_cells(np.ones((4, 3, 5), np.int32))
    assert [layer.name for layer in viewer.layers] == [
        "dish",
        "dish cells",
        "dish cells [1]",
    ]
    assert [layer.visible for layer in viewer.layers] == [True, False, True]


def test_a_finished_frame_in_view_is_drawn_again(viewer, board, movie):
    board.show_movie(movie)
    board.show_cells(np.zeros((4, 3, 5), np.int32))
    drawn = []
    viewer.layers["dish cells"].events.set_data.connect(drawn.append)
    board.show_frame(1)
    assert not drawn
    board.show_frame(0)
    assert len(drawn) == 1


def test_cells_of_a_run_without_frames_go(viewer, board, movie):
    board.show_movie(movie)
    board.show_cells(np.zeros((4, 3, 5), np.int32))
    board.drop_cells()
    assert [layer.name for layer in viewer.layers] == ["dish"]


def test_corrected_units_move_no_pixel(viewer, board, movie):
    board.show_movie(movie)
    board.show_preview(2, np.ones((3, 5), np.int32))
    board.show_movie(movie.with_choices(pixel_size=(1.0, 1.0), frame_interval=None))
    image, preview = viewer.layers
    assert tuple(image.scale) == tuple(preview.scale) == (1.0, 1.0, 1.0)
    assert units(image) == ("pixel", "micrometer", "micrometer")
    assert tuple(preview.translate) == (2.0, 0.0, 0.0)


def test_corrected_axes_give_another_image(viewer, board, movie):
    board.show_movie(movie)
    board.show_movie(movie.with_choices(axes="ZYX"))
    (image,) = viewer.layers
    assert image.data.shape == (1, 3, 5)
    assert image.data[0].max() == movie.source.data.max()


def test_the_layer_of_another_movie_is_left_to_the_user(viewer, board, movie):
    board.show_movie(movie)
    board.show_movie(movie_from_array(np.zeros((2, 4, 4)), "TYX", "other"))
    assert [layer.name for layer in viewer.layers] == ["dish", "other"]


def test_contrast_is_taken_from_the_first_frame_even_if_it_is_odd():
    flat = movie_from_array(np.full((2, 4, 4), np.nan), "TYX")
    assert movie_layer(flat)["contrast_limits"] == (0.0, 1.0)
    zero = movie_from_array(np.zeros((2, 4, 4)), "TYX")
    low, high = movie_layer(zero)["contrast_limits"]
    assert low < high


def test_image_layers_are_offered_and_changes_are_told(viewer, board, movie):
    heard = []
    board.on_change(lambda: heard.append(board.image_names()))
    viewer.add_image(np.zeros((2, 4, 4)), name="mine")
    viewer.layers["mine"].name = "ours"
    viewer.add_labels(np.zeros((2, 4, 4), int))
    assert heard[0] == ("mine",)
    assert board.image_names() == ("ours",)
    board.show_movie(movie)
    assert board.image_names() == ("ours",)
    board.close()
    told = len(heard)
    viewer.add_image(np.zeros((2, 4, 4)))
    assert len(heard) == told


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


def test_a_layer_of_ours_gives_its_movie_back(movie):
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


def test_a_layer_taken_as_movie_gets_labels_where_it_lies(viewer, board):
    viewer.add_image(np.zeros((6, 4, 5)), name="mine", translate=(0, 10, 20))
    board.show_movie(board.open_layer("mine"))
    board.show_cells(np.zeros((6, 4, 5), np.int32))
    image, cells = viewer.layers
    assert tuple(cells.translate) == tuple(image.translate) == (0, 10, 20)
    assert image.axis_labels == ("t", "y", "x")


def test_a_layer_with_slices_is_shown_once_more_as_it_is_understood(viewer, board):
    viewer.add_image(np.zeros((6, 2, 4, 5)), name="deep")
    board.show_movie(board.open_layer("deep"))
    assert [layer.ndim for layer in viewer.layers] == [4, 3]
