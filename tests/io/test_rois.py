import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from roifile import ImagejRoi, roiread
from scipy.ndimage import binary_fill_holes, label
from skimage.draw import polygon2mask
from tests.tracked_worlds import lively, tracked_of
from tests.worlds import one_division

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.rois import outlines, write_rois
from napari_semiconv.movie import movie_from_array

EVERY_NEIGHBOUR = np.ones((3, 3))


def paint(corners, shape):
    """Paint pixels whose centre is inside, as ImageJ does: centres lie at halves."""
    return polygon2mask(shape, corners[:, ::-1] - 0.5)


def area_of(corners):
    """Area inside a polygon, corner by corner."""
    x, y = corners.T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def test_a_trip_there_and_back(tmp_path):
    write_rois(tracked_of(lively), tmp_path / "cells.zip")
    found = np.zeros_like(lively)
    for roi in roiread(tmp_path / "cells.zip"):
        cell = int(roi.name.split("-")[1][1:])
        frame = roi.position - 1
        assert roi.name.startswith(f"T{frame + 1:04d}-")
        found[frame][paint(roi.coordinates(), lively.shape[1:])] = cell
    np.testing.assert_array_equal(found, lively)


def test_names_sort_and_pieces_are_told_apart(tmp_path):
    write_rois(tracked_of(lively), tmp_path / "cells.zip")
    names = [roi.name for roi in roiread(tmp_path / "cells.zip")]
    assert names[:3] == ["T0001-C0001", "T0001-C0003", "T0002-C0003"]
    assert names[-3:] == ["T0006-C0004", "T0006-C0009", "T0006-C0009-2"]
    assert names == sorted(set(names))


def test_the_first_pixel_reaches_from_0_to_1():
    ((name, corners),) = outlines(np.array([[5, 0], [0, 0]], np.int32))
    assert name == "0005"
    assert corners.min() == 0
    assert corners.max() == 1
    np.testing.assert_allclose(corners.mean(0), (0.5, 0.5))


def test_x_comes_before_y():
    world = np.zeros((20, 40), np.int32)
    world[3:5, 30:36] = 1
    ((_, corners),) = outlines(world)
    np.testing.assert_array_equal(corners.min(0), (30, 3))
    np.testing.assert_array_equal(corners.max(0), (36, 5))
    # A straight side has two corners, however long; the tip of each corner is cut off.
    assert len(corners) == 8
    assert area_of(corners) == pytest.approx(12 - 4 / 8)


@settings(max_examples=60, deadline=None)
@given(arrays(np.int32, (7, 8), elements=st.sampled_from([0, 0, 3, 900_000_000])))
def test_filled_again_every_piece_is_as_it_was(labels):
    painted = {}
    for name, corners in outlines(labels):
        mask = paint(corners, labels.shape)
        painted.setdefault(int(name.split("-")[0]), []).append(mask)
    assert set(painted) == set(np.unique(labels).tolist()) - {0}
    for number, masks in painted.items():
        pieces, count = label(labels == number, EVERY_NEIGHBOUR)
        assert len(masks) == count
        filled = [binary_fill_holes(pieces == n + 1) for n in range(count)]
        for mask in masks:
            assert any(np.array_equal(mask, piece) for piece in filled)


def first(path):
    found = roiread(path)[0]
    assert isinstance(found, ImagejRoi)
    return found.position, found.c_position, found.z_position, found.t_position


@pytest.mark.parametrize(
    ("shape", "axes", "where"),
    [
        (None, None, (1, 0, 0, 0)),
        ((4, 5, 8), "TYX", (1, 0, 0, 0)),
        ((4, 2, 5, 8), "TCYX", (0, 0, 0, 1)),
        ((4, 3, 5, 8), "TZYX", (0, 0, 0, 1)),
    ],
)
def test_the_place_is_a_slice_or_a_frame(tmp_path, shape, axes, where):
    movie = movie_from_array(np.zeros(shape), axes) if shape else None
    write_rois(tracked_of(one_division, movie=movie), tmp_path / "c.zip")
    assert first(tmp_path / "c.zip") == where


def test_ten_thousand_frames_have_five_digits(tmp_path):
    tracked = tracked_of(np.zeros((10_000, 1, 1)))
    last = np.array([[3]], np.int32)
    empty = np.zeros((1, 1), np.int32)
    object.__setattr__(tracked, "read", lambda t: last if t == 9_999 else empty)
    write_rois(tracked, tmp_path / "c.zip")
    assert [roi.name for roi in roiread(tmp_path / "c.zip")] == ["T10000-C0003"]


def test_far_coordinates_survive(tmp_path):
    wide = np.zeros((1, 1, 50_000), np.int32)
    wide[..., 48_000:48_010] = 1
    write_rois(tracked_of(wide), tmp_path / "c.zip")
    (roi,) = roiread(tmp_path / "c.zip")
    np.testing.assert_array_equal(roi.coordinates().min(0), (48_000, 0))
    np.testing.assert_array_equal(roi.coordinates().max(0), (48_010, 1))


def test_frames_too_large_are_refused(tmp_path):
    with pytest.raises(SaveError, match="at most 60000 px a side"):
        write_rois(tracked_of(np.zeros((1, 1, 60_001))), tmp_path / "c.zip")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_zip_is_not_added_to(tmp_path):
    write_rois(tracked_of(one_division), tmp_path / "c.zip")
    before = (tmp_path / "c.zip").read_bytes()
    with pytest.raises(SaveError):
        write_rois(tracked_of(one_division), tmp_path / "c.zip")
    assert (tmp_path / "c.zip").read_bytes() == before


def test_a_frame_that_cannot_be_read_leaves_nothing(tmp_path):
    def read(frame):
        raise BadInputError("damaged")

    tracked = tracked_of(lively)
    object.__setattr__(tracked, "read", read)
    with pytest.raises(BadInputError):
        write_rois(tracked, tmp_path / "c.zip")
    assert list(tmp_path.iterdir()) == []
