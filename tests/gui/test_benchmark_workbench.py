"""The benchmark of the workbench drives the real window."""

import pytest
from benchmarks import registry
from benchmarks.hands import Hands
from benchmarks.suite.document import World
from benchmarks.suite.large import make
from benchmarks.suite.workbench import Lap
from tests.gui.window import Window

pytestmark = pytest.mark.gui


def test_tools_are_measured_with_their_undo_and_redo(
    make_napari_viewer, qtbot, tmp_path
):
    assert "workbench" in registry.names()
    window = Window(make_napari_viewer(show=True), qtbot)
    hands = Hands(window.viewer, lambda: window.bench.resting, after=0)
    lap = Lap(window.bench, None, hands, begin=4, repeats=1)
    try:
        opening = lap.opening(make(tmp_path, World(40, 256, 64)))
        assert opening["open, until masks are shown"][0].shown > 0
        found = lap.tools("split by a line") | lap.tools("link") | lap.painting()
        ways = ("", "undo: ", "redo: ")
        tools = ("split by a line", "link", "unlink")
        assert {way + tool for way in ways for tool in tools} <= found.keys()
        assert len(found["point of a stroke"]) > 1
        assert all(time.shown > 0 for times in found.values() for time in times)
    finally:
        window.bench.close()
        vars(window).clear()
