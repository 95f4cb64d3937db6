import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.stand_in_child import BlobTools, command

from napari_semiconv.compute.child import Child, serve
from napari_semiconv.compute.messages import (
    MOST_LINE,
    Cancel,
    CellSize,
    Failed,
    Finished,
    FrameDone,
    MovieChoice,
    Outlook,
    Preview,
    Previewed,
    Ready,
    Started,
    Warm,
    lines_of,
    read_message,
    read_request,
)
from napari_semiconv.compute.run_writer import RunWriter
from napari_semiconv.errors import SaveError
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.runs.store import RunStore
from napari_semiconv.safe import write_array_safely
from napari_semiconv.settings import SegmentSettings
from napari_semiconv.tracking.lineage import Lineage

from .conftest import FRAMES, segment


@pytest.fixture
def child():
    said = []
    child = Child(said.append, BlobTools)
    child.said = said
    return child


def test_warming_tells_models_and_devices(child):
    child.answer(Warm(ticket=1))
    ready = Ready(ticket=1, models=("default", "other"), devices=("auto", "cpu"))
    assert child.said == [ready]


def test_a_preview_is_written_to_a_file_and_its_size_is_told(child, choice, tmp_path):
    output = tmp_path / "preview.npy"
    request = Preview(
        ticket=3, movie=choice, settings=SegmentSettings(), frame=2, output=output
    )
    child.answer(request)
    size, outlook, done = child.said
    assert size == CellSize(ticket=3, px=4.0)
    assert outlook == Outlook(ticket=3, masks=0.81)
    assert isinstance(done, Previewed)
    assert (done.frame, done.cells, done.ticket) == (2, 2, 3)
    labels = np.load(output)
    assert labels.shape == (16, 16)
    assert set(np.unique(labels)) == {0, 1, 2}


def test_no_size_is_estimated_when_the_user_gives_one(child, choice, tmp_path):
    settings = SegmentSettings(cell_size=5.0)
    child.answer(segment(choice, tmp_path / "r.semiconv", settings=settings))
    assert not [m for m in child.said if isinstance(m, CellSize)]


def test_a_run_tells_each_frame_and_leaves_a_result(child, choice, tmp_path):
    output = tmp_path / "r.semiconv"
    child.answer(segment(choice, output))
    kinds = [type(message) for message in child.said]
    assert kinds == [CellSize, Outlook, Started, *[FrameDone] * FRAMES, Finished]
    assert [m.done for m in child.said if isinstance(m, FrameDone)] == [1, 2, 3, 4]
    last = child.said[-1]
    assert (last.done, last.total, last.tracks, last.cancelled) == (4, 4, 2, False)
    store = RunStore.open(output)
    assert np.asarray(store.labels[3])[3, 3] == 1
    assert sorted(store.lineage.tracks) == [1, 2]


def test_only_the_chosen_frames_are_computed(child, choice, tmp_path):
    child.answer(segment(choice, tmp_path / "r.semiconv", frames=(1, 2)))
    assert [m.frame for m in child.said if isinstance(m, FrameDone)] == [1, 2]


def test_a_cancelled_run_keeps_what_is_done(choice, tmp_path):
    said = []

    def say(message):
        said.append(message)
        if isinstance(message, FrameDone):
            child.cancel(message.ticket)

    child = Child(say, BlobTools)
    output = tmp_path / "r.semiconv"
    child.answer(segment(choice, output))
    assert (said[-1].done, said[-1].cancelled) == (1, True)
    assert sorted(RunStore.open(output).lineage.tracks) == [1, 2]


def test_a_run_cancelled_before_its_first_frame_leaves_no_folder(
    child, choice, tmp_path
):
    child.cancel(7)
    child.answer(segment(choice, tmp_path / "r.semiconv"))
    assert (child.said[-1].done, child.said[-1].cancelled) == (0, True)
    assert not (tmp_path / "r.semiconv").exists()


def test_errors_for_the_user_are_told_unchanged(child, tmp_path):
    missing = MovieChoice(path=tmp_path / "none.tif", name="none", axes="TYX")
    child.answer(segment(missing, tmp_path / "r.semiconv"))
    (failed,) = child.said
    assert isinstance(failed, Failed)
    assert "none.tif" in failed.message
    child.answer(Warm(settings=SegmentSettings(model="missing")))
    assert child.said[-1].message.startswith("Model 'missing'")


def test_the_estimate_of_the_preview_is_the_one_of_the_run(choice, tmp_path):
    asked = []

    class Counting(BlobTools):
        def size(self, movie, model, frames):
            asked.append(frames)
            return 4.0

    child = Child(lambda message: None, Counting)
    settings = SegmentSettings()
    child.answer(
        Preview(movie=choice, settings=settings, frame=1, output=tmp_path / "p.npy")
    )
    child.answer(segment(choice, tmp_path / "r.semiconv"))
    assert asked == [range(1, 2)]


def test_an_array_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(SaveError, match="could not be written"):
        write_array_safely(tmp_path / "missing" / "a.npy", np.zeros(3))


def test_a_run_without_frames_takes_its_folder_away(choice, tmp_path):
    movie = open_movie(choice.path)
    store = RunStore.create(tmp_path / "empty.semiconv", movie, {}, {})
    RunWriter(store).close()
    assert not (tmp_path / "empty.semiconv").exists()


def test_every_line_can_be_read_back(choice, tmp_path):
    for request in (
        Warm(ticket=2),
        Cancel(ticket=4),
        segment(choice, tmp_path / "r", frames=(0, 3)),
    ):
        assert read_request(request.model_dump_json()) == request
    done = FrameDone(frame=3, done=4, total=9, cells=2, seconds=0.5)
    assert read_message(done.model_dump_json()) == done


def test_serving_ends_when_the_pipe_closes(child):
    serve(io.BytesIO(Warm(ticket=5).model_dump_json().encode() + b"\n"), child)
    assert child.said[0].ticket == 5


def test_what_others_print_does_not_reach_the_pipe():
    """The stand-in prints while it loads its model."""
    run = subprocess.run(
        command("quick"),
        input=Warm(ticket=1).model_dump_json() + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert [json.loads(line)["event"] for line in run.stdout.splitlines()] == ["ready"]
    assert "chatter" in run.stderr


@pytest.mark.parametrize("line", [b'{"do": "wa', b"\xff\n", b"[" * 10**6, b"x" * 2**23])
def test_half_a_line_ends_the_serving(child, line, capsys):
    """The window died while it wrote."""
    good = Warm(ticket=5).model_dump_json().encode() + b"\n"
    serve(io.BytesIO(good + line), child)
    assert [said.ticket for said in child.said] == [5]
    assert capsys.readouterr().err.startswith("no request: ")


def test_a_line_without_end_is_not_kept():
    pipe = io.BytesIO(b"x" * (3 * MOST_LINE) + b"\nshort\n")
    found = [len(line) for line in lines_of(pipe)]
    assert found == [MOST_LINE, len(b"short\n")]


def test_an_orphan_ends_itself():
    """The pipe closes while a frame takes for ever."""
    code = (
        "import io, threading\n"
        "from napari_semiconv.compute import child as c\n"
        "from napari_semiconv.compute.messages import Warm\n"
        "c.ORPHAN_SECONDS = 0.2\n"
        "class Stuck(c.Child):\n"
        "    def answer(self, request): threading.Event().wait()\n"
        "line = Warm().model_dump_json().encode() + b'\\n'\n"
        "c.serve(io.BytesIO(line), Stuck(print))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert run.returncode == 1


def test_messages_load_nothing_heavy():
    code = (
        "import sys, napari_semiconv.compute.messages\n"
        "print(*{'torch', 'napari', 'qtpy'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == ""


class TwiceTools(BlobTools):
    """Yields every frame with all labels raised by 100 first, then as it stays."""

    def run(self, movie, model, settings, frames, resume_from=None, constraints=None):
        for r in super().run(movie, model, settings, frames):
            lineage = Lineage()
            for label in np.unique(r.labels[r.labels > 0]).tolist():
                lineage.observe(r.frame, label + 100)
            labels = np.where(r.labels > 0, r.labels + 100, 0)
            yield replace(r, labels=labels, lineage=lineage, final=False)
        yield from super().run(movie, model, settings, frames)


def run_twice(choice, output, cancel_at):
    """Segment and cancel once so many frames were told; the number of the last one."""
    said = []

    def say(message):
        said.append(message)
        if sum(isinstance(m, FrameDone) for m in said) == cancel_at:
            child.cancel(7)

    child = Child(say, TwiceTools)
    child.answer(segment(choice, output))
    return said


def test_frames_that_come_twice_are_kept_as_they_stay(choice, tmp_path):
    said = run_twice(choice, tmp_path / "r.semiconv", cancel_at=None)
    told = [(m.frame, m.done) for m in said if isinstance(m, FrameDone)]
    assert told == [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (1, 4), (2, 4), (3, 4)]
    result = RunStore.open(tmp_path / "r.semiconv")
    assert np.unique(result.labels[:]).tolist() == [0, 1, 2]
    assert sorted(result.lineage.tracks) == [1, 2]
    assert said[-1].cancelled is False


@pytest.mark.parametrize("cancel_at", [2, 4])
def test_a_cancel_before_the_tracks_are_decided_keeps_what_was_seen(
    choice, tmp_path, cancel_at
):
    said = run_twice(choice, tmp_path / "r.semiconv", cancel_at)
    assert (said[-1].done, said[-1].cancelled) == (cancel_at, True)
    result = RunStore.open(tmp_path / "r.semiconv")
    assert np.unique(result.labels[:cancel_at]).tolist() == [0, 101, 102]


def test_tracks_that_are_being_decided_are_decided_in_all_frames(choice, tmp_path):
    said = run_twice(choice, tmp_path / "r.semiconv", cancel_at=FRAMES + 1)
    assert said[-1].cancelled is False
    result = RunStore.open(tmp_path / "r.semiconv")
    assert np.unique(result.labels[:]).tolist() == [0, 1, 2]


def test_the_cell_size_is_not_asked_for_where_frames_are_resized(choice, tmp_path):
    said = []
    settings = SegmentSettings(resize="256x256")
    Child(said.append, BlobTools).answer(
        segment(choice, tmp_path / "r.semiconv", settings=settings)
    )
    assert not [m for m in said if isinstance(m, CellSize)]
