"""Long work is driven the same way by everybody, and always ends."""

import threading

import pytest

from napari_semiconv.errors import BadInputError
from napari_semiconv.workflows.progress import (
    Progress,
    StoppedError,
    finish,
    stepwise,
)

PATIENCE = 20.0


class Work:
    """Ten frames, one a step, and what became of them."""

    def __init__(self, fail_at=None, gate=None):
        self.fail_at, self.gate = fail_at, gate
        self.done = 0
        self.tidied = threading.Event()
        self.threads = set()

    def __call__(self, tell):
        self.threads.add(threading.current_thread())
        try:
            for frame in range(10):
                if frame == self.fail_at:
                    raise BadInputError(f"Frame {frame} is bad.")
                if self.gate is not None:
                    assert self.gate.acquire(timeout=PATIENCE)
                self.done += 1
                tell(frame + 1, 10)
            return "all there"
        finally:
            self.tidied.set()


@pytest.fixture(autouse=True)
def _no_thread_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_every_frame_is_a_step_and_the_answer_comes_last():
    seen, work = [], Work()
    assert finish(stepwise(work, "reading"), seen.append) == "all there"
    assert seen == [Progress("reading", n, 10) for n in range(1, 11)]
    assert threading.current_thread() not in work.threads


def test_steps_come_while_the_work_goes_on():
    gate = threading.Semaphore(0)
    work = Work(gate=gate)
    steps = stepwise(work, "writing")
    for count in range(1, 4):
        gate.release()
        assert next(steps) == Progress("writing", count, 10)
        assert not work.tidied.is_set()
    gate.release(10)
    assert finish(steps) == "all there"


def test_asked_to_stop_it_ends_after_its_frame():
    gate, asked = threading.Semaphore(3), threading.Event()
    work = Work(gate=gate)
    steps = stepwise(work, "writing", asked.is_set)
    seen = [next(steps) for _ in range(3)]
    asked.set()
    gate.release()
    with pytest.raises(StoppedError):
        finish(steps, seen.append)
    assert work.done == 4
    assert [step.done for step in seen] == [1, 2, 3]
    assert work.tidied.is_set()


def test_stopped_before_it_began_it_gives_no_step():
    seen = []
    with pytest.raises(StoppedError):
        finish(stepwise(Work(), "writing", lambda: True), seen.append)
    assert seen == []


def test_closed_early_it_ends_and_has_tidied_up(monkeypatch):
    gate = threading.Semaphore(2)
    work = Work(gate=gate)
    steps = stepwise(work, "writing")
    next(steps)
    next(steps)
    let_go_on_when_joined(gate, monkeypatch)
    steps.close()
    assert work.tidied.is_set()
    assert work.done == 3
    assert not any(thread.is_alive() for thread in work.threads)


def let_go_on_when_joined(gate, monkeypatch):
    """Let the work take one step more once somebody waits for its end."""
    join = threading.Thread.join

    def joined(thread, timeout=None):
        gate.release()
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", joined)


def test_an_error_of_the_work_is_raised_where_steps_are_taken():
    seen = []
    with pytest.raises(BadInputError, match="Frame 4 is bad"):
        finish(stepwise(Work(fail_at=4), "reading"), seen.append)
    assert [step.done for step in seen] == [1, 2, 3, 4]


def test_an_error_in_whoever_is_told_ends_the_work():
    gate = threading.Semaphore(10)
    work = Work(gate=gate)
    steps = stepwise(work, "reading")

    def fail(_step):
        raise ValueError("nobody listens")

    with pytest.raises(ValueError, match="nobody listens"):
        finish(steps, fail)
    steps.close()
    assert work.tidied.is_set()


def test_work_that_was_not_begun_starts_no_thread():
    work = Work()
    stepwise(work, "reading").close()
    assert work.threads == set()


def test_work_without_frames_gives_its_answer():
    assert finish(stepwise(lambda tell: 7, "reading")) == 7


def test_finish_takes_all_steps_of_steps_within_steps():
    def inner():
        yield Progress("copying", 1, 2)
        return 3

    def outer():
        found = yield from inner()
        yield Progress("frames", found, 9)
        return found * 2

    seen = []
    assert finish(outer(), seen.append) == 6
    assert [step.stage for step in seen] == ["copying", "frames"]
