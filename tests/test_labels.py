import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_semiconv.errors import BadInputError
from napari_semiconv.labels import (
    LARGEST_LABEL,
    LARGEST_TABLE,
    Labels,
    areas_in,
    areas_of,
    as_labels,
    boxes_in,
    centroids_in,
    dense,
    labels_in,
    largest_piece,
    overlap,
    pieces_in,
    relabelled,
)

CALMLY = settings(deadline=None)

# Small ones are counted in a table, large ones sorted; both ways are gone here.
NUMBERS = st.sampled_from([0, 0, 0, 1, 2, 7, 300])
LARGE = st.sampled_from([0, 0, 1, 7, LARGEST_TABLE, LARGEST_TABLE + 1, LARGEST_LABEL])
SIDES = st.tuples(st.integers(1, 6), st.integers(1, 6))
IMAGES = st.one_of(
    arrays(np.int32, SIDES, elements=NUMBERS), arrays(np.int32, SIDES, elements=LARGE)
)


@CALMLY
@given(IMAGES)
def test_areas_are_those_of_a_count_label_by_label(image):
    labels, areas = areas_in(image)
    assert labels.tolist() == sorted({*image.ravel().tolist()} - {0})
    assert areas.tolist() == [int((image == n).sum()) for n in labels]
    assert labels_in(image) == labels.tolist()
    asked = [LARGEST_LABEL - 1, *labels.tolist(), 5]
    assert areas_of(image, asked).tolist() == [int((image == n).sum()) for n in asked]
    few = [*asked[:2], 0]
    sums = [*(int((image == n).sum()) for n in few[:-1]), 0]
    assert areas_of(image, few).tolist() == sums


def test_what_is_below_0_is_no_cell():
    image = np.array([[-3, 0, 4], [4, -3, 2]], np.int32)
    assert labels_in(image) == [2, 4]
    labels, numbered = dense(image)
    assert labels.tolist() == [2, 4]
    assert numbered.tolist() == [[0, 0, 2], [2, 0, 1]]
    found, areas, centroids = centroids_in(image)
    assert (found.tolist(), areas.tolist()) == ([2, 4], [1, 2])
    assert centroids.tolist() == [[1, 2], [0.5, 1]]


@CALMLY
@given(IMAGES)
def test_dense_numbers_give_the_labels_back(image):
    labels, numbered = dense(image)
    assert np.array_equal(np.concatenate([[0], labels])[numbered], image)
    assert labels_in(numbered) == [*range(1, len(labels) + 1)]


@CALMLY
@given(IMAGES)
def test_centroids_and_boxes_are_those_of_each_mask(image):
    labels, areas, centroids = centroids_in(image)
    boxes = boxes_in(image)
    assert [*boxes] == labels.tolist() == labels_in(image)
    for label, area, centroid in zip(labels.tolist(), areas, centroids, strict=True):
        y, x = np.nonzero(image == label)
        assert len(y) == area
        assert centroid.tolist() == [y.sum() / area, x.sum() / area]
        rows, columns = boxes[label]
        assert (rows.start, rows.stop) == (y.min(), y.max() + 1)
        assert (columns.start, columns.stop) == (x.min(), x.max() + 1)


def test_an_image_without_cells_has_no_centroids():
    labels, areas, centroids = centroids_in(np.zeros((3, 4), np.int32))
    assert (len(labels), len(areas), centroids.shape) == (0, 0, (0, 2))
    assert boxes_in(np.zeros((3, 4), np.int32)) == {}


NAMES = st.dictionaries(st.sampled_from([1, 2, 7, 300, LARGEST_TABLE + 1]), NUMBERS)


@CALMLY
@given(IMAGES, NAMES, st.booleans())
def test_labels_get_their_new_numbers_one_by_one(image, names, stay):
    before = image.copy()
    found = relabelled(image, names, others_stay=stay)
    wanted = [names.get(n, n if stay else 0) for n in image.ravel().tolist()]
    assert found.dtype == np.int32
    assert found.ravel().tolist() == wanted
    assert np.array_equal(image, before)


def test_a_name_below_0_makes_background():
    image = np.array([[1, 2]], np.int32)
    assert relabelled(image, {2: -1}).tolist() == [[1, 0]]


@CALMLY
@given(st.data())
def test_overlaps_are_counted_pair_by_pair(data):
    first = data.draw(IMAGES)
    kinds = data.draw(st.sampled_from([NUMBERS, LARGE]))
    second = data.draw(arrays(np.int32, first.shape, elements=kinds))
    found = overlap(first, second)
    pairs = [(int(a), int(b)) for a, b in zip(first.flat, second.flat, strict=True)]
    wanted = sorted({(a, b) for a, b in pairs if a and b})
    assert [tuple(pair) for pair in found.pairs.tolist()] == wanted
    assert found.shared.tolist() == [pairs.count(pair) for pair in wanted]


def picture(*rows: str) -> Labels:
    return np.array([[int(c) for c in row.replace(".", "0")] for row in rows], np.int32)


def test_pieces_hang_together_by_sides_or_by_corners():
    mask = picture("11..", "..1.", "...1", "1..1") > 0
    pieces, areas = pieces_in(mask)
    assert areas.tolist() == [2, 1, 2, 1]
    assert pieces.tolist() == picture("11..", "..2.", "...3", "4..3").tolist()
    assert pieces_in(mask, corners=True)[1].tolist() == [5, 1]
    assert pieces_in(np.zeros((2, 2), bool))[1].tolist() == []


def test_the_largest_piece_is_kept_and_of_equals_the_first():
    mask = picture("11.1", "...1", "1..1") > 0
    assert (
        largest_piece(mask).tolist() == (picture("...1", "...1", "...1") > 0).tolist()
    )
    mask = picture("11.1", "...1") > 0
    kept = picture("11..", "....") > 0
    assert largest_piece(mask).tolist() == kept.tolist()
    assert not largest_piece(np.zeros((2, 2), bool)).any()


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.zeros((2, 2)), "float64 in 2D"),
        (np.zeros((2, 2, 2), np.uint8), "uint8 in 3D"),
        (np.array([[-1, 3]]), "found -1"),
        (np.array([[0, 2**31]]), f"found {2**31}"),
    ],
)
def test_what_is_no_label_image_is_refused(pixels, found):
    with pytest.raises(BadInputError, match=found):
        as_labels(pixels, "cells.tif")


def test_labels_of_other_types_are_taken():
    assert as_labels(np.array([[True]]), "").tolist() == [[1]]
    assert as_labels(np.array([[LARGEST_LABEL]], np.uint64), "").dtype == np.int32


def test_importing_loads_no_image_library():
    code = (
        "import sys, napari_semiconv.labels;"
        "print([n for n in ('scipy', 'skimage', 'torch') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
