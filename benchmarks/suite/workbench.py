"""How fast the window corrects a large project, by real mouse and key events."""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import napari
import numpy as np
import psutil  # type: ignore[import-untyped]
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_semiconv.gui.benches import workbench_of
from napari_semiconv.gui.docking import open_lineage, open_measurements, open_panel
from napari_semiconv.gui.layers import CELLS, TRACKS
from napari_semiconv.gui.measure.dock import Measurements
from napari_semiconv.gui.workbench import Workbench
from napari_semiconv.project.project import Project

from ..hands import ALT, APART, CTRL, NONE, SHIFT, Hands, Keys, Spot, Timing, rest, wait
from ..report import Report, Row
from .document import World
from .large import make

Key = Qt.Key
# Size of the window, px; it has to fit on the screen.
WINDOW = (1500, 950)
# Frames between two repeats, each of which edits cells of its own.
STRIDE = 5
# Frames that napari alone steps through.
OWN = 24
# Strokes of the brush that follow each other at once.
STROKES = 12


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--frames", type=int, default=1000, help="of the project")
    parser.add_argument("--side", type=int, default=1024, help="of a frame, px")
    parser.add_argument("--cells", type=int, default=200, help="in each frame")
    parser.add_argument("--repeats", type=int, default=5, help="of each tool")
    parser.add_argument("--only", default="", help="tools whose name has this word")


def run(options: argparse.Namespace) -> Report:
    """Measure in a napari window; a display, real or virtual, is needed."""
    world = World(options.frames, options.side, options.cells)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder), world)
        rows = measure(path, options.repeats, options.only)
    return Report(
        rows=rows,
        settings={
            "project": f"{world.frames} frames of {world.side} x {world.side} px, "
            f"{world.cells} cells each",
            "repeats": options.repeats,
            "window": "{} x {} px".format(*WINDOW),
            "load before, after": f"{load:.1f}, {os.getloadavg()[0]:.1f}",
        },
        notes=(
            "Milliseconds from the last event of a tool until what it did is drawn, by "
            "the clock: other work on the computer lengthens them. Busy is the time "
            "that the thread of the window computes. A pause is the longest time in "
            "which the window did not answer, up to 0.3 s after.",
            "With everything: the panel with its lists, tails, the lineage and the "
            "measurements.",
        ),
    )


def measure(path: Path, repeats: int, only: str = "") -> list[Row]:
    """Measure with the panel alone, with everything open, and napari by itself."""
    viewer = napari.Viewer()
    viewer.window.resize(*WINDOW)
    bench = workbench_of(viewer)
    panel = open_panel(viewer)
    # napari takes a while for the first labels layer of a window, whoever makes it.
    viewer.add_labels(np.zeros((2, 8, 8), np.int32))
    viewer.layers.clear()
    wait(lambda: bench.resting)
    hands = Hands(viewer, lambda: bench.resting)
    panel.tabs.setCurrentWidget(panel.correct_tab)
    try:
        rows = _lap(Lap(bench, None, hands, 2, repeats), "the panel", path, only)
        bench.session.close_project()
        table = open_measurements(viewer)
        open_lineage(viewer)
        hands.settle()
        lap = Lap(bench, table, hands, 4 + STRIDE * repeats, repeats)
        rows += _lap(lap, "everything", path, only)
        steps = [row["median"] for row in rows if row["what"] == STEP]
        return rows + _own(viewer, hands, float(steps[-1] or 0) if steps else None)
    finally:
        bench.close()
        viewer.close()


def _lap(lap: "Lap", docks: str, path: Path, only: str) -> list[Row]:
    parts = [partial(lap.opening, path), partial(lap.tools, only)]
    if not only:
        parts += [lap.stepping, lap.painting, lap.reviewing]
    rows = [_row(docks, *item) for part in parts for item in part().items()]
    return [*rows, {"with": docks, "what": "memory, MB", "median": _memory()}]


STEP = "step to the next frame"
Timings = dict[str, list[Timing]]


def _row(docks: str, what: str, times: list[Timing]) -> Row:
    # It takes minutes: told as it comes.
    print(
        f"{docks}: {what}",
        *(f"{1e3 * t.shown:.0f}" for t in times[:9]),
        file=sys.stderr,
    )
    return {
        "with": docks,
        "what": what,
        "median": 1e3 * statistics.median(t.shown for t in times),
        "worst": 1e3 * max(t.shown for t in times),
        "busy": 1e3 * statistics.median(t.busy for t in times),
        "longest_pause": 1e3 * max(t.pause for t in times),
    }


def _memory() -> int:
    return round(psutil.Process().memory_info().rss / 2**20)


@dataclass
class Lap:
    """All that is measured with some docks open.

    Parameters
    ----------
    bench, table, hands
        What is driven; the dock of measurements, if it is open.
    begin
        First frame whose cells are edited.
    repeats
        How often a tool is used.
    """

    bench: Workbench
    table: Measurements | None
    hands: Hands
    begin: int
    repeats: int

    @property
    def project(self) -> Project:
        """The open project."""
        project = self.bench.session.project
        assert project is not None, "a project is open"
        return project

    def opening(self, path: Path) -> Timings:
        """Open the project, and let the suspects be ranked and the cells measured."""
        bench, hands = self.bench, self.hands
        layers = bench.viewer.layers

        def shown() -> bool:
            there = bench.session.project is not None and CELLS in layers
            return there and bench.session.job is None

        def known() -> bool:
            ranked = bench.corrector.review.queue is not None
            return ranked and (self.table is None or self.table.up_to_date)

        def opened() -> None:
            bench.open(path)
            wait(shown)

        opening = hands.time(opened)
        wait(lambda: TRACKS in layers and bench.resting)
        return {
            "open, until masks are shown": [opening],
            "rank suspects, measure, meanwhile": [hands.time(partial(wait, known))],
        }

    def tools(self, only: str) -> Timings:
        """Use each tool, take it back and make it again, in cells of its own."""
        hands, found = self.hands, Timings()
        for turn in range(self.repeats):
            frame = self.begin + STRIDE * turn
            self._go(frame)
            cells = Cells(self.project, frame)
            for name, act in Tools(hands, cells).named():
                if only not in name:
                    continue
                last = act()
                hands.settle()
                history = self.project.history.journal
                before = history.last
                found.setdefault(name, []).append(hands.time(last))
                if self.bench.sentence.kind == "error":
                    raise AssertionError(f"{name}: {self.bench.sentence.text}")
                if history.last == before:
                    # It selects only, or what it confirms was confirmed before.
                    continue
                for word, keys in (("undo", CTRL), ("redo", CTRL | SHIFT)):
                    timing = hands.time(partial(hands.key, Key.Key_Z, keys))
                    found.setdefault(f"{word}: {name}", []).append(timing)
                self._go(frame)
        return found

    def stepping(self) -> Timings:
        """Step on by its key."""
        hands = self.hands
        self._go(self.begin)
        step = partial(hands.key, Key.Key_D)
        hands.click(next(iter(Cells(self.project, self.begin))))
        return {STEP: [hands.time(step, 0.05) for _ in range(5 * self.repeats)]}

    def painting(self) -> Timings:
        """Paint as fast as the window takes it: clicks, then the points of a line."""
        hands = self.hands
        self._go(self.begin + STRIDE * self.repeats)
        cells = Cells(self.project, self.bench.session.frame)
        hands.click(next(cells))
        hands.key(Key.Key_2)
        hands.settle()
        dabs = [next(cells) for _ in range(STROKES)]
        strokes = [hands.time(partial(hands.click, place), 0) for place in dabs]
        self._is_painted(dabs)
        (y, x), points = next(cells), []
        hands.press((y, x))
        line = [(y, x + cells.side * n / STROKES) for n in range(1, STROKES + 1)]
        for place in line:
            points.append(hands.time(partial(hands.move, place), 0))
            QTest.qWait(APART)
        hands.release(line[-1])
        hands.settle()
        self._is_painted(line)
        hands.key(Key.Key_6)
        rest(0.5)
        return {"stroke of the brush": strokes, "point of a stroke": points}

    def _is_painted(self, places: list[Spot]) -> None:
        labels = self.project.document.labels(self.bench.session.frame)
        for y, x in places:
            if int(labels[round(y), round(x)]) not in self.bench.session.selection:
                raise AssertionError(f"Nothing was painted at {y:.1f}, {x:.1f}.")

    def reviewing(self) -> Timings:
        """Go to the next suspect by its key."""
        hands = self.hands
        step = partial(hands.key, Key.Key_N)
        found = {"next suspect": [hands.time(step) for _ in range(3 * self.repeats)]}
        self.bench.viewer.reset_view()
        return found

    def _go(self, frame: int) -> None:
        """Go to a frame, with nothing selected."""
        self.bench.session.select(frozenset())
        self.bench.session.go_to(frame)
        self.bench.viewer.reset_view()
        self.hands.settle()
        rest(0.2)


class Cells(Iterator[Spot]):
    """Middles of cells of a frame, (y, x), px, each given once.

    Those that are there two frames before and after, none at the edge of the frame.

    Parameters
    ----------
    project
        Whose.
    frame
        Index of the frame.
    """

    def __init__(self, project: Project, frame: int) -> None:
        tracks, places = project.lineage.tracks, project.centroids(frame)
        self.side = side = float(np.sqrt(np.median(places.areas)))
        _, height, width = project.document.shape
        self._middles = iter(
            [
                (float(y), float(x))
                for label, y, x in zip(
                    places.labels.tolist(), places.y, places.x, strict=True
                )
                if all(tracks[label].has(frame + by) for by in (-2, -1, 1, 2))
                and side < y < height - side
                and side < x < width - side
            ]
        )

    def __next__(self) -> Spot:
        return next(self._middles)


Act = Callable[[], object]


@dataclass
class Tools:
    """Leads to the last event of each tool, and gives it.

    Parameters
    ----------
    hands
        Press and click.
    cells
        To use the tools on.
    """

    hands: Hands
    cells: "Cells"

    def named(self) -> Iterator[tuple[str, Callable[[], Act]]]:
        """Name each tool."""
        pressed = self._pressed
        yield "select by a click", lambda: partial(self.hands.click, next(self.cells))
        yield "split by clicks", self._split
        yield "split by a line", self._line
        yield "redraw", self._redraw
        yield "brush", partial(self._stroke, Key.Key_2)
        yield "eraser", partial(self._stroke, Key.Key_1)
        yield "no cell here", self._no_cell
        yield "merge", partial(pressed, Key.Key_J, cells=2)
        yield "grow", partial(pressed, Key.Key_O)
        yield "smooth", partial(pressed, Key.Key_H, SHIFT)
        yield "copy from before", partial(pressed, Key.Key_C, deleted=True)
        yield "fill gap", partial(pressed, Key.Key_I, deleted=True)
        yield "delete", partial(pressed, Key.Key_Delete)
        yield "delete from here on", partial(pressed, Key.Key_Delete, SHIFT)
        yield "delete track", partial(pressed, Key.Key_Delete, ALT)
        yield "unlink", partial(pressed, Key.Key_U)
        yield "link", self._link
        yield "swap", partial(pressed, Key.Key_W, cells=2)
        yield "division", self._division
        yield "confirm", partial(pressed, Key.Key_Y)
        yield "confirm track", partial(pressed, Key.Key_Y, SHIFT)
        yield "confirm frame", partial(pressed, Key.Key_Y, ALT)

    def _pressed(
        self, key: Key, keys: Keys = NONE, *, cells: int = 1, deleted: bool = False
    ) -> Act:
        """Select cells, delete them if asked for, and press a key."""
        for n in range(cells):
            self.hands.click(next(self.cells), SHIFT if n else NONE)
            self.hands.settle()
        if deleted:
            self.hands.key(Key.Key_Delete)
            self.hands.settle()
        return partial(self.hands.key, key, keys)

    def _split(self) -> Act:
        (y, x), part = next(self.cells), self.cells.side / 4
        self.hands.key(Key.Key_S)
        self.hands.click((y, x - part))
        return partial(self.hands.click, (y, x + part))

    def _line(self) -> Act:
        (y, x), half = next(self.cells), 0.7 * self.cells.side
        self.hands.key(Key.Key_S, SHIFT)
        self.hands.press((y - half, x), (y + half, x))
        return partial(self.hands.release, (y + half, x))

    def _redraw(self) -> Act:
        (y, x), part = next(self.cells), self.cells.side / 3
        self.hands.click((y, x))
        self.hands.key(Key.Key_R)
        corners = [(-part, -part), (-part, part), (part, part), (part, -part)]
        path = [(y + down, x + right) for down, right in corners]
        self.hands.press(*path, path[0])
        return partial(self.hands.release, path[0])

    def _stroke(self, brush: Key) -> Act:
        (y, x), hands = next(self.cells), self.hands
        end = (y + 0.7 * self.cells.side, x)
        hands.click((y, x))
        hands.key(brush)
        hands.settle()
        hands.press((y, x), end)

        def last() -> None:
            hands.release(end)
            hands.key(Key.Key_6)

        return last

    def _no_cell(self) -> Act:
        self.hands.key(Key.Key_Q)
        return partial(self.hands.click, next(self.cells))

    def _link(self) -> Act:
        here, hands = next(self.cells), self.hands
        for key in (Key.Key_U, Key.Key_A, Key.Key_T, Key.Key_D):
            if key in (Key.Key_U, Key.Key_T):
                hands.click(here)
                hands.settle()
            hands.key(key)
            hands.settle()
        return partial(hands.click, here)

    def _division(self) -> Act:
        mother = next(self.cells)
        self.hands.click(mother)
        self.hands.key(Key.Key_K)
        self.hands.click(mother)
        return partial(self.hands.click, next(self.cells))


def _own(viewer: napari.Viewer, hands: Hands, step: float | None) -> list[Row]:
    """Step with the same layers of napari alone, and draw them anew."""
    pixels = {
        layer.name: np.stack([np.asarray(layer.data[t]) for t in range(OWN)])
        for layer in viewer.layers
    }
    alone = napari.Viewer()
    alone.window.resize(*WINDOW)
    for name, frames in pixels.items():
        if name == CELLS:
            alone.add_labels(frames, name=name)
        else:
            alone.add_image(frames, name=name, rgb=frames.ndim == 4)
    rest(0.5)
    one = Hands(alone)
    # Its canvas is as large as the one that has docks beside it.
    wide, high = (a - b for a, b in zip(hands.size, one.size, strict=True))
    alone.window.resize(WINDOW[0] + wide, WINDOW[1] + high)
    rest(0.5)
    try:
        steps, drawn = [], []
        for t in range(1, OWN):
            act = partial(alone.dims.set_current_step, 0, t)
            steps.append(one.time(act, 0.05))
            drawn.append(one.time(alone.layers[CELLS].refresh, 0.05))
    finally:
        alone.close()
    rows = [
        _row("napari alone", STEP, steps),
        _row("napari alone", "draw cells anew", drawn),
    ]
    if step is not None:
        own = float(rows[0]["median"] or 1)
        rows += [
            {
                "with": "everything",
                "what": "step, above napari's",
                "median": step - own,
            },
            {
                "with": "everything",
                "what": "step, times napari's",
                "median": step / own,
            },
        ]
    return rows
