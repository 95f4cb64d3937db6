"""A small disk that is truly full: every edit is there or was refused."""

import shutil
import subprocess

import numpy as np
import pytest
from tests.edits.worlds import faults, state

from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import SaveError
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project

SHAPE = (4, 64, 64)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("no right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def noise(random):
    """A region that does not compress."""
    return Region(0, 0, random.random((64, 64)) < 0.5)


def paint_until_full(project, random, states):
    while len(states) < 1000:
        states.append(state(project.document))
        project.do(Paint(len(states) % 4, len(states), noise(random)))


def test_edits_go_on_once_there_is_room_again(small_disk, random):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    with Project.create(small_disk / "p", movie) as project:
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(700_000))
        states = []
        with pytest.raises(SaveError, match="the disk is full"):
            paint_until_full(project, random, states)
        assert len(states) > 5
        assert state(project.document) == states[-1]
        assert faults(project.document) == []
        ballast.unlink()
        project.do(Paint(0, 5000, noise(random)))
        after = state(project.document)
    with Project.open(small_disk / "p") as project:
        assert state(project.document) == after
        assert faults(project.document) == []


def test_a_project_that_cannot_be_saved_has_every_edit_in_its_journal(
    small_disk, random
):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    project = Project.create(small_disk / "p", movie)
    project.do(Paint(1, 3, noise(random)))
    end = state(project.document)
    free = shutil.disk_usage(small_disk).free
    (small_disk / "ballast").write_bytes(bytes(free))
    with pytest.raises(SaveError, match="the disk is full"):
        project.close()
    (small_disk / "ballast").unlink()
    with Project.open(small_disk / "p") as again:
        assert state(again.document) == end
        assert "1 edit was made again" in again.notes[0]
