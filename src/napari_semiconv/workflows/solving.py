"""Decide the tracks of a project anew."""

from contextlib import closing

from ..inference.linking.solve import Solved, notes_of
from ..project.project import Project
from ..project.solving import solve_steps as decide
from ..settings import SegmentSettings
from .opening import check_writable
from .progress import Progress, Steps, Stop, StoppedError, never


def solve(
    project: Project,
    settings: SegmentSettings | None = None,
    within: range | None = None,
    *,
    stop: Stop = never,
) -> Steps[Solved]:
    """Decide the tracks of all frames together; what is confirmed stays.

    Parameters
    ----------
    project
        The project, open for writing.
    settings
        How to link; as in the last run when None.
    within
        Frames whose links are decided anew, of which few others are looked at; all
        when None.
    stop
        Asked again and again whether to stop; then the project stays as it was.

    Returns
    -------
    Solved
        What was found; it is one step to undo.

    Raises
    ------
    BadInputError
        When there is no cell, or what was confirmed contradicts itself.
    SaveError
        When the project is read only, or cannot be written.
    StoppedError
        When ``stop`` asked for it.
    """
    check_writable(project)
    solved = yield from solve_steps(project, settings, within, stop=stop)
    if solved is None:
        raise StoppedError
    return solved


def solve_steps(
    project: Project,
    settings: SegmentSettings | None,
    within: range | None,
    group: int | None = None,
    stop: Stop = never,
) -> Steps[Solved | None]:
    """Decide tracks as `project.solving.solve_steps`, and tell what should be known."""
    steps = decide(project, settings, within, group, stop)
    solved: Solved | None = None
    with closing(steps):
        try:
            while True:
                done, total = next(steps)
                yield Progress("tracks", done, total)
        except StopIteration as end:
            solved = end.value
    if solved is not None:
        for note in (note for notes in notes_of(solved).values() for note in notes):
            yield Progress("tracks", note=note)
    return solved
