"""Errors that the benchmark of suspects counts, on worlds where each happens once."""

import numpy as np
import pytest
from benchmarks.annotated import data_folder
from benchmarks.doubting import Judged, auc
from benchmarks.spoiled import spoiled
from benchmarks.suite import suspects
from benchmarks.true_errors import TrueError, true_errors

from napari_semiconv.io.cells.tracked import lineage_of_labels


def world(*frames):
    """One row of pixels a frame, (T, 1, X)."""
    return np.array([[[int(c) for c in frame]] for frame in frames], np.int32)


def table(masks, parents):
    lineage = lineage_of_labels(enumerate(masks), parents)
    return np.array(
        [
            (label, track.begin, track.end, parents.get(label, 0))
            for label, track in sorted(lineage.tracks.items())
        ]
    )


def errors(truth, found, true_parents=None, parents=None):
    lineage = lineage_of_labels(enumerate(found), parents)
    return true_errors(found, lineage, truth, table(truth, true_parents or {}))


TWO = world("1100220", "1100220", "1100220", "1100220")
FAMILY = world("0111100", "0111100", "2200330", "2200330")
CASES = {
    "missed cell": (
        TWO, world("1100220", "0000220", "0000220", "1100220"), {}, {},
        {(0, 1), (3, 1)},
    ),
    "false cell": (
        TWO, world("1100220", "1130220", "1130220", "1100220"), {}, {},
        {(1, 3), (2, 3)},
    ),
    "merged cells": (
        TWO, world("1100220", "1111110", "1111110", "1100220"), {}, {},
        {(1, 1), (2, 1)},
    ),
    "missing link": (
        TWO, world("1100220", "1100220", "3300220", "3300220"), {}, {},
        {(1, 1), (2, 3)},
    ),
    "missed division": (
        FAMILY, world("0111100", "0111100", "1100330", "1100330"), {2: 1, 3: 1}, {},
        {(1, 1), (2, 1), (2, 3)},
    ),
    "false division": (
        TWO, world("1100220", "1100220", "3300440", "3300440"), {}, {3: 1, 4: 1},
        {(1, 1)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_each_error_is_counted_once_where_it_is_seen(kind):
    truth, found, true_parents, parents, cells = CASES[kind]
    counted = errors(truth, found, true_parents, parents)
    assert [e for e in counted if e.kind == kind] == [TrueError(kind, frozenset(cells))]


def test_exchanged_tracks_are_wrong_links():
    found = world("1100220", "1100220", "2200110", "2200110")
    kinds = [(e.kind, e.cells) for e in errors(TWO, found)]
    assert ("wrong link", frozenset({(2, 1)})) in kinds
    assert ("wrong link", frozenset({(2, 2)})) in kinds


def test_the_truth_has_no_errors():
    assert errors(TWO, TWO) == []
    assert errors(FAMILY, FAMILY, {2: 1, 3: 1}, {2: 1, 3: 1}) == []


def test_errors_are_put_into_a_truth_the_same_way_every_time():
    masks = np.zeros((12, 60, 60), np.int32)
    for label, (y, x) in enumerate(((5, 5), (5, 40), (40, 5), (40, 40)), 1):
        masks[:, y : y + 12, x : x + 12] = label
    one, two = (spoiled(masks, table(masks, {}), 1) for _ in range(2))
    np.testing.assert_array_equal(one[0], two[0])
    assert one[1] == two[1]
    assert true_errors(*one, masks, table(masks, {}))


def test_what_is_wrong_scores_higher():
    wrong = np.array([True, False, True, False])
    assert auc(wrong, np.array([0.9, 0.1, 0.8, 0.2])) == 1
    assert auc(wrong, np.array([0.1, 0.9, 0.2, 0.8])) == 0
    assert np.isnan(auc(wrong[:1], np.array([0.9])))


def test_the_share_of_errors_seen_grows_with_looks():
    one = Judged(None, [0] * 4, np.array([0, 2, 2, 4]), None, 0.0, 0.0)
    assert [one.held(n) for n in range(5)] == [0, 0.25, 0.25, 0.75, 0.75]
    assert one.half == 3


def test_without_recordings_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("SEMICONV_DATA", str(tmp_path / "nothing"))
    assert not data_folder().is_dir()
    report = suspects.run(suspects.argparse.Namespace(seed=0))
    assert report.rows == []
    assert "SEMICONV_DATA" in report.notes[0]
