"""Which states of a run are kept, and how much of the disk they take."""

from itertools import pairwise

import pytest

from napari_semiconv.project.runs import states as run_states
from napari_semiconv.project.runs.states import MOST_SPARSE, NEWEST, RunStates, kept


def after_many(last, every):
    """States that are there when one is written every so many frames."""
    there = set()
    for frame in range(0, last + 1, every):
        there = kept({*there, frame})
    return there


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], set()),
        ([7], {7}),
        ([7, 3], {3, 7}),
        ([1, 2, 3, 4], {1, 3, 4}),
        ([10, 110, 150, 210, 260, 270], {10, 110, 210, 260, 270}),
    ],
)
def test_the_newest_two_and_the_first_of_each_hundred_are_kept(frames, expected):
    assert kept(frames) == expected


@pytest.mark.parametrize("every", [1, 7, 150])
@pytest.mark.parametrize("last", [400, 999, 20_000])
def test_there_are_never_many_and_they_lie_over_the_whole_movie(last, every):
    there = sorted(after_many(last, every))
    assert len(there) <= NEWEST + MOST_SPARSE
    assert there[-1] == last - last % every
    steps = [b - a for a, b in pairwise(there)]
    assert max(steps) <= max(200, 0.35 * last) + every


def test_files_that_take_too_much_are_not_kept_beside_the_newest(tmp_path, monkeypatch):
    monkeypatch.setattr(run_states, "MOST_BYTES", 250)
    states = RunStates(tmp_path)
    for frame in range(0, 1000, 100):
        states.path(frame).write_bytes(b"0" * 100)
        states.thin()
    assert len(states.all()) == NEWEST + 2
    monkeypatch.setattr(run_states, "MOST_BYTES", 50)
    states.thin()
    assert list(states.all()) == [900, 800]


def test_states_are_listed_from_the_newest(tmp_path):
    states = RunStates(tmp_path)
    assert states.all() == {}
    for frame in (3, 12, 1_000_000):
        states.path(frame).touch()
    (tmp_path / "states" / "notes.txt").touch()
    assert list(states.all()) == [1_000_000, 12, 3]
    assert states.all()[12].name == "000012.safetensors"


def test_states_after_a_frame_and_drafts_are_forgotten(tmp_path):
    states = RunStates(tmp_path)
    for frame in (3, 12):
        states.path(frame).touch()
    (tmp_path / "states" / "000020.safetensors.part").touch()
    states.forget_after(11)
    assert [p.name for p in (tmp_path / "states").iterdir()] == ["000003.safetensors"]
