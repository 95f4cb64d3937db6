"""Drive a napari window with mouse and keys, as a user does."""

from itertools import pairwise
from pathlib import Path

from npe2 import PluginManager, PluginManifest
from qtpy.QtCore import QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QMenu,
    QPushButton,
    QWidget,
)
from tests.stand_in_child import command

from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.gui.benches import workbench_of
from napari_semiconv.gui.docking import PLUGIN
from napari_semiconv.gui.open_dialog import OpenDialog
from napari_semiconv.gui.panel import CellPanel

PATIENCE = 60_000  # ms, for a busy computer
ENTRY = f"{PLUGIN} ({PLUGIN})"


def register():
    """Let napari know the plugin as an installed one."""
    manager = PluginManager.instance()
    if PLUGIN not in manager:
        manager.register(PluginManifest.from_distribution(PLUGIN))


def click(widget: QWidget):
    """Press and release the left button in the middle of a widget."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def find_action(menu: QMenu, text: str):
    for action in menu.actions():
        if action.text() == text:
            return action
        if action.menu() is not None and (inner := find_action(action.menu(), text)):
            return inner
    return None


class Window:
    """A napari window with the panel, opened from the menu.

    Parameters
    ----------
    viewer
        An empty viewer.
    qtbot
        Waits.
    mode
        What the stand-in for the computing process does; the real one when None.
    """

    def __init__(self, viewer, qtbot, mode="quick"):
        register()
        self.viewer, self.qtbot = viewer, qtbot
        supervisor = Supervisor() if mode is None else Supervisor(command(mode))
        self.bench = workbench_of(viewer, supervisor)
        self.session = self.bench.session
        self.toggle()

    @property
    def panel(self) -> CellPanel:
        return self.bench.panel

    @property
    def camera(self):
        # Named anew in napari 0.9.
        return getattr(self.viewer, "scene", self.viewer).camera

    def toggle(self):
        """Choose the panel in the menu "Plugins"."""
        menu = self.viewer.window.plugins_menu
        menu.aboutToShow.emit()
        find_action(menu, ENTRY).trigger()
        QApplication.processEvents()

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=PATIENCE)

    def rest(self):
        """Wait until nothing is going on, and all of it was heard."""
        self.wait(lambda: self.bench.resting)
        QApplication.processEvents()

    def tab(self, name):
        """Click on a tab."""
        tabs = self.panel.tabs
        index = [tabs.tabText(n) for n in range(tabs.count())].index(name)
        bar = tabs.tabBar()
        place = bar.tabRect(index).center()
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=place)
        assert tabs.currentIndex() == index

    def press(self, text):
        """Click on the button that says this, if it can be seen and pressed."""
        # A new button shows when its row has been laid out.
        self.wait(lambda: len(self._buttons(text)) == 1)
        click(self._buttons(text)[0])

    def _buttons(self, text):
        return [
            b
            for b in self.panel.findChildren(QPushButton)
            if b.text() == text and b.isVisible() and b.isEnabled()
        ]

    def open(self, path: Path):
        """Press Open, pick a path in the dialog and press its button."""
        self.tab("Movie")
        # The dialog has an event loop of its own: whoever answers must wait in it.
        timer = QTimer()
        timer.timeout.connect(lambda: self._answer(path, timer))
        timer.start(20)
        self.press("Open…")
        self.rest()

    def _answer(self, path: Path, timer: QTimer):
        shown = [
            w
            for w in QApplication.topLevelWidgets()
            if isinstance(w, OpenDialog) and w.isVisible()
        ]
        if not shown:
            return
        timer.stop()
        dialog = shown[0]
        if path.is_dir() and path.suffix == "":
            dialog.setDirectory(str(path))
            click(dialog._take)
        else:
            dialog.setDirectory(str(path.parent))
            dialog.selectFile(path.name)
            buttons = dialog.findChild(QDialogButtonBox)
            click(buttons.button(QDialogButtonBox.StandardButton.Open))
        if dialog.isVisible():
            dialog.reject()

    # The canvas

    @property
    def canvas(self) -> QWidget:
        """What the layers are drawn on."""
        window = self.panel.window()
        return next(
            widget
            for widget in window.centralWidget().findChildren(QWidget)
            if widget.metaObject().className().startswith("CanvasBackend")
        )

    def spot(self, y, x):
        """Where a pixel of the movie lies on the canvas."""
        layer = self.viewer.layers["Cells"]
        down, right = layer.data_to_world((0, y, x))[-2:]
        middle, zoom = self.camera.center[-2:], self.camera.zoom
        return QPoint(
            round((right - middle[1]) * zoom + self.canvas.width() / 2),
            round((down - middle[0]) * zoom + self.canvas.height() / 2),
        )

    def click_at(self, y, x, keys=Qt.KeyboardModifier.NoModifier):
        """Click on a pixel of the movie."""
        button = Qt.MouseButton.LeftButton
        QTest.mouseMove(self.canvas, self.spot(y, x))
        QTest.mouseClick(self.canvas, button, keys, self.spot(y, x))
        QApplication.processEvents()

    def drag_over(self, *places):
        """Press the button at the first pixel and let it go at the last."""
        button = Qt.MouseButton.LeftButton
        QTest.mousePress(self.canvas, button, pos=self.spot(*places[0]))
        for one, other in pairwise(places):
            for share in (0.25, 0.5, 0.75, 1.0):
                y, x = (a + (b - a) * share for a, b in zip(one, other, strict=True))
                event = QMouseEvent(
                    QMouseEvent.Type.MouseMove,
                    QPointF(self.spot(y, x)),
                    QPointF(self.canvas.mapToGlobal(self.spot(y, x))),
                    button,
                    button,
                    Qt.KeyboardModifier.NoModifier,
                )
                QApplication.sendEvent(self.canvas, event)
                QTest.qWait(10)  # the canvas leaves out what comes faster
        QTest.mouseRelease(self.canvas, button, pos=self.spot(*places[-1]))
        QApplication.processEvents()

    def key(self, key, keys=Qt.KeyboardModifier.NoModifier):
        """Press a key while the canvas has the focus."""
        QTest.keyClick(self.canvas, key, keys)
        QApplication.processEvents()

    def step_to(self, frame):
        """Move the slider."""
        self.viewer.dims.set_current_step(0, frame)
        self.rest()

    def said(self):
        """What is to be read under the tabs."""
        return self.panel.status.sentence.text.text()

    def names(self):
        return [layer.name for layer in self.viewer.layers]

    def shown(self, name):
        """Pixels of a layer in view."""
        return self.viewer.layers[name]._slice.image.raw
