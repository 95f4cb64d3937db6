"""Random mouse and key events on a real window, by a generator that can be repeated."""

import logging
from collections import Counter
from itertools import pairwise

import numpy as np
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QLineEdit,
    QPushButton,
    QTabBar,
    QTableView,
    QToolButton,
)

from napari_semiconv.gui.correct.actions import ACTIONS
from napari_semiconv.gui.docking import open_lineage, open_measurements, open_panel

log = logging.getLogger(__name__)
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
MODIFIERS = {
    "Shift": SHIFT,
    "Control": CONTROL,
    "Alt": Qt.KeyboardModifier.AltModifier,
}
# napari's own on a layer of labels and on the viewer.
NAPARIS = [
    (getattr(Qt.Key, f"Key_{name}"), NONE)
    for name in (
        *"1234567BXPVE",
        "BracketLeft",
        "BracketRight",
        "Minus",
        "Equal",
        "Escape",
        "Return",
        "Left",
        "Right",
    )
]
# Buttons that ask the system for a file, find cells anew, or wait for a line.
APART = (
    "Open",
    "Find and follow",
    "Preview",
    "Choose",
    "Export",
    "Measure",
    "Save",
    "Locate",
    "Go on",
    "Apply",
)


def keys_of_actions():
    """All keys of the table, as Qt has them."""
    found = []
    for action in ACTIONS:
        for text in action.keys:
            *modifiers, key = text.split("-")
            held = NONE
            for name in modifiers:
                held |= MODIFIERS[name]
            found.append((getattr(Qt.Key, f"Key_{key}"), held))
    return found


class Monkey:
    """Does what it likes with a window that has a project.

    Parameters
    ----------
    window
        A `tests.gui.window.Window`.
    seed
        The same does the same, as far as threads allow.
    """

    def __init__(self, window, seed):
        self.window, self.viewer = window, window.viewer
        self.random = np.random.default_rng(seed)
        self.keys = keys_of_actions()
        self.folder = window.session.project.folder
        self.done = Counter()
        self.last = []
        self._acts = (
            (self.click, 14),
            (self.key, 26),
            (self.napari_key, 8),
            (self.drag, 9),
            (self.double_click, 2),
            (self.right_stroke, 1),
            (self.wheel, 2),
            (self.step, 5),
            (self.undo, 4),
            (self.tab, 2),
            (self.row, 4),
            (self.button, 6),
            (self.lineage, 4),
            (self.layer, 3),
            (self.dock, 1),
            (self.lists, 1),
        )

    def step_once(self):
        """Do one thing."""
        weights = np.array([weight for _, weight in self._acts], float)
        act = self._acts[self.random.choice(len(weights), p=weights / weights.sum())][0]
        self.last.append(act.__name__)
        self.done[act.__name__] += 1
        act()
        log.debug("%s", self.last[-1])
        QApplication.processEvents()

    def note(self, *what):
        self.last[-1] += f" {what}"

    # The canvas

    def number(self, end):
        return int(self.random.integers(end))

    def place(self):
        """A pixel of the movie, in a cell more often than not; some lie outside."""
        project = self.window.session.project
        if project is None:
            return (5, 5)
        frame = self.window.bench.layers.frame()
        places = project.centroids(frame)
        _, height, width = project.document.shape
        if len(places.labels) and self.random.random() < 0.7:
            n = self.random.integers(len(places.labels))
            jitter = self.random.normal(0, 2, 2)
            return places.y[n] + jitter[0], places.x[n] + jitter[1]
        return self.random.uniform(-4, height + 4), self.random.uniform(-4, width + 4)

    def spot(self, place):
        # Where the movie lies, with or without our layers.
        window, (y, x) = self.window, place
        height, width = window.bench.layers.pixel()
        middle, zoom = window.camera.center[-2:], window.camera.zoom
        canvas = window.canvas
        right = round((x * width - middle[1]) * zoom + canvas.width() / 2)
        down = round((y * height - middle[0]) * zoom + canvas.height() / 2)
        return QPoint(
            min(max(right, 1), canvas.width() - 2),
            min(max(down, 1), canvas.height() - 2),
        )

    def held(self):
        return self.random.choice([0, 0, 0, 0, 1])

    def click(self):
        keys = SHIFT if self.held() else NONE
        place = self.spot(self.place())
        self.note(place.x(), place.y(), bool(keys != NONE))
        QTest.mouseMove(self.window.canvas, place)
        QTest.mouseClick(self.window.canvas, LEFT, keys, place)

    def double_click(self):
        place = self.spot(self.place())
        QTest.mouseClick(self.window.canvas, LEFT, pos=place)
        QTest.mouseDClick(self.window.canvas, LEFT, pos=place)

    def drag(self):
        self._stroke(LEFT, [self.place() for _ in range(self.random.integers(2, 6))])

    def right_stroke(self):
        self._stroke(RIGHT, [self.place(), self.place()])

    def _stroke(self, button, places):
        canvas = self.window.canvas
        spots = [self.spot(place) for place in places]
        QTest.mousePress(canvas, button, pos=spots[0])
        for one, other in pairwise(spots):
            for share in (0.3, 0.6, 1.0):
                spot = QPointF(one + (other - one) * share)
                event = QMouseEvent(
                    QMouseEvent.Type.MouseMove,
                    spot,
                    QPointF(canvas.mapToGlobal(spot.toPoint())),
                    button,
                    button,
                    NONE,
                )
                QApplication.sendEvent(canvas, event)
            if self.random.random() < 0.05:
                # A key in the middle of a stroke.
                key, held = self.keys[self.random.integers(len(self.keys))]
                self.note("key", key)
                QTest.keyClick(canvas, key, held)
        QTest.mouseRelease(canvas, button, pos=spots[-1])

    def wheel(self):
        spot = QPointF(self.spot(self.place()))
        canvas = self.window.canvas
        event = QWheelEvent(
            spot,
            QPointF(canvas.mapToGlobal(spot.toPoint())),
            QPoint(0, 0),
            QPoint(0, int(self.random.choice([-120, 120]))),
            Qt.MouseButton.NoButton,
            CONTROL if self.held() else NONE,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(canvas, event)
        if self.random.random() < 0.5:
            self.viewer.reset_view()

    # Keys

    def key(self):
        key, held = self.keys[self.random.integers(len(self.keys))]
        self.note(key.name, held.name)
        QTest.keyClick(self.window.canvas, key, held)

    def napari_key(self):
        key, held = NAPARIS[self.random.integers(len(NAPARIS))]
        self.note(key.name)
        QTest.keyClick(self.window.canvas, key, held)

    def undo(self):
        held = CONTROL | SHIFT if self.held() else CONTROL
        self.note(held.name)
        QTest.keyClick(self.window.canvas, Qt.Key.Key_Z, held)

    # Around it

    def step(self):
        frames = len(self.window.session.movie or [0])
        self.viewer.dims.set_current_step(0, int(self.random.integers(frames)))

    def shown(self, kind):
        main = self.viewer.window._qt_window
        return [w for w in main.findChildren(kind) if w.isVisible() and w.isEnabled()]

    def choose(self, some):
        return some[self.random.integers(len(some))] if some else None

    def tab(self):
        bar = self.choose(self.shown(QTabBar))
        if bar is not None and bar.count():
            place = bar.tabRect(int(self.random.integers(bar.count()))).center()
            QTest.mouseClick(bar, LEFT, pos=place)

    def row(self):
        panel = self.window.panel
        if panel is None:
            return
        self.window.panel.tabs.setCurrentIndex(2)
        QApplication.processEvents()
        view = self.choose(self.shown(QTableView))
        if view is None or not view.model().rowCount():
            return
        surface = view.viewport()
        place = QPoint(
            int(self.random.integers(surface.width())),
            int(self.random.integers(surface.height())),
        )
        self.note(type(view.model()).__name__, place.y())
        QTest.mouseClick(surface, LEFT, pos=place)
        if self.held():
            QTest.mouseDClick(surface, LEFT, pos=place)

    def button(self):
        panel = self.window.panel
        if panel is None:
            return
        some = [
            b
            for b in (
                *panel.findChildren(QPushButton),
                *panel.findChildren(QToolButton),
            )
            if b.isVisible()
            and b.isEnabled()
            and b.text()
            and not b.text().startswith(APART)
            and (isinstance(b, QToolButton) or b.menu() is None)
        ]
        button = self.choose(some)
        if button is not None:
            self.note(button.text())
            QTest.mouseClick(button, LEFT)

    def lineage(self):
        docks = [d for d in self._docks("Lineage") if d.isVisible()]
        if not docks:
            return
        surface = docks[0].view.viewport()
        spots = [
            QPoint(
                int(self.random.integers(max(surface.width(), 1))),
                int(self.random.integers(max(surface.height(), 1))),
            )
            for _ in range(2)
        ]
        how = self.random.integers(3)
        self.note(int(how))
        if how == 0:
            QTest.mouseClick(surface, LEFT, NONE, spots[0])
        elif how == 1:
            QTest.mouseClick(surface, LEFT, pos=spots[0])
            QTest.mouseDClick(surface, LEFT, pos=spots[0])
        else:
            QTest.mousePress(surface, LEFT, NONE, spots[0])
            for share in (0.3, 0.7, 1.0):
                QTest.mouseMove(surface, spots[0] + (spots[1] - spots[0]) * share)
            QTest.mouseRelease(surface, LEFT, NONE, spots[1])

    def _docks(self, name):
        found = self.viewer.window.dock_widgets
        return [widget for title, widget in found.items() if title.startswith(name)]

    def layer(self):
        """What is done to layers in their list."""
        layers, layer = self.viewer.layers, self.choose(list(self.viewer.layers))
        if layer is None:
            return
        if len(layers) == 1:
            # napari 0.9 may crash when it draws an empty list, with no plugin at all.
            self.foreign()
        ours = self.window.bench.layers.cells or layer
        how = self.choose(
            (
                self.foreign,
                lambda: (layers.selection.select_only(layer), layers.remove_selected()),
                lambda: setattr(layer, "visible", not layer.visible),
                lambda: layers.move(layers.index(layer), self.number(len(layers))),
                lambda: setattr(layer, "name", f"named {self.number(5)}"),
                lambda: layers.selection.select_only(layer),
                lambda: layers.selection.select_only(ours),
                lambda: layers.selection.select_only(ours),
            )
        )
        self.note(layer.name, how.__code__.co_names[:4])
        how()

    def foreign(self):
        """A layer of somebody else, on which it may be drawn."""
        layers = self.viewer.layers
        for one in [one for one in layers if one.name.startswith("foreign")][3:]:
            layers.remove(one)
        self.choose(
            (
                lambda: self.viewer.add_points(
                    self.random.uniform(0, 60, (4, 3)), name="foreign points"
                ),
                lambda: self.viewer.add_shapes(ndim=3, name="foreign shapes"),
                lambda: self.viewer.add_labels(
                    np.zeros((8, 72, 72), np.int32),
                    name="foreign labels",
                    scale=layers[0].scale[:3],
                ),
            )
        )()

    def lists(self):
        box = self.choose(self.shown(QComboBox))
        line = self.choose(self.shown(QLineEdit))
        if line is not None and line.placeholderText():
            QTest.keyClicks(line, "5")
        main = self.viewer.window._qt_window
        self.note(box is not None)
        main.setFocus()

    def dock(self):
        how = self.random.integers(5)
        self.note(int(how))
        if how == 0:
            open_lineage(self.viewer)
        elif how == 1:
            open_measurements(self.viewer)
        elif how == 2:
            open_panel(self.viewer)
        elif how == 3:
            found = self.viewer.window.dock_widgets
            widget = self.choose(
                [w for t, w in found.items() if "napari-semiconv" in t]
            )
            if widget is not None:
                self.viewer.window.remove_dock_widget(widget)
                open_panel(self.viewer)
        else:
            # Dropped on the panel: it is open already, and is shown.
            open_panel(self.viewer).bench.open(self.folder)
