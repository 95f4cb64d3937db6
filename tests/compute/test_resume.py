"""Runs that go on where they stopped, without a network."""

import errno
import re
import shutil
import subprocess
from unittest.mock import Mock

import numpy as np
import pytest

from napari_semiconv.compute import run_writer
from napari_semiconv.compute.child import Child
from napari_semiconv.compute.messages import Failed, Finished, FrameDone, Started
from napari_semiconv.compute.run_writer import RunWriter, StateSaver
from napari_semiconv.errors import BadInputError
from napari_semiconv.project.runs.store import RunStore
from napari_semiconv.settings import SegmentSettings

from .chain import ChainTools
from .conftest import LONG, segment, write_cells


class Runs:
    """Runs of one movie into one folder, and what they said."""

    def __init__(self, choice, output):
        self.choice, self.output = choice, output

    def __call__(self, *, stop_after=None, fail=None, tools=ChainTools, **changes):
        """Run until so many frames are told."""
        self.said, made = [], []

        def say(message):
            self.said.append(message)
            if isinstance(message, FrameDone) and message.frame + 1 == stop_after:
                child.cancel(7)

        def make():
            made.append(tools(fail=fail) if tools is ChainTools else tools())
            return made[0]

        child = Child(say, make)
        child.answer(segment(self.choice, self.output, resume=True, **changes))
        self.computed = made[0].computed if made and tools is ChainTools else None
        return self.said[-1]

    @property
    def started(self):
        return next(m for m in self.said if isinstance(m, Started))

    @property
    def result(self):
        return RunStore.open(self.output)


@pytest.fixture
def run(long_choice, tmp_path):
    return Runs(long_choice, tmp_path / "r.semiconv")


@pytest.fixture
def whole(long_choice, tmp_path):
    """What comes out of a run that nothing stops."""
    runs = Runs(long_choice, tmp_path / "whole.semiconv")
    assert isinstance(runs(), Finished)
    return runs


def check_same(run, whole):
    one, other = run.result, whole.result
    np.testing.assert_array_equal(one.labels[:], other.labels[:])
    assert one.lineage == other.lineage
    assert one.info.state == other.info.state == "finished"


def test_a_run_that_did_not_stop_is_only_told_again(run, whole):
    run()
    last = run()
    assert [type(m) for m in run.said] == [Started, Finished]
    assert (run.started.done, last.done, last.tracks) == (LONG, LONG, 8)
    check_same(run, whole)


@pytest.mark.parametrize("stop_after", [1, 5, LONG - 1])
def test_a_cancelled_run_goes_on_after_its_last_frame(run, whole, stop_after):
    last = run(stop_after=stop_after)
    assert (last.done, last.cancelled) == (stop_after, True)
    last = run()
    assert run.computed == list(range(stop_after, LONG))
    assert (run.started.done, run.started.note) == (stop_after, "")
    assert (last.done, last.total, last.cancelled) == (LONG, LONG, False)
    check_same(run, whole)


def test_a_run_that_failed_goes_on_after_the_last_state(run, whole):
    """Frames after it are there, and computed again."""
    failed = run(fail={8: BadInputError("Frame 8 is bad.")}, save_every=3)
    assert failed == Failed(ticket=7, message="Frame 8 is bad.")
    assert run.result.done == tuple(range(8))
    run()
    assert (run.started.done, run.computed) == (6, list(range(6, LONG)))
    check_same(run, whole)


def test_memory_that_runs_out_leaves_the_frames(run, whole):
    failed = run(fail={4: MemoryError()}, save_every=1)
    assert "ran out of memory" in failed.message
    run()
    assert run.started.done == 4
    check_same(run, whole)


def test_frames_after_the_state_stay_until_one_is_computed_again(run):
    run(fail={8: MemoryError()}, save_every=3)
    run(fail={6: MemoryError()}, save_every=3)
    assert run.result.done == tuple(range(8))
    run(fail={7: MemoryError()}, save_every=3)
    assert run.result.done == tuple(range(7))
    assert max(t.end for t in run.result.lineage.tracks.values()) == 6


def test_a_damaged_state_is_told_and_the_one_before_taken(run, whole):
    run(fail={8: MemoryError()}, save_every=3)
    (run.output / "states" / "000005.safetensors").write_text("{")
    run()
    assert run.started.done == 3
    assert run.started.note == "The state saved after frame 5 is damaged."
    check_same(run, whole)


def test_a_state_without_the_frames_before_it_is_not_used(run, whole):
    run(fail={8: MemoryError()}, save_every=3)
    (run.output / "labels.zarr" / "c" / "4" / "0" / "0").unlink()
    run()
    assert run.started.done == 3
    check_same(run, whole)


def test_the_tracks_of_frames_before_a_state_are_always_there(run, monkeypatch):
    """Also after a kill, when they were not written for a while."""
    monkeypatch.setattr(run_writer, "TRACKS_SHARE", 0.0)
    monkeypatch.setattr(RunWriter, "close", lambda *_, **__: None)
    run(fail={8: MemoryError()}, save_every=5)
    assert sorted(run.result.lineage.tracks) == [1, 2, 3, 4]


def test_without_a_state_all_is_computed_again(run, whole):
    run(fail={8: MemoryError()})
    run()
    assert (run.started.done, run.computed) == (0, list(range(LONG)))
    assert "all is computed again from frame 0" in run.started.note
    check_same(run, whole)


@pytest.mark.parametrize(("frame", "done"), [(11, 10), (9, 2), (1, 0)])
def test_a_run_can_be_repeated_from_a_frame_on(run, whole, frame, done):
    """States are there of the frames 1, 9 and 11."""
    run(save_every=2)
    run(again_from=frame)
    assert (run.started.done, run.computed) == (done, list(range(done, LONG)))
    check_same(run, whole)


def test_more_frames_can_be_added(run, whole):
    run(frames=(0, 5), save_every=1)
    assert run.result.info.state == "finished"
    run(frames=(0, LONG - 1))
    assert run.computed == list(range(6, LONG))
    check_same(run, whole)


def test_a_stop_before_the_first_frame_leaves_all_as_it_was(run):
    run(stop_after=5)
    before = run.result
    child = Child(run.said.append, ChainTools)
    child.cancel(7)
    child.answer(segment(run.choice, run.output, resume=True))
    assert run.said[-1].cancelled
    assert run.result.done == before.done
    assert run.result.lineage == before.lineage


def test_a_result_is_not_written_over_unless_it_is_to_go_on(run):
    run()
    child = Child(run.said.append, ChainTools)
    child.answer(segment(run.choice, run.output))
    assert "found files in it" in run.said[-1].message


def test_another_movie_is_refused(run, tmp_path):
    run(stop_after=5)
    run.choice = write_cells(tmp_path / "short.zarr", 3)
    assert "Choose that movie" in run().message
    assert run.result.done == (0, 1, 2, 3, 4)


class WholeTools(ChainTools):
    """Needs all frames, as the published procedures do: there is no state."""

    def run(self, *arguments):
        assert arguments[4] is None
        for result in super().run(*arguments):
            result.__dict__["state"] = None
            yield result


@pytest.mark.parametrize("engine", ["payer2018", "payer2019"])
def test_published_procedures_start_again(run, whole, engine):
    settings = SegmentSettings(engine=engine)
    run(stop_after=5, settings=settings, tools=WholeTools, save_every=1)
    assert not (run.output / "states").exists()
    run(settings=settings, tools=WholeTools)
    assert engine in run.started.note
    assert "starts again from the first frame" in run.started.note
    assert [m.frame for m in run.said if isinstance(m, FrameDone)] == [*range(LONG)]
    check_same(run, whole)


def test_daughters_are_told_when_they_are_born(run):
    run()
    born = {m.frame: m.born for m in run.said if isinstance(m, FrameDone) and m.born}
    assert born == {
        3: ((3, 1), (4, 2)),
        6: ((5, 3), (6, 4)),
        9: ((7, 5), (8, 6)),
    }


def test_a_full_disk_keeps_frames_and_the_run_goes_on_later(run, whole, monkeypatch):
    write = RunStore.write_frame

    def full(store, frame, labels):
        if frame == 7:
            monkeypatch.setattr("pathlib.Path.replace", no_space)
        write(store, frame, labels)

    def no_space(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "write_frame", full)
        failed = run(save_every=2)
        assert "the disk is full" in failed.message
    monkeypatch.undo()
    assert run.result.done == tuple(range(7))
    run()
    assert run.started.done == 6
    check_same(run, whole)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 kB, and what makes it larger."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        return subprocess.run(command, check=False, capture_output=True).returncode

    if shutil.which("mount") is None or mount("size=64k") != 0:
        pytest.skip("a small disk can be mounted by root on Linux alone")
    yield disk, lambda: mount("remount,size=8m")
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_really_full_keeps_frames_too(small_disk, whole):
    disk, enlarge = small_disk
    run = Runs(whole.choice, disk / "r.semiconv")
    assert "disk is full" in run(save_every=2).message
    before = run.result.done
    assert 0 < len(before) < LONG
    assert "disk is full" in run(save_every=2).message
    assert enlarge() == 0
    run(save_every=2)
    assert run.started.done > 0
    check_same(run, whole)


def test_the_log_tells_what_happened(run):
    run(fail={4: BadInputError("Frame 4 is bad.")}, save_every=1)
    run(stop_after=6)
    run()
    lines = (run.output / "log.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", x) for x in lines)
    said = [line.split("  ", 1)[1] for line in lines]
    frames = [line for line in said if line.startswith("frame ")]
    assert [int(line.split()[1][:-1]) for line in frames] == [*range(LONG)]
    assert re.fullmatch(r"frame 0: 2 cells, \d\.\d{3} s", frames[0])
    assert said[-1] == "finished: 12 of 12 frames, 8 tracks"
    assert "stopped: Frame 4 is bad." in said
    assert "cancelled: 6 of 12 frames, 4 tracks" in said
    assert sum(line.startswith("settings: {") for line in said) == 3


class Result:
    """A frame that a run can go on from."""

    def __init__(self, frame):
        self.frame, self.state = frame, lambda: "state"


@pytest.mark.parametrize("cost", [0.01, 0.2, 3.0])
@pytest.mark.parametrize("pace", [0.02, 1.0])
def test_saving_takes_two_percent_of_the_time_at_most(monkeypatch, cost, pace):
    now, saved = [0.0], []

    class Store:
        states = type("States", (), {"path": int, "thin": lambda _: None})()

        def sync(self):
            now[0] += cost

    class Tools:
        def save_state(self, frame, state):
            saved.append(frame)

    monkeypatch.setattr(run_writer.time, "perf_counter", lambda: now[0])
    saver = StateSaver(Store(), Tools(), Mock(), None)
    for frame in range(int(1000 / pace)):
        now[0] += pace
        saver.offer(Result(frame))
    # The first cost is only guessed.
    assert (len(saved) - 1) * cost <= 0.02 * now[0]
    assert len(saved) >= min(0.01 * now[0] / cost, 1000 / pace) - 3
