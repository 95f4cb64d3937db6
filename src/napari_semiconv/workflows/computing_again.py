"""Compute a project again from a corrected frame on."""

from ..compute.supervisor import Supervisor
from ..errors import BadInputError
from ..project.project import Project
from ..project.runs.run import ProjectRun, begin_run, runs_by_frame, state_near
from .opening import check_writable
from .progress import Steps, Stop, never
from .segmenting import Segmented, fill


def compute_again(
    project: Project,
    frame: int,
    *,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[Segmented]:
    """Compute a project again from a corrected frame on, as far as it was computed.

    The network goes on from the state that its run saved before the frame, if there is
    one near, and is shown what the user fixed: confirmed cells, links and places
    without a cell stay, in that frame and in all after it. It is one step to undo.

    Parameters
    ----------
    project
        The project, open for writing.
    frame
        Index of the first frame that is computed again.
    supervisor, stop
        As in `segment`.

    Raises
    ------
    BadInputError
        When no run computed the frame, or the movie is not found.
    ComputeError
        When the computing process fails; the frames before are in the project.
    """
    check_writable(project)
    movie = project.movie()
    number = number_of_run(project, frame)
    settings = ProjectRun(project, number).settings
    runs = runs_by_frame(project)
    after = None
    if frame - 1 in runs and not settings.engine_info.whole:
        # Of another run the memory would be of another model.
        near = state_near(project, runs[frame - 1], frame)
        same = near and ProjectRun(project, near[0]).settings == settings
        after = near if same else None
    frames = range(frame, max(runs) + 1)
    begun = begin_run(project, frames, settings, after)
    return (yield from fill(project, begun, movie, supervisor, stop))


def number_of_run(project: Project, frame: int) -> int:
    """Find the number of the last run that computed a frame.

    Raises
    ------
    BadInputError
        When none did, or the movie has no such frame.
    """
    count = project.document.shape[0]
    if not 0 <= frame < count:
        raise BadInputError(
            f"Frame {frame}: expected one of the movie's {count} frames, which are "
            f"counted from 0. Choose one of these."
        )
    number = runs_by_frame(project).get(frame)
    if number is not None:
        return number
    raise BadInputError(
        f"Frame {frame}: expected one that a run of this project computed, found none. "
        f"Compute it first: napari-semiconv run {project.folder} --frames "
        f"{frame}:{frame + 1}"
    )
