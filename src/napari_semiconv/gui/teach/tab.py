"""The tab "Teach": what there is to learn from, one button, and what came of it."""

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton
from superqt import QElidingLabel

from ...settings import choices_of
from ...teaching.settings import TeachSettings
from ..form import Choice
from ..parts import Lists, Tab, boxed, lined_up, selectable
from .learnable import PLACES, Advice
from .model_tree import ModelTree
from .result_view import ResultView
from .state import TeachState

# Lines for what there is to learn from.
LINES = 4
DEPTH = TeachSettings.model_fields["depth"]


class TeachTab(Tab):
    """Says what is to be taught; shows what there is to learn from; decides nothing."""

    teach_requested = Signal()
    stop_requested = Signal()
    depth_requested = Signal(str)
    frame_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.words = selectable(QLabel())
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.places = [_Place(self) for _ in range(PLACES)]
        self.model = QElidingLabel()
        self.model.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.what = Choice()
        texts = choices_of(DEPTH)
        self.what.offer(tuple((name, text) for name, (text, _) in texts.items()), "")
        self._hints = {name: hint for name, (_, hint) in texts.items()}
        self.result, self.models = ResultView(), ModelTree()
        self.pages = Lists()
        self.teach = QPushButton("Teach")
        self.teach.setToolTip(
            "<qt>Teach a copy of the model with what you corrected; the model itself "
            "stays as it is.</qt>"
        )
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Stop; nothing is left of it, and the model in use stays.")
        self._lay_out()
        self.what.picked.connect(self.depth_requested.emit)
        self.teach.clicked.connect(self._teach)
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self.show_state(TeachState())

    def show_state(self, state: TeachState) -> None:
        """Show what there is to learn from, how far it is and what came of it."""
        # Letters as the theme has them, which may be others than at first.
        line = self.words.fontMetrics().lineSpacing()
        self.words.setFixedHeight(LINES * line + 4)
        self.words.setText(state.words)
        for number, place in enumerate(self.places):
            known = state.advice
            place.show_advice(known[number] if number < len(known) else None)
        self.model.setText(state.model)
        self.model.setToolTip(f"<qt>{state.model}: the one chosen under Find.</qt>")
        self.what.pick(state.depth)
        self.what.explain(self._hints)
        self.what.setEnabled(state.enabled)
        self.result.show_state(state)
        self.models.show_state(state.models)
        self.teach.setEnabled(state.can_teach)
        self.stop.setEnabled(state.can_stop)

    def _teach(self) -> None:
        # There it will be seen how it goes.
        self.pages.setCurrentWidget(self.result)
        self.teach_requested.emit()

    def _lay_out(self) -> None:
        self.rows.setSpacing(3)
        self.rows.addWidget(self.words)
        for place in self.places:
            row = lined_up((place.text, place.go), wide=place.text)
            self.rows.addWidget(boxed(row))
        rows = QFormLayout()
        rows.addRow("Model:", self.model)
        rows.addRow(f"{DEPTH.title}:", self.what)
        self.rows.addLayout(rows)
        self.pages.setDocumentMode(True)
        self.pages.addTab(self.result, "Result")
        self.pages.addTab(self.models, "Models")
        self.pages.setMinimumHeight(self.pages.minimumSizeHint().height())
        self.rows.addWidget(self.pages, 1)
        self.rows.addStretch(0)
        self.bar.addWidget(self.teach, 1)
        self.bar.addWidget(self.stop)


class _Place:
    """A frame that is worth correcting next, and the button that goes there."""

    def __init__(self, tab: TeachTab) -> None:
        self.text = QElidingLabel()
        self.go = QPushButton("Go there")
        # With and without advice the tab is as high, so that nothing moves.
        policy = self.go.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.go.setSizePolicy(policy)
        self._frame = 0
        self.go.clicked.connect(lambda: tab.frame_requested.emit(self._frame))

    def show_advice(self, advice: Advice | None) -> None:
        """Show another frame, or none."""
        self.text.setText("" if advice is None else advice.words())
        self.text.setToolTip("" if advice is None else f"<qt>{advice.hint()}</qt>")
        self.go.setVisible(advice is not None)
        self._frame = 0 if advice is None else advice.frame
        self.go.setToolTip(f"Go to frame {self._frame}, and correct cells there.")
