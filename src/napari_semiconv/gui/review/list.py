"""The list of suspects in the tab "Correct"."""

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from ...project.suspects.reasons import KINDS
from ...project.suspects.suspect import TITLES, Suspect
from ..correct.actions import BY_NAME
from ..correct.tab import keys_of
from ..parts import leave_keys, selectable
from .rows import COLUMNS, SuspectRows

if TYPE_CHECKING:
    from ..workbench import Workbench

EVERY = "All kinds"
# Widths of all columns but the last, in digits.
WIDTHS = (11, 5, 5, 5)
# Width of the list, in digits, from which on there is room for the reasons.
ROOM = 60
BUTTONS = (
    ("Right", "right"),
    ("Fix", "fix"),
    ("Next", "next_suspect"),
    ("Back", "previous_suspect"),
)


class ReviewList(QWidget):
    """Shows the suspects of the open project; goes to the one that is picked.

    Parameters
    ----------
    bench
        Whose review.
    """

    def __init__(self, bench: "Workbench") -> None:
        super().__init__()
        self._bench = bench
        self.review = bench.corrector.review
        self.words, self.why = QElidingLabel(), selectable(QLabel())
        # The buttons, to be fixed below.
        self.bar = QWidget()
        self.why.setFixedHeight(2 * self.fontMetrics().lineSpacing() + 8)
        self.why.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.kinds = QComboBox()
        self.kinds.setToolTip("Which kinds of suspects to list and to go through.")
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.kinds.setSizeAdjustPolicy(policy)
        self.kinds.setMinimumContentsLength(len(EVERY))
        self.kinds.addItem(EVERY, None)
        for kind in (*KINDS, "left out"):
            self.kinds.addItem(TITLES[kind].capitalize(), kind)
        self.rows = SuspectRows(self.review, self)
        self.table = self._table()
        leave_keys(self.table, self.kinds)
        self.buttons = {name: self._button(text, name) for text, name in BUTTONS}
        self._following = False
        self._lay_out()
        self.kinds.activated.connect(
            lambda _: self.review.show_only(self.kinds.currentData())
        )
        selection = self.table.selectionModel()
        assert selection is not None
        selection.currentRowChanged.connect(self._on_row)
        self.table.clicked.connect(self._on_row)
        self.review.changed.connect(self.refresh)
        self.review.progressed.connect(self.refresh)
        self.review.current_changed.connect(self._on_current)
        self.refresh()

    def retire(self) -> None:
        """Listen no longer."""
        self.review.changed.disconnect(self.refresh)
        self.review.progressed.disconnect(self.refresh)
        self.review.current_changed.disconnect(self._on_current)

    def refresh(self) -> None:
        """Show the suspects, and how far the user is, as they are now."""
        self.words.setText(self.review.words)
        suspect = self.review.current
        there = suspect is not None and self.review.row is not None
        self.why.setText(self.review.why(suspect) if suspect and there else "")
        self._following = True
        self.rows.refresh()
        self._following = False
        some = self.rows.rowCount() > 0
        for name, button in self.buttons.items():
            alone = name in ("right", "fix")
            button.setEnabled(some and (not alone or there))
        self._follow()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Show the reasons in the rows where there is room for them."""
        super().resizeEvent(event)
        room = ROOM * self.fontMetrics().horizontalAdvance("0")
        self.table.setColumnHidden(len(COLUMNS) - 1, self.width() < room)

    def _on_current(self, _: Suspect | None) -> None:
        self.refresh()

    def _follow(self) -> None:
        """Select the row of the current suspect, and bring it into view."""
        row = self.rows.row_in_view(self.review.row)
        self._following = True
        if row is None:
            self.table.clearSelection()
        else:
            index = self.rows.index(row, 0)
            if self.table.currentIndex().row() != row:
                self.table.setCurrentIndex(index)
            self.table.selectRow(row)
            self.table.scrollTo(index)
        self._following = False

    def _on_row(self, index: QModelIndex, _: object = None) -> None:
        if self._following or not index.isValid():
            return
        row = self.rows.row_in_queue(index.row())
        if row != self.review.row:
            self.review.go_to(row)

    def _table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.rows)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setWordWrap(False)
        table.setShowGrid(False)
        header, side = table.horizontalHeader(), table.verticalHeader()
        assert header is not None
        assert side is not None
        side.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        side.setDefaultSectionSize(self.fontMetrics().lineSpacing() + 4)
        digit = self.fontMetrics().horizontalAdvance("0")
        for column, width in enumerate(WIDTHS):
            table.setColumnWidth(column, width * digit + 8)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(3 * digit)
        table.setMinimumHeight(3 * side.defaultSectionSize())
        return table

    def _button(self, text: str, name: str) -> QPushButton:
        action = BY_NAME[name]
        button = QPushButton(text)
        button.setMinimumWidth(self.fontMetrics().horizontalAdvance(text) + 8)
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.setToolTip(f"<qt>{action.hint} {keys_of(action)}</qt>")
        button.clicked.connect(lambda: self._bench.corrector.run(action.do))
        return button

    def _lay_out(self) -> None:
        bar = QHBoxLayout(self.bar)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(2)
        bar.addWidget(self.kinds)
        for button in self.buttons.values():
            bar.addWidget(button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(3)
        layout.addWidget(self.words)
        layout.addWidget(self.why)
        layout.addWidget(self.table, 1)
