"""The child resegments frames around corrections, and keeps the network's maps."""

import numpy as np
import pytest
from tests.inference.tiny import CRUMBS
from tests.stand_in_child import BlobTools

from napari_semiconv.compute.child import Child
from napari_semiconv.compute.messages import Failed, Resegmented, ResegmentRequest
from napari_semiconv.inference.constraints.check import violations
from napari_semiconv.inference.constraints.model import Constraints, Count
from napari_semiconv.project.constraints import write_constraints
from napari_semiconv.safe import write_array_safely
from napari_semiconv.settings import SegmentSettings

from .tiny_runs import FRAMES, TinyTools, request_for, write_noise
from .tiny_runs import run as compute


class Watched(TinyTools):
    """Notes which frames the network sees."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def replay(self, movie, model, settings, frames, state=None):
        for output in super().replay(movie, model, settings, frames, state):
            self.seen.append(state)
            yield output


def ask(folder, choice, labels, told, **changes):
    write_array_safely(folder / "labels.npy", labels)
    write_constraints(folder / "constraints.npz", [(changes.get("frame", 2), told)])
    request = ResegmentRequest(
        ticket=7,
        movie=choice,
        settings=SegmentSettings(),
        frame=2,
        labels=folder / "labels.npy",
        constraints=folder / "constraints.npz",
        output=folder / "window.npy",
    )
    return request.model_copy(update=changes)


def pair(shape=(16, 16)):
    labels = np.zeros(shape, np.int32)
    labels[2:6, 2:6], labels[2:6, 6:10] = 1, 2
    return labels


JOINED = Constraints((16, 16), must_link=[[(3, 3), (3, 8)]])


@pytest.fixture
def child():
    said = []
    child = Child(said.append, BlobTools)
    child.said = said
    return child


def answered(child, request):
    child.said.clear()
    child.answer(request)
    return child.said[-1]


def test_the_window_is_written_and_the_frame_is_seen_once(child, choice, tmp_path):
    request = ask(tmp_path, choice, pair(), JOINED)
    done = answered(child, request)
    assert (done.ticket, done.frame, done.at_hand) == (7, 2, False)
    assert done.box == (0, 0, 16, 16)
    assert np.array_equal(np.load(request.output), pair() > 0)
    assert answered(child, request).at_hand
    # What is done after the network changes nothing of what it said.
    votes = request.settings.votes.model_copy(update={"join": 0.9})
    settings = request.settings.model_copy(update={"votes": votes, "cell_size": 4.0})
    request = request.model_copy(update={"settings": settings})
    assert answered(child, request).at_hand
    settings = settings.model_copy(update={"cell_size": 5.0})
    request = request.model_copy(update={"settings": settings})
    assert not answered(child, request).at_hand


def test_a_cancelled_correction_stops_before_the_next_frame(choice, tmp_path):
    said, seen = [], []

    class Tools(BlobTools):
        def _work(self, done):
            seen.append(done)
            child.cancel(7)

    child = Child(said.append, Tools)
    request = ask(tmp_path, choice, pair(), JOINED)
    child.answer(request)
    assert said[-1].cancelled
    assert seen == [1]
    assert not request.output.exists()


@pytest.mark.parametrize("spoilt", ["labels", "constraints"])
def test_damaged_files_are_told(child, choice, tmp_path, spoilt):
    request = ask(tmp_path, choice, pair(), JOINED)
    getattr(request, spoilt).write_bytes(b"nothing")
    assert "found nothing that can be read" in answered(child, request).message


def test_a_contradiction_is_told_before_the_network_sees_anything(choice, tmp_path):
    said, seen = [], []

    class Tools(BlobTools):
        def _work(self, done):
            seen.append(done)

    places = [[(3, 3), (3, 8)]]
    told = Constraints((16, 16), must_link=places, cannot_link=places)
    Child(said.append, Tools).answer(ask(tmp_path, choice, pair(), told))
    assert "Take one back" in said[-1].message
    assert not seen


def test_a_frame_that_there_is_not_is_told(child, choice, tmp_path):
    request = ask(tmp_path, choice, pair(), JOINED, frame=9)
    assert "expected a frame within 0:4, found 9" in answered(child, request).message


# With a small network


@pytest.fixture
def noise(tmp_path):
    return write_noise(tmp_path / "noise.zarr")


def test_the_network_sees_what_the_memory_needs_or_goes_on_from_a_state(
    noise, tmp_path
):
    whole = CRUMBS.model_copy(update={"memory_span": 0})
    run = request_for(noise, tmp_path / "run").model_copy(update={"settings": whole})
    compute(run)
    said, tools = [], Watched()
    child = Child(said.append, lambda: tools)
    labels = pair((48, 64))
    told = Constraints(labels.shape, cannot_link=[[(3, 3), (3, 5)]])
    last = FRAMES - 1
    request = ask(tmp_path, noise, labels, told, frame=last, settings=whole)
    child.answer(request)
    assert len(tools.seen) == FRAMES
    found = np.load(request.output)
    child.answer(request)
    assert len(tools.seen) == FRAMES
    assert said[-1].at_hand
    whole_frame = labels.copy()
    y, x, height, width = said[-1].box
    whole_frame[y : y + height, x : x + width] = found
    assert violations(whole_frame, told) == []
    tools.seen.clear()
    other = Child(said.append, lambda: tools)
    other.answer(request.model_copy(update={"run": run.output}))
    assert [state.frame for state in tools.seen] == [last - 1]
    assert np.array_equal(np.load(request.output), found)
    assert not any(isinstance(message, Failed) for message in said)


def test_what_cannot_hold_is_told(noise, tmp_path):
    said = []
    child = Child(said.append, TinyTools)
    labels = pair((48, 64))
    region = labels > 0
    told = Constraints(
        labels.shape, counts=[Count(region, 1)], cannot_link=[[(3, 3), (3, 8)]]
    )
    child.answer(ask(tmp_path, noise, labels, told, settings=CRUMBS))
    assert "take another correction back" in said[-1].message


def test_what_holds_already_is_an_empty_window(noise, tmp_path):
    said = []
    child = Child(said.append, TinyTools)
    labels = pair((48, 64))
    told = Constraints(labels.shape, fixed=labels)
    child.answer(ask(tmp_path, noise, labels, told, settings=CRUMBS))
    assert isinstance(said[-1], Resegmented)
    assert said[-1].box == (0, 0, 0, 0)
