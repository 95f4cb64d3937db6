"""The models of a project as a tree: each below the one that it was taught from."""

from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QFont
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QMenu,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...teaching.record import TeachRecord
from ...workflows.taught_models import ModelEntry
from ..parts import leave_keys
from .state import ModelsState

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = ("Name", "Masks", "Cells", "When", "Note")
HINTS = (
    "Each model stands below the one that it was taught from; the one in use is bold.",
    "Masks of the cells held out, before and after: 1 is as you outlined them.",
    "Cells that it learned from.",
    "When it was taught.",
    "What you wrote about it.",
)
# Widths of all columns but the last, in digits.
WIDTHS = (14, 11, 5, 7)
IN_USE = "✓ "
# Room beside the text of a button, px.
PADDING = 14
ACTS = (
    ("use", "Use", "Find cells with it from now on."),
    ("note", "Note…", "Write a note on it."),
    ("rename", "Rename…", "Give it another name."),
    ("export", "Export…", "Copy it to another place, for other projects."),
    ("delete", "Delete", "Delete it from the project."),
)
ROLE = Qt.ItemDataRole.UserRole


class ModelTree(QWidget):
    """Shows the models of a project and asks what is to be done to them."""

    use_requested = Signal(str)
    note_requested = Signal(object, str)
    rename_requested = Signal(object, str)
    export_requested = Signal(object, object)
    delete_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.view = QTreeWidget()
        self.buttons: dict[str, QPushButton] = {}
        self._shown: ModelsState | None = None
        self._entries: dict[str, ModelEntry] = {}
        self._lay_out()
        # Qt holds a function that it calls, and with it the window: not a method.
        self.view.itemSelectionChanged.connect(self._offer)
        self.view.customContextMenuRequested.connect(self._show_menu)
        self.view.itemDoubleClicked.connect(self._on_double_click)
        self.show_state(ModelsState())

    def show_state(self, state: ModelsState) -> None:
        """Show the models; the one that is selected stays so."""
        if state == self._shown:
            return
        before, chosen = self._shown, self.chosen()
        self._shown = state
        same = before is not None and (
            (before.entries, before.installed, before.in_use)
            == (state.entries, state.installed, state.in_use)
        )
        if not same:
            self._fill(state)
            self._choose(chosen)
        self._offer()

    def chosen(self) -> str:
        """Name or folder of the model that is selected; empty for none."""
        items = self.view.selectedItems()
        return str(items[0].data(0, ROLE)) if items else ""

    def _fill(self, state: ModelsState) -> None:
        self.view.clear()
        self._entries = {str(e.folder.absolute()): e for e in state.entries}
        by_name: dict[str, QTreeWidgetItem] = {}
        for entry in state.entries:
            key = str(entry.folder.absolute())
            item = _item_of(entry, in_use=key == state.in_use)
            item.setData(0, ROLE, key)
            by_name[entry.name] = item
        roots = [n for n in state.installed if n == "default" or n == state.in_use]
        above = [entry.above for entry in state.entries]
        roots += [n for n in above if n and n not in by_name]
        tops = {}
        for name in dict.fromkeys(roots):
            tops[name] = _root_of(name, in_use=name == state.in_use)
            known = name in state.installed
            tops[name].setData(0, ROLE, name if known else "")
            self.view.addTopLevelItem(tops[name])
        for entry in state.entries:
            parent = by_name.get(entry.above) or tops.get(entry.above)
            if parent is None:
                self.view.addTopLevelItem(by_name[entry.name])
            else:
                parent.addChild(by_name[entry.name])
        self.view.expandAll()

    def _choose(self, key: str) -> None:
        every = self.view.findItems("*", _WILD)
        for item in every:
            if key and item.data(0, ROLE) == key:
                item.setSelected(True)

    def _offer(self) -> None:
        key, state = self.chosen(), self._shown or ModelsState()
        own = key in self._entries
        change = own and state.editable and state.free
        taught = own and self._entries[key].record is not None
        may = {
            "use": bool(key) and state.free and key != state.in_use,
            "note": taught and state.editable,
            "rename": change,
            "export": own,
            "delete": change,
        }
        for name, button in self.buttons.items():
            button.setEnabled(may[name])

    def _act(self, name: str) -> None:
        key = self.chosen()
        asked: dict[str, Callable[[ModelEntry], None]] = {
            "note": self._ask_note,
            "rename": self._ask_name,
            "export": self._ask_target,
            "delete": self._ask_whether,
        }
        if not self.buttons[name].isEnabled():
            return
        if name == "use":
            self.use_requested.emit(key)
        elif key in self._entries:
            asked[name](self._entries[key])

    def _ask_note(self, entry: ModelEntry) -> None:
        before = entry.record.note if entry.record is not None else ""
        text, done = QInputDialog.getMultiLineText(
            self, "Note", f"Note on '{entry.name}':", before
        )
        if done:
            self.note_requested.emit(entry.folder, text)

    def _ask_name(self, entry: ModelEntry) -> None:
        text, done = QInputDialog.getText(
            self, "Rename", f"New name of '{entry.name}':", text=entry.name
        )
        if done and text != entry.name:
            self.rename_requested.emit(entry.folder, text)

    def _ask_target(self, entry: ModelEntry) -> None:
        place = entry.folder.parent.parent.with_name(entry.name)
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Copy the model to a new folder",
            str(place),
            "All files (*)",
            # Nothing is ever replaced, so nobody is asked whether to.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if path:
            self.export_requested.emit(entry.folder, Path(path))

    def _ask_whether(self, entry: ModelEntry) -> None:
        answer = QMessageBox.question(
            self,
            "Delete a model",
            f"Delete '{entry.name}'? That cannot be undone, and cells that it found "
            f"can be corrected without the network only.",
        )
        if answer == QMessageBox.StandardButton.Yes:
            self.delete_requested.emit(entry.folder)

    def _show_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, text, _ in ACTS:
            action = menu.addAction(text)
            assert action is not None, "a menu gives what it adds"
            action.setEnabled(self.buttons[name].isEnabled())
            action.triggered.connect(lambda _=False, name=name: self._act(name))
        viewport = self.view.viewport()
        assert viewport is not None, "a view has one"
        menu.popup(viewport.mapToGlobal(place))

    def _on_double_click(self, *_: object) -> None:
        self._act("use")

    def _lay_out(self) -> None:
        view = self.view
        leave_keys(view)
        view.setHeaderLabels(list(COLUMNS))
        header, head = view.header(), view.headerItem()
        assert header is not None
        assert head is not None
        digit = self.fontMetrics().horizontalAdvance("0")
        for column, width in enumerate(WIDTHS):
            header.resizeSection(column, width * digit + 8)
        for column, hint in enumerate(HINTS):
            head.setToolTip(column, f"<qt>{hint}</qt>")
        view.setIndentation(12)
        view.setUniformRowHeights(True)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        # As in other lists, two clicks do something rather than fold.
        view.setExpandsOnDoubleClick(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for name, text, hint in ACTS:
            button = QPushButton(text)
            button.setToolTip(hint)
            # As narrow as its text, with the room that themes leave beside it.
            width = self.fontMetrics().horizontalAdvance(text)
            button.setMinimumWidth(width + PADDING)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, name=name: self._act(name))
            self.buttons[name] = button
            buttons.addWidget(button, width)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(3)
        # Above the list, of which a low window shows the upper part alone.
        layout.addLayout(buttons)
        layout.addWidget(view, 1)


_WILD = Qt.MatchFlag.MatchWildcard | Qt.MatchFlag.MatchRecursive


def _item_of(entry: ModelEntry, *, in_use: bool) -> QTreeWidgetItem:
    record = entry.record
    item = QTreeWidgetItem([_marked(entry.name, in_use=in_use), *_facts(record)])
    if entry.trouble:
        item.setText(1, "damaged")
        item.setText(len(COLUMNS) - 1, entry.trouble)
    _style(item, _tip(entry), in_use=in_use)
    return item


def _root_of(name: str, *, in_use: bool) -> QTreeWidgetItem:
    item = QTreeWidgetItem([_marked(name, in_use=in_use)])
    _style(item, f"<qt>{escape(name)}</qt>", in_use=in_use)
    return item


def _style(item: QTreeWidgetItem, tip: str, *, in_use: bool) -> None:
    font = QFont()
    font.setBold(in_use)
    for column in range(len(COLUMNS)):
        item.setToolTip(column, tip)
        item.setFont(column, font)


def _marked(name: str, *, in_use: bool) -> str:
    return f"{IN_USE}{name}" if in_use else name


def _facts(record: TeachRecord | None) -> list[str]:
    if record is None:
        return ["", "", "", ""]
    checked = record.better is not None
    masks = f"{record.before.masks:.2f} → {record.after.masks:.2f}"
    return [
        masks if checked else "unchecked",
        str(record.facts.get("cells", "")),
        _when(record.made),
        " ".join(record.note.split()),
    ]


def _when(made: str) -> str:
    """Time of day; the day when it was another one."""
    moment = _local(made)
    if moment is None:
        return ""
    today = datetime.now(UTC).astimezone().date()
    return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%d %b}"


def _local(made: str) -> datetime | None:
    try:
        return datetime.fromisoformat(made).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _tip(entry: ModelEntry) -> str:
    record = entry.record
    if record is None:
        return f"<qt>{escape(entry.trouble or entry.name)}</qt>"
    moment = _local(record.made)
    made = f", {moment:%Y-%m-%d %H:%M}" if moment else ""
    whence = f"From {record.parent}{made}."
    lines = (entry.name, whence, record.verdict(), record.note)
    return f"<qt>{'<br>'.join(escape(line) for line in lines if line)}</qt>"
