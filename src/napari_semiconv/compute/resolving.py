"""Work the user's word on a frame into a project: solved in the child, one edit."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..errors import BadInputError, EditError
from ..inference.constraints.model import Constraints
from ..project.correcting import Correction, correction_of
from ..project.project import Project
from ..project.runs import ProjectRun, taken_frames
from ..project.said import write_constraints
from .book import write_array
from .messages import Message, MovieChoice, Resolve, Resolved
from .projects import check_writable
from .supervisor import Supervisor


def resolve_in_project(
    project: Project,
    frame: int,
    word: Constraints,
    *,
    supervisor: Supervisor,
    stop: Callable[[], bool] | None = None,
) -> Iterator[Message]:
    """Solve the cells of a frame again that the user's new word is about.

    What was said of the frame before holds as well, but for confirmed cells that the
    new word is about. What changes is one step to undo; the cells that the word is
    about are confirmed then. The first time in a frame the network sees it again; what
    it said is kept by the child, so that the next time takes a fraction of a second.

    Parameters
    ----------
    project
        The project, open for writing.
    frame
        Index of a frame that a run of the project computed.
    word
        What the user says of it now, in pixels of the movie.
    supervisor
        Runs the child.
    stop
        Asked again and again whether to stop; then nothing is changed.

    Yields
    ------
    Message
        What the child says; `Resolved` once the edit is in the project.

    Raises
    ------
    BadInputError
        When no run computed the frame, what is said contradicts itself, or the movie
        is not found.
    ComputeError
        When not all that is said can hold, or the child fails; nothing was changed.
    EditError
        When the frame was changed meanwhile.
    SaveError
        When the project can only be read, or nothing can be written.
    """
    check_writable(project)
    run = run_of(project, frame)
    if not word:
        raise BadInputError(
            f"Frame {frame}: expected something that is said of its cells, found "
            f"nothing. Name pixels that belong together or do not, or a number."
        )
    correction = correction_of(project.document, frame, word)
    with tempfile.TemporaryDirectory(prefix="semiconv-") as scratch:
        request = _request(project, run, correction, Path(scratch))
        for message in supervisor.follow(request, stop):
            if isinstance(message, Resolved):
                # The answer may have been on its way when the user stopped it.
                if stop is not None and stop():
                    message = message.model_copy(update={"cancelled": True})
                if not message.cancelled:
                    _take(project, correction, message)
            yield message


def _request(
    project: Project, run: ProjectRun, correction: Correction, scratch: Path
) -> Resolve:
    movie = project.movie()
    assert movie.path is not None, "a project finds its movie as a file"
    request = Resolve(
        movie=MovieChoice.of(movie, movie.path),
        settings=run.settings,
        frame=correction.frame,
        begin=run.frames.start,
        labels=scratch / "labels.npy",
        said=scratch / "said.npz",
        output=scratch / "window.npy",
        run=run.folder,
    )
    write_array(request.labels, correction.labels)
    told = [(correction.frame, correction.told)]
    write_constraints(request.said, told, packed=False)
    return request


def _take(project: Project, correction: Correction, message: Resolved) -> None:
    frame = correction.frame
    if not np.array_equal(project.document.labels(frame), correction.labels):
        raise EditError(
            f"Frame {frame} was changed while its cells were solved again: expected it "
            f"as it was. Say it once more."
        )
    y, x, height, width = message.box
    found = np.load(message.output)
    window = slice(y, y + height), slice(x, x + width)
    project.do(correction.edit(window, found))


def run_of(project: Project, frame: int) -> ProjectRun:
    """Find the last run that computed a frame.

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
    for number in range(len(project.info.runs), 0, -1):
        if frame in taken_frames(project, number):
            return ProjectRun(project, number)
    raise BadInputError(
        f"Frame {frame}: expected one that a run of this project computed, found none. "
        f"Compute it first: napari-semiconv run {project.folder} --frames "
        f"{frame}:{frame + 1}"
    )
