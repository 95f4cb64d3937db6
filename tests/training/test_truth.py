"""Truth from markers and outlines, and what is kept out of training."""

import numpy as np
import pytest
import tifffile

from napari_semiconv.errors import BadInputError
from napari_semiconv.training.truth import (
    Merger,
    are_outlines,
    held_out_frames,
    read_recordings,
    rescale,
    rescale_labels,
)


def drawn(*rows):
    return np.array([[int(c) for c in row.replace(".", "0")] for row in rows], np.int32)


MARKERS = drawn(
    "..........",
    ".1......2.",
    "..........",
)
OUTLINE = drawn(
    "777.......",
    "777.......",
    "777.......",
)


def test_an_outline_takes_the_track_of_its_marker():
    merged = Merger(reach=1, first=9).merge(MARKERS, OUTLINE)
    assert (merged[:, :3] == 1).all()


def test_round_a_bare_marker_nothing_is_known_within_its_reach():
    merged = Merger(reach=1, first=9).merge(MARKERS, OUTLINE)
    assert merged[1, 8] == 2
    assert merged[0, 8] == merged[1, 7] == merged[1, 9] == merged[2, 8] == -1
    assert merged[1, 5] == 0  # far from any marker there is background


def test_without_outlines_all_markers_are_bare():
    merged = Merger(reach=1, first=9).merge(MARKERS, None)
    assert merged[1, 1] == 1
    assert merged[0, 1] == -1


def test_a_marker_reaching_beyond_its_outline_is_cut_off():
    markers = drawn("1111......")
    merged = Merger(reach=1, first=9).merge(markers, drawn("77........"))
    assert merged.tolist() == [[1, 1, -1, -1, 0, 0, 0, 0, 0, 0]]


def test_an_outline_without_a_track_keeps_its_own_number_from_frame_to_frame():
    merger = Merger(reach=1, first=50)
    nobody = np.zeros((1, 10), np.int32)
    first = merger.merge(nobody, drawn("55....33.."))
    second = merger.merge(nobody, drawn(".99...88.4"))
    assert first[0, 0] == second[0, 1] >= 50
    assert first[0, 6] == second[0, 6] >= 50
    assert second[0, 9] not in (*first[0], 0)


def test_two_outlines_on_one_marker_do_not_become_one_cell():
    merged = Merger(reach=1, first=50).merge(drawn(".1111....."), drawn("555.33...."))
    assert merged[0, 1] == 1
    assert merged[0, 4] >= 50


def test_tracked_masks_that_cover_the_outlines_are_outlines():
    assert are_outlines(OUTLINE, OUTLINE)
    assert not are_outlines(MARKERS, OUTLINE)


def test_the_last_frames_are_held_out():
    assert held_out_frames([True] * 10, 0.2) == {8, 9}
    assert held_out_frames([True] * 10, 0) == set()


def test_outlines_are_held_out_too_when_the_last_frames_have_none():
    outlined = [True] * 5 + [False] * 5
    assert held_out_frames(outlined, 0.2) == {4, 8, 9}


def test_frames_of_a_movie_are_never_in_both_parts(annotated):
    train, held = read_recordings([annotated], 0.25, 100)
    assert sum(len(r.images) for r in train) == 6
    assert sum(len(r.images) for r in held) == 2
    seen = {image.tobytes() for r in train for image in r.images}
    assert not any(image.tobytes() in seen for r in held for image in r.images)


def test_large_cells_are_shrunk_and_small_ones_left(annotated):
    (small,), _ = read_recordings([annotated], 0, 8)
    (same,), _ = read_recordings([annotated], 0, 100)
    assert small.cell_size == pytest.approx(8)
    assert same.images[0].shape == (64, 64)
    assert small.images[0].shape == small.labels[0].shape
    assert small.images[0].shape[0] < 64


def test_an_unannotated_folder_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="01 and 01_GT, or images and labels"):
        read_recordings([tmp_path], 0.2, 32)


def test_rescaling_keeps_the_mean_and_never_mixes_labels():
    image = np.arange(64, dtype=np.float32).reshape(8, 8)
    assert rescale(image, 0.5).mean() == pytest.approx(image.mean(), rel=0.02)
    assert set(np.unique(rescale_labels(MARKERS * 100, 2.0))) == {0, 100, 200}


@pytest.mark.parametrize(
    ("shape", "says"),
    [((3, 20, 20), "found 3 frames"), ((20, 24), "size of the image")],
)
def test_stacks_and_unequal_pairs_are_refused_as_stills(tmp_path, shape, says):
    for place, size in (("images", (20, 20)), ("labels", shape)):
        (tmp_path / place).mkdir()
        masks = np.ones(size, np.uint8)
        axes = {"axes": "TYX"[-len(size) :]}
        path = tmp_path / place / "a.tif"
        tifffile.imwrite(path, masks, metadata=axes, photometric="minisblack")
    with pytest.raises(BadInputError, match=says):
        read_recordings([tmp_path], 0.2, 32)
