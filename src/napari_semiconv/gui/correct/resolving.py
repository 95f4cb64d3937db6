"""Work out what the tab "Correct" shows, without a window."""

from ...workflows.session import Session
from ..state import CorrectState
from .corrector import Corrector
from .describing import describe_cell

START = "Find cells, or open a project: then they can be corrected here."
SELECT = "Click on a cell to select it; with Shift to add another."


def resolve_correct(corrector: Corrector, session: Session, mode: str) -> CorrectState:
    """Work out the third tab.

    Parameters
    ----------
    corrector
        Its tool and selection.
    session
        What is open.
    mode
        What napari's brush does.
    """
    project = session.project
    if project is None:
        return CorrectState(words=START)
    tool, selection = corrector.tool, corrector.selection
    words = [describe_cell(project, session.frame, label) for label in selection[:2]]
    if len(selection) > 2:
        words = [f"{len(selection)} cells are selected."]
    return CorrectState(
        words="\n".join(words) or SELECT
        if tool is None
        else f"{tool.say()} Esc ends it.",
        waits=tool is not None,
        armed=mode if tool is None else tool.name,
        enabled=not project.read_only,
    )
