import warnings

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tracked_worlds import tracked_of
from tests.worlds import gap, one_division

from napari_semiconv.errors import BadInputError, SaveError, UnreadableFrameError
from napari_semiconv.io.cells.ctc.folder import check_masks, find_truth, read_ctc
from napari_semiconv.io.cells.ctc.tracked import (
    MOST_LABELS,
    PiecewiseTracks,
    write_ctc,
)


def write(folder, world, parents=None):
    write_ctc(tracked_of(world, parents), folder)
    return folder


def is_valid(folder):
    validate = pytest.importorskip("ctc_metrics.scripts.validate")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty frame")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        return bool(validate.validate_sequence(str(folder), threads=1)["Valid"])


def rows(folder):
    return read_ctc(folder).table.tolist()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def budding():
    """Track 1 lives on when its daughters 2 and 3 are born in frame 2."""
    world = np.zeros((5, 4, 6), np.int32)
    world[:, 0, :2] = 1
    world[2:, 2, :2] = 2
    world[2:, 2, 4:] = 3
    return world


def test_a_division(tmp_path):
    folder = write(tmp_path / "01_RES", one_division, {2: 1, 3: 1})
    assert names(folder) == [*(f"mask00{t}.tif" for t in range(4)), "res_track.txt"]
    text = (folder / "res_track.txt").read_text()
    assert text == "1 0 1 0\n2 2 3 1\n3 2 3 1\n"
    masks = tifffile.imread(folder / "mask003.tif")
    assert masks.dtype == np.uint16
    np.testing.assert_array_equal(masks, one_division[3])
    assert is_valid(folder)


def test_what_was_written_is_read(tmp_path):
    found = read_ctc(write(tmp_path / "r", one_division, {2: 1, 3: 1}))
    assert len(found.masks) == len(one_division)
    for t, frame in enumerate(one_division):
        np.testing.assert_array_equal(found.labels(t), frame)
        assert found.labels(t).dtype == np.int32
    check_masks(found)


def test_after_a_gap_a_track_goes_on_under_a_new_label(tmp_path):
    folder = write(tmp_path / "r", gap)
    assert rows(folder) == [[1, 0, 3, 0], [2, 0, 0, 0], [3, 3, 3, 2]]
    assert set(np.unique(read_ctc(folder).labels(3))) == {0, 1, 3}
    check_masks(read_ctc(folder))
    assert is_valid(folder)


def test_a_parent_that_lives_on_is_cut(tmp_path):
    folder = write(tmp_path / "r", budding(), {2: 1, 3: 1})
    assert rows(folder) == [[1, 0, 1, 0], [2, 2, 4, 1], [3, 2, 4, 1], [4, 2, 4, 1]]
    check_masks(read_ctc(folder))
    assert is_valid(folder)


def test_a_parent_that_is_born_later_is_left_out(tmp_path):
    world = np.zeros((3, 3, 3), np.int32)
    world[1:, 0, 0] = 1
    world[:, 2, 2] = 2
    folder = write(tmp_path / "r", world, {2: 1, 1: 1})
    assert [row[3] for row in rows(folder)] == [0, 0]
    assert is_valid(folder)


@st.composite
def histories(draw):
    """Which of up to five tracks are there in each of eight frames, and any parents."""
    there = draw(
        st.lists(st.sets(st.integers(1, 5)), min_size=1, max_size=8).filter(
            lambda frames: any(frames)
        )
    )
    return there, draw(st.dictionaries(st.integers(1, 5), st.integers(0, 5)))


def world_of(there):
    world = np.zeros((len(there), 1, 5), np.int32)
    for t, labels in enumerate(there):
        for label in labels:
            world[t, 0, label - 1] = label
    return world


@settings(max_examples=60, deadline=None)
@given(histories())
def test_any_lineage_becomes_a_table_by_the_rules(history):
    there, parents = history
    world = world_of(there)
    pieces = PiecewiseTracks(tracked_of(world, parents))
    written = np.stack([pieces.labels(t) for t in range(len(world))])
    for label, begin, end, parent in pieces.table.tolist():
        found = np.nonzero((written == label).any((1, 2)))[0].tolist()
        assert found == [*range(begin, end + 1)]
        if parent:
            (row,) = pieces.table[pieces.table[:, 0] == parent].tolist()
            assert row[2] < begin
    assert set(np.unique(written)) - {0} == set(pieces.table[:, 0].tolist())
    assert ((written > 0) == (world > 0)).all()


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(histories())
def test_the_challenge_calls_any_result_valid(tmp_path_factory, history):
    there, parents = history
    assert is_valid(write(tmp_path_factory.mktemp("m") / "r", world_of(there), parents))


def test_labels_of_any_size_are_numbered_anew(tmp_path):
    world = one_division.astype(np.uint32) * 1_000_000
    folder = write(tmp_path / "r", world, {2_000_000: 1_000_000})
    assert rows(folder)[1] == [2, 2, 3, 1]


def test_more_labels_than_the_format_holds_are_refused(tmp_path):
    world = np.arange(1, MOST_LABELS + 2, dtype=np.int32).reshape(1, 256, 256)
    with pytest.raises(SaveError, match="at most 65535 tracks, found 65536"):
        write(tmp_path / "r", world)
    assert list(tmp_path.iterdir()) == []


def test_masks_without_a_track_are_refused(tmp_path):
    tracked = tracked_of(one_division)
    tracked.lineage.drop(3)
    with pytest.raises(BadInputError, match="cell 3 of frame 2 is in the masks or"):
        write_ctc(tracked, tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_no_cell_at_all(tmp_path):
    folder = write(tmp_path / "r", np.zeros((2, 3, 3), np.int32))
    assert rows(folder) == []
    assert len(read_ctc(folder).masks) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 0 3", "four whole numbers in line 1"),
        ("1 0 3 0\n2 2 x 1", "line 2"),
        ("0 0 3 0", "labels from 1, found 0"),
        ("1 0 3 0\n1 0 3 0", "found 1 twice"),
        ("1 3 0 0", "found frames 3 to 0"),
        ("1 -1 0 0", "found frames -1 to 0"),
        ("1 0 3 0\n2 2 3 9", "expected 9, parent of track 2"),
        ("1 0 3 0\n2 2 3 1", "track 1 to end before its daughter 2"),
        ("1 0 4 0", "ending in frame 4"),
    ],
)
def test_tables_that_break_a_rule(tmp_path, text, found):
    folder = write(tmp_path / "r", one_division)
    (folder / "res_track.txt").write_text(text)
    with pytest.raises(BadInputError, match=found):
        read_ctc(folder)


def test_tables_may_hold_tabs_and_empty_lines(tmp_path):
    folder = write(tmp_path / "r", one_division)
    (folder / "res_track.txt").write_text("\ufeff1\t0\t3\t0\n\n", encoding="utf-8")
    assert rows(folder) == [[1, 0, 3, 0]]


def test_missing_parts_are_named(tmp_path):
    folder = write(tmp_path / "r", one_division)
    (folder / "mask002.tif").unlink()
    with pytest.raises(BadInputError, match="none of frame 2"):
        read_ctc(folder)
    for path in folder.glob("mask*"):
        path.unlink()
    with pytest.raises(BadInputError, match="masks of each frame"):
        read_ctc(folder)
    (folder / "res_track.txt").unlink()
    with pytest.raises(BadInputError, match="found neither"):
        read_ctc(folder)
    folder = write(tmp_path / "s", one_division)
    (folder / "res_track.txt").unlink()
    with pytest.raises(BadInputError, match="table of tracks"):
        read_ctc(folder)


def test_masks_and_table_that_disagree(tmp_path):
    folder = write(tmp_path / "r", one_division, {2: 1, 3: 1})
    (folder / "res_track.txt").write_text("1 0 1 0\n2 2 3 1\n")
    with pytest.raises(BadInputError, match="cell 3 of frame 2 is in the masks"):
        check_masks(read_ctc(folder))
    (folder / "res_track.txt").write_text("1 0 1 0\n2 2 3 1\n3 2 3 1\n4 1 1 0\n")
    with pytest.raises(BadInputError, match="cell 4 of frame 1 is in the table"):
        check_masks(read_ctc(folder))


def test_a_damaged_mask_is_named(tmp_path):
    folder = write(tmp_path / "r", one_division)
    (folder / "mask001.tif").write_bytes(b"II*\0")
    with pytest.raises(UnreadableFrameError, match=r"mask001\.tif") as caught:
        read_ctc(folder).labels(1)
    assert caught.value.frame == 1


@pytest.fixture
def truth(tmp_path):
    """A movie 01 with gold truth, outlines of frame 2 only, and silver outlines."""
    for folder in ("01", "01_GT/TRA", "01_GT/SEG", "01_ST/SEG"):
        (tmp_path / folder).mkdir(parents=True)
    for t, frame in enumerate(one_division.astype(np.uint16)):
        tifffile.imwrite(tmp_path / f"01_GT/TRA/man_track00{t}.tif", frame)
        tifffile.imwrite(tmp_path / f"01_ST/SEG/man_seg00{t}.tif", frame)
    tifffile.imwrite(tmp_path / "01_GT/SEG/man_seg002.tif", one_division[2] * 7)
    table = tmp_path / "01_GT/TRA/man_track.txt"
    table.write_text("1 0 1 0\n2 2 3 1\n3 2 3 1\n")
    return tmp_path


@pytest.mark.parametrize("place", ["01", "01_GT", "01_GT/TRA", "01_GT/SEG"])
def test_truth_is_found_from_any_of_its_folders(truth, place):
    found = find_truth(truth / place)
    assert len(found.tracks.masks) == 4
    assert found.tracks.table.shape == (3, 4)
    assert [*found.outlines] == [2]
    assert found.outlines[2].max() == 21


@pytest.mark.parametrize("place", ["01", "01_GT", "01_ST", "01_ST/SEG"])
def test_silver_outlines_when_asked_for(truth, place):
    found = find_truth(truth / place, silver=True)
    assert [*found.outlines] == [0, 1, 2, 3]
    assert found.tracks is not None


def test_no_truth(tmp_path):
    with pytest.raises(BadInputError, match="found neither"):
        find_truth(tmp_path / "01")
    with pytest.raises(BadInputError, match="silver truth"):
        find_truth(tmp_path / "01", silver=True)


@pytest.mark.parametrize("folder", ["Fluo-N2DH-SIM+", "PhC-C2DL-PSC", "DIC-C2DH-HeLa"])
def test_the_truth_of_real_movies_keeps_the_rules(data, folder):
    found = find_truth(data / folder / "01")
    assert len(found.tracks.table) > 5
    assert found.outlines
    first = next(iter(found.outlines))
    assert found.outlines[first].max() > 0
