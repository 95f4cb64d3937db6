"""The dock widget, opened from menus, command palette and command line of napari."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from .benches import bench_of, workbench_of
from .correct.keys import register_keys
from .correct.tab import CorrectTab
from .docking import open_lineage, open_measurements, window_of
from .find_tab import FindTab
from .help_dialog import HelpDialog
from .history_list import HistoryList
from .movie_tab import MovieTab
from .parts import Status
from .review.list import ReviewList
from .share_tab import ShareTab
from .sharing import SHARE
from .state import PanelState, TitleState
from .teach.tab import TeachTab
from .teach.teaching import TEACH
from .why import WhyView
from .workbench import Workbench


class CellPanel(QWidget):
    """The panel "napari-semiconv" of one viewer: it shows what its workbench has.

    napari hands the viewer to classes alone, by the name of this argument.

    Parameters
    ----------
    napari_viewer
        The viewer whose layers it shows.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.bench = workbench_of(napari_viewer)
        self.title = TitleRow()
        self.movie_tab, self.find_tab = MovieTab(), FindTab()
        self.correct_tab = self._correct_tab()
        self.teach_tab, self.share_tab = TeachTab(), ShareTab()
        self.tabs = QTabWidget()
        self.status = Status()
        for tab, name in (
            (self.movie_tab, "Movie"),
            (self.find_tab, "Find"),
            (self.correct_tab, "Correct"),
            (self.teach_tab, TEACH),
            (self.share_tab, SHARE),
        ):
            self.tabs.addTab(tab, name)
            if name == self.bench.tab:
                self.tabs.setCurrentWidget(tab)
        self.tabs.currentChanged.connect(self._note_tab)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.title)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.status)
        self.setAcceptDrops(True)
        # It takes all the height that the dock has.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._shown: PanelState | None = None
        self._help: HelpDialog | None = None
        self._in_window = False
        self._connect(self.bench)
        register_keys(bench_of)
        self.refresh()

    def _correct_tab(self) -> CorrectTab:
        tab = CorrectTab()
        self.review = ReviewList(self.bench)
        tab.add_list("Review", self.review)
        tab.bar.addWidget(self.review.bar)
        self.history = HistoryList(self.bench)
        tab.add_list("History", self.history)
        self.why = WhyView(self.bench)
        tab.add_row(self.why)
        return tab

    def refresh(self) -> None:
        """Show the workbench, as far as what is seen has changed."""
        state, shown = self.bench.state(), self._shown
        self._shown = state
        views: tuple[tuple[str, Any], ...] = (
            ("title", self.title),
            ("movie", self.movie_tab),
            ("find", self.find_tab),
            ("correct", self.correct_tab),
            ("teach", self.teach_tab),
            ("share", self.share_tab),
            ("status", self.status),
        )
        for part, view in views:
            new = getattr(state, part)
            if shown is None or new != getattr(shown, part):
                view.show_state(new)

    def retire(self) -> None:
        """Show the workbench no longer: napari took this panel out of its window."""
        self.bench.changed.disconnect(self.refresh)
        self.why.retire()
        self.review.retire()
        self.history.retire()
        self.deleteLater()

    def ask_folder(self) -> None:
        """Ask where projects are to be made; the answer goes to the workbench."""
        self.find_tab.ask_folder()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Learn which window it is in, so that all work ends with it."""
        super().showEvent(event)
        window = window_of(self)
        if window is not None and not self._in_window:
            self._in_window = True
            window.destroyed.connect(self.bench.close)
            self.bench.canvas.show_in(window)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Take files and folders."""
        if event is not None and _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Open what is dropped."""
        path = None if event is None else _dropped(event)
        if event is not None and path is not None:
            event.acceptProposedAction()
            self.bench.open(path)

    def _connect(self, bench: Workbench) -> None:
        bench.changed.connect(self.refresh)
        bench.show_in(self)
        movie, find, share = self.movie_tab, self.find_tab, self.share_tab
        correct, teach, teaching = self.correct_tab, self.teach_tab, bench.teaching
        self.title.undo.clicked.connect(lambda: bench.undo())
        self.title.help.clicked.connect(self._show_help)
        self.title.redo.clicked.connect(lambda: bench.redo())
        for signal, act in (
            (movie.open_requested, bench.open),
            (movie.layer_requested, bench.reading.use_layer),
            (movie.axes_requested, bench.reading.set_axes),
            (movie.pixel_size_requested, bench.reading.set_pixel_size),
            (movie.interval_requested, bench.reading.set_interval),
            (movie.channel_requested, bench.reading.set_channel),
            (movie.z_requested, bench.reading.set_z),
            (find.model_folder_requested, bench.set_model_folder),
            (find.setting_requested, bench.set_setting),
            (find.preset_requested, bench.set_preset),
            (find.frames_requested, bench.set_frames),
            (find.folder_requested, bench.set_folder),
            (find.measure_requested, lambda on: bench.measure(on, self)),
            (find.preview_requested, bench.preview),
            (find.run_requested, bench.run),
            (find.go_on_requested, bench.go_on),
            (find.stop_requested, bench.stop),
            (correct.requested, lambda act: bench.corrector.run(act.do)),
            (correct.lineage_requested, lambda: self._open_dock(open_lineage)),
            (correct.mode_requested, bench.canvas.set_mode),
            (teach.teach_requested, teaching.teach),
            (teach.stop_requested, bench.stop),
            (teach.depth_requested, teaching.set_depth),
            (teach.frame_requested, bench.session.go_to),
            (teach.result.keep_requested, teaching.keep),
            (teach.result.discard_requested, teaching.discard),
            (teach.models.use_requested, teaching.use),
            (teach.models.note_requested, teaching.note),
            (teach.models.rename_requested, teaching.rename),
            (teach.models.export_requested, teaching.export),
            (teach.models.delete_requested, teaching.delete),
            (share.format_requested, bench.sharing.set_format),
            (share.export_requested, self._export),
            (share.measurements_requested, lambda: self._open_dock(open_measurements)),
        ):
            signal.connect(act)

    def _note_tab(self, index: int) -> None:
        self.bench.tab = self.tabs.tabText(index)
        if self.bench.tab == TEACH:
            # Its models may have been changed by other programs.
            self.bench.teaching.reload()
        self.refresh()

    def _show_help(self) -> None:
        if self._help is None:
            self._help = HelpDialog(self)
        self._help.show_page(self.tabs.tabText(self.tabs.currentIndex()))

    def _open_dock(self, open_dock: Callable[[Viewer], object]) -> None:
        viewer = self.bench.viewer
        assert isinstance(viewer, Viewer), "a panel is in the window of one"
        open_dock(viewer)

    def _export(self) -> None:
        target = self.share_tab.ask_target(*self.bench.sharing.target())
        if target is not None:
            self.bench.sharing.export(target)


class TitleRow(QWidget):
    """What is open, that it is saved, and what can be undone."""

    def __init__(self) -> None:
        super().__init__()
        self._name = QElidingLabel()
        self._saved = QLabel()
        self.undo, self.redo = QToolButton(), QToolButton()
        self.help = QToolButton()
        self.help.setText("Help")
        self.help.setToolTip("What this tab is for, and all keys.")
        for button in (self.undo, self.redo):
            button.setSizePolicy(
                QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
            )
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        # With and without a name it is as high, so that nothing moves.
        height = self.fontMetrics().lineSpacing() + 6
        for widget in (self._name, self.help):
            widget.setFixedHeight(height)
        names, buttons = QHBoxLayout(), QHBoxLayout()
        names.addWidget(self._name, 1)
        names.addWidget(self._saved)
        names.addWidget(self.help)
        buttons.addWidget(self.undo, 1)
        buttons.addWidget(self.redo, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 0)
        layout.setSpacing(2)
        layout.addLayout(names)
        layout.addLayout(buttons)
        self.show_state(TitleState())

    def show_state(self, state: TitleState) -> None:
        """Show the project and the words of what can be undone."""
        self._name.setText(f"<b>{state.name}</b>" if state.name else "")
        self._name.setToolTip(state.name)
        self._saved.setText(state.saved)
        for button, verb, what, can in (
            (self.undo, "Undo", state.undo, state.can_undo),
            (self.redo, "Redo", state.redo, state.can_redo),
        ):
            text = f"{verb}: {what}" if what else verb
            button.setText(text)
            button.setToolTip(text)
            button.setEnabled(can)


def _dropped(event: QDropEvent) -> Path | None:
    """Give the file or folder that is dropped; None for anything else."""
    data = event.mimeData()
    urls = [] if data is None else data.urls()
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return paths[0] if len(paths) == 1 else None
