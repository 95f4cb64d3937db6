"""A window with a project of a dish in which cells are confirmed."""

import numpy as np
import pytest
from tests.gui.movies import dish, project_of, write_dish
from tests.gui.window import Window

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.io.movies.opener import open_movie

FRAMES = 6


def labels_of(frames):
    """The four cells of a dish."""
    movie = dish(frames) > 0
    labels = np.zeros(movie.shape, np.int32)
    for label, (rows, columns) in enumerate(
        ((rows, columns) for rows in (0, 32) for columns in (0, 32)), 1
    ):
        part = np.s_[:, rows : rows + 32, columns : columns + 32]
        labels[part] = label * movie[part]
    return labels


@pytest.fixture
def folder(tmp_path):
    """A project in which nothing is corrected."""
    movie = open_movie(write_dish(tmp_path / "dish.tif", FRAMES))
    project_of(tmp_path / "dish.semiconv", movie, labels_of(FRAMES)).close()
    return tmp_path / "dish.semiconv"


@pytest.fixture
def opened(make_napari_viewer, qtbot, folder):
    """Open the project in a window; four cells are confirmed in two frames."""
    windows = []

    def opened(mode="quick", confirmed=(1, 2, 3, 4)):
        one = Window(make_napari_viewer(show=True), qtbot, mode)
        windows.append(one)
        one.viewer.window._qt_window.resize(1280, 780)
        one.open(folder)
        for label in confirmed:
            one.session.do(Confirm(label, 1, 2))
        one.rest()
        one.tab("Teach")
        return one

    yield opened
    while windows:
        windows.pop().bench.close()
