"""What teaching came to: the curve while it learns, then before and after."""

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..parts import lined_up, selectable
from .compare import Comparison, arrow_text
from .curve import LossCurve
from .state import ResultState, TeachState

LEARNS = "It learns; you can go on correcting meanwhile."
NONE = "Nothing is to be decided on: teach a model first."
# Lines of the longest verdict.
LINES = 4
KEEP_HINT = "Use it from now on. It can be applied to all frames then."
WORSE_HINT = "Use it all the same, though it is no better than the one in use."
DISCARD_HINT = "Delete it. The model in use stays."


class ResultView(QWidget):
    """Shows how a teaching goes, and what it came to; decides nothing."""

    keep_requested = Signal()
    discard_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = selectable(QLabel())
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.caption = selectable(QLabel())
        self.before, self.after = QToolButton(), QToolButton()
        self.curve, self.comparison = LossCurve(), Comparison()
        self.stack = QStackedWidget()
        self.keep, self.discard = QPushButton("Keep"), QPushButton("Discard")
        self._place, self._trouble = 0, ""
        self._shown: ResultState | None = None
        self._lay_out()
        self.before.clicked.connect(lambda: self._step(-1))
        self.after.clicked.connect(lambda: self._step(1))
        self.keep.clicked.connect(lambda: self.keep_requested.emit())
        self.discard.clicked.connect(lambda: self.discard_requested.emit())
        self.show_state(TeachState())

    def show_state(self, state: TeachState) -> None:
        """Show how far it is, or what it came to."""
        self.curve.show_points(state.curve, state.total)
        result = state.result
        come = result is not None and (
            self._shown is None or self._shown.pictures != result.pictures
        )
        self._shown = result
        if come:
            self._place = 0
        words = LEARNS if state.can_stop else NONE
        self.words.setText(words if result is None else result.words)
        self._trouble = "" if result is None else result.trouble
        open_ = result is not None and not result.kept
        free = state.models.free
        self.keep.setEnabled(open_ and free)
        self.discard.setEnabled(open_ and free and state.models.editable)
        worse = result is not None and result.better is False
        self.keep.setToolTip(f"<qt>{WORSE_HINT if worse else KEEP_HINT}</qt>")
        self.discard.setToolTip(DISCARD_HINT)
        for button, usual in ((self.keep, not worse), (self.discard, worse)):
            button.setDefault(open_ and usual)
            weight = "bold" if open_ and usual else "normal"
            button.setStyleSheet(f"font-weight: {weight};")
        self._show_place()

    def _step(self, by: int) -> None:
        self._place += by
        self._show_place()

    def _show_place(self) -> None:
        pictures = () if self._shown is None else self._shown.pictures
        self._place = max(0, min(self._place, len(pictures)))
        picture = pictures[self._place] if self._place < len(pictures) else None
        self.comparison.show_picture(picture)
        self.stack.setCurrentWidget(self.curve if picture is None else self.comparison)
        self.caption.setText(
            arrow_text(self._place, pictures) if pictures else self._trouble
        )
        self.before.setEnabled(self._place > 0)
        self.after.setEnabled(self._place < len(pictures))

    def _lay_out(self) -> None:
        line = self.fontMetrics().lineSpacing()
        self.words.setFixedHeight(LINES * line + 4)
        self.stack.addWidget(self.curve)
        self.stack.addWidget(self.comparison)
        for button, arrow, hint in (
            (self.before, Qt.ArrowType.LeftArrow, "The picture before."),
            (self.after, Qt.ArrowType.RightArrow, "The next picture."),
        ):
            button.setArrowType(arrow)
            button.setToolTip(hint)
        self.caption.setFixedHeight(2 * line + 4)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        captions = lined_up((self.before, self.caption, self.after), wide=self.caption)
        buttons = QHBoxLayout()
        for choice in (self.keep, self.discard):
            choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            # Bold letters may be higher: nothing is to move.
            choice.setFixedHeight(line + 10)
            buttons.addWidget(choice, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(3)
        layout.addWidget(self.words)
        layout.addLayout(captions)
        layout.addWidget(self.stack, 1)
        layout.addLayout(buttons)
