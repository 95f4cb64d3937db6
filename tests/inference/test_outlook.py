"""How good masks will be is foretold: well of cells that a model knows, else badly."""

import numpy as np
import pytest
from tests.inference.tiny import tiny_model

from napari_semiconv.inference.outlook import Calibration, Signs, outlook, signs_of
from napari_semiconv.movie import movie_from_array
from napari_semiconv.network.weights import load_model
from napari_semiconv.synthetic import SyntheticSettings, simulate

SIZE = 24.0


@pytest.fixture(scope="module")
def model():
    return load_model("default", "cpu")


@pytest.fixture(scope="module")
def cells():
    drawn = SyntheticSettings(
        frames=1, height=160, width=160, cells=12, diameter=SIZE, debris=0
    )
    return simulate(drawn, 3).images.astype(np.float32)


def test_cells_that_the_model_knows_promise_more_than_texture(model, cells):
    known = outlook(movie_from_array(cells, "TYX", "cells"), model, SIZE, range(1))
    noise = np.random.default_rng(0).normal(size=cells.shape)
    texture = movie_from_array(noise.cumsum(2), "TYX", "texture")
    unknown = outlook(texture, model, SIZE, range(1))
    assert known > 0.6
    assert unknown is None or unknown < 0.4


def test_at_a_wrong_size_less_is_promised(model, cells):
    movie = movie_from_array(cells, "TYX", "cells")
    right = outlook(movie, model, SIZE, range(1))
    wrong = [outlook(movie, model, f * SIZE, range(1)) for f in (1 / 3, 3)]
    assert all(masks is None or masks < right - 0.1 for masks in wrong)


def test_where_no_cell_is_found_nothing_is_promised():
    model = tiny_model(".")
    model.network.heads.layer("foreground").bias.data.fill_(-9.0)
    movie = movie_from_array(np.zeros((2, 64, 64)), "TYX", "dark")
    assert signs_of(movie, model, SIZE, range(2)) is None
    assert outlook(movie, model, SIZE, range(2)) is None


def test_the_curve_rises_with_both_signs():
    told = Calibration(base=-3, agreement=4, decided=1)
    assert told.overlap(Signs(0.5, 1.0)) == pytest.approx(0.5)
    assert told.overlap(Signs(0.6, 1.0)) > 0.5 < told.overlap(Signs(0.5, 1.1))
