"""Any labels layer becomes a project."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from tests.edits.worlds import SHAPE, family_pixels, shown

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.gui.making import (
    file_of,
    make,
    make_project,
    project_of_layers,
)
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project

pytestmark = pytest.mark.gui


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "movie.tif"
    images = np.random.default_rng(0).integers(0, 200, SHAPE, np.uint8)
    tifffile.imwrite(path, images, imagej=True, metadata={"axes": "TYX"})
    return path


def test_labels_become_tracks(tmp_path):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    count = make(movie, family_pixels().astype(np.uint8), "mine", tmp_path / "p")
    assert count == 5
    with Project.open(tmp_path / "p") as project:
        assert np.array_equal(shown(project.document), family_pixels())
        assert project.lineage.tracks[4].gaps == ((2, 2),)
        assert project.info.origin == "mine"


def test_labels_of_another_movie_are_refused(tmp_path):
    movie = movie_from_array(np.zeros((5, 24, 32), np.uint8), "TYX")
    with pytest.raises(BadInputError, match=r"shape \(5, 24, 32\), as the movie movie"):
        make(movie, family_pixels(), "mine", tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_a_single_image_is_a_movie_of_one_frame(tmp_path):
    movie = movie_from_array(np.zeros(SHAPE[1:], np.uint8), "YX")
    assert make(movie, family_pixels()[4], "mine", tmp_path / "p") == 4


def test_the_file_of_a_layer_is_found(path):
    image = tifffile.imread(path)
    layer = Image(image, axis_labels=("t", "y", "x"))
    assert file_of(layer).path is None
    from napari.layers._source import layer_source

    with layer_source(path=str(path)):
        layer = Image(image, axis_labels=("t", "y", "x"), scale=(1, 0.5, 0.5))
        other = Image(image + 1, axis_labels=("t", "y", "x"))
    assert file_of(layer).path == path
    assert file_of(layer).pixel_size == (0.5, 0.5)
    assert file_of(other).path is None


def test_the_command_makes_a_project_and_tells(tmp_path, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr("napari_semiconv.gui.making.show_info", told.append)
    monkeypatch.setattr("napari_semiconv.gui.making.show_error", told.append)
    image = Image(np.zeros(SHAPE, np.uint8), axis_labels=("t", "y", "x"))
    cells = Labels(family_pixels(), name="mine")
    project_of_layers(image, cells, tmp_path / "mine")
    qtbot.waitUntil(lambda: len(told) == 2, timeout=20_000)
    made = tmp_path / "mine.semiconv"
    assert told == ["Making mine.semiconv ...", f"{made} has 5 tracks."]
    project_of_layers(image, cells, made)
    qtbot.waitUntil(lambda: len(told) == 4, timeout=20_000)
    assert "expected a new or empty folder" in told[3]


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    with pytest.raises(SaveError, match="new or empty folder"):
        make(movie, family_pixels(), "mine", tmp_path)


def test_nothing_chosen_is_told(monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr("napari_semiconv.gui.making.show_error", told.append)
    image = Image(np.zeros(SHAPE, np.uint8))
    project_of_layers(image, Labels(family_pixels()), Path())
    project_of_layers(image, None, tmp_path / "p")
    assert len(told) == 2


def test_the_form_offers_the_layers_and_a_new_name(qtbot):
    form = make_project()
    qtbot.addWidget(form.native)
    assert [w.label for w in form] == ["Movie", "Labels", "Project", "call button"]
    assert form.folder.mode.value == "w"
    assert form.call_button.text == "Make project"
