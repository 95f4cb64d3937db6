"""Projects from others: refused in one sentence, fast, and nothing outside changes."""

import time
import tracemalloc

import numpy as np
import pytest
from tests.edits.worlds import SHAPE, family_lineage, family_pixels
from tests.project.hostile import HOSTILE, HOSTILE_CHUNKS, chunk

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project

# What a whole project of this size takes, many times.
MOST_BYTES = 80 * 2**20
MOST_SECONDS = 5


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "p.semiconv"
    images = np.random.default_rng(3).integers(0, 99, SHAPE, np.uint16)
    found = TrackedMovie("family", SHAPE, family_pixels().__getitem__, family_lineage())
    Project.create(path, movie_from_array(images, "TYX"), found).close()
    return path


@pytest.fixture
def folder(tmp_path, made):
    import shutil

    shutil.copytree(made, tmp_path / made.name)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "victim.txt").write_text("all of a thesis")
    return tmp_path / made.name


def look(path):
    """Open a project as far as possible; the sentences that it told."""
    told = []
    begin = time.monotonic()
    tracemalloc.start()
    try:
        with Project.open(path) as project:
            told += project.notes
            told += project.faults()
            while project.history.undoable:
                project.undo()
    except BadInputError as error:
        told.append(str(error))
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_BYTES, f"{peak >> 20} MiB"
    assert time.monotonic() - begin < MOST_SECONDS
    return told


def outside(folder):
    place = folder.parent / "outside"
    return {path.name: path.read_text() for path in place.iterdir()}


def test_the_project_that_is_spoiled_is_sound(folder):
    assert look(folder) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_project_is_refused_in_one_sentence(folder, name):
    spoil, words = HOSTILE[name]
    before = outside(folder)
    spoil(folder)
    told = look(folder)
    assert any(words in sentence for sentence in told), told
    assert not any("\n" in sentence for sentence in told)
    assert outside(folder) == before


@pytest.mark.parametrize("name", HOSTILE_CHUNKS)
def test_a_hostile_frame_is_told_and_the_others_are_there(folder, name):
    chunk(folder, HOSTILE_CHUNKS[name]())
    told = look(folder)
    assert [t for t in told if "frame 3" in t.lower()] == told != []


def test_a_link_at_a_frame_is_not_written_through(folder):
    frame = folder / "labels.zarr" / "c" / "3"
    frame.rename(folder.parent / "outside" / "3")
    frame.symlink_to(folder.parent / "outside" / "3")
    known = (folder.parent / "outside" / "3" / "0" / "0").read_bytes()
    with Project.open(folder) as project:
        masks = project.document.masks
        masks.write(3, 0, 0, np.ones((2, 2), np.int32))
        with pytest.raises(SaveError, match="may lead elsewhere"):
            masks.flush()
    assert (folder.parent / "outside" / "3" / "0" / "0").read_bytes() == known
