"""The dock widget "Segment and track cells"."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFrame, QGroupBox, QScrollArea, QStyle, QVBoxLayout, QWidget

from .choices_panel import ChoicesPanel
from .movie_panel import MoviePanel
from .panel_state import PanelState
from .run_panel import RunPanel


class SegmentPanel(QScrollArea):
    """Says what the user asked for and shows what it is told. Decides nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.owner: object = None
        self.movie, self.choices, self.run = MoviePanel(), ChoicesPanel(), RunPanel()
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(group("1  Movie", self.movie))
        layout.addWidget(group("2  How cells are found", self.choices))
        layout.addWidget(group("3  Cells and tracks", self.run))
        layout.addStretch(1)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = content

    def show_state(self, state: PanelState) -> None:
        """Show the state of all three parts."""
        self.movie.show_state(state.movie)
        self.choices.show_state(state.choices)
        self.run.show_state(state.run)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """Room for all that is shown beside the scroll bar: nothing is cut off."""
        hint = super().minimumSizeHint()
        style = self.style()
        extent = QStyle.PixelMetric.PM_ScrollBarExtent
        bar = style.pixelMetric(extent) if style is not None else 0
        hint.setWidth(self._content.minimumSizeHint().width() + bar)
        return hint


def group(title: str, part: QWidget) -> QGroupBox:
    """Put a frame with a title around a part."""
    box = QGroupBox(title)
    layout = QVBoxLayout(box)
    layout.addWidget(part)
    return box
