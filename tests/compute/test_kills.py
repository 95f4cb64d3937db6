"""Killed at any moment, a run goes on to the result of one that nothing stopped."""

import os
import signal
import sys
import time

import numpy as np
import pytest
import torch
from tests.compute.tiny_runs import (
    FRAMES,
    request_for,
    run,
    start,
    write_noise,
)

from napari_semiconv.project.runs.store import RunStore

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="processes are forked"
)


@pytest.fixture(scope="module")
def choice(tmp_path_factory):
    return write_noise(tmp_path_factory.mktemp("movie") / "noise.zarr")


@pytest.fixture(autouse=True)
def _threads():
    """Give back the threads that runs in this process do without."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def killed_at_random(request, seconds, kills, random):
    """Kill runs into one folder until all frames are there; how often it was done."""
    killed = 0
    while killed < kills:
        process = start(request)
        process.join(random.uniform(0, 0.5) * seconds)
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.join(60)
        if frames_in(request.output) == FRAMES:
            break
    return killed


def frames_in(folder):
    if not (folder / "run.json").is_file():
        return 0
    return len(RunStore.open(folder).done)


def check_same(one, other):
    results = [RunStore.open(folder) for folder in (one, other)]
    np.testing.assert_array_equal(*[r.labels[:] for r in results])
    assert results[0].lineage == results[1].lineage
    assert results[0].info == results[1].info
    assert results[0].info.state == "finished"


def check_kills(choice, tmp_path, kills, engine, seed):
    random = np.random.default_rng(seed)
    whole = request_for(choice, tmp_path / "whole", engine)
    begin = time.perf_counter()
    run(whole)
    seconds = time.perf_counter() - begin
    assert len(RunStore.open(whole.output).lineage.tracks) > FRAMES
    killed, series = 0, 0
    while killed < kills:
        series += 1
        request = request_for(choice, tmp_path / f"killed-{series}", engine)
        killed += killed_at_random(request, seconds, kills - killed, random)
        run(request)
        check_same(request.output, whole.output)


def test_ten_kills_change_nothing(choice, tmp_path):
    check_kills(choice, tmp_path, 10, "votes", seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["votes", "hdbscan"])
def test_a_hundred_kills_change_nothing(choice, tmp_path, engine):
    check_kills(choice, tmp_path, 100, engine, seed=2)
