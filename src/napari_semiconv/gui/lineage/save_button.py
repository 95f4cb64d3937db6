"""The button that saves the lineage as a picture."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtGui import QAction  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFileDialog, QMenu, QToolButton

from ..workbench import Workbench
from .saving import ENDINGS, Picture
from .view import LineageView

FILTERS = {f"{ending[1:].upper()} (*{ending})": ending for ending in ENDINGS}


class SaveButton(QToolButton):
    """Asks what to save and where, and has it saved as a job.

    Parameters
    ----------
    bench
        Runs the job.
    view
        Has what is saved.
    """

    def __init__(self, bench: Workbench, view: LineageView) -> None:
        super().__init__()
        self._bench, self._view = bench, view
        self.setText("Save…")
        self.setToolTip("Save the lineage as SVG or PNG")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        for text, whole in (
            ("All frames and rows…", True),
            ("What is in view…", False),
        ):
            action = QAction(text, menu)
            action.triggered.connect(self._saving(whole))
            menu.addAction(action)
        self.setMenu(menu)

    def _saving(self, whole: bool) -> Callable[[], None]:
        return lambda: self._save(whole)

    def _save(self, whole: bool) -> None:
        project, drawing = self._bench.session.project, self._view.drawing
        if project is None or drawing is None:
            self._bench.say(
                "Expected cells to save the lineage of, found none.", "error"
            )
            return
        proposed = project.folder.with_name(f"{project.folder.stem}_lineage.svg")
        target = self.ask(proposed)
        if target is None:
            return
        with project.document.guard:
            picture = Picture.of(drawing, self._view.scale, whole=whole)
        session = self._bench.session
        self._bench.attempt(
            lambda: session.start(
                "export",
                f"Writing {target.name}",
                lambda stop: picture.write(target, stop),
            )
        )

    def ask(self, proposed: Path) -> Path | None:
        """Ask for a file; None when the user thinks better of it."""
        name, chosen = QFileDialog.getSaveFileName(
            self, "Save the lineage", str(proposed), ";;".join(FILTERS)
        )
        if not name:
            return None
        path = Path(name)
        if path.suffix.lower() not in ENDINGS:
            path = path.with_name(path.name + FILTERS.get(chosen, ENDINGS[0]))
        return path
