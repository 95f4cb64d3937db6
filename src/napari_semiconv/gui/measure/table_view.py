"""A table over columns: sorted, filtered and scrolled without copying a row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import (  # type: ignore[attr-defined]
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    Qt,
    Signal,
)
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ...io.cells.columns import Column, Table

# What numbers mean that need more than their title.
HINTS = {
    "frame": "Frame; the first is 0.",
    "label": "Number of the cell, the same in all frames of its track.",
    "parent": "Cell that it was born from by a division; 0 is none.",
    "lineage": "First cell of the family.",
    "generation": "Divisions since the first cell of the family.",
    "orientation_deg": "Direction of the longer axis: 0 is along x, 90 along y.",
    "direction_deg": "Where it moves to: 0 is to the right, 90 up.",
    "certainty": "How sure the network is that this is a cell, 0 to 1.",
    "link_certainty": "How sure the link to the frame before is, 0 to 1.",
    "division_time_frames": "From its birth by a division to its own division.",
    "division_time_h": "From its birth by a division to its own division.",
    "confirmed": "1 where you confirmed the cell.",
}
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
# Rows up to which chosen ones are shown as chosen; a whole table need not be.
MOST_CHOSEN = 5_000

Rows = NDArray[np.int64]


class TableModel(QAbstractTableModel):
    """Rows of a table in some order; only those in view are turned into text.

    Parameters
    ----------
    parent
        What shows them.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.table = Table((Column("label", "Cell", "", np.zeros(0, np.int64)),))
        # Row of the table of each row in view, and the other way round; -1 is hidden.
        self.shown: Rows = np.zeros(0, np.int64)
        self.places: Rows = np.zeros(0, np.int64)
        self._by, self._descending = "", False
        self._kept: NDArray[np.bool_] | None = None

    def show_table(self, table: Table, kept: NDArray[np.bool_] | None = None) -> None:
        """Show another table, sorted as the one before.

        Parameters
        ----------
        table
            The table.
        kept
            Which rows are shown, (N,); all when None.
        """
        names = [column.name for column in table.columns]
        same = names == [column.name for column in self.table.columns]
        if not same or len(table) != len(self.table):
            self.beginResetModel()
            self.table, self._kept = table, kept
            self._arrange()
            self.endResetModel()
            return
        self.table = table
        self.keep(kept)

    def keep(self, kept: NDArray[np.bool_] | None) -> None:
        """Show some rows only; all when None."""
        self.beginResetModel()
        self._kept = kept
        self._arrange()
        self.endResetModel()

    def sort(
        self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder
    ) -> None:
        """Sort by a column; what does not exist comes last, equal ones stay."""
        columns = self.table.columns
        self.beginResetModel()
        self._by = columns[column].name if 0 <= column < len(columns) else ""
        self._descending = order == Qt.SortOrder.DescendingOrder
        self._arrange()
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Count the rows that are shown."""
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Count the columns."""
        return 0 if parent.isValid() else len(self.table.columns)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name a column with its unit."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.table.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.header
        if role == Qt.ItemDataRole.ToolTipRole:
            hint = HINTS.get(column.name, "")
            return f"{column.header}. {hint}".strip()
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give a value as text."""
        if role == Qt.ItemDataRole.DisplayRole:
            column = self.table.columns[index.column()]
            return _text(column.values[self.shown[index.row()]])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT
        return None

    def _arrange(self) -> None:
        rows = np.arange(len(self.table))
        if self._kept is not None:
            rows = rows[self._kept]
        if self._by in self.table:
            values = self.table[self._by][rows]
            # NaN, whose sign says nothing, is sorted to the end.
            keys = -values if self._descending else values
            rows = rows[np.argsort(keys, kind="stable")]
        self.shown = rows
        self.places = np.full(len(self.table), -1)
        self.places[rows] = np.arange(len(rows))


class TableView(QTableView):
    """Shows a table, sorts it by its headers, and tells which rows are chosen."""

    # Rows of the table that the user chose.
    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.rows = TableModel(self)
        self.setModel(self.rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setWordWrap(False)
        down, across = self.verticalHeader(), self.horizontalHeader()
        assert down is not None, "a table has one"
        assert across is not None, "a table has one"
        down.hide()
        # All are as high: nobody measures 200,000 rows.
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(self.fontMetrics().lineSpacing() + 4)
        across.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        across.setHighlightSections(False)
        self._fitted: list[str] = []
        # Whether the program chooses, or shows other rows: nobody is told.
        self.choosing = False
        model = self.selectionModel()
        assert model is not None, "a view with rows has one"
        model.selectionChanged.connect(self._tell)

    def show_table(self, table: Table, kept: NDArray[np.bool_] | None = None) -> None:
        """Show another table; what is chosen is forgotten, and told anew by its owner.

        Parameters
        ----------
        table, kept
            As in `TableModel.show_table`.
        """
        with _Quiet(self):
            self.rows.show_table(table, kept)
        headers = [column.header for column in table.columns]
        if headers != self._fitted:
            self._fitted = headers
            width = self.fontMetrics().horizontalAdvance
            for n, header in enumerate(headers):
                self.setColumnWidth(n, width(header) + width("00000"))

    def keep(self, kept: NDArray[np.bool_] | None) -> None:
        """Show some rows only; all when None."""
        with _Quiet(self):
            self.rows.keep(kept)

    def choose(self, rows: Rows, main: int | None = None) -> None:
        """Show rows of the table as chosen, and scroll to one of them.

        Parameters
        ----------
        rows
            The rows, (n,).
        main
            The one that is to be seen; none when None.
        """
        places = self.rows.places[rows[:MOST_CHOSEN]]
        selection = QItemSelection()
        last = self.rows.columnCount() - 1
        for first, end in _runs(np.sort(places[places >= 0])):
            selection.select(self.rows.index(first, 0), self.rows.index(end, last))
        model = self.selectionModel()
        assert model is not None, "a view with rows has one"
        with _Quiet(self):
            model.select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        place = -1 if main is None else int(self.rows.places[main])
        if place >= 0:
            self.scrollTo(self.rows.index(place, 0))

    def _tell(self, *_: object) -> None:
        model = self.selectionModel()
        if self.choosing or model is None:
            return
        ranges = model.selection()
        spans = [
            (ranges[n].top(), ranges[n].bottom() + 1) for n in range(ranges.count())
        ]
        places = [np.arange(*span) for span in spans]
        shown = np.unique(np.concatenate([np.zeros(0, np.int64), *places]))
        self.chosen.emit(self.rows.shown[shown])


class _Quiet:
    """While rows are chosen by the program, nobody is told."""

    def __init__(self, view: TableView) -> None:
        self._view = view

    def __enter__(self) -> None:
        self._before, self._view.choosing = self._view.choosing, True

    def __exit__(self, *_: object) -> None:
        self._view.choosing = self._before


def _runs(places: Rows) -> list[tuple[int, int]]:
    """First and last of each run of successive places."""
    if not len(places):
        return []
    cuts = np.flatnonzero(np.diff(places) > 1)
    firsts = places[np.append(0, cuts + 1)].tolist()
    return list(zip(firsts, places[np.append(cuts, -1)].tolist(), strict=True))


def _text(value: Any) -> str:
    if isinstance(value, np.integer):
        return str(value)
    return "" if np.isnan(value) else f"{value:.5g}"
