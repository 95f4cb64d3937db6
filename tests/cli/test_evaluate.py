import json

import numpy as np
import pytest

from napari_semiconv.cli import main
from napari_semiconv.cli.demo import write_truth
from napari_semiconv.edits.results import AdoptFrame
from napari_semiconv.io.cells import formats
from napari_semiconv.io.cells.ctc.tracked import write_ctc
from napari_semiconv.io.cells.tracked import TrackedMovie, lineage_of_labels
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.synthetic import SyntheticSettings, simulate

SETTINGS = SyntheticSettings(frames=4, height=64, width=64, cells=3, diameter=16)


@pytest.fixture(scope="module")
def simulated():
    return simulate(SETTINGS, seed=0)


@pytest.fixture
def truth(tmp_path, simulated):
    write_truth(tmp_path / "01_GT", simulated)
    return tmp_path / "01_GT"


def write_result(folder, simulated, frames):
    """The truth itself, as a result."""
    parents = {label: parent for label, _, _, parent in simulated.table.tolist()}
    labels = simulated.labels[list(frames)]
    read = labels.__getitem__
    lineage = lineage_of_labels(enumerate(labels), parents)
    write_ctc(TrackedMovie("truth", labels.shape, read, lineage), folder)
    return folder


def evaluate(*words):
    return main(["evaluate", *map(str, words)])


def test_the_truth_itself_is_perfect(tmp_path, simulated, truth, capsys):
    result = write_result(tmp_path / "01_RES", simulated, range(4))
    assert evaluate(result, truth) == 0
    rows = dict(
        line.rsplit(maxsplit=1) for line in capsys.readouterr().out.splitlines()
    )
    assert rows["SEG"] == rows["DET"] == rows["TRA"] == "1.0000"
    assert rows["frames"] == "4"


def test_json_holds_the_same(tmp_path, simulated, truth, capsys):
    result = write_result(tmp_path / "01_RES", simulated, range(4))
    assert evaluate(result, truth, "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["SEG"] == 1.0
    assert scores["frames"] == 4


def test_a_result_of_some_frames_is_compared_on_these(
    tmp_path, simulated, truth, capsys
):
    result = write_result(tmp_path / "01_RES", simulated, range(1, 3))
    record = {"first_frame": 1, "frames": 2, "movie_frames": 4}
    (result / "segmentation.json").write_text(json.dumps(record), encoding="utf-8")
    assert evaluate(result, truth, "--json") == 0
    shown = capsys.readouterr()
    scores = json.loads(shown.out)
    assert scores["frames"] == 2
    assert scores["SEG"] == 1.0
    assert "covers frames 1 to 2 of the movie; only these are compared" in shown.err


def test_a_result_that_lacks_frames_is_an_error(tmp_path, simulated, truth, capsys):
    result = write_result(tmp_path / "01_RES", simulated, range(3))
    assert evaluate(result, truth) == 1
    assert "expected masks of the frames 0 to 3" in capsys.readouterr().err


@pytest.mark.parametrize(("span", "count"), [("0:3", 3), ("1:2", 1), (":-1", 3)])
def test_the_frames_to_compare_can_be_named(
    tmp_path, simulated, truth, capsys, span, count
):
    result = write_result(tmp_path / "01_RES", simulated, range(3))
    assert evaluate(result, truth, f"--frames={span}", "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert (scores["frames"], scores["SEG"]) == (count, 1.0)


def test_some_of_the_frames_of_a_part_can_be_named(tmp_path, simulated, truth, capsys):
    result = write_result(tmp_path / "01_RES", simulated, range(1, 3))
    record = {"first_frame": 1, "frames": 2, "movie_frames": 4}
    (result / "segmentation.json").write_text(json.dumps(record), encoding="utf-8")
    assert evaluate(result, truth, "--frames", "2:3", "--json") == 0
    shown = capsys.readouterr()
    scores = json.loads(shown.out)
    assert (scores["frames"], scores["SEG"], shown.err) == (1, 1.0, "")
    assert evaluate(result, truth, "--frames", "0:2") == 1
    assert "expected masks of the frames 0 to 1" in capsys.readouterr().err


def test_frames_that_the_truth_has_not_are_an_error(tmp_path, simulated, truth, capsys):
    result = write_result(tmp_path / "01_RES", simulated, range(4))
    assert evaluate(result, truth, "--frames", "7:9") == 1
    assert "Frames 7:9: expected at least one of" in capsys.readouterr().err


def test_a_part_of_one_frame_is_named_as_one(tmp_path, simulated, truth, capsys):
    result = write_result(tmp_path / "01_RES", simulated, range(1, 2))
    record = {"first_frame": 1, "frames": 1, "movie_frames": 4}
    (result / "segmentation.json").write_text(json.dumps(record), encoding="utf-8")
    assert evaluate(result, truth) == 0
    assert "covers frame 1 of the movie; only this one is" in capsys.readouterr().err


def test_a_damaged_record_is_an_error(tmp_path, simulated, truth, capsys):
    result = write_result(tmp_path / "01_RES", simulated, range(4))
    (result / "segmentation.json").write_text("{", encoding="utf-8")
    assert evaluate(result, truth) == 1
    assert "expected the record of a segmentation" in capsys.readouterr().err


def test_a_folder_without_a_result_is_an_error(tmp_path, truth, capsys):
    assert evaluate(tmp_path, truth) == 1
    assert "expected masks and tracks in a format" in capsys.readouterr().err


def test_a_project_is_compared_on_either_side(tmp_path, simulated, truth, capsys):
    movie = movie_from_array(simulated.images, "TYX")
    whole = tmp_path / "whole.semiconv"
    Project.create(whole, movie, formats.read(truth)).close()
    for sides in ((whole, truth), (truth, whole), (whole, whole)):
        assert evaluate(*sides, "--json") == 0
        shown = capsys.readouterr()
        scores = json.loads(shown.out)
        assert (scores["frames"], scores["SEG"], scores["TRA"]) == (4, 1, 1)
        assert not shown.err


def test_a_project_that_is_computed_in_part(tmp_path, simulated, truth, capsys):
    folder = tmp_path / "part.semiconv"
    movie = movie_from_array(simulated.images, "TYX")
    with Project.create(folder, movie) as project:
        for frame in (1, 2):
            project.do(AdoptFrame(frame, simulated.labels[frame].astype(np.int32)))
    assert evaluate(folder, truth, "--json") == 0
    shown = capsys.readouterr()
    scores = json.loads(shown.out)
    assert (scores["frames"], scores["SEG"]) == (2, 1)
    assert "covers frames 1 to 2 of the movie; only these are compared" in shown.err
    assert evaluate(folder, truth, "--frames", "0:3") == 1
    assert "found those of 1 to 2" in capsys.readouterr().err


def test_a_project_without_cells(tmp_path, simulated, truth, capsys):
    folder = tmp_path / "empty.semiconv"
    Project.create(folder, movie_from_array(simulated.images, "TYX")).close()
    assert evaluate(folder, truth) == 1
    assert "in which no frame was computed" in capsys.readouterr().err
