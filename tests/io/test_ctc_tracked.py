import warnings

import numpy as np
import pytest
import tifffile
from tests.tracked_worlds import PARENTS, WORLDS, assert_same_masks, lively, tracked_of
from tests.worlds import one_division

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.ctc.tracked import read_tracked_ctc, write_ctc
from napari_semiconv.tracking.lineage import Track


def is_valid(folder):
    validate = pytest.importorskip("ctc_metrics.scripts.validate")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty frame")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        return bool(validate.validate_sequence(str(folder), threads=1)["Valid"])


def written(tmp_path, world, parents=None):
    write_ctc(tracked_of(world, parents), tmp_path / "01_RES")
    return tmp_path / "01_RES"


def test_a_trip_there_and_back(tmp_path):
    folder = written(tmp_path, one_division, {2: 1, 3: 1})
    found = read_tracked_ctc(folder)
    assert (found.name, found.pixel_size, found.frame_interval) == (
        "01_RES", None, None,
    )  # fmt: skip
    assert found.lineage == tracked_of(one_division, {2: 1, 3: 1}).lineage
    assert_same_masks(found, one_division)


def test_gaps_split_and_every_piece_has_its_parent(tmp_path):
    found = read_tracked_ctc(written(tmp_path, lively, PARENTS))
    tracks = found.lineage.tracks
    assert [(t.intervals, t.parent) for _, t in sorted(tracks.items())] == [
        (((0, 0),), 0), (((0, 1),), 0), (((2, 2),), 1), (((3, 5),), 3), (((3, 5),), 3),
        (((4, 5),), 2), (((5, 5),), 0),
    ]  # fmt: skip
    for t, frame in enumerate(lively):
        np.testing.assert_array_equal(found.read(t) > 0, frame > 0)


@pytest.mark.parametrize("name", [n for n in WORLDS if n != "empty"])
def test_the_challenge_finds_it_valid(tmp_path, name):
    assert is_valid(written(tmp_path, *WORLDS[name]))


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_read_is_written_the_same(tmp_path, name):
    once = read_tracked_ctc(written(tmp_path, *WORLDS[name]))
    write_ctc(once, tmp_path / "again")
    again = read_tracked_ctc(tmp_path / "again")
    assert again.lineage == once.lineage
    assert_same_masks(again, np.stack([once.read(t) for t in range(len(once))]))


def test_a_thousand_frames_have_four_digits(tmp_path):
    write_ctc(tracked_of(np.ones((1000, 1, 1))), tmp_path / "r")
    assert (tmp_path / "r" / "mask0999.tif").is_file()
    assert not (tmp_path / "r" / "mask999.tif").exists()


def test_progress_is_told(tmp_path):
    told = []
    target = tmp_path / "r"
    write_ctc(tracked_of(one_division), target, lambda *step: told.append(step))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_folder_that_exists_is_refused(tmp_path):
    folder = written(tmp_path, one_division)
    with pytest.raises(SaveError, match="expected a name that is free"):
        write_ctc(tracked_of(one_division), folder)
    assert len([*folder.iterdir()]) == 5


def test_a_frame_that_cannot_be_read_leaves_nothing(tmp_path):
    def read(frame):
        if frame == 2:
            raise BadInputError("frame 2 is damaged")
        return one_division[frame]

    tracked = tracked_of(one_division)
    object.__setattr__(tracked, "read", read)
    with pytest.raises(BadInputError):
        write_ctc(tracked, tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_truth_is_found_in_its_folder(tmp_path):
    written(tmp_path, one_division, {2: 1, 3: 1}).rename(tmp_path / "TRA")
    (tmp_path / "01_GT").mkdir()
    tra = (tmp_path / "TRA").rename(tmp_path / "01_GT" / "TRA")
    for mask in tra.glob("mask*.tif"):
        mask.rename(tra / mask.name.replace("mask", "man_track"))
    (tra / "res_track.txt").rename(tra / "man_track.txt")
    found = read_tracked_ctc(tmp_path / "01_GT")
    assert (found.name, len(found.lineage.tracks)) == ("01_GT", 3)
    assert found.lineage.tracks[2] == Track.of(2, [2, 3], 1)


def replace_mask(folder, frame, pixels):
    tifffile.imwrite(folder / f"mask00{frame}.tif", pixels)


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        (one_division[0].astype(np.uint16), "cell 1 of frame 3 is in the masks"),
        (np.zeros((5, 8), np.uint16), "cell 2 of frame 3 is in the table"),
        (np.zeros((4, 8), np.uint16), "masks of one size"),
        (np.full((5, 8), -1, np.int16), "found -1"),
        (np.full((5, 8), 2**31, np.uint32), "found 2147483648"),
        (np.ones((5, 8), np.float32), "whole numbers"),
    ],
)
def test_masks_that_break_a_rule(tmp_path, pixels, sentence):
    folder = written(tmp_path, one_division, {2: 1, 3: 1})
    replace_mask(folder, 3, pixels)
    with pytest.raises(BadInputError, match=sentence):
        read_tracked_ctc(folder)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("1 0 1 0\n2 2 3 1\n", "cell 3 of frame 2"),
        ("1 0 0 0\n2 2 3 1\n3 2 3 1\n", "cell 1 of frame 1"),
        ("1 0 1 0\n2 2 3 3\n3 2 3 1\n", "expected track 3 to end before"),
        ("1 0 1 0\n2 2 3 9\n3 2 3 1\n", "expected 9, parent of track 2"),
        ("1 0 1 0\n2 2 4 1\n3 2 3 1\n", "track 2 ending in frame 4"),
        ("1 0 1\n", "four whole numbers in line 1"),
        ("1 0 1 0\n1 2 3 0\n", "found 1 twice"),
        ("", "cell 1 of frame 0 is in the masks"),
    ],
)
def test_tables_that_break_a_rule(tmp_path, table, sentence):
    folder = written(tmp_path, one_division, {2: 1, 3: 1})
    (folder / "res_track.txt").write_text(table)
    with pytest.raises(BadInputError, match=sentence):
        read_tracked_ctc(folder)


def test_a_missing_mask_is_named(tmp_path):
    folder = written(tmp_path, one_division, {2: 1, 3: 1})
    (folder / "mask001.tif").unlink()
    with pytest.raises(BadInputError, match="none of frame 1"):
        read_tracked_ctc(folder)
