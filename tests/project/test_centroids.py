"""Where cells lie is kept with the project, and never wrong."""

import numpy as np
import pytest
from tests.edits.worlds import SHAPE, family_lineage, family_pixels

from napari_semiconv.edits.document import Centroids
from napari_semiconv.edits.links import Swap
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.project.snapshot import CENTROIDS
from napari_semiconv.project.store import ZarrMasks

FRAMES = range(SHAPE[0])


@pytest.fixture
def folder(tmp_path):
    """A project that was asked for all its centroids and closed."""
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    pixels = family_pixels()
    found = TrackedMovie("family", SHAPE, pixels.__getitem__, family_lineage())
    with Project.create(tmp_path / "p", movie, found) as project:
        for frame in FRAMES:
            project.centroids(frame)
        # Something must be new for closing to write anything.
        project.do(Swap(1, 4, 1))
    return tmp_path / "p"


@pytest.fixture
def reads(monkeypatch):
    """Frames whose pixels are looked at."""
    seen, read = [], ZarrMasks.read

    def noted(self, frame):
        seen.append(frame)
        return read(self, frame)

    monkeypatch.setattr(ZarrMasks, "read", noted)
    return seen


def rows(found):
    return [
        (label, y, x, area)
        for label, y, x, area in zip(
            found.labels.tolist(), found.y, found.x, found.areas.tolist(), strict=True
        )
    ]


def of_project(project):
    return [rows(project.centroids(frame)) for frame in FRAMES]


def of_pixels(project):
    return [rows(Centroids.of(project.document.labels(frame))) for frame in FRAMES]


def test_they_are_mean_rows_and_columns_in_pixels(folder):
    with Project.open(folder) as project:
        assert rows(project.centroids(0))[0] == (1, 4.5, 5.5, 48)
        assert of_project(project) == of_pixels(project)


def test_no_frame_is_read_when_a_project_is_opened_again(folder, reads):
    with Project.open(folder) as project:
        reads.clear()
        found = of_project(project)
        assert reads == []
        assert found == of_pixels(project)


def test_names_that_change_need_no_pixels(folder, reads):
    with Project.open(folder) as project:
        project.do(Swap(1, 4, 0))
        reads.clear()
        found = of_project(project)
        assert reads == []
        assert found == of_pixels(project)


def test_of_a_frame_that_is_painted_only_the_painted_box_is_looked_at(folder, reads):
    with Project.open(folder) as project:
        project.do(Paint(2, 1, Region(0, 20, np.ones((4, 4), bool))))
        reads.clear()
        found = of_project(project)
        assert reads == []
        assert found == of_pixels(project)
        project.undo()
        reads.clear()
        assert of_project(project) != found
        assert reads == []
        assert of_project(project) == of_pixels(project)


def test_a_cell_that_is_taken_away_has_none(folder):
    with Project.open(folder) as project:
        project.do(DeleteCell(4, 5))
        assert 5 not in project.centroids(4).labels
        assert 5 in project.centroids(5).labels
        assert of_project(project) == of_pixels(project)


def damaged(path):
    path.write_bytes(path.read_bytes()[:-40])


def emptied(path):
    path.write_bytes(b"")


def without_a_table(path):
    with np.load(path) as file:
        known = {name: file[name] for name in file.files}
    del known["areas"]
    np.savez(path, **known)


@pytest.mark.parametrize(
    "spoil", [damaged, emptied, without_a_table, lambda path: path.unlink()]
)
def test_a_file_that_cannot_be_used_is_made_anew(folder, reads, spoil):
    spoil(folder / CENTROIDS)
    with Project.open(folder) as project:
        assert project.notes == ()
        reads.clear()
        found = of_project(project)
        assert sorted(reads) == [*FRAMES]
        assert found == of_pixels(project)


def test_a_file_older_than_the_masks_is_ignored(folder, reads):
    before = (folder / CENTROIDS).read_bytes()
    with Project.open(folder) as project:
        project.do(Paint(2, 1, Region(0, 20, np.ones((4, 4), bool))))
    (folder / CENTROIDS).write_bytes(before)
    with Project.open(folder) as project:
        reads.clear()
        found = of_project(project)
        assert sorted(reads) == [*FRAMES]
        assert found == of_pixels(project)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": np.array([[9, 2]])},
        {"frames": np.array([[0, -3]])},
        {"frames": np.array([0, 2])},
        {"y": np.zeros(1)},
        {"applied": np.array([1, 2])},
        {"numbers": np.array(["a"] * 17)},
    ],
    ids=["no such frame", "negative", "one axis", "short", "two counts", "words"],
)
def test_values_that_cannot_be_are_ignored(folder, change):
    """A project folder may come from anybody."""
    with np.load(folder / CENTROIDS) as file:
        known = {name: file[name] for name in file.files}
    np.savez(folder / CENTROIDS, **known | change)
    with Project.open(folder) as project:
        assert of_project(project) == of_pixels(project)
