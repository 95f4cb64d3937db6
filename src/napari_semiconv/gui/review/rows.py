"""The rows of the list of suspects."""

from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from .review import Review

COLUMNS = ("What", "Frame", "Cell", "Error", "Why")
HINTS = (
    "What is suspect.",
    "First frame of it.",
    "Label of the cell.",
    "How likely something is wrong, in %.",
    "Why it is worth a look.",
)


class SuspectRows(QAbstractTableModel):
    """Suspects as rows of a table, the one most worth a look first.

    Parameters
    ----------
    review
        Whose suspects.
    parent
        What it goes with.
    """

    def __init__(self, review: Review, parent: QObject) -> None:
        super().__init__(parent)
        self._review = review
        self._rows = np.zeros(0, np.int64)
        self._queue = review.queue

    def refresh(self) -> None:
        """Show the suspects as they are now."""
        review = self._review
        queue = review.queue
        rows = np.zeros(0, np.int64) if queue is None else queue.rows_of(review.only)
        if queue is self._queue and np.array_equal(rows, self._rows):
            if len(rows):
                last = self.index(len(rows) - 1, len(COLUMNS) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._queue, self._rows = queue, rows
        self.endResetModel()

    def row_in_queue(self, row: int) -> int:
        """Give the row that a row in view has among all suspects."""
        return int(self._rows[row])

    def row_in_view(self, row: int | None) -> int | None:
        """Row in view of a row among all suspects; None when it is not shown."""
        if row is None:
            return None
        place = int(np.searchsorted(self._rows, row))
        shown = place < len(self._rows) and self._rows[place] == row
        return place if shown else None

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Count the suspects."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Count the columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name the columns, and number the rows by rank."""
        display = role == Qt.ItemDataRole.DisplayRole
        if orientation == Qt.Orientation.Vertical:
            return int(self._rows[section]) + 1 if display else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return HINTS[section]
        return COLUMNS[section] if display else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give a cell of the table; what was looked at is dimmed by its flags."""
        queue = self._queue
        if queue is None or not index.isValid():
            return None
        row, column = self.row_in_queue(index.row()), index.column()
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"<qt>{self._review.why(queue[row])}</qt>"
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if column == 1:
            return int(queue.rows.frame[row])
        if column == 3:
            return f"{100 * queue.rows.chance[row]:.0f} %"
        suspect = queue[row]
        if column == 0:
            done = "✓ " if queue.looked[row] else ""
            return f"{done}{suspect.title}"
        if column == 2:
            return suspect.labels[0] if suspect.labels else ""
        return self._review.why(suspect)
