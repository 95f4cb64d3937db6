"""`napari-semiconv run`: the network for a project."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError, counted
from .options import (
    add_command,
    add_frames,
    add_moved_movie,
    add_project,
    open_project,
)
from .progress import follow, tell
from .words import chosen_frames, index

if TYPE_CHECKING:
    from ..workflows.progress import Steps, Stop
    from ..workflows.segmenting import Segmented


def add(commands: Any) -> None:
    """Add the command."""
    summary = "go on with a project's run that stopped, or compute frames again"
    command = add_command(commands, "run", run, summary)
    add_project(command)
    add_frames(
        command,
        "compute frames A to B - 1 again, counted from 0; what is confirmed stays",
    )
    command.add_argument(
        "--from",
        type=index,
        dest="again",
        metavar="T",
        help="compute all again from frame T on, which was corrected, as the last run "
        "did; what is confirmed stays",
    )
    add_moved_movie(command)


def run(arguments: argparse.Namespace) -> None:
    """Go on with the run of a project that stopped, or compute frames of it anew.

    Raises
    ------
    KeyboardInterrupt
        When the user stopped it; the finished frames are kept.
    """
    from ..project.project import Project
    from ..project.runs.run import last_settings, unfinished_run
    from ..workflows import computing_again, segmenting

    def begin(project: Project, stop: "Stop") -> "Steps[Segmented]":
        span = arguments.frames
        if arguments.again is not None:
            if span is not None:
                raise BadInputError(
                    "--frames and --from: expected one of them, found both. Leave one "
                    "out."
                )
            return computing_again.compute_again(project, arguments.again, stop=stop)
        if span is None and unfinished_run(project) is not None:
            return segmenting.go_on(project, stop=stop)
        count = project.document.shape[0]
        if span is None and project.lineage.tracks:
            raise BadInputError(
                f"{project.folder.name}: expected a run that stopped before its end, "
                f"found none. Name the frames that are to be computed again, such as "
                f"--frames 0:{count}; what is confirmed stays."
            )
        frames = chosen_frames(count, span)
        return segmenting.run(project, last_settings(project), frames, stop=stop)

    with open_project(arguments) as project:
        start = time.perf_counter()
        outcome = follow(lambda stop: begin(project, stop))
        print(f"{summary_of(outcome, time.perf_counter() - start)}: {project.folder}")
    if outcome.cancelled:
        tell(f"To go on: napari-semiconv run {arguments.project}")
        raise KeyboardInterrupt


def summary_of(outcome: "Segmented", seconds: float) -> str:
    """Say what came of a run."""
    lineage = outcome.project.lineage
    facts = (
        f"{outcome.done} of {counted(outcome.total, 'frame')}",
        counted(len(lineage.tracks), "track"),
        counted(len(lineage.daughters()), "division"),
        f"{seconds / max(1, outcome.done):.2f} s per frame",
    )
    return ", ".join(facts)
