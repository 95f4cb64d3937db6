import sys
from subprocess import run

import numpy as np
import pytest

from napari_semiconv.gui.panel_state import (
    MovieState,
    axes_choices,
    describe,
    duration,
    resolve_choices,
    resolve_movie,
    resolve_panel,
    resolve_run,
)
from napari_semiconv.movie import movie_from_array
from napari_semiconv.settings import SegmentSettings
from napari_semiconv.workspace import Workspace


@pytest.fixture
def movie():
    pixels = np.zeros((9, 20, 30), np.uint8)
    facts = {"pixel_size": (0.5, 0.5), "frame_interval": 300.0}
    return movie_from_array(pixels, "TYX", "dish", notes=("T was a guess.",), **facts)


@pytest.fixture
def workspace(movie, tmp_path):
    return Workspace(movie=movie, result_folder=tmp_path)


def test_an_empty_panel_asks_for_a_movie():
    state = resolve_panel(Workspace(layers=("nuclei",)))
    assert state.movie == MovieState(layers=("nuclei",))
    assert state.movie.facts == "Open a movie to start."
    assert not state.run.can_preview
    assert not state.run.can_run


def test_a_movie_is_described_with_the_sizes_of_its_axes(movie, workspace):
    assert describe(movie) == "dish\nT 9 · Y 20 · X 30 · uint8"
    state = resolve_movie(workspace)
    assert state.known
    assert state.notes == "T was a guess."
    assert (state.pixel_size, state.frame_interval) == (0.5, 300.0)


def test_unknown_units_are_zero(workspace):
    workspace.movie = movie_from_array(np.zeros((2, 4, 4)), "TYX")
    state = resolve_movie(workspace)
    assert (state.pixel_size, state.frame_interval) == (0.0, 0.0)


def test_every_reading_of_the_axes_is_offered(movie):
    assert axes_choices(movie) == (
        ("TYX", "9 frames"),
        ("ZYX", "9 slices"),
        ("CYX", "9 channels"),
    )
    still = movie_from_array(np.zeros((4, 5)), "YX")
    assert axes_choices(still) == (("YX", "1 frame"),)
    big = movie_from_array(np.zeros((2, 3, 4, 5)), "TCYX")
    assert len(axes_choices(big)) == 6
    single = movie_from_array(np.zeros((2, 1, 4, 5)), "TZYX")
    assert dict(axes_choices(single))["TZYX"] == "2 frames, 1 slice"
    assert dict(axes_choices(big))["ZTYX"] == "2 slices, 3 frames"


def test_all_frames_are_computed_unless_some_are_chosen(workspace):
    assert resolve_choices(workspace).frames == (0, 8)
    workspace.frames = (2, 3)
    assert resolve_choices(workspace).frames == (2, 3)
    assert resolve_choices(workspace).last == 8


def test_the_estimated_cell_size_is_told_until_the_user_gives_one(workspace):
    assert resolve_choices(workspace).estimate == "Estimated from the movie."
    workspace.estimate = 23.44
    assert resolve_choices(workspace).estimate == "Estimated: 23.4 px."
    workspace.settings = SegmentSettings(cell_size=20.0)
    assert resolve_choices(workspace).estimate == ""


def test_nothing_can_be_changed_while_it_runs(workspace):
    workspace.begin("running", total=9)
    state = resolve_panel(workspace)
    assert not state.movie.enabled
    assert not state.choices.enabled
    assert not state.run.can_preview
    assert not state.run.can_run
    assert not state.run.can_save
    assert state.run.can_cancel
    workspace.activity = "cancelling"
    assert not resolve_run(workspace).can_cancel


def test_progress_tells_frames_and_time_left(workspace):
    workspace.begin("running", total=9)
    assert resolve_run(workspace).progress == "0 of 9 frames"
    workspace.advance(1, 9, 10.0)
    assert resolve_run(workspace).progress == "1 of 9 frames · 1 min 20 s left"
    workspace.end("Done.")
    assert resolve_run(workspace).progress == ""


def test_only_a_finished_result_can_be_saved(workspace, tmp_path):
    assert resolve_run(workspace).folder == str(tmp_path)
    assert not resolve_run(workspace).can_save
    workspace.result = tmp_path / "dish.semiconv"
    assert resolve_run(workspace).can_save
    assert resolve_run(workspace).folder.endswith("dish.semiconv")


def test_a_movie_from_memory_is_told_to_need_a_folder(workspace):
    workspace.result_folder = None
    assert resolve_run(workspace).folder == "You will be asked for a folder."


def test_an_error_takes_the_place_of_the_hint(workspace):
    assert (
        resolve_run(workspace).message == "Check the axes above, then preview a frame."
    )
    workspace.fail("The disk is full.")
    state = resolve_run(workspace)
    assert (state.message, state.error) == ("", "The disk is full.")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"),
     (7380, "2 h 3 min")],
)  # fmt: skip
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_the_rules_of_the_panel_need_no_window():
    code = (
        "import sys, napari_semiconv.gui.panel_state\n"
        "print(*{'torch', 'napari', 'qtpy'} & {*sys.modules})"
    )
    told = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""
