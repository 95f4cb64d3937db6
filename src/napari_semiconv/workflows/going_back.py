"""The history of the open project: go to any of its steps, write it to a file."""

from pathlib import Path

from ..io.cells.staging import new_target
from ..project.going_back import go_back_to, is_long_way
from ..project.history_text import as_csv, as_lines
from .jobs import BusyError, Job
from .progress import Progress, Steps, Stop, stepwise
from .session import Session


def go_back(session: Session, number: int) -> Job | None:
    """Undo, or redo, until a step of the open project is the last one done.

    Parameters
    ----------
    session
        What is open.
    number
        Of an entry of the step; 0 is how it was before the first one.

    Returns
    -------
    Job or None
        The job that does it; None when it was a short way and is done.

    Raises
    ------
    EditError
        When the step can neither be undone nor redone.
    BusyError
        When an export is writing what would change, or a long way meets another job.
    """
    project = session.need_project()
    if is_long_way(project, number):

        def steps(stop: Stop) -> Steps[int]:
            yield Progress("history")
            return (
                yield from stepwise(
                    lambda tell: go_back_to(project, number, tell), "history", stop
                )
            )

        return session.start("undo", "Going back", steps)
    job = session.job
    if job is not None and job.kind in ("export", "undo"):
        raise BusyError(f"{job.title}: edit when it is done, or stop it first.")
    go_back_to(project, number)
    return None


def write_history(session: Session, target: Path) -> Job:
    """Write the history of the open project: a table, or lines to be read.

    Parameters
    ----------
    session
        What is open.
    target
        New file; a table when its name ends with ``.csv``, else text.
    """
    project = session.need_project()

    def steps(_: Stop) -> Steps[Path]:
        yield Progress("writing")
        table = target.suffix.lower() == ".csv"
        with new_target(target) as draft:
            text = (
                as_csv(project.history)
                if table
                else "".join(f"{line}\n" for line in as_lines(project.history))
            )
            draft.write_text(text, encoding="utf-8", newline="\n")
        return target

    return session.start("export", f"Writing {target.name}", steps)
