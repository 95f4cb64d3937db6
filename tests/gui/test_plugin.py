import shutil

import numpy as np
import pytest
import tifffile
from tests.gui.movies import project_of

from napari_semiconv.gui import plugin
from napari_semiconv.gui.reader import choose_reader
from napari_semiconv.io.cells.ctc.tracked import write_ctc
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.tracking.lineage import Lineage


@pytest.fixture
def lineage():
    """One cell in frames 0 and 1 that divides; its daughters live in frame 2."""
    lineage = Lineage()
    lineage.observe(0, 1)
    lineage.observe(1, 1)
    lineage.observe(2, 2, parent=1)
    lineage.observe(2, 3, parent=1)
    return lineage


@pytest.fixture
def labels():
    labels = np.zeros((3, 6, 8), np.int32)
    labels[:2, 1:3, 1:5] = 1
    labels[2, 1:3, 1:3] = 2
    labels[2, 1:3, 5:7] = 3
    return labels


@pytest.fixture
def movie(labels):
    facts = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0}
    return movie_from_array(labels, "TYX", "dish", **facts)


@pytest.fixture
def challenge(tmp_path, labels, lineage):
    tracked = TrackedMovie("dish", labels.shape, labels.__getitem__, lineage)
    write_ctc(tracked, tmp_path / "01_RES")
    return tmp_path / "01_RES"


@pytest.mark.parametrize("sample", [plugin.sample_nuclei, plugin.sample_phase])
def test_samples_are_movies_with_units(sample):
    ((data, facts, kind),) = sample()
    assert kind == "image"
    assert data.shape == (20, 256, 256)
    assert facts["units"] == ("s", "um", "um")


def test_a_challenge_result_is_read_as_labels_and_tracks(challenge, labels):
    cells, tracks = choose_reader(challenge)(challenge)
    assert cells[1]["name"] == "01_RES cells"
    assert cells[0].shape == (3, 6, 8)
    np.testing.assert_array_equal(cells[0][1], labels[1])
    np.testing.assert_array_equal(cells[0][:2, 1], labels[:2, 1])
    assert tracks[1]["graph"] == {2: [1], 3: [1]}


def test_a_folder_of_truth_is_read_as_labels_and_tracks(challenge, tmp_path, labels):
    truth = tmp_path / "01_GT"
    shutil.copytree(challenge, truth / "TRA")
    (truth / "TRA" / "res_track.txt").rename(truth / "TRA" / "man_track.txt")
    for path in (truth / "TRA").glob("mask*.tif"):
        path.rename(path.with_name(path.name.replace("mask", "man_track")))
    cells, tracks = choose_reader(str(truth))(str(truth))
    assert cells[1]["name"] == "01_GT cells"
    np.testing.assert_array_equal(cells[0][1], labels[1])
    assert tracks[1]["graph"] == {2: [1], 3: [1]}


def test_a_folder_of_frames_is_read_as_a_movie(tmp_path):
    folder = tmp_path / "01"
    folder.mkdir()
    for frame in range(3):
        tifffile.imwrite(folder / f"t{frame:03d}.tif", np.full((6, 8), frame, np.uint8))
    ((data, facts, kind),) = choose_reader(str(folder))(str(folder))
    assert (data.shape, facts["name"], kind) == ((3, 6, 8), "01", "image")


def test_a_project_is_read_as_layers_where_there_is_no_window(tmp_path, movie, labels):
    tifffile.imwrite(
        tmp_path / "dish.tif",
        labels.astype(np.uint16),
        photometric="minisblack",
        metadata={"axes": "TYX"},
    )
    movie = open_movie(tmp_path / "dish.tif").with_choices(frame_interval=60.0)
    folder = tmp_path / "dish.semiconv"
    project_of(folder, movie, labels).close()
    image, cells, tracks = choose_reader(str(folder))(str(folder))
    assert image[1]["name"] == "dish"
    np.testing.assert_array_equal(np.asarray(cells[0]), labels)
    assert cells[1]["scale"] == (60.0, 1.0, 1.0)
    assert tracks[0].tolist() == [
        [1, 0, 1.5, 2.5],
        [1, 1, 1.5, 2.5],
        [2, 2, 1.5, 1.5],
        [3, 2, 1.5, 5.5],
    ]


def test_other_folders_and_files_are_left_to_others(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    assert plugin.get_reader(str(tmp_path)) is None
    assert plugin.get_reader(str(tmp_path / "notes.txt")) is None
    assert plugin.get_reader([str(tmp_path)]) is None
