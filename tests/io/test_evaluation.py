import json
import shutil

import numpy as np
import pytest
import tifffile
from tests.tracked_worlds import PARENTS, lively, tracked_of
from tests.tracking.broken_results import (
    cut,
    drop_cells,
    everything,
    true_movie,
    write_folders,
)

from napari_semiconv.errors import BadInputError
from napari_semiconv.io.cells.ctc.tracked import read_tracked_ctc
from napari_semiconv.io.cells.formats import writable
from napari_semiconv.io.evaluation import compare, compared, result_in, truth_in
from napari_semiconv.tracking.measures.evaluate import evaluate

TRUTH = true_movie()


def evaluate_folders(result, truth, frames=None, silver=False):
    return compare(result_in(result), truth_in(truth, silver), frames)


def placed(result, begin):
    """Say which frame of the movie a folder begins with, as segment does."""
    movie = {"first_frame": begin, "frames": 6, "movie_frames": 12}
    (result / "segmentation.json").write_text(json.dumps(movie), encoding="utf-8")
    return result


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
    scores = evaluate_folders(placed(result, 4), truth, range(5, 10))
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
        evaluate_folders(placed(result, 4), truth, range(2, 6))


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


READ = [form for form in writable() if form.reader]


@pytest.mark.parametrize("form", READ, ids=lambda form: form.name)
def test_every_format_scores_as_the_folder_does(tmp_path, broken, form):
    result, truth = write_folders(tmp_path, broken, TRUTH)
    expected = evaluate_folders(result, truth)
    sides = [read_tracked_ctc(folder) for folder in (result, truth)]
    places = [tmp_path / f"{n}{form.suffix}" for n in ("result", "truth")]
    for tracked, place in zip(sides, places, strict=True):
        form.write(tracked, place)
    assert evaluate_folders(places[0], truth) == expected
    # The truth's outlines are its own masks here.
    assert evaluate_folders(places[0], places[1]) == expected
    assert evaluate_folders(result, places[1]) == expected


def test_gaps_score_as_in_an_export(tmp_path):
    tracked = tracked_of(lively, PARENTS)
    for form in READ:
        form.write(tracked, tmp_path / f"x{form.suffix}")
    scores = {
        evaluate_folders(tmp_path / f"x{a.suffix}", tmp_path / f"x{b.suffix}")
        for a in READ
        for b in READ
    }
    assert len(scores) == 1
    assert scores.pop().TRA == 1


def test_masks_without_a_track_are_named():
    tracked = tracked_of(lively)
    del tracked.lineage.tracks[9]
    with pytest.raises(BadInputError, match="cell 9 of frame 5 is in the masks or in"):
        compare(compared(tracked), compared(tracked_of(lively)))
