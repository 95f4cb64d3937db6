"""Milliseconds to arrange, edit, scroll, zoom and step the lineage view of many tracks.

The view is painted on a real window. For comparison the same bars are items of a Qt
graphics scene, one a track.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from napari.utils.colormaps import label_colormap
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QBrush, QColor, QPen, QWheelEvent
from qtpy.QtWidgets import QApplication, QGraphicsScene, QGraphicsView, QWidget

from napari_semiconv.gui.lineage.painting import Drawing, Palette
from napari_semiconv.gui.lineage.scale import LOW
from napari_semiconv.gui.lineage.view import LineageView
from napari_semiconv.tracking.family_rows import FamilyRows
from napari_semiconv.tracking.lineage import Lineage, Track

from ..report import Report, Row

FRAMES = 1000
# Rooms that the view has: docked, and on a screen of its own with the lowest rows.
ROOMS = {"docked": (1260, 160), "whole screen, low rows": (1900, 1000)}
REPEATS = 60
DARK = Palette(*(QColor(name) for name in ("#262930", "#f0f1f2", "#5a626c", "#3d48a5")))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--tracks", type=int, default=50_000, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated lineage")


def run(options: argparse.Namespace) -> Report:
    """Measure; a display, real or virtual, is needed."""
    app = QApplication.instance() or QApplication([])
    lineage = make_lineage(options.tracks, options.seed)
    rows, arranged = FamilyRows.of(lineage), _arranging(lineage)
    drawing = Drawing(rows, lineage.tracks, label_colormap().map, DARK, frame=0)
    for room, size in ROOMS.items():
        view = LineageView(str)
        if room != "docked":
            view.set_scale(replace(view.scale, row_height=LOW))
        arranged += [
            {"what": f"{room}: {what}", **_times(seconds)}
            for what, seconds in _moving(view, drawing, size).items()
        ]
        view.close()
    arranged += _scene(drawing, ROOMS["docked"])
    app.processEvents()
    families = rows.families
    return Report(
        arranged,
        {"tracks": options.tracks, "frames": FRAMES, "families": families}
        | {"seed": options.seed},
        ("A step, scroll or zoom is timed with the painting that it leads to.",),
    )


def make_lineage(count: int, seed: int) -> Lineage:
    """Simulate tracks that divide, some with gaps, some confirmed in part."""
    random = np.random.default_rng(seed)
    tracks: list[Track] = []
    waiting: list[tuple[int, int]] = []
    for label in range(1, count + 1):
        parent, begin = 0, int(random.integers(FRAMES - 1))
        if waiting and random.random() < 0.8:
            parent, begin = waiting.pop(int(random.integers(len(waiting))))
        end = min(begin + int(random.integers(1, 100)), FRAMES - 1)
        middle = (begin + end) // 2
        intervals = ((begin, end),)
        if random.random() < 0.2 and middle - begin > 2 and end > middle:
            intervals = ((begin, middle - 1), (middle + 1, end))
        confirmed = intervals[:1] if random.random() < 0.3 else ()
        tracks.append(Track(label, intervals, parent, confirmed))
        if random.random() < 0.6 and end + 1 < FRAMES:
            waiting += [(label, end + 1)] * 2
    return Lineage(tracks)


def _arranging(lineage: Lineage) -> list[Row]:
    """Time to arrange all rows, and those that an edit touched."""
    rows = FamilyRows.of(lineage)
    lineage.daughters_of(1)
    _, first, sizes = np.unique(rows.keys, return_index=True, return_counts=True)
    largest = int(rows.labels[first[sizes.argmax()]])
    some = rows.labels[:: len(rows) // REPEATS].tolist()
    screen = range(len(rows) // 2, len(rows) // 2 + 40)

    def look() -> None:
        rows.bars(screen, range(100, 600))
        rows.mothers_across(screen)

    cases: dict[str, list[Callable[[], Any]]] = {
        "arrange all": [lambda: FamilyRows.of(lineage)] * 7,
        "after an edit": [
            lambda label=label: rows.updated(lineage, {label}) for label in some
        ],
        f"after an edit of a family of {sizes.max()}": [
            lambda: rows.updated(lineage, {largest})
        ]
        * 20,
        "find what is in view": [look] * REPEATS,
    }
    return [
        {"what": what, **_times([_seconds(act) for act in acts])}
        for what, acts in cases.items()
    ]


def _moving(
    view: LineageView, drawing: Drawing, size: tuple[int, int]
) -> dict[str, list[float]]:
    """Seconds of steps, scrolls and zooms with their painting."""
    _show(view, size)
    view.show_drawing(drawing, FRAMES)
    QApplication.processEvents()
    found: dict[str, list[float]] = {}
    for what, acts in (
        ("paint all", [view.viewport().update] * 30),
        ("step a frame", [lambda t=t: view.set_frame(t) for t in range(REPEATS)]),
        ("scroll rows", [lambda: _wheel(view, -1, shift=True)] * REPEATS),
        ("zoom time", [lambda: _wheel(view, 1)] * 20 + [lambda: _wheel(view, -1)] * 20),
    ):
        found[what] = [_seconds(act, QApplication.processEvents) for act in acts]
    return found


def _scene(drawing: Drawing, size: tuple[int, int]) -> list[Row]:
    """Measure the same bars as items of a graphics scene."""
    begin = time.perf_counter()
    scene, rows = QGraphicsScene(), drawing.rows
    colours = drawing.colours(rows.labels.astype(np.int32))
    plain = QPen(Qt.PenStyle.NoPen)
    for row, (label, rgba) in enumerate(
        zip(rows.labels.tolist(), colours.tolist(), strict=True)
    ):
        brush = QBrush(QColor.fromRgbF(*rgba[:3]))
        for first, last in drawing.tracks[label].intervals:
            scene.addRect(first, 16 * row, last + 1 - first, 10, plain, brush)
    line = scene.addRect(0, 0, 1, 16 * len(rows), plain, QBrush(DARK.text))
    view = QGraphicsView(scene)
    _show(view, size)
    built = time.perf_counter() - begin
    steps = [
        _seconds(lambda t=t: line.setPos(t, 0), QApplication.processEvents)
        for t in range(REPEATS)
    ]
    bar = view.verticalScrollBar()
    scrolls = [
        _seconds(lambda n=n: bar.setValue(bar.value() + 48), QApplication.processEvents)
        for n in range(REPEATS)
    ]
    view.close()
    return [
        {"what": "graphics scene: make its items", **_times([built])},
        {"what": "graphics scene: step a frame", **_times(steps)},
        {"what": "graphics scene: scroll rows", **_times(scrolls)},
    ]


def _show(view: QWidget, size: tuple[int, int]) -> None:
    view.resize(*size)
    view.show()
    for _ in range(5):
        QApplication.processEvents()


def _wheel(view: LineageView, notches: int, *, shift: bool = False) -> None:
    place = QPointF(300, 80)
    keys = Qt.KeyboardModifier.ShiftModifier
    event = QWheelEvent(
        place,
        QPointF(view.mapToGlobal(QPoint(300, 80))),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys if shift else Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def _seconds(*acts: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    for act in acts:
        act()
    return time.perf_counter() - begin


def _times(seconds: list[float]) -> dict[str, float]:
    return {
        "median_ms": 1000 * float(np.median(seconds)),
        "longest_ms": 1000 * max(seconds),
    }
