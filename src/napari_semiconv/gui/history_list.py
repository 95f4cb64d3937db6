"""All steps of a project, newest first, and the way back to any of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ..edits.steps import Step, StepFacts, facts_of
from ..project.project import Project
from ..workflows.going_back import go_back, write_history
from .parts import leave_keys

if TYPE_CHECKING:
    from .workbench import Workbench

COLUMNS = ("Step", "When")
BEGINNING = StepFacts(0, "the beginning", "", "", None, None)
# Readable, and fainter than the rest, on the dark and on the light theme.
UNDONE = QColor(132, 135, 142)
FORMATS = "Table (*.csv);;Text (*.txt)"


class HistoryModel(QAbstractTableModel):
    """Steps as rows, newest first, then the beginning; those in view are read.

    Parameters
    ----------
    parent
        What shows them.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._project: Project | None = None
        self._steps: list[Step] = []
        self._done = 0
        self._last = -1

    def follow(self, project: Project | None) -> None:
        """Show the steps of a project as they are now; only new rows are made."""
        if project is not self._project:
            self.beginResetModel()
            self._project, self._steps, self._done, self._last = project, [], 0, -1
            self.endResetModel()
        if project is None or project.history.journal.last == self._last:
            return
        self._last = project.history.journal.last
        steps, done = project.history.timeline
        # What differs is at the end: the beginning is the past, which stays.
        same = min(len(steps), len(self._steps))
        while same and steps[same - 1] is not self._steps[same - 1]:
            same -= 1
        gone, come = len(self._steps) - same, len(steps) - same
        if gone:
            self.beginRemoveRows(QModelIndex(), 0, gone - 1)
            del self._steps[same:]
            self._done = min(self._done, same)
            self.endRemoveRows()
        if come:
            self.beginInsertRows(QModelIndex(), 0, come - 1)
            self._steps += steps[same:]
            self.endInsertRows()
        self._done = done
        # It is asked only for what is in view.
        self.dataChanged.emit(self.index(0, 0), self.index(len(steps), 1))

    @property
    def present(self) -> int:
        """Row of the last step that is done."""
        return len(self._steps) - self._done

    def facts(self, row: int) -> StepFacts:
        """Give what a row shows."""
        place = len(self._steps) - 1 - row
        return facts_of(self._steps[place]) if place >= 0 else BEGINNING

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """One row a step, and one for the beginning."""
        nothing = parent.isValid() or self._project is None
        return 0 if nothing else len(self._steps) + 1

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Tell what was done, and when."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name a column."""
        if role == Qt.ItemDataRole.DisplayRole and (
            orientation == Qt.Orientation.Horizontal
        ):
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Say what a cell of the table shows, and how."""
        row = index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            facts = self.facts(row)
            return facts.words if index.column() == 0 else _when(facts.at)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row)
        if role == Qt.ItemDataRole.ForegroundRole and row < self.present:
            return UNDONE
        if role == Qt.ItemDataRole.FontRole and row <= self.present:
            font = QFont()
            font.setBold(row == self.present)
            font.setItalic(row < self.present)
            return font
        return None

    def _tip(self, row: int) -> str:
        facts = self.facts(row)
        place = [
            f"{name} {value}"
            for name, value in (("frame", facts.frame), ("cell", facts.label))
            if value is not None
        ]
        moment = _local(facts.at)
        lines = (
            facts.words,
            ", ".join(place),
            f"{moment:%Y-%m-%d %H:%M:%S}, {facts.by}" if moment else "",
            _standing(row - self.present),
        )
        return "\n".join(line for line in lines if line)


class HistoryList(QWidget):
    """The history of the open project, for the tab in which cells are corrected.

    Parameters
    ----------
    bench
        Whose project.
    """

    def __init__(self, bench: "Workbench") -> None:
        super().__init__()
        self._bench = bench
        self.view = QTableView()
        self.model = HistoryModel(self)
        self.back = QPushButton("Go back to here")
        self.show_place = QPushButton("Show")
        self.export = QPushButton("Export…")
        self._lay_out()
        self.view.setModel(self.model)
        header = self.view.horizontalHeader()
        assert header is not None, "a table has one"
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(1, self.fontMetrics().horizontalAdvance("00 Mmm 00:00  "))
        chosen = self.view.selectionModel()
        assert chosen is not None, "a view with rows has one"
        # Qt holds a function that it calls, and with it the window: not a method.
        chosen.selectionChanged.connect(self._offer)
        self.view.doubleClicked.connect(self._go)
        self.back.clicked.connect(self._go)
        self.show_place.clicked.connect(self._show)
        self.export.clicked.connect(self._export)
        bench.changed.connect(self.refresh)
        self.refresh()

    def retire(self) -> None:
        """Show the history no longer."""
        self._bench.changed.disconnect(self.refresh)

    def refresh(self) -> None:
        """Show the history as it is now."""
        self.model.follow(self._bench.session.project)
        self._offer()

    def _lay_out(self) -> None:
        view = self.view
        leave_keys(view)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setShowGrid(False)
        view.setWordWrap(False)
        rows = view.verticalHeader()
        assert rows is not None, "a table has one"
        rows.hide()
        # All are as high: nobody measures 100,000 rows.
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().lineSpacing() + 6)
        self.back.setToolTip(
            "Undo, or redo, until this step is the last one done. Nothing is lost: "
            "what is undone stays in the list until something else is done."
        )
        self.show_place.setToolTip("Go to the frame and cell of this step.")
        self.export.setToolTip("Write who did what, and when, as a table or text.")
        buttons = QHBoxLayout()
        buttons.addWidget(self.back, 1)
        buttons.addWidget(self.show_place)
        buttons.addWidget(self.export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        # Above the list, of which a low window shows the upper part alone.
        layout.addLayout(buttons)
        layout.addWidget(view, 1)

    def _row(self) -> int | None:
        chosen = self.view.selectionModel()
        rows = chosen.selectedRows() if chosen is not None else []
        return rows[0].row() if rows else None

    def _offer(self, *_: object) -> None:
        row, project = self._row(), self._bench.session.project
        undone = row is not None and row < self.model.present
        self.back.setText("Redo to here" if undone else "Go back to here")
        free = project is not None and not project.read_only
        other = row is not None and row != self.model.present
        self.back.setEnabled(free and other)
        facts = None if row is None else self.model.facts(row)
        self.show_place.setEnabled(facts is not None and facts.frame is not None)
        self.export.setEnabled(project is not None)

    def _go(self, *_: object) -> None:
        row, bench = self._row(), self._bench
        if row is None or not self.back.isEnabled():
            return
        number = self.model.facts(row).number
        bench.say("")
        bench.attempt(lambda: go_back(bench.session, number))
        self.refresh()

    def _show(self, *_: object) -> None:
        row, session = self._row(), self._bench.session
        if row is None or session.project is None:
            return
        facts = self.model.facts(row)
        if facts.frame is not None:
            session.go_to(facts.frame)
        label = facts.label
        if label is not None and label in session.project.lineage.tracks:
            session.select(frozenset({label}))

    def _export(self, *_: object) -> None:
        bench, project = self._bench, self._bench.session.project
        if project is None:
            return
        name = project.folder.with_name(f"{project.folder.stem}_history.csv")
        path, chosen = QFileDialog.getSaveFileName(
            self,
            "Export the history",
            str(name),
            FORMATS,
            # Nothing is ever replaced, so nobody is asked whether to.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if path:
            target = Path(path)
            if not target.suffix:
                target = target.with_suffix(".txt" if "txt" in chosen else ".csv")
            bench.attempt(lambda: write_history(bench.session, target))


def _local(at: str) -> datetime | None:
    return datetime.fromisoformat(at).astimezone() if at else None


def _when(at: str) -> str:
    """Time of day; with the day when it was another one."""
    moment = _local(at)
    if moment is None:
        return ""
    today = datetime.now(UTC).astimezone().date()
    return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%d %b %H:%M}"


def _standing(below: int) -> str:
    if below == 0:
        return "This is how it is now."
    return "Undone." if below < 0 else ""
