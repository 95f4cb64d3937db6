"""A person who uses the panel with mouse and keys, and counts how often.

What is read of the program is what a person sees on the screen; nothing is done but by
events on its widgets.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npe2 import PluginManager, PluginManifest
from qtpy.QtCore import QRect, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QPushButton,
)

from napari_semiconv.errors import SemiconvError
from napari_semiconv.gui.benches import workbench_of
from napari_semiconv.gui.docking import PLUGIN
from napari_semiconv.gui.panel import CellPanel

from .hands import ALT, CTRL, LEFT, NONE, SHIFT, Hands, Spot, wait

if TYPE_CHECKING:
    import napari

MODIFIERS = {"Shift": SHIFT, "Alt": ALT, "Ctrl": CTRL}
# Pixels of the screen that a click keeps away from the border of the canvas.
BORDER = 3


class Person:
    """Opens the panel in an empty napari, and uses it; counts clicks, lines and keys.

    Parameters
    ----------
    viewer
        An empty viewer whose window is shown.
    """

    def __init__(self, viewer: "napari.Viewer") -> None:
        self.viewer = viewer
        self.clicks = self.lines = self.keys = 0
        # Dialogs of the system hear no events of ours.
        QApplication.setAttribute(
            Qt.ApplicationAttribute.AA_DontUseNativeDialogs, on=True
        )
        manager = PluginManager.instance()
        if PLUGIN not in manager:
            manager.register(PluginManifest.from_distribution(PLUGIN))
        self.bench = workbench_of(viewer)
        menu = viewer.window.plugins_menu
        menu.aboutToShow.emit()
        entry = _entry(menu, f"{PLUGIN} ({PLUGIN})")
        assert entry is not None, "napari lists the panel"
        entry.trigger()
        self._hands = Hands(viewer, lambda: self.bench.resting)
        self._turn()

    def close(self) -> None:
        """Close the window."""
        self.viewer.close()
        self._turn()

    def rest(self) -> None:
        """Wait until nothing is going on, and all of it is shown."""
        self._hands.settle()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let the window live until something is so.

        Raises
        ------
        SemiconvError
            When it takes too long.
        """
        wait(condition)

    @property
    def said(self) -> str:
        """What is to be read under the tabs."""
        return self.panel.status.sentence.text.text()

    # The panel

    @property
    def panel(self) -> CellPanel:
        """The panel of the window."""
        panel = self.bench.panel
        assert panel is not None, "the panel is open"
        return panel

    def tab(self, name: str) -> None:
        """Click on a tab."""
        tabs = self.panel.tabs
        names = [tabs.tabText(n) for n in range(tabs.count())]
        bar = tabs.tabBar()
        place = bar.tabRect(names.index(name)).center()
        QTest.mouseClick(bar, LEFT, NONE, place)
        self.clicks += 1
        self._turn()

    def press(self, text: str) -> None:
        """Click on the button that says this, when it can be pressed."""
        self.wait(lambda: len(self._buttons(text)) == 1)
        QTest.mouseClick(self._buttons(text)[0], LEFT)
        self.clicks += 1

    def choose(self, box: QComboBox, text: str) -> None:
        """Choose an entry of a list by its beginning, with the arrow keys."""
        QTest.keyClick(box, Qt.Key.Key_Home)
        for _ in range(box.count()):
            if box.currentText().startswith(text):
                return
            QTest.keyClick(box, Qt.Key.Key_Down)
            self.keys += 1
        raise SemiconvError(f"{text}: expected it in the list, found it nowhere.")

    def press_for(self, text: str, path: Path) -> None:
        """Press a button, and type a path into the dialog that it opens."""
        # The dialog has an event loop of its own: whoever answers must wait in it.
        timer = QTimer()
        timer.timeout.connect(lambda: self._answer(path))
        timer.start(50)
        self.press(text)
        timer.stop()
        self.clicks += 1
        self.rest()

    def _answer(self, path: Path) -> None:
        """Type a path and press the button; again until nothing is in the way."""
        for dialog in QApplication.topLevelWidgets():
            if not isinstance(dialog, QFileDialog) or not dialog.isVisible():
                continue
            line = dialog.findChild(QLineEdit, "fileNameEdit")
            if line.text() != str(path):
                line.selectAll()
                QTest.keyClicks(line, str(path))
            buttons = dialog.findChild(QDialogButtonBox)
            kind = QDialogButtonBox.StandardButton
            sure = buttons.button(kind.Open) or buttons.button(kind.Save)
            # The list of names that begin so takes the first click.
            QTest.mouseClick(sure, LEFT)

    def _buttons(self, text: str) -> list[QPushButton]:
        return [
            button
            for button in self.panel.findChildren(QPushButton)
            if button.text() == text and button.isVisible() and button.isEnabled()
        ]

    # The canvas

    def key(self, name: str) -> None:
        """Press a key over the canvas, such as ``"Shift+K"``."""
        *held, last = name.split("+")
        modifiers = NONE
        for modifier in held:
            modifiers |= MODIFIERS[modifier]
        self._hands.key(getattr(Qt.Key, f"Key_{last}"), modifiers)
        self.keys += 1
        self.rest()

    def click(self, place: Spot, *, shift: bool = False) -> None:
        """Click on a pixel of the movie."""
        self._bring(place)
        self._hands.click(place, SHIFT if shift else NONE)
        self.clicks += 1
        self.rest()

    def draw(self, places: Sequence[Spot]) -> None:
        """Hold the button down along a line of pixels of the movie."""
        for place in (places[0], places[len(places) // 2]):
            self._bring(place)
        self._hands.press(*places)
        self._hands.release(places[-1])
        self.lines += 1
        self.rest()

    def go_to(self, frame: int) -> None:
        """Step to a frame, key by key."""
        while (now := self.bench.session.frame) != frame:
            self.key("D" if now < frame else "A")

    def _bring(self, place: Spot) -> None:
        """Show all of the frame when a place is not in view."""
        width, height = self._hands.size
        seen = QRect(0, 0, width, height).adjusted(BORDER, BORDER, -BORDER, -BORDER)
        if not seen.contains(self._hands.spot(place)):
            self.key("Ctrl+R")

    def _turn(self) -> None:
        QApplication.processEvents()


def _entry(menu: QMenu, text: str) -> Any:
    for action in menu.actions():
        if action.text() == text:
            return action
        if action.menu() is not None and (inner := _entry(action.menu(), text)):
            return inner
    return None
