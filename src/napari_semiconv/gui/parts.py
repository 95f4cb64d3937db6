"""Small widgets that the tabs of the panel are made of."""

from collections.abc import Iterable

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from .state import Offer, Sentence, StatusState

# Readable on the dark and on the light theme of napari alike.
STYLES = {
    "said": "",
    "note": "background: #6b5200; color: white; padding: 4px; border-radius: 3px;",
    "error": "background: #7a1f1f; color: white; padding: 4px; border-radius: 3px;",
}
# Lines of text that fit under the tabs; the rest is scrolled to.
LINES = 4


class Tab(QWidget):
    """One job: rows that scroll when they must, and its buttons fixed at the bottom."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = QVBoxLayout()
        self.bar = QHBoxLayout()
        content = QWidget()
        content.setLayout(self.rows)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(Scroll(content), 1)
        layout.addLayout(self.bar)


class Scroll(QScrollArea):
    """Scrolls up and down, and is as wide as what it holds."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = content

    def minimumSizeHint(self) -> QSize:
        """Room for all that is shown beside the scroll bar: nothing is cut off."""
        hint = super().minimumSizeHint()
        style = self.style()
        extent = QStyle.PixelMetric.PM_ScrollBarExtent
        bar = style.pixelMetric(extent) if style is not None else 0
        hint.setWidth(self._content.minimumSizeHint().width() + bar)
        return hint


class Lists(QTabWidget):
    """Takes the height that is left: lists scroll themselves, and the tab need not."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)

    def hasHeightForWidth(self) -> bool:
        """Ask for no more height, whatever text in it could do with."""
        return False


class SentenceView(QWidget):
    """A sentence for the user, with the buttons that mend what it tells of."""

    def __init__(self) -> None:
        super().__init__()
        self.text = selectable(QLabel())
        self._buttons: list[QPushButton] = []
        self._shown: Sentence | None = None
        self._row = QHBoxLayout()
        self._row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addLayout(self._row)

    def show_sentence(self, sentence: Sentence) -> None:
        """Show another sentence."""
        if sentence == self._shown:
            return
        self._shown = sentence
        self.text.setText(sentence.text)
        self.text.setStyleSheet(STYLES[sentence.kind] if sentence.text else "")
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        self._buttons = [self._button(offer) for offer in sentence.offers]

    def _button(self, offer: Offer) -> QPushButton:
        button = QPushButton(offer.text)
        button.setToolTip(offer.hint)
        # Qt holds a function that it calls, and with it the window: not a method.
        button.clicked.connect(self._act)
        self._row.insertWidget(self._row.count() - 1, button)
        return button

    def _act(self) -> None:
        offers = () if self._shown is None else self._shown.offers
        for button, offer in zip(self._buttons, offers, strict=True):
            if button is self.sender():
                offer.act()
                return


class Status(QWidget):
    """Progress and sentences under the tabs; it keeps its height, so nothing moves."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._progress = QElidingLabel()
        self.sentence = SentenceView()
        content = QWidget()
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.sentence)
        inner.addStretch(1)
        scroll = Scroll(content)
        button = QPushButton().sizeHint().height()
        line = self.fontMetrics().lineSpacing()
        scroll.setFixedHeight(LINES * line + button + 16)
        self._progress.setFixedHeight(line + 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 4)
        layout.setSpacing(3)
        for widget in (self._bar, self._progress, scroll):
            layout.addWidget(widget)
        self.show_state(StatusState())

    def show_state(self, state: StatusState) -> None:
        """Show how far it is and what there is to read."""
        # Without anything to do the bar is empty, not running.
        self._bar.setMaximum(state.total if state.busy else 1)
        self._bar.setValue(state.done if state.busy else 0)
        self._progress.setText(state.progress)
        self.sentence.show_sentence(state.sentence)


def leave_keys(*widgets: QWidget) -> None:
    """Let clicks on lists leave the keys to the canvas; Tab reaches them."""
    for widget in widgets:
        widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)


def selectable(label: QLabel) -> QLabel:
    """Make the text of a label wrap, fit to be copied, and never widen the panel."""
    label.setWordWrap(True)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def lined_up(widgets: Iterable[QWidget], wide: QWidget) -> QHBoxLayout:
    """Put widgets side by side; the wide one takes the room that is left."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget, 1 if widget is wide else 0)
    return layout


def boxed(layout: QLayout) -> QWidget:
    """Make a widget of a layout, for a row of a form."""
    widget = QWidget()
    widget.setLayout(layout)
    return widget
