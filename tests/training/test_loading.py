"""Batches from worker processes: the same whatever their number, ended with theirs."""

import os
import subprocess
import sys
import time
from itertools import chain

import numpy as np
import pytest

from napari_semiconv.training.clips import Clips
from napari_semiconv.training.loading import batches
from napari_semiconv.training.settings import TrainSettings
from napari_semiconv.training.truth import read_recordings

# One that stays in the middle of a batch, and tells its worker's number.
CHILD = """
import multiprocessing, sys
from pathlib import Path
from napari_semiconv.training.clips import Clips
from napari_semiconv.training.loading import batches
from napari_semiconv.training.settings import TrainSettings
from napari_semiconv.training.truth import read_recordings

if __name__ == "__main__":
    recordings, _ = read_recordings([Path(sys.argv[1])], 0, 32)
    clips = Clips(recordings, TrainSettings(crop=48, cell_size=16), 2)
    drawn = batches(clips, 0, 10_000, size=2, workers=1)
    next(drawn)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def clips(annotated):
    recordings, _ = read_recordings([annotated], 0, 32)
    return Clips(recordings, TrainSettings(crop=48, cell_size=16), 2)


def test_batches_are_the_same_for_any_number_of_workers_and_wherever_resumed(clips):
    here = list(batches(clips, 0, 4, size=2, workers=0))
    others = list(batches(clips, 0, 4, size=2, workers=2))
    resumed = list(batches(clips, 2, 4, size=2, workers=0))
    assert [len(batch) for batch in here] == [2] * 4
    for found, wanted in ((others, here), (resumed, here[2:])):
        assert len(found) == len(wanted)
        for one, other in zip(chain(*found), chain(*wanted), strict=True):
            assert np.array_equal(one.images, other.images)
            assert np.array_equal(one.labels, other.labels)
            assert (one.name, one.warm) == (other.name, other.warm)


@pytest.mark.skipif(sys.platform == "win32", reason="processes are asked by signal")
def test_workers_end_when_their_training_is_killed(annotated, tmp_path):
    script = tmp_path / "training.py"
    script.write_text(CHILD)
    with subprocess.Popen(
        [sys.executable, str(script), str(annotated)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        workers = [int(word) for word in child.stdout.readline().split()]
        child.kill()
    assert workers
    end = time.monotonic() + 30
    while any(map(is_alive, workers)) and time.monotonic() < end:
        time.sleep(0.2)
    assert not any(map(is_alive, workers))


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # One that nobody has waited for yet is dead, too.
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)],
        capture_output=True,
        text=True,
        check=False,
    )
    return bool(state.stdout.strip()) and not state.stdout.strip().startswith("Z")
