"""The dock "Measurements": cells and tracks as tables, and plots of them."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import numpy as np
from napari.utils.theme import get_theme
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QSize, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from ...workflows.measuring import Measured, Measuring
from ..benches import workbench_of
from ..docking import MEASUREMENTS, dock_below
from ..parts import leave_keys
from .curves import KINDS, OVER_TIME, choices, plot_of
from .figures import load
from .plot_view import PlotView
from .saving import save_plot, save_rows
from .table_view import TableView

if TYPE_CHECKING:
    from ..workbench import Workbench

TABS = ("Cells", "Tracks", "Plots")
ALL, THIS_FRAME, SELECTED = "All", "In this frame", "Selected cells"
NOTHING_OPEN = "Open a project, or find cells first: they are measured here."
# Milliseconds after which a plot follows what was selected.
SOON = 60

# What measures the project of each workbench, as long as its window is open.
_MEASURING: dict[int, Measuring] = {}


def measuring_of(bench: "Workbench") -> Measuring:
    """Give what measures the project of a workbench; the first time it is made."""
    key = id(bench)
    if key not in _MEASURING:
        _MEASURING[key] = measuring = Measuring(bench.session)

        def end() -> None:
            _MEASURING.pop(key, None)
            measuring.close()

        bench.closed.connect(end)
    return _MEASURING[key]


class Measurements(QWidget):
    """The dock of one viewer; napari hands the viewer in by this name.

    Parameters
    ----------
    napari_viewer
        The viewer whose cells are measured.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.bench = workbench_of(napari_viewer)
        dock_below(MEASUREMENTS)
        self._measuring = measuring_of(self.bench)
        self._session = self.bench.session
        self._measured: Measured | None = None
        # Frame and cells that were chosen in a table: its rows stay as they are.
        self._own: tuple[int, frozenset[int]] | None = None
        self._leading = False
        self._heard: list[tuple[Any, Any]] = []
        self.tabs = QTabBar()
        self.filter, self.kind, self.column = QComboBox(), QComboBox(), QComboBox()
        self.note = QElidingLabel()
        self.progress = QProgressBar()
        self.save = QPushButton("Save table…")
        self.cells, self.tracks = TableView(), TableView()
        leave_keys(self.filter, self.kind, self.column, self.cells, self.tracks)
        self.plot = PlotView(self.bench.mailbox.post)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        # Long before the first plot is asked for.
        threading.Thread(target=load, daemon=True).start()
        self._lay_out()
        self._listen()
        self._take(self._measuring.latest)

    def sizeHint(self) -> QSize:
        """Room for some rows, or a plot, below the canvas."""
        return QSize(900, 220)

    def minimumSizeHint(self) -> QSize:
        """Room for a few rows all the same."""
        return QSize(400, 130)

    def retire(self) -> None:
        """Listen no longer: the window is closed."""
        self.plot.retire()
        for signal, hear in self._heard:
            signal.disconnect(hear)
        self._heard = []

    def showEvent(self, event: QShowEvent | None) -> None:
        """Measure while it is seen."""
        super().showEvent(event)
        self._measuring.watch(True)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Measure no longer."""
        super().hideEvent(event)
        self._measuring.watch(False)

    @property
    def up_to_date(self) -> bool:
        """Whether all that is open is measured and shown."""
        shown = self._measured is self._measuring.latest
        drawn = self.tabs.currentIndex() < 2 or self.plot.up_to_date
        return shown and self._measuring.resting and drawn and not self._soon.isActive()

    def _lay_out(self) -> None:
        for name in TABS:
            self.tabs.addTab(name)
        self.tabs.setDrawBase(False)
        self.filter.addItems((ALL, THIS_FRAME, SELECTED))
        self.filter.setToolTip("Which cells, or tracks, are listed.")
        self.kind.addItems(KINDS)
        self.kind.setToolTip("What is plotted.")
        self.column.setToolTip("Of what.")
        self.progress.setFixedWidth(120)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.progress.hide()
        top = QHBoxLayout()
        top.addWidget(self.tabs)
        for widget in (self.filter, self.kind, self.column):
            top.addWidget(widget)
        top.addWidget(self.note, 1)
        top.addWidget(self.progress)
        top.addWidget(self.save)
        self._pages = QStackedWidget()
        self._nothing = QLabel(NOTHING_OPEN)
        self._nothing.setWordWrap(True)
        for page in (self.cells, self.tracks, self.plot, self._nothing):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 4)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self._pages, 1)

    def _listen(self) -> None:
        bench, session, measuring = self.bench, self._session, self._measuring
        self._heard = [
            (signal, self._posting(hear))
            for signal, hear in (
                (measuring.measured, self._take),
                (measuring.progressed, self._show_progress),
                (measuring.failed, self._say),
                (session.frame_changed, self._follow),
                (session.selection_changed, self._follow),
                (bench.viewer.events.theme, self._plot_soon),
            )
        ]
        for signal, hear in self._heard:
            signal.connect(hear)
        bench.closed.connect(self.retire)
        # Qt holds a function that it calls, and with it the window: not a method.
        self.tabs.currentChanged.connect(self._show)
        self.filter.currentIndexChanged.connect(self._filter)
        self.kind.currentIndexChanged.connect(self._offer_columns)
        self.column.currentIndexChanged.connect(self._plot_soon)
        self._soon.timeout.connect(self._plot)
        self.save.clicked.connect(self._save)
        self.cells.chosen.connect(self._choose_cells)
        self.tracks.chosen.connect(self._choose_tracks)
        for view in (self.cells, self.tracks):
            view.rows.modelReset.connect(self._mark_all)
        self.plot.frame_requested.connect(self._go_to)

    def _posting(self, hear: Callable[..., None]) -> Callable[..., None]:
        """Make what a thread may call of what the window's thread is to hear."""
        post, method = self.bench.mailbox.post, WeakMethod(hear)

        def read(values: tuple[Any, ...]) -> None:
            known = method()
            if known is not None:
                known(*values)

        return lambda *values: post(lambda: read(values))

    def _take(self, found: Measured | None) -> None:
        """Show what was measured."""
        self._measured = found
        self.progress.hide()
        self._say("" if found is None else found.note)
        if found is not None:
            self.cells.show_table(found.cells, self._kept(self.cells))
            self.tracks.show_table(found.tracks, self._kept(self.tracks))
            self._mark_all()
            self._offer_columns()
        self._show()

    def _show_progress(self, done: int, total: int) -> None:
        self.progress.setVisible(done < total)
        self.progress.setMaximum(total)
        self.progress.setValue(done)
        if self._measured is None:
            self._nothing.setText(f"Measuring: {done} of {total} frames.")

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setToolTip(text)

    def _show(self, *_: object) -> None:
        """Show the page in front, and what goes with it."""
        page, there = self.tabs.currentIndex(), self._measured is not None
        if not there and self._session.project is None:
            self._nothing.setText(NOTHING_OPEN)
        self._pages.setCurrentIndex(page if there else 3)
        plots = TABS[page] == "Plots"
        self.filter.setVisible(not plots)
        self.kind.setVisible(plots)
        self.column.setVisible(plots)
        self.save.setText("Save figure…" if plots else "Save table…")
        self.save.setEnabled(there)
        self._soon.start()

    def _offer_columns(self, *_: object) -> None:
        """Offer the columns of this kind of plot; the chosen one stays if it can."""
        if self._measured is None:
            return
        offered = choices(self._measured, self.kind.currentText())
        names = [column.name for column in offered]
        known = [self.column.itemData(n) for n in range(self.column.count())]
        if names != known:
            before = self.column.currentData()
            usual = "cells" if self.kind.currentText() == OVER_TIME else "area_um2"
            self.column.blockSignals(True)
            self.column.clear()
            for column in offered:
                self.column.addItem(column.header, column.name)
            wanted = [n for n in (before, usual, "area_px") if n in names]
            if wanted:
                self.column.setCurrentIndex(names.index(wanted[0]))
            self.column.blockSignals(False)
        self._soon.start()

    def _kept(self, view: TableView) -> NDArray[np.bool_] | None:
        """Which rows the filter leaves; None when it leaves all."""
        found, which = self._measured, self.filter.currentText()
        if found is None or which == ALL:
            return None
        table = found.cells if view is self.cells else found.tracks
        if which == SELECTED:
            return np.isin(table["label"], sorted(self._session.selection))
        frame = self._session.frame
        if view is self.cells:
            return np.asarray(table["frame"] == frame)
        return np.asarray(
            (table["first_frame"] <= frame) & (table["last_frame"] >= frame)
        )

    def _filter(self, *_: object) -> None:
        for view in (self.cells, self.tracks):
            view.keep(self._kept(view))
        self._mark_all()

    def _follow(self, *_: object) -> None:
        """Follow the frame and the cells that are selected."""
        if self._measured is None:
            return
        session = self._session
        self.plot.show_frame(session.frame)
        if self._leading or (session.frame, session.selection) == self._own:
            self._soon.start()
            return
        self._own = None
        if self.filter.currentText() != ALL:
            self._filter()
        else:
            self._mark_all()
        self._soon.start()

    def _mark_all(self) -> None:
        """Show as chosen, in both tables, what is selected."""
        for view in (self.cells, self.tracks):
            self._mark(view)

    def _mark(self, view: TableView) -> None:
        found, session = self._measured, self._session
        if found is None or view.choosing:
            return
        table = view.rows.table
        chosen = np.isin(table["label"], sorted(session.selection))
        if view is self.cells and "frame" in table:
            chosen &= table["frame"] == session.frame
        rows = np.flatnonzero(chosen)
        view.choose(rows, int(rows[0]) if len(rows) else None)

    def _choose_cells(self, rows: NDArray[np.int64]) -> None:
        """Select on the canvas the cells that were chosen, and go to their frame."""
        table = self.cells.rows.table
        frames, frame = table["frame"][rows], self._session.frame
        if len(rows):
            labels = frozenset(np.unique(table["label"][rows]).tolist())
            self._look_at(
                frame if frame in frames else int(frames[0]), labels, self.cells
            )

    def _choose_tracks(self, rows: NDArray[np.int64]) -> None:
        """Select on the canvas the tracks that were chosen, and go to where they are.

        Parameters
        ----------
        rows
            Their rows, (n,).
        """
        table, frame = self.tracks.rows.table, self._session.frame
        if len(rows):
            first, last = table["first_frame"][rows[0]], table["last_frame"][rows[0]]
            labels = frozenset(table["label"][rows].tolist())
            self._look_at(min(max(frame, int(first)), int(last)), labels, self.tracks)

    def _look_at(
        self, frame: int, labels: frozenset[int], chosen_in: TableView
    ) -> None:
        self._own, self._leading = (frame, labels), True
        if len(labels) == 1:
            self.bench.corrector.look_at(frame, *labels)
        else:
            self._session.go_to(frame)
            self._session.select(labels)
        self._leading = False
        self._mark(self.cells if chosen_in is self.tracks else self.tracks)

    def _go_to(self, frame: int) -> None:
        project = self._session.project
        if project is not None:
            self._session.go_to(min(frame, project.document.shape[0] - 1))

    def _plot_soon(self, *_: object) -> None:
        self._soon.start()

    def _plot(self, *_: object) -> None:
        """Draw the plot, if it is in front."""
        if self._measured is None or self.tabs.currentIndex() != 2:
            return
        plot = plot_of(
            self._measured,
            self.kind.currentText(),
            self.column.currentData() or "",
            self._session.selection,
            self._colours,
        )
        theme = get_theme(self.bench.viewer.theme)
        background, text = (
            tuple(part / 255 for part in colour.as_rgb_tuple()[:3])
            for colour in (theme.background, theme.text)
        )
        self.plot.show_frame(self._session.frame)
        self.plot.show_plot(plot, background, text)

    def _colours(self, labels: Sequence[int]) -> NDArray[np.floating]:
        """Give the colours of tracks, those of the layer."""
        layer = self.bench.layers.cells
        if layer is None:
            return np.full((len(labels), 4), 0.5)
        return np.asarray(layer.colormap.map(np.array(labels, np.int32)))

    def _save(self, *_: object) -> None:
        page = TABS[self.tabs.currentIndex()]
        if page == "Plots":
            save_plot(self, self.bench, self.plot.plot)
        else:
            view = self.cells if page == "Cells" else self.tracks
            save_rows(self, self.bench, view.rows, page.lower())
