import pytest
from napari_semiconv.io.results import ResultStore
from tests.gui.movies import write_dish
from tests.stand_in_child import command

from napari_semiconv.compute.messages import (
    Finished,
    FrameDone,
    MovieChoice,
    Ready,
    Segment,
    Warm,
)
from napari_semiconv.gui import runner
from napari_semiconv.gui.runner import ChildRunner
from napari_semiconv.settings import SegmentSettings

pytestmark = pytest.mark.gui
PATIENCE = 60_000  # ms, for a busy computer


@pytest.fixture
def start(qtbot, tmp_path):
    """Start a child of some mode, its answers noted, and ask it for a run."""
    children = []

    def start(mode):
        child = ChildRunner(command(mode))
        children.append(child)
        child.said = []
        child.answered.connect(child.said.append)
        return child

    yield start
    for child in children:
        child.close()


@pytest.fixture
def request_(tmp_path):
    path = write_dish(tmp_path / "dish.tif", frames=5)
    choice = MovieChoice(path=path, name="dish", axes="TYX")
    output = tmp_path / "dish.semiconv"
    return Segment(ticket=1, movie=choice, settings=SegmentSettings(), output=output)


def frames(child):
    return [message.frame for message in child.said if isinstance(message, FrameDone)]


def is_done(child):
    return any(isinstance(message, Finished) for message in child.said)


def test_the_child_is_started_by_the_first_request(qtbot, start):
    child = start("quick")
    child.ask(Warm(ticket=3))
    qtbot.waitUntil(lambda: bool(child.said), timeout=PATIENCE)
    ready = Ready(ticket=3, models=("default", "other"), devices=("auto", "cpu"))
    assert child.said == [ready]


def test_a_run_is_answered_frame_by_frame(qtbot, start, request_):
    child = start("quick")
    child.ask(request_)
    qtbot.waitUntil(lambda: is_done(child), timeout=PATIENCE)
    assert frames(child) == [0, 1, 2, 3, 4]


def test_a_child_that_stops_when_asked_lives_on(qtbot, start, request_):
    child = start("steady")
    child.answered.connect(lambda m: isinstance(m, Finished) and child.forgive())
    child.ask(request_)
    qtbot.waitUntil(lambda: bool(frames(child)), timeout=PATIENCE)
    with qtbot.assertNotEmitted(child.killed):
        child.cancel(1)
        qtbot.waitUntil(lambda: is_done(child), timeout=PATIENCE)
    assert child.said[-1].cancelled
    child.ask(Warm(ticket=2))
    qtbot.waitUntil(lambda: isinstance(child.said[-1], Ready), timeout=PATIENCE)


def test_a_child_that_does_not_stop_is_killed_and_its_frames_stay(
    qtbot, start, request_, monkeypatch
):
    monkeypatch.setattr(runner, "PATIENCE", 200)
    child = start("stuck")
    child.ask(request_)
    qtbot.waitUntil(lambda: frames(child) == [0], timeout=PATIENCE)
    with qtbot.waitSignal(child.killed, timeout=PATIENCE):
        child.cancel(1)
    assert ResultStore.open(request_.output).done == (0,)


def test_a_crash_is_told_with_the_last_words(qtbot, start, request_):
    child = start("crash")
    with qtbot.waitSignal(child.ended, timeout=PATIENCE) as signal:
        child.ask(request_)
    assert signal.args == ["out of everything"]
    assert frames(child) == [0]


def test_a_child_that_cannot_be_started_is_told(qtbot):
    child = ChildRunner(["/there/is/no/such/program"])
    with qtbot.waitSignal(child.ended, timeout=PATIENCE):
        child.ask(Warm())
