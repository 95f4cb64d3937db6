"""A scripted biologist goes the whole way, with mouse and keys alone."""

import pytest
from benchmarks.suite import biologist

from napari_semiconv.synthetic import SyntheticSettings, simulate

pytestmark = pytest.mark.gui
SHAPE = SyntheticSettings(frames=3, height=144, width=144, cells=12)


def test_a_movie_is_brought_to_its_truth(make_napari_viewer, tmp_path):
    """Opens, finds, edits, undoes, closes, opens again, corrects, and exports."""
    row = biologist.in_order(
        "queue first",
        tmp_path,
        simulate(SHAPE, 1),
        lambda: make_napari_viewer(show=True),
    )
    assert row["TRA"] == 1
    assert row["links"] == 1
    assert row["edits"] >= 3
    assert row["errors_after_queue"] < row["errors"]
