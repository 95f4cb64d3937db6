"""Exporting from the window: in which format, under what name, and what gets lost."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..io.cells.formats import format_of

if TYPE_CHECKING:
    from .workbench import Workbench

# The tab, as it is called.
SHARE = "Share"


class Sharing:
    """Exports the open project of a workbench.

    Parameters
    ----------
    bench
        Whose project.
    """

    def __init__(self, bench: "Workbench") -> None:
        self._bench = bench
        self._lost: tuple[Any, list[str]] = (None, [])

    def set_format(self, name: str) -> None:
        """Choose a format to export to."""
        self._bench.choices.format = name
        self._bench.changed.emit()

    def target(self) -> tuple[str, Path]:
        """Title of the chosen format, and what is proposed as a name."""
        bench = self._bench
        project, form = bench.session.project, format_of(bench.choices.format)
        assert project is not None, "only a project is exported"
        name = f"{project.folder.stem}_cells{form.suffix}"  # never that of the movie
        return form.title, project.folder.with_name(name)

    def export(self, target: Path) -> None:
        """Write the cells in the chosen format, its ending included."""
        bench = self._bench
        form = format_of(bench.choices.format)
        if not target.name.endswith(form.suffix):
            target = target.with_name(target.name + form.suffix)
        bench.attempt(lambda: bench.session.export(form.name, target))

    def lost(self) -> list[str]:
        """Say what the open cells lose in the chosen format, a sentence each."""
        session, form = self._bench.session, format_of(self._bench.choices.format)
        project = session.project
        if project is not None and session.job is None:
            # Of thousands of tracks it takes a while: not at each word under the tabs.
            key = (project, form.name, project.history.journal.last)
            if key != self._lost[0]:
                self._lost = (key, form.lost(project.tracked()))
        return self._lost[1] if project is not None else []
