"""The supervisor of the child: answers, cancelling, crashes, and no orphan."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import psutil
import pytest
from tests.conftest import ROOT
from tests.stand_in_child import command

from napari_semiconv.compute.messages import (
    CellSize,
    Finished,
    FrameDone,
    Outlook,
    Preview,
    Previewed,
    Ready,
    Started,
    Warm,
)
from napari_semiconv.compute.process import describe_end
from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.errors import ComputeError
from napari_semiconv.project.runs.store import RunStore
from napari_semiconv.settings import SegmentSettings

from .conftest import FRAMES, LONG, segment

# Seconds after which a child that told a frame is in the midst of the next one.
NEXT = 0.5
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are of POSIX")


@pytest.fixture
def start():
    """Make supervisors of stand-in children."""
    made = []

    def start(mode, **options):
        made.append(Supervisor(command(mode), **options))
        return made[-1]

    yield start
    for supervisor in made:
        supervisor.close()


@pytest.fixture
def request_(long_choice, tmp_path):
    return segment(long_choice, tmp_path / "r.semiconv")


@pytest.fixture
def children():
    """Give the processes that the test has started and that still run."""
    before = {child.pid for child in psutil.Process().children()}

    def children():
        there = psutil.Process().children()
        return [c for c in there if c.pid not in before and c.is_running()]

    return children


def log_of(request):
    return (request.output / "log.txt").read_text(encoding="utf-8")


def until_frame(answers, frame=0):
    for message in answers:
        if isinstance(message, FrameDone) and message.frame == frame:
            return


def test_a_run_is_followed_to_its_end(start, request_):
    supervisor = start("quick")
    said = list(supervisor.follow(request_))
    kinds = [type(message) for message in said]
    assert kinds == [CellSize, Outlook, Started, *[FrameDone] * LONG, Finished]
    assert len({message.ticket for message in said}) == 1
    assert RunStore.open(request_.output).info.state == "finished"


def test_one_child_answers_one_request_after_the_other(
    start, choice, tmp_path, children
):
    supervisor = start("quick")
    output = tmp_path / "preview.npy"
    preview = Preview(movie=choice, settings=SegmentSettings(), frame=1, output=output)
    (ready,) = supervisor.follow(Warm())
    assert isinstance(ready, Ready)
    (child,) = children()
    *_, done = supervisor.follow(preview)
    assert isinstance(done, Previewed)
    *_, done = supervisor.follow(segment(choice, tmp_path / "r.semiconv"))
    assert (done.done, done.total) == (FRAMES, FRAMES)
    assert children() == [child]


def test_what_cannot_be_done_is_an_error_with_the_sentence_of_the_child(
    start, request_
):
    supervisor = start("quick")
    missing = request_.model_copy(update={"settings": SegmentSettings(model="missing")})
    with pytest.raises(ComputeError, match="Model 'missing': expected a folder"):
        list(supervisor.follow(missing))
    assert isinstance(list(supervisor.follow(request_))[-1], Finished)


def test_a_stop_between_frames_lets_the_child_live(start, request_):
    supervisor = start("steady")
    said, stop = [], threading.Event()
    for message in supervisor.follow(request_, stop.is_set):
        said.append(message)
        if isinstance(message, FrameDone) and message.frame == 1:
            stop.set()
            begin = time.perf_counter()
    assert time.perf_counter() - begin < 2
    assert (said[-1].cancelled, said[-1].total) == (True, LONG)
    assert said[-1].done < LONG
    assert RunStore.open(request_.output).info.state == "cancelled"
    assert isinstance(list(supervisor.follow(Warm()))[-1], Ready)


@pytest.mark.parametrize(
    "mode", [pytest.param("stuck", marks=pytest.mark.slow), "asleep"]
)
def test_a_frame_that_takes_for_ever_is_ended_within_two_seconds(
    start, request_, mode, children
):
    """Also where native code lets no other thread of the child run."""
    supervisor = start(mode)
    said = []
    for message in supervisor.follow(request_):
        said.append(message)
        if isinstance(message, FrameDone):
            time.sleep(NEXT)
            supervisor.cancel()
            supervisor.cancel()
            begin = time.perf_counter()
    assert time.perf_counter() - begin < 2.5, "two seconds, on a busy computer"
    assert not children()
    last = said[-1]
    assert isinstance(last, Finished)
    assert (last.done, last.total, last.tracks, last.cancelled) == (1, LONG, 2, True)
    assert RunStore.open(request_.output).done == (0,)
    assert "cancelled by force: 1 frame is finished" in log_of(request_)


def test_a_child_that_has_not_begun_yet_can_be_cancelled(start, request_):
    supervisor = start("asleep", patience=0.2)
    until_frame(supervisor.follow(request_))
    answers = start("quick", patience=0.0).follow(request_, lambda: True)
    (last,) = [m for m in answers if isinstance(m, Finished)]
    assert (last.done, last.total, last.cancelled) == (0, 0, True)


def test_to_close_the_answers_is_to_cancel(start, request_, choice, tmp_path, children):
    supervisor = start("stuck", patience=0.3)
    answers = supervisor.follow(request_)
    until_frame(answers)
    (child,) = children()
    time.sleep(NEXT)
    answers.close()
    child.wait(timeout=30)
    assert isinstance(list(supervisor.follow(Warm()))[-1], Ready)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("crash", r"ended unexpectedly \(code 3\) and said last: out of everything"),
        pytest.param("segv", r"crashed \(SIGSEGV\)", marks=[POSIX, pytest.mark.slow]),
        pytest.param(
            "killed",
            r"ended by the system \(SIGKILL\), most likely for want of memory",
            marks=POSIX,
        ),
    ],
)
def test_a_crash_is_one_sentence_and_the_frames_stay(
    start, request_, mode, words, children
):
    supervisor = start(mode)
    said = []
    with pytest.raises(ComputeError, match=words) as caught:
        said.extend(supervisor.follow(request_))
    assert "1 frame is finished and stay" in str(caught.value)
    assert "run again to go on" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert RunStore.open(request_.output).done == (0,)
    assert "stopped: the computing process" in log_of(request_)
    assert not children()


@POSIX
def test_the_last_words_of_a_crash_are_kept(start, request_):
    supervisor = start("segv")
    with pytest.raises(ComputeError, match="SIGSEGV"):
        list(supervisor.follow(request_))
    assert "Segmentation fault" in "\n".join(supervisor.words)
    assert "stand_in_child.py" in log_of(request_)


@pytest.mark.slow
def test_memory_that_runs_out_in_python_is_told(start, request_):
    supervisor = start("memory")
    with pytest.raises(ComputeError, match="ran out of memory"):
        list(supervisor.follow(request_))
    assert RunStore.open(request_.output).done == (0,)


@POSIX
def test_a_run_whose_child_was_killed_goes_on_to_the_same_result(
    long_choice, tmp_path, children
):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.compute.chain import ChainTools\n"
        "from napari_semiconv.compute.__main__ import main\n"
        "main(lambda: ChainTools('steady'))\n"
    )
    killed, whole = (
        segment(long_choice, tmp_path / name, resume=True, save_every=2)
        for name in ("killed", "whole")
    )
    with Supervisor([sys.executable, "-c", code]) as supervisor:
        answers = supervisor.follow(killed)
        until_frame(answers, 6)
        children()[0].kill()
        with pytest.raises(ComputeError, match="finished and stay"):
            list(answers)
        *_, last = supervisor.follow(killed)
        list(supervisor.follow(whole))
    assert (last.done, last.tracks, last.cancelled) == (LONG, 8, False)
    one, other = (RunStore.open(request.output) for request in (killed, whole))
    assert (one.labels[:] == other.labels[:]).all()
    assert one.lineage == other.lineage
    assert "6 there already" in log_of(killed)


@POSIX
@pytest.mark.slow
def test_a_child_killed_from_outside_is_told(start, request_, children):
    supervisor = start("steady")
    answers = supervisor.follow(request_)
    until_frame(answers, 2)
    (child,) = children()
    child.send_signal(signal.SIGTERM)
    with pytest.raises(ComputeError, match=r"ended from outside \(SIGTERM\)"):
        list(answers)


@POSIX
@pytest.mark.skipif(not hasattr(os, "waitid"), reason="nobody can tell here")
def test_a_child_that_somebody_stopped_is_given_up(
    start, request_, children, monkeypatch
):
    monkeypatch.setattr(f"{describe_end.__module__}.STOPPED_LOOKS", 3)
    supervisor = start("asleep")
    answers = supervisor.follow(request_)
    until_frame(answers)
    (child,) = children()
    child.send_signal(signal.SIGSTOP)
    with pytest.raises(ComputeError, match=r"was stopped from outside.*1 frame is"):
        list(answers)
    assert not children()


def test_a_child_that_we_killed_is_not_told_as_want_of_memory():
    """It closes its output, and goes on."""
    code = "import os, time; os.close(1); time.sleep(600)"
    supervisor = Supervisor([sys.executable, "-c", code], patience=0.1)
    with pytest.raises(ComputeError, match="answered no more and was ended"):
        list(supervisor.follow(Warm()))


def test_a_line_without_end_takes_no_memory():
    code = "import os\nfor _ in range(300): os.write(1, bytes(2**20))"
    supervisor = Supervisor([sys.executable, "-c", code])
    tracemalloc.start()
    try:
        with pytest.raises(ComputeError):
            list(supervisor.follow(Warm()))
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_after_a_crash_a_new_child_is_started(start, choice, tmp_path):
    supervisor = start("crash")
    with pytest.raises(ComputeError):
        list(supervisor.follow(segment(choice, tmp_path / "r.semiconv")))
    assert isinstance(list(supervisor.follow(Warm()))[-1], Ready)


def test_a_crash_without_a_run_is_told_too(start, choice, tmp_path):
    code = "import sys; sys.stdin.readline(); sys.stdout.close(); sys.exit(5)"
    supervisor = Supervisor([sys.executable, "-c", code])
    with pytest.raises(ComputeError, match="code 5"):
        list(supervisor.follow(Warm()))


def test_a_child_that_cannot_be_started_is_told():
    supervisor = Supervisor(["/there/is/no/such/program"])
    with pytest.raises(ComputeError, match="could not be started"):
        list(supervisor.follow(Warm()))


def test_what_is_no_message_is_not_taken_for_one():
    code = "print('chatter'); print('{\"event\": \"ready\"}')"
    supervisor = Supervisor([sys.executable, "-c", code])
    with pytest.raises(ComputeError):
        list(supervisor.follow(Warm()))
    assert supervisor.words == ("chatter", '{"event": "ready"}')


@pytest.mark.parametrize(
    "mode", [pytest.param("steady", marks=pytest.mark.slow), "asleep"]
)
def test_closing_leaves_no_orphan(start, request_, mode, children):
    with start(mode, patience=0.5) as supervisor:
        answers = supervisor.follow(request_)
        until_frame(answers)
        time.sleep(NEXT)
        assert len(children()) == 1
    assert not children()
    answers.close()


@pytest.mark.slow
def test_a_supervisor_that_is_forgotten_leaves_no_orphan(request_, children):
    supervisor = Supervisor(command("asleep"), patience=0.2)
    answers = supervisor.follow(request_)
    until_frame(answers)
    (child,) = children()
    time.sleep(NEXT)
    del supervisor, answers
    gc.collect()
    child.wait(timeout=30)


def test_a_program_that_ends_leaves_no_orphan(tmp_path, request_):
    """Without closing anything, while a frame takes for ever in native code."""
    path = tmp_path / "request.json"
    path.write_text(request_.model_dump_json(), encoding="utf-8")
    code = (
        "import psutil\n"
        "from pathlib import Path\n"
        "from napari_semiconv.compute.messages import FrameDone, read_request\n"
        "from napari_semiconv.compute.supervisor import Supervisor\n"
        f"supervisor = Supervisor({command('asleep')!r})\n"
        f"request = read_request(Path({str(path)!r}).read_bytes())\n"
        "for message in (answers := supervisor.follow(request)):\n"
        "    if isinstance(message, FrameDone): break\n"
        f"import time; time.sleep({NEXT})\n"
        "print(psutil.Process().children()[0].pid)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not psutil.pid_exists(int(run.stdout))


@pytest.mark.slow
def test_a_supervisor_can_be_driven_from_any_thread(start, request_):
    supervisor, said = start("stuck", patience=0.3), []
    seen = threading.Event()

    def follow():
        for message in supervisor.follow(request_):
            said.append(message)
            if isinstance(message, FrameDone):
                seen.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert seen.wait(60)
    time.sleep(NEXT)
    supervisor.cancel()
    thread.join(30)
    assert isinstance(said[-1], Finished)


def test_ends_of_processes_are_described_on_every_system():
    assert describe_end(0xC0000005, ())[0] == "crashed (0xC0000005)"
    assert describe_end(1, ("one", "two", " "))[0].endswith("said last: two")
    assert describe_end(1, ())[0].endswith("said last: nothing")
    assert describe_end(-77, ())[0] == "crashed (signal 77)"


def test_the_supervisor_loads_nothing_heavy():
    code = (
        "import sys, napari_semiconv.compute.supervisor\n"
        "print(*{'torch', 'napari', 'qtpy'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == ""
