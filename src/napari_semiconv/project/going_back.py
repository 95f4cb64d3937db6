"""Go to any step of the history of a project: undo, or redo, until there."""

from ..edits.steps import group_of, is_run, take_long
from .create import Progress
from .project import Project


def go_back_to(project: Project, number: int, progress: Progress | None = None) -> int:
    """Undo, or redo, until a step is the last one done; told as one change.

    Nothing is lost: whatever was undone can be redone until something else is done.
    When it ends early, by an error or by what ``progress`` raises, the project is at
    one of the steps between.

    Parameters
    ----------
    project
        The project; nobody else edits it meanwhile.
    number
        Of an entry of the step; 0 is how it was before the first one.
    progress
        Told the steps undone or redone, and those to do.

    Returns
    -------
    int
        Steps that were undone, or redone.

    Raises
    ------
    EditError
        When the step can neither be undone nor redone.
    SaveError
        When the journal cannot be written.
    """
    history = project.history
    with project.editing():
        way = history.way_to(number)
        back = bool(way) and group_of(way[0][0]) == history.undoable_group
        for done, _ in enumerate(way, 1):
            (project.undo if back else project.redo)()
            if progress is not None:
                progress(done, len(way))
    return len(way)


def is_long_way(project: Project, number: int) -> bool:
    """Tell whether going to a step takes longer than the window may wait.

    Raises
    ------
    EditError
        When the step can neither be undone nor redone.
    """
    way = project.history.way_to(number)
    return take_long(way) or any(is_run(step) for step in way)
