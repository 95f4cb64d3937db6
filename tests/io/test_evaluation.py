import shutil

import numpy as np
import pytest
import tifffile
from tests.tracking.broken_results import (
    cut,
    drop_cells,
    everything,
    true_movie,
    write_folders,
)

from napari_semiconv.errors import BadInputError
from napari_semiconv.io.evaluation import evaluate_folders
from napari_semiconv.tracking.measures import evaluate

TRUTH = true_movie()


@pytest.fixture
def broken(random):
    return everything(TRUTH, random)


def test_folders_score_as_their_movies_do(tmp_path, broken):
    result, truth = write_folders(tmp_path, broken, TRUTH)
    expected = evaluate(broken, TRUTH, dict(enumerate(TRUTH.masks)))
    assert evaluate_folders(result, truth) == expected
    assert expected.SEG is not None


def test_a_range_of_frames(tmp_path, broken):
    result, truth = write_folders(tmp_path, broken, TRUTH)
    frames = range(4, 10)
    expected = evaluate(broken, TRUTH, dict(enumerate(TRUTH.masks)), frames)
    assert evaluate_folders(result, truth, frames) == expected


def test_a_result_that_begins_later(tmp_path, random):
    _, truth = write_folders(tmp_path / "whole", TRUTH, TRUTH)
    part = cut(drop_cells(TRUTH, random), range(4, 10))
    result, _ = write_folders(tmp_path / "part", part, part)
    scores = evaluate_folders(result, truth, range(5, 10), begin=4)
    assert scores.frames == 5
    assert scores.outlined_frames == 5
    assert 0.5 < scores.TRA < 1


def test_missing_frames_are_told(tmp_path):
    result, truth = write_folders(tmp_path, TRUTH, TRUTH)
    part = cut(TRUTH, range(8))
    shutil.rmtree(result)
    result, _ = write_folders(tmp_path / "part", part, part)
    with pytest.raises(BadInputError, match="frames 0 to 11, found those of 0 to 7"):
        evaluate_folders(result, truth)
    with pytest.raises(BadInputError, match="frames 2 to 5, found those of 4 to 11"):
        evaluate_folders(result, truth, range(2, 6), begin=4)


def test_silver_outlines_are_taken_on_request(tmp_path):
    result, truth = write_folders(tmp_path, TRUTH, TRUTH)
    silver = tmp_path / "01_ST" / "SEG"
    silver.mkdir(parents=True)
    half = np.where(np.arange(80) % 2, TRUTH.masks[3], 0)
    tifffile.imwrite(silver / "man_seg003.tif", half.astype(np.uint16))
    assert evaluate_folders(result, truth).SEG == 1
    scores = evaluate_folders(result, truth, silver=True)
    assert scores.outlined_frames == 1
    assert pytest.approx(0.5, abs=0.1) == scores.SEG


def test_outlines_alone_are_no_truth_of_tracks(tmp_path):
    result, truth = write_folders(tmp_path, TRUTH, TRUTH)
    shutil.rmtree(truth / "TRA")
    with pytest.raises(BadInputError, match="expected tracking truth in TRA"):
        evaluate_folders(result, truth)
