"""The tab "Correct": what can be done to cells and tracks, one button each."""

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QAction  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from ..parts import Lists, Tab, selectable
from ..state import CorrectState
from .actions import ACTIONS, BY_NAME, Action, keys_in_words

# Buttons of the tool row by action, or by what napari's own brush does; all others are
# in the menu.
MODES = {"paint": ("Brush", "2"), "erase": ("Eraser", "1"), "polygon": ("Outline", "3")}
ROWS = (
    ("paint", "erase", "polygon", "new"),
    ("split", "merge", "redraw", "add"),
    ("link", "unlink", "swap", "division"),
    ("delete", "copy_before", "fill_gap", "confirm"),
)
# What a button is called where its title is too long.
SHORT = {"copy_before": "Copy"}
# The button that stands for a tool while it waits.
ARMED = {
    "split": "split",
    "merge": "merge",
    "redraw": "redraw",
    "add": "add",
    "link": "link",
    "division": "division",
    **{mode: mode for mode in MODES},
}
# Lines for what is selected, or what is waited for.
LINES = 3


class CorrectTab(Tab):
    """Says what is to be done; shows what is selected and what is waited for."""

    requested = Signal(object)
    lineage_requested = Signal()
    mode_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        # What is selected, or what a tool waits for.
        self.words = selectable(QLabel())
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.buttons: dict[str, QPushButton] = {}
        self.more = QPushButton("More tools")
        self.more.setToolTip("All tools, with their keys.")
        self.more.setMenu(self._menu())
        self.more.setSizePolicy(_wide())
        self.lineage = QPushButton("Lineage")
        self.lineage.setToolTip("Show families and tracks below the canvas.")
        self.lineage.clicked.connect(lambda: self.lineage_requested.emit())
        self.bar.addWidget(self.lineage)
        self.lists = Lists()
        self.lists.setDocumentMode(True)
        self.lists.hide()
        self.rows.addWidget(self.words)
        self.rows.addWidget(self._tools())
        self.rows.addWidget(self.lists, 1)
        self.rows.addStretch(0)
        self.show_state(CorrectState())

    def add_row(self, widget: QWidget) -> None:
        """Put a row under the tools."""
        self.rows.insertWidget(self.rows.indexOf(self.lists), widget)

    def add_list(self, title: str, widget: QWidget) -> None:
        """Put a list, such as the steps that were done, under the tools."""
        self.lists.addTab(widget, title)
        self.lists.setMinimumHeight(self.lists.minimumSizeHint().height())
        self.lists.show()

    def show_state(self, state: CorrectState) -> None:
        """Show what is selected, what is waited for and what may be done."""
        bold = "bold" if state.waits else "normal"
        self.words.setStyleSheet(f"font-weight: {bold};")
        # Letters as the theme has them, which may be others than at first.
        self.words.setText("\n" * (LINES - 1))
        self.words.setFixedHeight(self.words.heightForWidth(self.words.width()))
        self.words.setText(state.words)
        armed = ARMED.get(state.armed)
        for name, button in self.buttons.items():
            button.setEnabled(state.enabled)
            button.setChecked(name == armed)
        self.more.setEnabled(state.enabled)

    def _tools(self) -> QWidget:
        tools = QWidget()
        grid = QGridLayout(tools)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        for row, names in enumerate(ROWS):
            for column, name in enumerate(names):
                grid.addWidget(self._button(name), row, column)
        grid.addWidget(self.more, len(ROWS), 0, 1, len(ROWS[0]))
        return tools

    def _button(self, name: str) -> QPushButton:
        button = QPushButton()
        button.setSizePolicy(_wide())
        button.setCheckable(name in ARMED)
        if name in MODES:
            text, key = MODES[name]
            button.setText(text)
            button.setToolTip(f"{text} ({key})")
            button.clicked.connect(lambda: self.mode_requested.emit(name))
        else:
            action = BY_NAME[name]
            button.setText(SHORT.get(name, action.title))
            button.setToolTip(f"<qt>{action.hint} {keys_of(action)}</qt>")
            button.clicked.connect(lambda: self.requested.emit(action))
        self.buttons[name] = button
        return button

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        groups: dict[str, QMenu] = {}
        for action in ACTIONS:
            if action.group not in groups:
                groups[action.group] = QMenu(action.group, menu)
                menu.addMenu(groups[action.group])
            entry = QAction(f"{action.title}\t{keys_in_words(action)}", menu)
            entry.setToolTip(action.hint)
            entry.triggered.connect(
                lambda _=False, action=action: self.requested.emit(action)
            )
            groups[action.group].addAction(entry)
        return menu


def keys_of(action: Action) -> str:
    """Give the keys of an action as a person reads them, in brackets."""
    keys = keys_in_words(action)
    return f"({keys})" if keys else ""


def _wide() -> QSizePolicy:
    return QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
