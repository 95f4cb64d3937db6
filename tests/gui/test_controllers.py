"""The controllers with stand-ins for window, child and threads."""

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from napari_semiconv.compute.messages import (
    CellSize,
    Failed,
    Finished,
    FrameDone,
    Preview,
    Previewed,
    Ready,
    Segment,
    Started,
    Warm,
)
from napari_semiconv.errors import BadInputError, SemiconvError
from napari_semiconv.gui import movie_controller, run_controller
from napari_semiconv.gui.controller import Controller
from napari_semiconv.gui.layers import LayerBoard
from napari_semiconv.gui.movie_controller import MovieController
from napari_semiconv.gui.panel_state import resolve_panel
from napari_semiconv.gui.run_controller import RunController
from napari_semiconv.gui.runner import ChildRunner
from napari_semiconv.movie import movie_from_array
from napari_semiconv.workspace import Workspace


class AtOnce:
    """Does in place what the background does in a thread."""

    def run(self, work, done, failed):
        try:
            done(work())
        except SemiconvError as error:
            failed(str(error))

    def run_steps(self, work, step, done, failed):
        for answer in work():
            step(answer)
        done(None)

    def cancel(self):
        pass


@pytest.fixture
def movie(tmp_path):
    path = tmp_path / "dish.tif"
    return movie_from_array(np.zeros((9, 4, 5)), "TYX", "dish", path=path)


@pytest.fixture
def workspace(movie, tmp_path):
    return Workspace(movie=movie, result_folder=tmp_path)


@pytest.fixture
def board():
    board = Mock(spec=LayerBoard)
    board.image_names.return_value = ("mine",)
    board.current_frame.return_value = 3
    return board


@pytest.fixture
def child():
    return Mock(spec=ChildRunner)


@pytest.fixture
def runs(workspace, board, child, monkeypatch):
    monkeypatch.setattr(run_controller, "open_labels", lambda folder: "labels")
    monkeypatch.setattr(run_controller, "load_tracks", lambda folder, movie: "tracks")
    runs = RunController(workspace, board, child, AtOnce())
    yield runs
    runs.close()


@pytest.fixture
def movies(board):
    return MovieController(Workspace(), board, AtOnce())


def asked(child):
    return child.ask.call_args.args[0]


def start(runs, child, tmp_path):
    runs.run()
    output = asked(child).output
    runs.hear(Started(ticket=1, output=output))
    return output


def test_a_preview_is_asked_for_the_frame_in_view(runs, child, workspace):
    runs.preview()
    request = asked(child)
    assert isinstance(request, Preview)
    assert (request.frame, request.movie.path) == (3, workspace.movie.path)
    assert workspace.activity == "previewing"


def test_a_preview_shows_labels_and_estimate(runs, child, board, workspace):
    runs.preview()
    output = asked(child).output
    np.save(output, np.ones((4, 5), np.int32))
    runs.hear(CellSize(ticket=1, px=21.5))
    runs.hear(Previewed(ticket=1, frame=3, output=output, cells=1, seconds=1.25))
    frame, labels = board.show_preview.call_args.args
    assert (frame, labels.shape) == (3, (4, 5))
    assert (workspace.activity, workspace.estimate) == ("idle", 21.5)
    assert workspace.message.startswith("Frame 3: 1 cell found in 1.2 s.")
    assert not output.exists()


def test_an_answer_to_an_old_question_is_dropped(runs, child, board, workspace):
    runs.preview()
    runs.cancel()
    assert (workspace.activity, workspace.message) == ("idle", "Cancelled.")
    child.cancel.assert_called_once_with(1)
    runs.hear(Previewed(ticket=1, frame=3, output=Path("x"), cells=1, seconds=1))
    board.show_preview.assert_not_called()
    child.forgive.assert_called_once()


def test_a_preview_asked_while_the_last_one_is_being_ended_is_asked_again(
    runs, child, workspace
):
    runs.preview()
    runs.cancel()
    runs.preview()
    child.reset_mock()
    runs.on_kill()  # the child was busy with the first, and took the second with it
    requests = [call.args[0] for call in child.ask.call_args_list]
    assert [type(request) for request in requests] == [Warm, Preview]
    assert requests[-1].ticket == 3
    assert workspace.activity == "previewing"


def test_a_run_writes_to_a_new_folder_beside_the_movie(runs, child, tmp_path):
    (tmp_path / "dish.semiconv").mkdir()
    runs.run()
    request = asked(child)
    assert isinstance(request, Segment)
    assert request.output == tmp_path / "dish-2.semiconv"
    assert request.frames == (0, 8)


def test_only_chosen_frames_are_asked_for(runs, child, workspace):
    workspace.frames = (2, 4)
    runs.run()
    assert asked(child).frames == (2, 4)
    assert workspace.total == 3


def test_frames_appear_while_it_runs(runs, child, board, workspace, tmp_path):
    start(runs, child, tmp_path)
    board.show_cells.assert_called_once_with("labels")
    runs.hear(FrameDone(ticket=1, frame=0, done=1, total=9, cells=2, seconds=2.0))
    board.show_frame.assert_called_once_with(0)
    assert (workspace.done, workspace.seconds_left) == (1, 16.0)


def test_a_finished_run_shows_tracks_and_can_be_saved(
    runs, child, board, workspace, tmp_path
):
    output = start(runs, child, tmp_path)
    runs.hear(FrameDone(ticket=1, frame=8, done=9, total=9, cells=2, seconds=2.0))
    done = Finished(ticket=1, output=output, done=9, total=9, tracks=2, cancelled=False)
    runs.hear(done)
    board.show_tracks.assert_called_once_with("tracks")
    assert workspace.result == output
    assert workspace.message == "Done: 2 tracks in 9 frames."
    assert resolve_panel(workspace).run.can_save


def test_a_cancelled_run_keeps_its_frames(runs, child, board, workspace, tmp_path):
    output = start(runs, child, tmp_path)
    runs.hear(FrameDone(ticket=1, frame=0, done=1, total=9, cells=2, seconds=2.0))
    runs.cancel()
    child.cancel.assert_called_once_with(1)
    assert workspace.activity == "cancelling"
    runs.hear(
        Finished(ticket=1, output=output, done=1, total=9, tracks=2, cancelled=True)
    )
    child.forgive.assert_called_once()
    assert workspace.message == "Cancelled: 1 of 9 frames are kept."
    assert workspace.result == output


def test_a_child_that_does_not_stop_is_replaced(
    runs, child, board, workspace, tmp_path
):
    output = start(runs, child, tmp_path)
    runs.hear(FrameDone(ticket=1, frame=0, done=1, total=9, cells=2, seconds=2.0))
    runs.cancel()
    runs.on_kill()
    assert workspace.message == "Cancelled: 1 of 9 frames are kept."
    assert workspace.result == output
    assert isinstance(asked(child), Warm)


def test_a_killed_run_without_frames_leaves_nothing(
    runs, child, board, workspace, tmp_path
):
    output = start(runs, child, tmp_path)
    output.mkdir()
    runs.cancel()
    runs.on_kill()
    board.drop_cells.assert_called_once()
    assert not output.exists()
    assert workspace.result is None
    assert workspace.activity == "idle"


def test_a_crash_is_said_and_finished_frames_are_kept(
    runs, child, board, workspace, tmp_path
):
    output = start(runs, child, tmp_path)
    runs.hear(FrameDone(ticket=1, frame=0, done=1, total=9, cells=2, seconds=2.0))
    runs.on_crash("Killed")
    assert "ended unexpectedly; it said last: Killed" in workspace.error
    assert workspace.result == output
    board.show_tracks.assert_called_once()


def test_errors_of_the_child_are_shown_unchanged(runs, child, workspace):
    runs.preview()
    runs.hear(Failed(ticket=1, message="The model is missing. Install it."))
    assert workspace.error == "The model is missing. Install it."
    assert workspace.activity == "idle"


def test_a_skipped_frame_is_said(runs, child, workspace, tmp_path):
    start(runs, child, tmp_path)
    done = FrameDone(ticket=1, frame=0, done=1, total=9, cells=0, seconds=1)
    runs.hear(done.model_copy(update={"unreadable": "Frame 0 is damaged."}))
    assert workspace.error == "Skipped: Frame 0 is damaged."
    assert workspace.activity == "running"


def test_what_the_child_offers_is_offered(runs, workspace):
    runs.hear(Ready(ticket=0, models=("default", "x"), devices=("auto", "cuda")))
    assert workspace.models == ("default", "x")
    assert workspace.devices == ("auto", "cuda")
    assert workspace.ready


def test_a_movie_in_memory_is_copied_for_the_child(runs, child, board, workspace):
    pixels = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    workspace.movie = movie_from_array(pixels, "TZYX", "mine", pixel_size=(0.5, 0.5))
    board.current_frame.return_value = 1
    runs.run()
    choice = asked(child).movie
    assert (choice.axes, choice.z, choice.pixel_size) == ("TYX", "max", (0.5, 0.5))
    copied = choice.open()
    np.testing.assert_array_equal(copied.frame(1), pixels[1].max(0))
    assert workspace.activity == "running"
    runs.hear(Failed(ticket=1, message="Stop."))
    runs.preview()
    assert asked(child).movie.path == choice.path


def test_opening_shows_the_movie_and_where_results_go(
    movies, board, monkeypatch, movie
):
    monkeypatch.setattr(movie_controller, "open_movie", lambda path: movie)
    movies.open(movie.path)
    board.show_movie.assert_called_once_with(movie)
    workspace = movies._workspace
    assert workspace.movie is movie
    assert workspace.result_folder == movie.path.parent
    assert workspace.activity == "idle"


def test_a_movie_that_cannot_be_opened_is_said(movies, monkeypatch):
    def refuse(path):
        raise BadInputError("a.txt: expected an image, found text. Choose another.")

    monkeypatch.setattr(movie_controller, "open_movie", refuse)
    movies.open(Path("a.txt"))
    assert movies._workspace.error.startswith("a.txt: expected an image")
    assert movies._workspace.movie is None


def test_open_layers_are_offered_and_can_be_taken(movies, board, movie):
    assert movies._workspace.layers == ("mine",)
    board.open_layer.return_value = movie
    movies.use_layer("mine")
    assert movies._workspace.layer == "mine"
    assert movies._workspace.movie is movie


def test_corrections_change_the_movie(movies, board, movie, monkeypatch):
    monkeypatch.setattr(movie_controller, "open_movie", lambda path: movie)
    movies.open(movie.path)
    workspace = movies._workspace
    workspace.frames, workspace.estimate = (0, 3), 20.0
    movies.set_pixel_size(0.65)
    movies.set_interval(300.0)
    assert workspace.movie.pixel_size == (0.65, 0.65)
    assert workspace.movie.frame_interval == 300.0
    assert (workspace.frames, workspace.estimate) == ((0, 3), 20.0)
    movies.set_axes("ZYX")
    assert (workspace.movie.axes, len(workspace.movie)) == ("ZYX", 1)
    assert (workspace.frames, workspace.estimate) == (None, None)
    movies.set_z(2)
    assert workspace.movie.z == 2
    movies.set_axes("CYX")
    movies.set_channel(4)
    assert (workspace.movie.channel, workspace.movie.z) == (4, "max")
    movies.set_pixel_size(0.0)
    assert workspace.movie.pixel_size is None
    assert board.show_movie.call_args.args[0] is workspace.movie


class Panel:
    """A view that only notes what it is told."""

    def __init__(self):
        self.movie, self.choices, self.run = Mock(), Mock(), Mock()
        self.shown = []

    def show_state(self, state):
        self.shown.append(state)


@pytest.fixture
def controller(workspace, movies):
    return Controller(workspace, Panel(), movies, Mock(spec=RunController), Mock())


def test_the_panel_is_told_only_what_is_new(controller, workspace):
    panel = controller._panel
    assert panel.shown == [resolve_panel(workspace)]
    workspace.message = "Hello."
    workspace.ready = True  # changes nothing that is seen
    assert len(panel.shown) == 2


def test_settings_change_by_their_name(controller, workspace):
    controller.set_setting("cell_size", 12.5)
    controller.set_setting("votes.foreground", 0.25)
    assert workspace.settings.cell_size == 12.5
    assert workspace.settings.votes.foreground == 0.25
    controller._runs.warm.assert_not_called()


def test_a_setting_that_cannot_work_is_refused(controller, workspace):
    before = workspace.settings
    controller.set_setting("votes.foreground", 7.0)
    assert workspace.settings == before
    assert workspace.error.startswith("Setting votes.foreground")


def test_another_model_is_loaded_at_once_and_estimates_anew(controller, workspace):
    workspace.estimate = 20.0
    controller.set_setting("model", "other")
    assert workspace.estimate is None
    controller._runs.warm.assert_called_once()


def test_a_preset_sets_the_procedure_and_leaves_model_and_cell_size(
    controller, workspace
):
    controller.set_setting("cell_size", 12.5)
    controller.set_preset("payer2019-psc")
    settings = workspace.settings
    assert (settings.engine, settings.resize) == ("payer2019", "576x720")
    assert (settings.payer.smallest, settings.cell_size) == (50, 12.5)
    assert resolve_panel(workspace).choices.preset == "payer2019-psc"
    assert "576x720" in resolve_panel(workspace).choices.estimate
    controller.set_setting("payer.smallest", 60)
    assert resolve_panel(workspace).choices.preset == ""
    controller.set_preset("usual")
    assert workspace.settings.engine == "votes"
    controller._runs.warm.assert_not_called()


def test_frames_the_wrong_way_round_are_turned(controller, workspace):
    controller.set_frames(5, 2)
    assert workspace.frames == (2, 5)


def test_a_run_asks_first_where_results_go(controller, workspace, tmp_path):
    workspace.result_folder = None
    ask = controller._panel.run.ask_folder
    controller.run()
    ask.assert_called_once()
    controller._runs.run.assert_not_called()
    ask.side_effect = lambda: controller.set_folder(tmp_path)
    controller.run()
    controller._runs.run.assert_called_once()
    assert workspace.result_folder == tmp_path


def test_an_engine_leaves_nothing_of_a_preset_behind_and_says_so(controller, workspace):
    controller.set_preset("payer2018-hela")
    controller.set_setting("payer.smallest", 60)
    controller.set_setting("engine", "votes")
    settings = workspace.settings
    assert (settings.resize, settings.memory_span) == ("cells", 8)
    assert resolve_panel(workspace).choices.preset == "usual"
    said = "With this engine: Frame size is now cells, Memory span is now 8."
    assert resolve_panel(workspace).run.message == said


def test_a_published_engine_takes_the_preset_of_its_name(controller, workspace):
    controller.set_setting("engine", "payer2019")
    assert resolve_panel(workspace).choices.preset == "payer2019"
    assert workspace.message == "With this engine: Memory span is now 0."


def test_an_engine_that_brings_nothing_along_leaves_the_rest(controller, workspace):
    controller.set_setting("memory_span", 3)
    controller.set_setting("engine", "hdbscan")
    assert (workspace.settings.memory_span, workspace.message) == (3, "")


@pytest.mark.parametrize("change", ["preset", "setting"])
def test_what_was_said_of_other_settings_is_taken_back(controller, workspace, change):
    workspace.message = "Frame 3: 12 cells found. If it looks right, go on."
    workspace.error = "Something was wrong with the earlier settings."
    controller.set_preset("usual")
    assert workspace.message.startswith("Frame 3"), "nothing has changed"
    if change == "preset":
        controller.set_preset("payer2018")
    else:
        controller.set_setting("votes.foreground", 0.3)
    run = resolve_panel(workspace).run
    assert run.message.startswith("Settings changed: preview")
    assert run.error == ""


def test_a_folder_can_be_taken_as_model_and_stays_in_the_list(
    controller, workspace, tmp_path, runs
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "settings.json").touch()
    controller.set_model_folder(tmp_path / "mine")
    folder = str(tmp_path / "mine")
    assert workspace.settings.model == folder
    controller._runs.warm.assert_called_once()
    models = resolve_panel(workspace).choices.models
    assert models[-1] == (folder, f"{tmp_path.name}/mine")
    runs.hear(Ready(ticket=0, models=("default", "other"), devices=("auto",)))
    assert workspace.models == ("default", "other", folder)


def test_the_output_folder_of_a_training_is_taken_as_the_model_in_it(
    controller, workspace, tmp_path
):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "settings.json").touch()
    controller.set_model_folder(tmp_path)
    assert workspace.settings.model == str(tmp_path / "model")


def test_a_folder_without_a_model_is_refused(controller, workspace, tmp_path):
    controller.set_model_folder(tmp_path)
    assert "expected a model folder" in workspace.error
    assert workspace.settings.model == "default"
    assert workspace.models == ("default",)


def test_a_single_frame_is_not_called_frames(runs, child, workspace, tmp_path):
    output = start(runs, child, tmp_path)
    workspace.advance(1, 1, 0.1)
    assert resolve_panel(workspace).run.progress.startswith("1 of 1 frame ")
    done = Finished(ticket=1, output=output, done=1, total=1, tracks=1, cancelled=True)
    runs.hear(done)
    assert workspace.message == "Cancelled: 1 of 1 frame is kept."
