"""The dock widget "Lineage": all tracks of the open project, tied to the canvas."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari.layers import Labels
from napari.utils.colormaps import label_colormap
from napari.utils.theme import get_theme
from napari.viewer import Viewer
from qtpy.QtCore import QPoint, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QIntValidator, QResizeEvent, QShowEvent
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...edits.change import Touched
from ...edits.links import Unlink
from ...labels import LARGEST_LABEL
from ...tracking.family_rows import FamilyRows
from ...tracking.intervals import Intervals, intervals_of
from ..benches import workbench_of
from ..docking import LINEAGE, dock_below, window_of
from ..parts import STYLES
from .editing import TrackEditing
from .painting import Drawing, Palette
from .save_button import SaveButton
from .view import LineageView
from .words import words_of

if TYPE_CHECKING:
    from psygnal import SignalInstance

    from ...project.project import Project
    from ..workbench import Workbench

NOTHING = "No cells yet: open a project, or find cells first."
NO_FAMILY = "Select a cell, here or on the canvas, to see its family."
NO_SUSPECTS = "No cell is suspect."
# What can be shown, by what it is called.
ALL, FAMILY, SUSPECTS = "All cells", "Selected family", "Suspects"
# Families of selected cells that come first at most.
MOST_FIRST = 8
# Edits within so many ms are shown together.
TOGETHER = 15
_OPEN: "WeakKeyDictionary[Workbench, LineagePanel]" = WeakKeyDictionary()


class LineagePanel(QWidget):
    """The lineage of one viewer: it shows what its workbench has open.

    napari hands the viewer to classes alone, by the name of this argument.

    Parameters
    ----------
    napari_viewer
        The viewer whose cells it shows.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.bench = bench = workbench_of(napari_viewer)
        self.view = LineageView(self._words)
        self.editing = TrackEditing(bench, self.say)
        self.choice, self.search = QComboBox(), QLineEdit()
        self.count = QLabel()
        self.save = SaveButton(bench, self.view)
        self._sentence = QLabel(self)
        self._all: FamilyRows | None = None
        self._project: Project | None = None
        self._in_window = False
        self._stale: set[int] = set()
        self._first: tuple[int, ...] = ()
        self._picked: frozenset[int] = frozenset()
        self._cells: Labels | None = None
        self._usual = label_colormap()
        # Frames of suspects by label; None when they may be others by now.
        self._suspects: dict[int, Intervals] | None = None
        self._heard: list[tuple[SignalInstance, Callable[..., None]]] = []
        self._soon = QTimer(self)
        self._lay_out()
        self._connect()
        dock_below(LINEAGE)
        other = _OPEN.get(bench)
        if other is not None:
            other.retire()
        _OPEN[bench] = self
        self._take_selection()
        self.catch_up()

    def sizeHint(self) -> QSize:
        """Room for a few rows."""
        return QSize(600, 160)

    def retire(self) -> None:
        """Show the workbench no longer: another one does, or its window is closed."""
        for signal, hear in self._heard:
            signal.disconnect(hear, missing_ok=True)
        self._heard.clear()
        self._soon.stop()
        self._watch(None)
        self.bench.viewer.events.theme.disconnect(self.compose)
        if _OPEN.get(self.bench) is self:
            del _OPEN[self.bench]
        self._project = self._all = None
        self.deleteLater()

    def catch_up(self) -> None:
        """Arrange what was edited anew, or all of another project."""
        project = self.bench.session.project
        if not self.isVisible():
            # All is made up for when it is seen.
            return
        if project is not self._project:
            self._project, self._all = project, None
            self._first = tuple(sorted(self.bench.session.selection))[:MOST_FIRST]
        stale, self._stale = self._stale, set()
        if project is not None and (self._all is None or stale):
            with project.document.guard:
                lineage = project.lineage
                if self._all is None or 4 * len(stale) > len(self._all):
                    self._all = FamilyRows.of(lineage)
                else:
                    self._all = self._all.updated(lineage, stale)
        self.compose()

    def compose(self, _: Any = None) -> None:
        """Show the rows that are wanted, as things are now."""
        project, every = self._project, self._all
        if project is None or every is None:
            self.view.empty = NOTHING
            self.view.show_drawing(None)
            self._tell_count(None)
            return
        rows = self._chosen(every)
        session, layer = self.bench.session, self.bench.layers.cells
        self._watch(layer)
        movie = project.info.movie if session.movie is None else session.movie
        drawing = Drawing(
            rows,
            project.lineage.tracks,
            (self._usual if layer is None else layer.colormap).map,
            palette_of(self.bench.viewer.theme),
            self._find_suspects(),
            session.selection,
            session.frame,
            movie.frame_interval,
        )
        frames = project.document.shape[0]
        self.view.show_drawing(drawing if len(rows) else None, frames)
        self._tell_count(rows)

    def say(self, text: str, kind: str = "said") -> None:
        """Show a sentence at the lower edge; without words it goes."""
        label = self._sentence
        label.setText(text)
        label.setStyleSheet(STYLES["note" if kind == "said" else kind])
        label.setVisible(bool(text))
        self._place_sentence()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the sentence at its place."""
        super().resizeEvent(event)
        self._place_sentence()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Make up for what went on while it was not seen."""
        super().showEvent(event)
        self._soon.start()
        window = window_of(self)
        if window is not None and not self._in_window:
            # All work ends with it, also without the panel of tabs.
            self._in_window = True
            window.destroyed.connect(self.bench.close)
            # The panel of tabs beside the canvas keeps its height.
            window.setCorner(
                Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea
            )
            if self.bench.panel is None:
                self.bench.canvas.show_in(window)

    # How

    def _lay_out(self) -> None:
        self._soon.setSingleShot(True)
        self._soon.setInterval(TOGETHER)
        self._soon.timeout.connect(self.catch_up)
        self.choice.addItems([ALL, FAMILY, SUSPECTS])
        self.choice.setToolTip("Which families are shown")
        self.search.setPlaceholderText("Go to cell…")
        self.search.setToolTip("Number of a cell; Enter goes to it")
        self.search.setValidator(QIntValidator(1, LARGEST_LABEL, self))
        self.search.setMaximumWidth(110)
        whole = QToolButton()
        whole.setText("Whole movie")
        whole.setToolTip("Show all frames")
        whole.clicked.connect(lambda: self.view.show_all_frames())
        head = QHBoxLayout()
        head.setContentsMargins(4, 2, 4, 0)
        for widget in (self.choice, self.search, whole, self.save):
            widget.setFocusPolicy(
                Qt.FocusPolicy.ClickFocus
                if widget is self.search
                else Qt.FocusPolicy.NoFocus
            )
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.count)
        self._sentence.setWordWrap(True)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._sentence.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.view, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumHeight(90)

    def _connect(self) -> None:
        session, post = self.bench.session, self._post
        signals: tuple[tuple[SignalInstance, Callable[..., None]], ...] = (
            (session.project_changed, lambda _: post(self._soon.start)),
            (session.movie_changed, lambda _: post(self._soon.start)),
            (session.touched, lambda touched: post(partial(self._touch, touched))),
            (session.frame_changed, lambda _: post(self._take_frame)),
            (session.selection_changed, lambda _: post(self._take_selection)),
            (self.bench.closed, self.retire),
            (self.bench.corrector.refused, self._take_refusal),
            (self.bench.corrector.review.changed, lambda: post(self._take_suspects)),
            (self.bench.layers.cells_made, lambda _: post(self.compose)),
        )
        for signal, hear in signals:
            signal.connect(hear)
            self._heard.append((signal, hear))
        self.bench.viewer.events.theme.connect(self.compose)
        view = self.view
        view.frame_wanted.connect(session.go_to)
        view.picked.connect(self._pick)
        view.joined.connect(self.editing.join)
        view.cut.connect(lambda label, frame: self.editing.do(Unlink(label, frame)))
        view.menu_wanted.connect(self._open_menu)
        self.choice.currentTextChanged.connect(lambda _: self.compose())
        self.search.returnPressed.connect(self._search)

    def _post(self, act: Callable[[], object]) -> None:
        """Have something done in the window's thread, if this is still shown then."""

        def read() -> None:
            if self._heard:
                act()

        self.bench.mailbox.post(read)

    def _chosen(self, every: FamilyRows) -> FamilyRows:
        choice = self.choice.currentText()
        rows = every
        if choice == FAMILY:
            self.view.empty = NO_FAMILY
            rows = every.only(self.bench.session.selection)
        elif choice == SUSPECTS:
            self.view.empty = NO_SUSPECTS
            rows = every.only(self._find_suspects())
        for label in reversed(self._first):
            rows = rows.with_first(label)
        return rows

    def _touch(self, touched: Touched) -> None:
        self._stale |= touched.labels
        if not self._soon.isActive():
            self._soon.start()

    def _take_refusal(self, text: str | None, _: object) -> None:
        """Take back what was refused, as it is under the tabs."""
        if text is None:
            self.say("")

    def _take_suspects(self) -> None:
        self._suspects = None
        if not self._soon.isActive():
            self._soon.start()

    def _find_suspects(self) -> dict[int, Intervals]:
        if self._suspects is None:
            found = self.bench.corrector.review.by_label()
            self._suspects = {n: intervals_of(frames) for n, frames in found.items()}
        return self._suspects

    def _take_frame(self) -> None:
        self.view.set_frame(self.bench.session.frame)

    def _take_selection(self) -> None:
        selection = self.bench.session.selection
        if selection == self._picked:
            # Nothing moves under the mouse that picked it here.
            self.compose()
            return
        self._picked = frozenset()
        self._first = tuple(sorted(selection))[:MOST_FIRST]
        self.compose()
        if self._first:
            self.view.show_track(self._first[0])

    def _pick(self, label: int, frame: int, more: bool) -> None:
        session = self.bench.session
        self.say("")
        session.go_to(frame)
        one = frozenset({label})
        self._picked = session.selection ^ one if more else one
        session.select(self._picked)

    def _search(self) -> None:
        label = int(self.search.text())
        self.search.clearFocus()
        track = (
            None if self._project is None else self._project.lineage.tracks.get(label)
        )
        if track is None:
            self.say(
                f"Cell {label} does not exist: expected the number of a cell.", "error"
            )
            return
        frame = self.bench.session.frame
        self.editing.look_at(frame if track.has(frame) else track.begin, label)

    def _open_menu(self, label: int, frame: int, place: QPoint) -> None:
        menu = self.editing.menu(label, frame, self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    def _words(self, label: int) -> str:
        if self._project is None:
            return ""
        suspect = self._find_suspects().get(label, ())
        with self._project.document.guard:
            return words_of(self._project.lineage, label, suspect)

    def _watch(self, layer: Labels | None) -> None:
        """Hear when the cells get other colours."""
        if layer is self._cells:
            return
        if self._cells is not None:
            self._cells.events.colormap.disconnect(self.compose)
        self._cells = layer
        if layer is not None:
            layer.events.colormap.connect(self.compose)

    def _tell_count(self, rows: FamilyRows | None) -> None:
        if rows is None or not len(rows):
            self.count.setText("")
            return
        self.count.setText(f"{len(rows):,} tracks, {rows.families:,} families")

    def _place_sentence(self) -> None:
        label = self._sentence
        wide = self.width() - 8
        high = label.heightForWidth(wide) if label.text() else 0
        label.setGeometry(4, self.height() - high - 4, wide, high)
        label.raise_()


def palette_of(theme: str) -> Palette:
    """Give the colours of a theme of napari."""
    known = get_theme(theme)
    background, text, line, highlight = (
        QColor(*colour.as_rgb_tuple()[:3])
        for colour in (known.background, known.text, known.secondary, known.current)
    )
    return Palette(background, text, line, highlight)
