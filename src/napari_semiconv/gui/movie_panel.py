"""The part of the panel that opens a movie and shows how it was understood."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from .form import Choice, Number
from .panel_state import MovieState

NOTE_STYLE = "background: #6b5200; color: white; padding: 4px; border-radius: 3px;"
ANY_LAYER = "Open layer…"


class MoviePanel(QWidget):
    """Says which movie the user wants, read how; shows what it is told."""

    open_requested = Signal(object)
    layer_requested = Signal(str)
    axes_requested = Signal(str)
    pixel_size_requested = Signal(float)
    interval_requested = Signal(float)
    channel_requested = Signal(int)
    z_requested = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._file = QPushButton("Open file…")
        self._folder = QPushButton("Open folder…")
        self._layer = Choice()
        self._facts = selectable(QLabel())
        self._notes = selectable(QLabel())
        self._notes.setStyleSheet(NOTE_STYLE)
        self._form = MovieForm()
        buttons = QHBoxLayout()
        for widget in (self._file, self._folder, self._layer):
            buttons.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self._facts)
        layout.addWidget(self._notes)
        layout.addWidget(self._form)
        self._connect()

    def show_state(self, state: MovieState) -> None:
        """Show the movie, or that there is none."""
        self.setEnabled(state.enabled)
        layers = tuple((name, name) for name in state.layers)
        self._layer.offer((("", ANY_LAYER), *layers), state.layer)
        self._facts.setText(state.facts)
        self._facts.setToolTip(state.facts)
        self._notes.setText(state.notes)
        self._notes.setVisible(bool(state.notes))
        self._form.setVisible(state.known)
        self._form.show_state(state)

    def _connect(self) -> None:
        self._file.clicked.connect(self.ask_file)
        self._folder.clicked.connect(self._ask_folder)
        self._layer.picked.connect(self._pick_layer)
        self._form.axes.picked.connect(self.axes_requested.emit)
        self._form.pixel_size.valueChanged.connect(self.pixel_size_requested)
        self._form.interval.valueChanged.connect(self.interval_requested)
        self._form.channel.picked.connect(self.channel_requested.emit)
        self._form.z.picked.connect(self.z_requested.emit)

    def ask_file(self) -> None:
        """Ask for a movie; the answer comes as ``open_requested``."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a movie", "", "Movies (*.tif *.tiff *.zarr);;All files (*)"
        )
        if path:
            self.open_requested.emit(Path(path))

    def _ask_folder(self) -> None:
        title = "Open a folder of frames, or an OME-Zarr folder"
        path = QFileDialog.getExistingDirectory(self, title)
        if path:
            self.open_requested.emit(Path(path))

    def _pick_layer(self, name: str) -> None:
        if name:
            self.layer_requested.emit(name)


class MovieForm(QWidget):
    """The rows in which the user mends what was guessed about a movie."""

    def __init__(self) -> None:
        super().__init__()
        self.axes = Choice()
        self.axes.setToolTip("What the images of the movie are: frames, slices, ...")
        self.pixel_size = Number("µm", 4, "unknown")
        self.pixel_size.setToolTip("Height and width of a pixel.")
        self.interval = Number("s", 2, "unknown")
        self.interval.setToolTip("Time from one frame to the next.")
        self.channel, self.z = Choice(), Choice()
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("Read as:", self.axes)
        layout.addRow("Pixel size:", self.pixel_size)
        layout.addRow("Frame interval:", self.interval)
        layout.addRow("Channel:", self.channel)
        layout.addRow("Slice:", self.z)
        self._layout = layout

    def show_state(self, state: MovieState) -> None:
        """Show how the movie is read; rows that offer no choice are left out."""
        self.axes.offer(state.axes_choices, state.axes)
        for field, value in (
            (self.pixel_size, state.pixel_size),
            (self.interval, state.frame_interval),
        ):
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)
        channels = tuple((n, f"Channel {n}") for n in range(state.channels))
        self.channel.offer(channels, state.channel)
        slices = tuple((n, f"Slice {n}") for n in range(state.slices))
        self.z.offer((("max", "Maximum of all slices"), *slices), state.z)
        self._layout.setRowVisible(self.axes, len(state.axes_choices) > 1)
        self._layout.setRowVisible(self.channel, state.channels > 1)
        self._layout.setRowVisible(self.z, state.slices > 1)


def selectable(label: QLabel) -> QLabel:
    """Make the text of a label wrap, fit to be copied, and never widen the panel."""
    label.setWordWrap(True)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
