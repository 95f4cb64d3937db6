"""The challenge's measures give what its own evaluation program gives."""

import warnings

import numpy as np
import pytest
import tifffile
from tests.tracking.broken_results import (
    BREAKAGES,
    Drawn,
    as_result,
    cut,
    true_movie,
    write_folders,
)

from napari_semiconv.tracking.measures.evaluate import evaluate

NAMES = {
    **{name: name for name in ("SEG", "DET", "TRA", "LNK", "CT", "TF", "CCA")},
    **{f"BC({i})": f"BC{i}" for i in range(4)},
}
TRUTH = true_movie()


def reference_scores(folder, result, truth):
    """Scores by the public evaluation program, from files."""
    evaluation = pytest.importorskip("ctc_metrics.scripts.evaluate")
    places = write_folders(folder, result, truth)
    asked = ["Valid", "DET", "SEG", "TRA", "LNK", "CT", "TF", "BC", "CCA"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of empty frames
        scores = evaluation.evaluate_sequence(*map(str, places), asked, threads=1)
    assert scores["Valid"] == 1
    return scores


def compare(folder, result, truth):
    expected = reference_scores(folder, result, truth)
    outlines = dict(enumerate(truth.masks))
    scores = evaluate(result, truth, outlines).as_dict()
    for theirs, ours in NAMES.items():
        if expected[theirs] is None:
            assert scores[ours] is None, ours
        else:
            assert scores[ours] == pytest.approx(expected[theirs], abs=1e-6), ours
    return scores


def test_a_perfect_result(tmp_path):
    scores = compare(tmp_path, TRUTH, TRUTH)
    assert {scores[ours] for ours in NAMES.values()} == {1.0}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda f: f.__name__)
def test_a_broken_result(tmp_path, breakage, seed):
    compare(tmp_path, breakage(TRUTH, np.random.default_rng(seed)), TRUTH)


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda f: f.__name__)
def test_a_part_of_the_movie(tmp_path, breakage):
    result = breakage(TRUTH, np.random.default_rng(7))
    frames = range(3, 9)
    expected = reference_scores(tmp_path, cut(result, frames), cut(TRUTH, frames))
    scores = evaluate(
        result, TRUTH, dict(enumerate(TRUTH.masks)), frames=frames
    ).as_dict()
    for theirs, ours in NAMES.items():
        assert scores[ours] == pytest.approx(expected[theirs], abs=1e-6), ours


def test_a_truth_without_divisions_leaves_their_scores_open(tmp_path):
    truth = as_result(TRUTH.masks, {})
    scores = compare(tmp_path, TRUTH, truth)
    assert scores["BC1"] is None
    assert scores["CCA"] is None


@pytest.mark.slow
@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda f: f.__name__)
def test_a_real_movie(tmp_path, data, breakage):
    whole = real_movie(data / "Fluo-N2DH-SIM+" / "01_GT" / "TRA", range(20, 35))
    truth = cut(whole, range(15))
    compare(tmp_path, breakage(truth, np.random.default_rng(0)), truth)


def real_movie(folder, frames):
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    paths = [folder / f"man_track{t:03d}.tif" for t in frames]
    masks = np.stack([tifffile.imread(path) for path in paths])
    table = np.loadtxt(folder / "man_track.txt", dtype=int, ndmin=2)
    table[:, 1:3] -= frames.start
    return Drawn(masks, table)
