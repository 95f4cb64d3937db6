"""A project is shown in napari: movie, masks and tracks in the movie's units."""

import numpy as np
import pytest
import tifffile
from tests.edits.worlds import SHAPE, family_lineage, family_pixels

from napari_semiconv.edits.removing import DeleteCell
from napari_semiconv.errors import BadInputError
from napari_semiconv.gui.plugin import get_reader
from napari_semiconv.gui.reader import read_shown
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project

pytestmark = pytest.mark.gui


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, np.zeros(SHAPE, np.uint8), metadata={"axes": "TYX"})
    movie = open_movie(path).with_choices(pixel_size=(0.5, 0.5), frame_interval=60.0)
    found = TrackedMovie("f", SHAPE, family_pixels().__getitem__, family_lineage())
    with Project.create(tmp_path / "p.semiconv", movie, found) as project:
        project.do(DeleteCell(4, 5))
    return tmp_path / "p.semiconv"


def test_a_project_becomes_image_labels_and_tracks(folder):
    layers = get_reader(folder)(folder)
    assert [kind for *_, kind in layers] == ["image", "labels", "tracks"]
    labels, facts, _ = layers[1]
    assert labels.shape == SHAPE
    assert facts["scale"] == (60.0, 0.5, 0.5)
    assert not (labels[4] == 5).any()
    assert (labels[5] == 5).any()
    assert np.array_equal(labels[2:4, 3], family_pixels()[2:4, 3])


def test_the_window_gets_movie_and_layers_of_a_project(folder):
    movie, layers = read_shown(folder, None)
    assert movie.pixel_size == (0.5, 0.5)
    assert [kind for *_, kind in layers] == ["labels", "tracks"]
    tracks = layers[1][0]
    assert 5 in tracks[:, 0]


def test_a_project_without_its_movie_is_told(folder):
    (folder.parent / "movie.tif").unlink()
    with pytest.raises(BadInputError, match="neither there nor beside"):
        get_reader(folder)(folder)
