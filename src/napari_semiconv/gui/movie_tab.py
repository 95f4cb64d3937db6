"""The tab "Movie": what is open, and how it was understood."""

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QAction  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFormLayout, QLabel, QMenu, QPushButton, QToolButton

from . import recent
from .form import Choice, Number
from .open_dialog import ask_what_to_open
from .parts import SentenceView, Tab, boxed, lined_up, selectable
from .state import MovieState, Sentence

UNITS = (("s", 1.0), ("min", 60.0), ("h", 3600.0))
# Notes of a movie that can be shown at once.
MOST_NOTES = 4


class MovieTab(Tab):
    """Says what is to be opened and how it is read; shows what it is told."""

    open_requested = Signal(object)
    layer_requested = Signal()
    axes_requested = Signal(str)
    pixel_size_requested = Signal(float)
    interval_requested = Signal(float)
    channel_requested = Signal(int)
    z_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._open = QPushButton("Open…")
        self._open.setToolTip(
            "Open a movie, a project or tracked cells of any program: a file or folder."
        )
        self._recent = QToolButton()
        self._recent.setText("Recent")
        self._recent.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._recent.setMenu(self._menu)
        self._layer = QPushButton("Use selected layer")
        self._facts = selectable(QLabel())
        self._facts.setFixedHeight(3 * self.fontMetrics().lineSpacing())
        self.axes, self.channel, self.z = Choice(), Choice(), Choice()
        self.pixel_size = Number("µm", 4, "unknown")
        self.interval, self.unit = Number("", 2, "unknown"), Choice()
        self._notes = [SentenceView() for _ in range(MOST_NOTES)]
        self._seconds = 0.0
        self._typed = False
        self._lay_out()
        self._connect()

    def show_state(self, state: MovieState) -> None:
        """Show the movie, or that there is none."""
        self._open.setEnabled(state.enabled)
        self._recent.setEnabled(state.enabled)
        self._layer.setEnabled(bool(state.layer))
        self._layer.setToolTip(
            f"Take layer {state.layer}: an image is the movie, labels are its cells."
            if state.layer
            else "Select an image layer or a labels layer in the layer list first."
        )
        if state.facts != self._facts.text():
            self._typed = False
        self._facts.setText(state.facts)
        self._facts.setToolTip(state.facts)
        self._show_fields(state)
        notes = [*state.notes, *[Sentence()] * MOST_NOTES][:MOST_NOTES]
        for view, note in zip(self._notes, notes, strict=True):
            view.show_sentence(note)
            view.setVisible(bool(note.text))

    def ask(self) -> None:
        """Ask what to open; the answer comes as ``open_requested``."""
        known = recent.remembered()
        path = ask_what_to_open(self, known[0].parent if known else None)
        if path is not None:
            self.open_requested.emit(path)

    def _show_fields(self, state: MovieState) -> None:
        self.axes.offer(state.axes_choices, state.axes)
        channels = tuple((n, f"Channel {n}") for n in range(state.channels))
        self.channel.offer(channels, state.channel)
        slices = tuple((n, f"Slice {n}") for n in range(state.slices))
        self.z.offer((("max", "Maximum of all slices"), *slices), state.z)
        # Rows that offer no choice stay where they are, so that nothing moves.
        self.axes.setEnabled(state.can_reread and len(state.axes_choices) > 1)
        self.channel.setEnabled(state.can_reread and state.channels > 1)
        self.z.setEnabled(state.can_reread and state.slices > 1)
        for field in (self.pixel_size, self.interval, self.unit):
            field.setEnabled(state.enabled and state.known)
        self._seconds = state.frame_interval
        for field, value in (
            (self.pixel_size, state.pixel_size),
            (self.interval, state.frame_interval / self._unit()),
        ):
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)

    def _lay_out(self) -> None:
        self.axes.setToolTip("What the images of the movie are: frames, slices, ...")
        self.pixel_size.setToolTip("Height and width of a pixel.")
        self.interval.setToolTip("Time from one frame to the next.")
        self.unit.offer(tuple((size, name) for name, size in UNITS), 1.0)
        self.unit.setMinimumContentsLength(3)
        form = QFormLayout()
        form.addRow("Read as:", self.axes)
        form.addRow("Pixel size:", self.pixel_size)
        row = lined_up((self.interval, self.unit), wide=self.interval)
        form.addRow("Frame interval:", boxed(row))
        form.addRow("Channel:", self.channel)
        form.addRow("Slice:", self.z)
        self.rows.addWidget(self._facts)
        self.rows.addLayout(form)
        for view in self._notes:
            self.rows.addWidget(view)
        self.rows.addStretch(1)
        for widget in (self._open, self._recent, self._layer):
            self.bar.addWidget(widget)
        self.bar.setStretch(0, 1)

    def _connect(self) -> None:
        self._open.clicked.connect(self.ask)
        self._layer.clicked.connect(lambda: self.layer_requested.emit())
        self._menu.aboutToShow.connect(self._list_recent)
        self.axes.picked.connect(self.axes_requested.emit)
        self.pixel_size.valueChanged.connect(self.pixel_size_requested)
        self.interval.valueChanged.connect(self._type_interval)
        self.unit.picked.connect(self._take_unit)
        self.channel.picked.connect(self.channel_requested.emit)
        self.z.picked.connect(self.z_requested.emit)

    def _list_recent(self) -> None:
        self._menu.clear()
        for path in recent.remembered():
            # Movies of a challenge are all called 01 or 02.
            action = QAction(f"{path.parent.name}/{path.name}", self._menu)
            action.setToolTip(str(path))
            action.triggered.connect(
                lambda _=False, path=path: self.open_requested.emit(path)
            )
            self._menu.addAction(action)
        if self._menu.isEmpty():
            nothing = QAction("Nothing was opened yet", self._menu)
            nothing.setEnabled(False)
            self._menu.addAction(nothing)
        self._menu.setToolTipsVisible(True)

    def _unit(self) -> float:
        return UNITS[max(0, self.unit.currentIndex())][1]

    def _type_interval(self, value: float) -> None:
        self._typed = True
        self.interval_requested.emit(value * self._unit())

    def _take_unit(self, size: float) -> None:
        self.unit.pick(size)
        if self._typed:
            # The number came first: this says in what it was meant.
            self._typed = False
            self.interval_requested.emit(self.interval.value() * size)
            return
        # What the movie says stays as long as it is.
        self.interval.blockSignals(True)
        self.interval.setValue(self._seconds / size)
        self.interval.blockSignals(False)
