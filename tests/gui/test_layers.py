from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import _layer_actions
from tests.gui.movies import project_of

from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import SemiconvError, UnreadableFrameError
from napari_semiconv.gui import plugin
from napari_semiconv.gui.frame_array import PaintedFrames
from napari_semiconv.gui.layers import CellLayers
from napari_semiconv.gui.movie_layer import (
    MovieArray,
    blank_movie,
    movie_layer,
    placement,
)
from napari_semiconv.movie import ArraySource, Movie, movie_from_array

UNITS = {"pixel_size": (0.5, 0.25), "frame_interval": 300.0}


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def layers(viewer):
    layers = CellLayers(viewer)
    yield layers
    layers.close()


@pytest.fixture
def movie():
    pixels = np.arange(4 * 12 * 15, dtype=np.uint16).reshape(4, 12, 15)
    return movie_from_array(pixels, "TYX", "dish", **UNITS)


@pytest.fixture
def labels():
    """A cell that moves to the right."""
    labels = np.zeros((4, 12, 15), np.int32)
    for t in range(4):
        labels[t, 4:7, 3 * t : 3 * t + 3] = 5
    return labels


@pytest.fixture
def project(tmp_path, movie, labels):
    with project_of(tmp_path / "dish.semiconv", movie, labels) as project:
        yield project


def names(viewer):
    return [layer.name for layer in viewer.layers]


def shown(layer):
    """What a labels layer shows of the frame in view."""
    return layer._slice.image.raw


def test_a_movie_array_is_read_frame_by_frame(movie):
    array = MovieArray(movie)
    pixels = movie.source.data
    assert (array.shape, array.ndim, array.dtype) == ((4, 12, 15), 3, np.uint16)
    np.testing.assert_array_equal(array[2], pixels[2])
    np.testing.assert_array_equal(array[1, :, 2:4], pixels[1, :, 2:4])
    np.testing.assert_array_equal(array[1:3], pixels[1:3])
    np.testing.assert_array_equal(array[np.int64(3), 1], pixels[3, 1])
    assert array[2:2].shape == (0, 12, 15)
    t, y, x = np.array([[3, 1, 3], [0, 11, 5], [2, 14, 2]])
    np.testing.assert_array_equal(array[t, y, x], pixels[t, y, x])
    np.testing.assert_array_equal(np.asarray(array), pixels)


def test_an_unreadable_frame_is_said_once_and_shown_black(movie, monkeypatch):
    said = []
    monkeypatch.setattr("napari_semiconv.gui.frame_array.show_warning", said.append)

    class Damaged(ArraySource):
        def plane(self, position):
            raise UnreadableFrameError("Frame 1 is damaged.", 1)

    source = Damaged(movie.source.data, "TYX")
    array = MovieArray(Movie("dish", source, "TYX"))
    assert not array[1].any()
    assert not array[1].any()
    assert said == ["Frame 1 is damaged."]


def test_every_layer_has_the_units_of_the_movie(viewer, layers, movie, project):
    layers.show_movie(movie)
    layers.show_project(project)
    assert names(viewer) == ["dish", "Cells", "Tracks"]
    for layer in viewer.layers:
        assert tuple(layer.scale) == (300.0, 0.5, 0.25)
        units = tuple(str(unit) for unit in layer.units)
        assert units == ("second", "micrometer", "micrometer")
        assert layer.axis_labels == ("t", "y", "x")


def test_unknown_units_are_pixels():
    where = placement(movie_from_array(np.zeros((2, 3, 3)), "TYX"))
    assert where["scale"] == (1.0, 1.0, 1.0)
    assert where["units"] == ("pixel", "pixel", "pixel")


def test_the_movie_starts_at_its_beginning_and_tells_its_frame(viewer, layers, movie):
    layers.show_movie(movie)
    assert layers.frame() == 0
    viewer.dims.set_point(0, 600.0)
    assert layers.frame() == 2
    layers.go_to(3)
    assert viewer.dims.point[0] == 900.0


def test_cells_and_tails_are_those_of_the_project(
    viewer, layers, movie, project, labels
):
    layers.show_movie(movie)
    layers.show_project(project)
    layers.go_to(2)
    np.testing.assert_array_equal(shown(viewer.layers["Cells"]), labels[2])
    colour = np.rint(255 * viewer.layers["Cells"].get_color(5))
    tail = np.argwhere((shown(viewer.layers["Tracks"]) == colour).all(-1))
    assert [tuple(at) for at in tail] == [(5, x) for x in range(1, 8)]
    assert viewer.layers["Cells"].editable


def test_opening_reads_the_frame_in_view_alone(viewer, layers, movie, project):
    read = []
    document = project.document
    labels = document.labels

    def counted(frame):
        read.append(frame)
        return labels(frame)

    document.labels = counted
    layers.show_movie(movie)
    layers.show_project(project)
    assert set(read) == {0}
    layers.go_to(2)
    assert set(read) == {0, 2}


def test_tails_have_the_colours_of_the_cells(viewer, layers, movie, project):
    layers.show_movie(movie)
    layers.show_project(project)
    cells, tails = viewer.layers["Cells"], viewer.layers["Tracks"]
    cells.new_colormap(seed=7)
    layers.go_to(1)
    found = shown(tails)[5, 2]
    np.testing.assert_array_equal(found, np.rint(255 * cells.get_color(5)))


def test_what_was_touched_is_shown(viewer, layers, movie, project):
    layers.show_movie(movie)
    layers.show_project(project)
    layers.go_to(1)
    touched = []
    project.changed.connect(lambda told: touched.append(told))
    project.do(Paint(1, 5, Region(9, 3, np.ones((2, 3), bool))))
    assert not shown(viewer.layers["Cells"])[9:11].any()
    layers.touch(touched[0].frames)
    assert (shown(viewer.layers["Cells"])[9:11, 3:6] == 5).all()
    # The middle went down, so the tail does.
    assert shown(viewer.layers["Tracks"])[7:].any()


def test_a_preview_is_shown_in_the_layer_of_the_cells(viewer, layers, movie, project):
    layers.show_movie(movie)
    layers.show_preview(2, np.full((12, 15), 7, np.int32))
    assert names(viewer) == ["dish", "Cells"]
    assert not shown(viewer.layers["Cells"]).any()
    layers.go_to(2)
    assert (shown(viewer.layers["Cells"]) == 7).all()
    layers.show_project(project)
    assert names(viewer) == ["dish", "Cells", "Tracks"]
    assert set(np.unique(shown(viewer.layers["Cells"]))) == {0, 5}


def test_a_preview_over_a_project_goes_when_its_frame_is_touched(
    viewer, layers, movie, project
):
    layers.show_movie(movie)
    layers.show_project(project)
    layers.show_preview(0, np.full((12, 15), 7, np.int32))
    assert (shown(viewer.layers["Cells"]) == 7).all()
    layers.touch(frozenset({0}))
    assert set(np.unique(shown(viewer.layers["Cells"]))) == {0, 5}


def test_a_preview_stays_until_a_run_has_found_its_frame(
    viewer, layers, movie, tmp_path
):
    layers.show_movie(movie)
    layers.show_preview(0, np.full((12, 15), 7, np.int32))
    empty = np.zeros((4, 12, 15), np.int32)
    with project_of(tmp_path / "new.semiconv", movie, empty) as project:
        layers.show_project(project)
        assert (shown(viewer.layers["Cells"]) == 7).all()
        layers.touch(frozenset({0}))
        assert not shown(viewer.layers["Cells"]).any()


def test_layers_are_made_in_turns_and_only_of_what_is_still_open(
    viewer, movie, project
):
    turns = []
    layers = CellLayers(viewer, turns.append)
    layers.show_movie(movie)
    layers.show_project(project)
    assert names(viewer) == ["dish"]
    turns.pop()()
    assert names(viewer) == ["dish", "Cells"]
    layers.show_project(None)
    turns.pop()()
    assert names(viewer) == ["dish"]
    layers.close()


def test_another_movie_puts_the_layers_of_the_first_away(
    viewer, layers, movie, project
):
    viewer.add_points(np.zeros((1, 3)), name="of the user")
    layers.show_movie(movie)
    layers.show_project(project)
    layers.go_to(3)
    layers.show_movie(movie_from_array(np.zeros((9, 40, 50)), "TYX", "other"))
    assert names(viewer) == ["of the user", "other"]
    assert layers.frame() == 0


def test_a_layer_of_the_user_is_hidden_not_taken_away(viewer, layers, movie):
    mine = viewer.add_image(np.zeros((6, 4, 5)), name="mine", translate=(0, 10, 20))
    layers.show_movie(movie_from_array(mine.data, "TYX", "mine"), mine)
    layers.show_preview(0, np.zeros((4, 5), np.int32))
    cells = viewer.layers["Cells"]
    assert tuple(cells.translate) == tuple(mine.translate) == (0, 10, 20)
    layers.show_movie(movie)
    assert names(viewer) == ["mine", "dish"]
    assert not mine.visible


def test_a_sample_makes_room_for_a_movie_that_is_opened(
    viewer, layers, movie, tmp_path
):
    ((data, facts, _),) = plugin.sample_nuclei()
    viewer.add_image(data, **facts)
    file = movie_layer(replace(movie, path=tmp_path / "other.tif", name="of the user"))
    viewer.add_image(**file)
    layers.show_movie(movie)
    assert names(viewer) == ["of the user", "dish"]


def test_a_sample_that_is_taken_stays(viewer, layers):
    ((data, facts, _),) = plugin.sample_nuclei()
    sample = viewer.add_image(data, **facts)
    layers.show_movie(data.movie, sample)
    assert [*viewer.layers] == [sample]


def test_closing_a_project_leaves_its_movie(viewer, layers, movie, project):
    layers.show_movie(movie)
    layers.show_project(project)
    layers.show_project(None)
    assert names(viewer) == ["dish"]


def test_layers_that_the_user_took_away_are_missed_by_nobody(
    viewer, layers, movie, project
):
    layers.show_movie(movie)
    layers.show_project(project)
    viewer.layers.clear()
    layers.touch(frozenset({0, 1}))
    layers.show_preview(1, np.full((12, 15), 7, np.int32))
    assert names(viewer) == ["Cells"]
    layers.show_movie(None)
    assert names(viewer) == []


def test_renamed_and_reordered_layers_are_known_all_the_same(
    viewer, layers, movie, project
):
    layers.show_movie(movie)
    layers.show_project(project)
    viewer.layers["Cells"].name = "mine"
    viewer.layers.move(2, 0)
    layers.show_preview(0, np.full((12, 15), 7, np.int32))
    assert (shown(viewer.layers["mine"]) == 7).all()
    layers.show_movie(None)
    assert names(viewer) == []


def test_other_units_move_the_layers_and_keep_the_frame(viewer, layers, movie):
    layers.show_movie(movie)
    layers.show_preview(2, np.ones((12, 15), np.int32))
    layers.go_to(2)
    layers.show_movie(movie.with_choices(frame_interval=60.0, pixel_size=(2.0, 2.0)))
    assert layers.frame() == 2
    assert names(viewer) == ["dish", "Cells"]
    for layer in viewer.layers:
        assert tuple(layer.scale) == (60.0, 2.0, 2.0)


def test_other_axes_show_the_movie_anew(viewer, layers, movie):
    layers.show_movie(movie)
    layers.show_movie(movie.with_choices(axes="ZYX"))
    assert viewer.layers["dish"].data.shape == (1, 12, 15)


def test_cells_without_their_movie_lie_where_they_would(viewer, layers, project):
    layers.show_movie(blank_movie(project), without_image=True)
    layers.show_project(project)
    assert names(viewer) == ["Cells", "Tracks"]
    assert tuple(viewer.layers["Cells"].scale) == (300.0, 0.5, 0.25)


def test_a_long_movie_stays_in_2d(viewer, layers, monkeypatch):
    said, read = [], []
    monkeypatch.setattr("napari_semiconv.gui.layers.show_info", said.append)
    shape = (1000, 512, 512)
    pixels = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), shape)
    movie = movie_from_array(pixels, "TYX", "long")
    layers.show_movie(movie)
    data = viewer.layers["long"].data
    monkeypatch.setattr(data, "_read", lambda t: read.append(t) or pixels[t])
    viewer.dims.ndisplay = 3
    assert viewer.dims.ndisplay == 2
    assert len(read) <= 2
    assert "1000 frames" in said[0]
    viewer.layers.clear()
    viewer.add_image(np.zeros((4, 4, 4)))
    viewer.dims.ndisplay = 3
    assert viewer.dims.ndisplay == 3


def test_a_short_movie_may_be_shown_in_3d(viewer, layers, movie):
    layers.show_movie(movie)
    viewer.dims.ndisplay = 3
    assert viewer.dims.ndisplay == 3


def test_contrast_is_taken_from_the_first_frame_even_if_it_is_odd():
    flat = movie_from_array(np.full((2, 4, 4), np.nan), "TYX")
    assert movie_layer(flat)["contrast_limits"] == (0.0, 1.0)
    zero = movie_from_array(np.zeros((2, 4, 4)), "TYX")
    low, high = movie_layer(zero)["contrast_limits"]
    assert low < high


def test_changes_of_the_list_and_of_the_frame_are_told(viewer, layers, movie):
    heard, steps = [], []
    layers.on_list_change(lambda: heard.append(layers.selected()))
    layers.on_step(lambda: steps.append(layers.frame()))
    mine = viewer.add_image(np.zeros((2, 4, 4)), name="mine")
    assert heard[-1] is mine
    layers.show_movie(movie)
    assert layers.selected() is None, "its own layers are not offered"
    viewer.dims.set_point(0, 600.0)
    assert steps[-1] == 2
    layers.close()
    told = len(heard), len(steps)
    viewer.add_image(np.zeros((2, 4, 4)))
    viewer.dims.set_point(0, 300.0)
    assert (len(heard), len(steps)) == told


def test_a_stroke_lies_on_what_changed_below_it():
    below = np.zeros((1, 2, 3), np.int32)
    painted = PaintedFrames(below.shape, below.dtype, lambda t: below[t].copy())
    painted[0:1, 0:1, :2] = 7
    below[0] = 4
    painted.rebase(frozenset({0, 5}))
    np.testing.assert_array_equal(painted[0], [[7, 7, 4], [4, 4, 4]])
    before, after = painted.take()[0]
    assert (before == 4).all()
    np.testing.assert_array_equal(after, [[7, 7, 4], [4, 4, 4]])
    np.testing.assert_array_equal(painted[0], below[0])


def select(viewer, name):
    layer = viewer.layers[name]
    viewer.layers.selection = {layer}
    viewer.layers.selection.active = layer


def test_a_duplicate_of_the_cells_is_no_part_of_the_project(
    viewer, layers, movie, labels, project
):
    layers.show_movie(movie)
    layers.show_project(project)
    select(viewer, "Cells")
    _layer_actions._duplicate_layer(viewer.layers)
    copy = viewer.layers["Cells copy"]
    copy.data[1, 0, 0] = 9
    assert copy.data[1, 0, 0] == 9
    assert (np.asarray(layers.cells.data) == labels).all()
    for name in ("dish", "Tracks"):
        select(viewer, name)
        _layer_actions._duplicate_layer(viewer.layers)
        shown = np.asarray(viewer.layers[f"{name} copy"].data)
        assert (shown == np.asarray(viewer.layers[name].data)).all()


def test_the_cells_keep_their_type_of_data(viewer, layers, movie, project):
    layers.show_movie(movie)
    layers.show_project(project)
    select(viewer, "Cells")
    with pytest.raises(SemiconvError, match="Duplicate the layer"):
        _layer_actions._convert_dtype(viewer.layers, "uint8")
    assert isinstance(layers.cells.data, PaintedFrames)
