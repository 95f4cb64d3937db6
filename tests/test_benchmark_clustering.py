"""The benchmark of clustering: every way clusters, and ratios are of this run."""

import json

import numpy as np
import pytest
from benchmarks import __main__ as command
from benchmarks.clusterings import REFERENCE, WAYS
from benchmarks.suite import clustering
from benchmarks.suite.clustering import Trial, ratio, scored

from napari_semiconv.inference.engines.hdbscan.engine import HdbscanEngine


def test_it_measures_every_way_and_prints_a_table(monkeypatch, capsys):
    monkeypatch.setattr(clustering, "SIZES", ((64, 3), (72, 4)))
    words = ["clustering", "--movies", "1", "--repeats", "1", "--json", "--small"]
    assert command.main(words) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["way"] for row in rows] == [*(w.name for w in WAYS), "votes engine"]
    assert rows[0]["faster"] == rows[0]["faster_whole"] == 1
    assert all(row["ARI_alone"] <= 1 for row in rows)
    assert all(row["whole_s"] >= (row["numbers_s"] or 0) for row in rows)


def test_the_way_of_groups_is_what_the_engine_does():
    model = clustering.load_model("default", "cpu")
    case = clustering.simulated(model, "nuclei", (96, 6), 1)
    for way in WAYS[-2:]:
        engine = HdbscanEngine(way.settings)
        window = engine.gather(case.outputs)
        least = way.settings.smallest * np.pi / 4 * 24**2
        found = way.number(window, 24.0, round(2 * least)).numbers
        cells = clustering.cells_of(window, found, case.outputs, least)
        found = engine.cluster(case.outputs)
        for mine, (theirs, _) in zip(cells, found, strict=True):
            assert (mine == theirs).all()


def test_a_cell_must_keep_its_number_for_the_score_of_both_frames():
    truth = np.array([[[1, 1, 2, 2]], [[1, 1, 2, 2]]], np.int32)
    swapped = [np.array([[1, 1, 2, 2]], np.int32), np.array([[2, 2, 1, 1]], np.int32)]
    both, alone = scored(truth, swapped)
    assert alone == 1
    assert both < 0.5


def test_the_ratio_is_over_all_movies():
    trials = [Trial(1.0, 2.0, 1, 1, 0), Trial(3.0, 6.0, 1, 1, 0)]
    assert ratio([10.0, 30.0], trials, "numbers") == pytest.approx(10)


def test_the_reference_is_one_of_the_ways():
    assert REFERENCE in [way.name for way in WAYS]
