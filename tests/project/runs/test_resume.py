"""Reopening a run folder to go on with its run."""

import json

import numpy as np
import pytest
from tests.worlds import one_division

from napari_semiconv.errors import (
    BadInputError,
    BadModelError,
    BadSettingsError,
    SaveError,
)
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.project.mask_array import LABELS
from napari_semiconv.project.runs.store import INFO, RunStore
from napari_semiconv.tracking.lineage import Lineage

SETTINGS = {
    "engine": "votes",
    "device": "cpu",
    "skip_unreadable": False,
    "cell_size": 12.5,
    "votes": {"foreground": 0.6, "join": 0.6},
}
MODEL = {"name": "default", "sha256": "abc" * 21}
EVERY = len(one_division)


def movie_of(world=one_division, **facts):
    return movie_from_array(world, "TYX", **{"name": "cells"} | facts)


@pytest.fixture
def folder(tmp_path):
    """A run over all frames that stopped after the second, with a state there."""
    folder = tmp_path / "cells.semiconv"
    store = RunStore.create(folder, movie_of(), SETTINGS, MODEL)
    for t in (0, 1, 2):
        store.write_frame(t, one_division[t])
        store.states.path(t).touch()
    return folder


def resume(folder, movie=None, settings=SETTINGS, model=MODEL, frames=None):
    movie = movie_of() if movie is None else movie
    return RunStore.resume(folder, movie, settings, model, frames)


def test_reopening_changes_nothing(folder):
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    store = resume(folder)
    assert (store.done, list(store.states.all())) == ((0, 1, 2), [2, 1, 0])
    assert before == {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_rewinding_takes_later_frames_away(folder):
    store = resume(folder)
    (folder / LABELS / "c" / "2" / "0" / "0.ab12.partial").touch()
    store.rewind(0)
    assert (store.done, list(store.states.all())) == ((0,), [0])
    assert not (folder / LABELS / "c" / "2").exists()
    store.write_frame(1, np.zeros_like(one_division[1]))
    store.sync()
    assert RunStore.open(folder).done == (0, 1)
    np.testing.assert_array_equal(store.labels[0], one_division[0])


def test_a_run_that_goes_on_can_be_finished(folder):
    store = resume(folder)
    store.rewind(1)
    assert RunStore.open(folder).info.state == "running"
    for t in range(2, EVERY):
        store.write_frame(t, one_division[t])
    store.finish()
    result = RunStore.open(folder)
    assert result.info.state == "finished"
    np.testing.assert_array_equal(result.labels[:], one_division)


def test_a_whole_run_that_was_cancelled_is_not_finished(folder):
    """The published procedures decide tracks after the last frame."""
    store = resume(folder)
    for t in range(EVERY):
        store.write_frame(t, one_division[t])
    store.finish(cancelled=True)
    assert RunStore.open(folder).info.state == "cancelled"


def test_what_does_not_change_the_result_may_differ(folder):
    settings = SETTINGS | {"device": "cuda", "skip_unreadable": True, "cell_size": None}
    model = MODEL | {"name": "renamed"}
    moved = movie_of(name="moved", pixel_size=(0.3, 0.3))
    store = resume(folder, moved, settings, model)
    assert store.info.settings == settings | {"cell_size": 12.5}
    assert store.info.movie.name == "cells"


def test_settings_that_came_with_a_later_release_do_not_hinder(folder):
    settings = SETTINGS | {"votes": SETTINGS["votes"] | {"new": 3}}
    assert resume(folder, settings=settings).info.settings == SETTINGS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"engine": "hdbscan"}, "engine hdbscan instead of votes"),
        ({"cell_size": 13.0}, "cell_size 13.0 instead of 12.5"),
        (
            {"votes": {"foreground": 0.5, "join": 0.7}},
            "votes.foreground 0.5 instead of 0.6, votes.join 0.7 instead of 0.6",
        ),
    ],
)
def test_other_settings_are_named(folder, changes, words):
    with pytest.raises(BadSettingsError, match=words):
        resume(folder, settings=SETTINGS | changes)


def test_another_model_is_named(folder):
    with pytest.raises(BadModelError, match="checksum abcabcabcabc, found def"):
        resume(folder, model={"name": "default", "sha256": "def"})


@pytest.mark.parametrize(
    ("movie", "words"),
    [
        (movie_of(one_division[:-1]), "the shape"),
        (movie_of(one_division[:, :-1]), "the shape"),
        (
            movie_of(one_division + 1, name="other"),
            "other with other pixels in frame 0",
        ),
        (
            movie_from_array(one_division[:, None], "TZYX", z=0),
            "the axes TZYX instead of TYX",
        ),
    ],
    ids=["shorter", "smaller", "other pixels", "other axes"],
)
def test_another_movie_is_refused(folder, movie, words):
    with pytest.raises(BadInputError, match=words):
        resume(folder, movie)


class Damaged:
    axes, shape, dtype = "TYX", one_division.shape, one_division.dtype

    def plane(self, position):
        if position["T"] == 0:
            raise OSError("cut off")
        return one_division[position["T"]]


def test_a_first_frame_that_cannot_be_read_is_not_compared(tmp_path):
    movie = Movie("cells", Damaged(), "TYX")
    store = RunStore.create(tmp_path / "r", movie, SETTINGS, MODEL)
    assert store.info.movie.pixels is None
    assert resume(tmp_path / "r", movie).info == store.info


def test_more_frames_may_be_asked_for_but_not_fewer(tmp_path):
    folder = tmp_path / "r"
    store = RunStore.create(folder, movie_of(), SETTINGS, MODEL, range(1, 3))
    store.write_frame(1, one_division[1])
    store.write_frame(2, one_division[2])
    store.finish()
    assert resume(folder).info.state == "finished"
    longer = resume(folder, frames=range(1, 4)).info
    assert (longer.state, longer.frames) == ("cancelled", (1, 3))
    for frames in (range(1, 2), range(0, 3)):
        with pytest.raises(BadInputError, match="begun for the frames 1 to 2"):
            resume(folder, frames=frames)


def test_a_folder_that_was_hardly_begun_is_made_anew(tmp_path):
    folder = tmp_path / "r.semiconv"
    assert resume(folder).done == ()
    (folder / INFO).rename(folder / f"{INFO}.part")
    store = resume(folder)
    assert json.loads((folder / INFO).read_text())["state"] == "running"
    assert store.done == ()
    assert RunStore.open(folder).lineage == Lineage()


@pytest.mark.parametrize("name", ["notes.txt", "labels.zarr/c"])
def test_a_folder_of_somebody_else_is_left_alone(tmp_path, name):
    folder = tmp_path / "r.semiconv"
    (folder / name).mkdir(parents=True)
    with pytest.raises(SaveError, match="found files in it"):
        resume(folder)
    assert (folder / name).is_dir()


def test_missing_labels_are_told(folder):
    (folder / LABELS / "zarr.json").unlink()
    with pytest.raises(BadInputError, match="are missing or damaged"):
        resume(folder)
