"""How large cells are: what is believed of looks, and where to look."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.tiny import tiny_model

from napari_semiconv.errors import UnreadableFrameError
from napari_semiconv.inference import sizing
from napari_semiconv.inference.sizing import (
    Belief,
    Look,
    Point,
    believe,
    certainty,
    crossing,
    estimate_cell_size,
    liveliest,
    point_of,
    sizes_for,
)
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.weights import load_model
from napari_semiconv.synthetic import SyntheticSettings, simulate

PLAIN = Belief(larger=0.0)


def disc(diameter):
    return np.pi / 4 * diameter**2


def look(assumed, *found, certainty=1.0):
    return Look(assumed, np.array([disc(d) for d in found]), certainty)


def test_the_size_is_where_cells_are_found_as_large_as_told():
    looks = [look(10, 28), look(20, 26), look(40, 24), look(80, 22)]
    assert 20 < believe(looks, 24, PLAIN) < 27
    # Found at half and at twice the scale, in the same ratio: the middle of both.
    assert believe([look(15, 30), look(60, 30)], 24, PLAIN) == pytest.approx(30)


def test_of_two_such_sizes_the_surer_one_is_right():
    noise = [look(8, 9, certainty=0.3), look(12, 10, certainty=0.3)]
    cells = [look(40, 70, certainty=0.9), look(90, 70, certainty=0.9)]
    assert believe([*noise, *cells], 24, PLAIN) == pytest.approx(70)
    noise = [look(8, 9), look(12, 10)]
    cells = [look(40, 70, certainty=0.1), look(90, 70, certainty=0.1)]
    assert believe([*noise, *cells], 24, PLAIN) < 10


def test_looks_that_found_nothing_are_passed_over():
    nothing = Look(20, np.zeros(0), 0.0)
    looks = [look(10, 20), nothing, look(40, 20)]
    assert believe(looks, 24, PLAIN) == pytest.approx(20)


def test_where_no_scale_is_right_what_is_found_says_most():
    looks = [look(8, 5, certainty=0.9), look(12, 5, certainty=0.2)]
    assert believe(looks, 24, PLAIN) == pytest.approx(5)


def test_without_any_cell_the_size_of_the_model_is_kept():
    assert believe([Look(10, np.zeros(0), 0.0)], 24) == 24
    assert believe([], 24) == 24


@pytest.mark.parametrize(
    ("finer", "coarser"), [((10, 30), (20, 25)), ((10, 9), (20, 15)), ((10, 9), (9, 9))]
)
def test_a_size_lies_between_scales_only_where_too_large_becomes_too_small(
    finer, coarser
):
    assert crossing(Point(*finer, 1.0), Point(*coarser, 1.0), 0.0) is None


def test_pieces_and_specks_hardly_move_the_middle_cell():
    whole = point_of(look(20, 30, 30, 30))
    pieces = point_of(look(20, 30, 30, 30, *[3] * 20))
    assert pieces.found == pytest.approx(whole.found) == pytest.approx(30)
    counted_alike = point_of(look(20, 30, 30, 30, *[3] * 20), Belief(width=0))
    assert counted_alike.found == pytest.approx(3)


def test_more_cells_and_surer_ones_count_more():
    few, many = point_of(look(20, 9)), point_of(look(20, 9, 9, 9))
    unsure = point_of(look(20, 9, certainty=0.5))
    assert unsure.evidence < few.evidence < many.evidence


def test_a_map_that_hesitates_is_less_certain():
    clear = np.zeros((9, 9), np.float32)
    clear[3:6, 3:6] = 1.0
    assert certainty(clear) == pytest.approx(1.0)
    assert 0 < certainty(np.where(clear > 0, 0.7, 0.3)) < 0.3
    assert certainty(np.zeros((9, 9), np.float32)) == 0.0


def test_sizes_to_try_fit_the_frame():
    sizes = sizes_for((512, 512))
    assert sizes[0] == 8
    assert sizes[-1] <= 0.75 * 512
    assert sizes_for((4, 4)) == [8]


def test_it_looks_where_most_happens():
    image = np.random.default_rng(0).normal(10, 0.1, (200, 300))
    image[130:180, 210:260] += 50
    image[20:70, 20:70] += 40
    first, second = liveliest(image, 64, 2)
    assert image[first].max() > 55
    assert (image[first] > 40).sum() == 50 * 50, "the whole spot is in it"
    assert (image[second] > 40).sum() == 50 * 50
    assert image[second].max() < 55
    assert image[first].shape == image[second].shape == (64, 64)


def test_a_frame_that_fits_into_a_window_is_looked_at_once():
    image = np.random.default_rng(0).random((50, 40))
    assert liveliest(image, 64, 2) == [(slice(0, 50), slice(0, 40))]
    assert len(liveliest(image, 45, 2)) == 1, "two would be almost the same"
    assert image[liveliest(image, 30, 1)[0]].shape == (30, 30)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((90, 90)),
        np.full((90, 90), np.nan),
        np.full((1, 90), 7, np.uint16),
        np.arange(2_000_000).reshape(1000, 2000),
    ],
    ids=["flat", "all NaN", "one row", "longer than is looked at closely"],
)
def test_windows_of_odd_frames_lie_within(image):
    for side in (1, 31, 600):
        windows = liveliest(image, side, 2)
        assert windows
        for rows, columns in windows:
            assert 0 <= rows.start < rows.stop <= image.shape[0]
            assert 0 <= columns.start < columns.stop <= image.shape[1]


class Torn:
    axes, shape, dtype = "TYX", (4, 8, 8), np.dtype(np.uint8)

    def plane(self, position):
        if position["T"] < 3:
            raise UnreadableFrameError(f"Frame {position['T']} is torn.", position["T"])
        return np.zeros((8, 8), np.uint8)


def test_a_torn_frame_is_passed_over():
    movie = Movie("film", Torn(), "TYX")
    assert sizing.readable(movie, range(4)).shape == (8, 8)
    with pytest.raises(UnreadableFrameError, match="Frame 0"):
        sizing.readable(movie, range(3))


@pytest.fixture(scope="module")
def model():
    return load_model("default", "cpu")


def simulated(diameter, corner, side=320):
    """A few cells in a corner of a frame that is empty besides."""
    cells = SyntheticSettings(
        frames=1, height=120, width=120, cells=7, diameter=diameter, debris=0
    )
    drawn = simulate(cells, 3).images[0].astype(float)
    noise = np.random.default_rng(1).normal(np.median(drawn), 1.0, (side, side))
    noise[corner] = drawn
    return movie_from_array(noise[None], "TYX")


@pytest.mark.parametrize("diameter", [20.0, 34.0])
def test_cells_in_a_corner_are_measured(model, diameter):
    movie = simulated(diameter, (slice(0, 120), slice(200, 320)))
    assert estimate_cell_size(movie, model) == pytest.approx(diameter, rel=0.25)


def test_a_model_that_was_taught_expects_the_cells_it_was_taught_with():
    movie = movie_from_array(np.zeros((1, 64, 64)), "TYX", "dark")
    model = tiny_model(".")
    taught = replace(model, info=replace(model.info, taught_size=31.0))
    assert estimate_cell_size(movie, taught) == 31.0
