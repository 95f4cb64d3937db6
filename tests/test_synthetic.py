"""Simulated movies: their truth is true, and the same seed gives the same movie."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.ndimage import distance_transform_edt
from skimage.measure import regionprops

from napari_semiconv.synthetic import (
    CELL_KINDS,
    SyntheticSettings,
    random_settings,
    simulate,
)

SMALL = {"frames": 8, "height": 96, "width": 112, "diameter": 20.0, "cells": 9}


@pytest.fixture(scope="module", params=CELL_KINDS)
def movie(request):
    # A short cycle, so that every movie has divisions.
    return simulate(SyntheticSettings(kind=request.param, cycle=8, **SMALL), seed=3)


def frames_of(movie, label):
    return np.flatnonzero((movie.labels == label).any(axis=(1, 2))).tolist()


def test_images_and_labels_have_the_shape_asked_for(movie):
    assert movie.images.shape == movie.labels.shape == (8, 96, 112)
    assert movie.images.dtype == np.uint16
    assert movie.labels.dtype == np.int32


def test_the_same_seed_gives_the_same_movie(movie):
    again = simulate(movie.settings, seed=3)
    assert np.array_equal(movie.images, again.images)
    assert np.array_equal(movie.labels, again.labels)
    assert np.array_equal(movie.table, again.table)


def test_another_seed_gives_another_movie(movie):
    assert not np.array_equal(movie.labels, simulate(movie.settings, seed=4).labels)


def test_every_track_has_pixels_in_each_of_its_frames(movie):
    assert len(movie.table) == len(np.unique(movie.labels)) - 1
    for label, begin, end, _ in movie.table:
        assert frames_of(movie, label) == list(range(begin, end + 1))


def test_parents_end_before_their_two_daughters_begin(movie):
    parents, counts = np.unique(movie.table[:, 3], return_counts=True)
    # Buds have no parent: the mother lives on under her number.
    assert set(counts[parents > 0]) == (
        set() if movie.settings.kind == "budding" else {2}
    )
    ends = {label: end for label, _, end, _ in movie.table}
    for _, begin, _, parent in movie.table:
        assert not parent or ends[parent] == begin - 1


def test_cells_do_not_swallow_one_another(movie):
    areas = np.bincount(movie.labels[0].ravel())[1:]
    assert len(areas) > 3
    assert np.median(areas) > 60


def test_cells_differ_from_their_surroundings(movie):
    kind, images, cell = movie.settings.kind, movie.images[0], movie.labels[0] > 0
    if kind in ("nuclei", "elongated"):
        assert images[cell].mean() > 1.5 * images[~cell].mean()
    else:
        assert images[cell].std() > images[~cell].std()


def test_an_empty_dish_gives_empty_labels():
    movie = simulate(SyntheticSettings(frames=2, height=32, width=32, cells=0), seed=0)
    assert not movie.labels.any()
    assert movie.table.shape == (0, 4)


@pytest.mark.parametrize("kind", CELL_KINDS)
def test_random_settings_give_movies(kind):
    settings = random_settings(5, kind, frames=2, side=64)
    assert settings.kind == kind
    assert settings == random_settings(5, kind, frames=2, side=64)
    movie = simulate(settings, seed=1)
    assert movie.images.shape == (2, 64, 64)
    assert movie.images.std() > 0


def test_impossible_settings_are_refused():
    with pytest.raises(ValidationError, match="signal"):
        SyntheticSettings(signal=0)


def test_a_bud_is_small_and_its_mother_keeps_her_number():
    settings = SyntheticSettings(kind="budding", cycle=8, **SMALL)
    movie = simulate(settings, seed=3)
    born = movie.table[(movie.table[:, 1] > 0)]
    inside = [n for n, t, _, _ in born if not touches_edge(movie.labels[t] == n)]
    assert inside
    usual = np.median(np.unique(movie.labels[0], return_counts=True)[1][1:])
    for label in inside:
        first = movie.table[label - 1, 1]
        assert (movie.labels[first] == label).sum() < 0.5 * usual
    assert not movie.table[:, 3].any()


def test_rods_are_long_and_of_equal_width():
    settings = SyntheticSettings(
        kind="rods", frames=1, height=160, width=160, cells=12, diameter=24
    )
    movie = simulate(settings, seed=1)
    whole = [
        cell
        for cell in regionprops(movie.labels[0])
        if not touches_edge(movie.labels[0] == cell.label)
    ]
    ratios = [cell.axis_major_length / cell.axis_minor_length for cell in whole]
    assert np.median(ratios) > 1.7
    masks = [np.pad(cell.image_filled, 1) for cell in whole]
    widths = [2 * distance_transform_edt(mask).max() for mask in masks]
    assert np.percentile(widths, 90) < 1.3 * np.percentile(widths, 10)


def touches_edge(mask):
    return mask[[0, -1]].any() or mask[:, [0, -1]].any()
