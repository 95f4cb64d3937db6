"""What is measured of a project keeps up with its edits."""

import time

import numpy as np
import pytest
from tests.gui.movies import project_of, write_dish

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.links import Swap
from napari_semiconv.edits.masks import Erase, Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell, DeleteTrack
from napari_semiconv.errors import EditError
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.workflows import measuring as measuring_module
from napari_semiconv.workflows.measuring import WITHOUT_MOVIE, Measuring
from napari_semiconv.workflows.session import Session

FRAMES = 12
PATIENCE = 60


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(measuring_module, "PAUSE", 0.01)


@pytest.fixture
def folder(tmp_path):
    movie = open_movie(write_dish(tmp_path / "dish.tif", frames=FRAMES))
    labels = np.zeros((FRAMES, 64, 64), np.int32)
    for label in range(1, 5):
        for t in range(FRAMES):
            top = 12 * label + t % 3
            labels[t, top : top + 8, 10:20] = label
    project_of(tmp_path / "dish.semiconv", movie, labels).close()
    return tmp_path / "dish.semiconv"


@pytest.fixture
def session(folder):
    session = Session()
    assert session.open(folder).wait(PATIENCE)
    yield session
    session.close()


def wait(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.005)


def watched(session):
    measuring = Measuring(session)
    measuring.watch(True)
    wait(lambda: measuring.latest is not None and measuring.resting)
    return measuring


def same(one, other):
    for table, known in (
        (one.cells, other.cells),
        (one.tracks, other.tracks),
        (one.frames, other.frames),
    ):
        assert [c.name for c in table.columns] == [c.name for c in known.columns]
        for column in table.columns:
            np.testing.assert_array_equal(column.values, known[column.name])


def edits(random):
    """Edits by chance; some of them cannot be done."""
    label, other = random.choice(4, 2, replace=False).tolist()
    frame = int(random.integers(FRAMES))
    y, x = random.integers(0, 50, 2).tolist()
    square = Region(y, x, np.ones((6, 6), bool))
    return (
        Paint(frame, label + 1, square),
        Erase(frame, square),
        Swap(label + 1, other + 1, frame),
        DeleteCell(frame, label + 1),
        DeleteTrack(label + 1, frame),
        Confirm(label + 1, frame, FRAMES - 1),
    )[int(random.integers(6))]


def test_after_edits_by_chance_it_is_as_measured_anew(session, random):
    measuring = watched(session)
    for _ in range(4):
        for _ in range(8):
            try:
                if random.random() < 0.2 and session.project.history.undoable:
                    session.undo()
                else:
                    session.do(edits(random))
            except EditError:
                continue
        wait(lambda: measuring.resting)
        anew = watched(session)
        same(measuring.latest, anew.latest)
        anew.close()
    measuring.close()


def test_only_frames_that_were_touched_are_measured_again(session, monkeypatch):
    measuring = watched(session)
    seen = []
    measure = measuring_module.measured_frame

    def noted(tracked, movies, frame):
        seen.append(frame)
        return measure(tracked, movies, frame)

    monkeypatch.setattr(measuring_module, "measured_frame", noted)
    session.do(DeleteCell(3, 2))
    wait(lambda: measuring.resting)
    assert seen == [3]
    session.do(Confirm(1))
    wait(lambda: measuring.resting)
    assert seen == [3]
    assert measuring.latest.cells["confirmed"].sum() == FRAMES
    measuring.close()


def test_nothing_is_measured_while_nobody_looks(session):
    measuring = Measuring(session)
    told = []
    measuring.measured.connect(told.append)
    session.do(DeleteCell(3, 2))
    assert measuring.latest is None
    measuring.watch(True)
    wait(lambda: measuring.resting)
    assert len(measuring.latest.cells) == 4 * FRAMES - 1
    measuring.close()


def test_without_the_movie_there_are_no_intensities_and_it_is_said(session, folder):
    measuring = watched(session)
    assert measuring.latest.note == ""
    assert "mean_intensity_channel_0" in measuring.latest.cells
    session.close_project()
    wait(lambda: measuring.latest is None)
    movie = folder.with_name("dish.tif")
    movie.rename(folder.with_name("elsewhere.tif"))
    away = folder.parent.parent / "far"
    away.mkdir()
    folder.with_name("elsewhere.tif").rename(away / "other.tif")
    assert session.open(folder).wait(PATIENCE)
    wait(lambda: measuring.latest is not None and measuring.resting)
    assert session.movie is None
    assert measuring.latest.note == WITHOUT_MOVIE
    assert "mean_intensity_channel_0" not in measuring.latest.cells
    assert session.find_movie(away / "other.tif").wait(PATIENCE)
    wait(lambda: measuring.latest is not None and measuring.resting)
    assert "mean_intensity_channel_0" in measuring.latest.cells
    measuring.close()


def test_a_unit_that_is_corrected_is_measured_by(session):
    measuring = watched(session)
    before = measuring.latest.cells["area_um2"][0]
    session.change_movie(session.movie.with_choices(pixel_size=(1.0, 1.0)))
    wait(lambda: measuring.latest is not None and measuring.resting)
    assert measuring.latest.cells["area_um2"][0] == pytest.approx(4 * before)
    measuring.close()
