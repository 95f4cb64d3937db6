"""`napari-semiconv run` and `segment --format project`: the network for a project."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..compute.messages import (
    CellSize,
    Finished,
    FrameDone,
    Message,
    Solving,
    Started,
)
from ..compute.projects import resume_project, run_project
from ..compute.supervisor import Supervisor
from ..errors import BadInputError, counted
from ..io.images import open_movie
from ..movie import Movie
from ..project.project import Project
from ..project.runs import last_settings, unfinished_run
from ..settings import SegmentSettings
from .progress import StopRequest, progress_bar, tell, tell_if_watched
from .words import chosen_frames


def run(arguments: argparse.Namespace) -> None:
    """Go on with the run of a project that stopped, or compute frames of it anew."""
    named = None if arguments.movie is None else open_movie(arguments.movie)
    with Project.open(arguments.project, movie=named) as project:
        for note in project.notes:
            tell(note)
        with Supervisor() as supervisor, StopRequest() as stop:
            steps = _steps(project, arguments.frames, supervisor, stop)
            _report(project, steps)
            stopped = stop.came
    if stopped:
        _stop(arguments.project)


def _stop(folder: Path) -> None:
    tell(f"To go on: napari-semiconv run {folder}")
    raise KeyboardInterrupt


def segment_into_project(
    movie: Movie, frames: range, settings: SegmentSettings, output: Path
) -> None:
    """Make a project of a movie and compute frames of it.

    Parameters
    ----------
    movie
        What to segment; a file.
    frames
        Which of its frames.
    settings
        How.
    output
        Folder of the project: missing or empty.

    Raises
    ------
    KeyboardInterrupt
        When the user stopped it; the finished frames are kept.
    """
    with (
        Project.create(output, movie) as project,
        Supervisor() as supervisor,
        StopRequest() as stop,
    ):
        steps = run_project(
            project, settings, frames, supervisor=supervisor, stop=lambda: stop.came
        )
        _report(project, steps)
        stopped = stop.came
    if stopped:
        _stop(output)


def _steps(
    project: Project, span: slice | None, supervisor: Supervisor, stop: StopRequest
) -> Iterator[Message]:
    if span is None and unfinished_run(project) is not None:
        return resume_project(project, supervisor=supervisor, stop=lambda: stop.came)
    count = project.document.shape[0]
    if span is None and project.lineage.tracks:
        raise BadInputError(
            f"{project.folder.name}: expected a run that stopped before its end, found "
            f"none. Name the frames that are to be computed again, such as --frames "
            f"0:{count}; what is confirmed stays."
        )
    span = span or slice(None)
    frames = chosen_frames(count, span)
    settings = last_settings(project)
    return run_project(
        project, settings, frames, supervisor=supervisor, stop=lambda: stop.came
    )


def _report(project: Project, steps: Iterator[Message]) -> None:
    """Show how far it is, and say in the end what came out."""
    begin, computed = time.perf_counter(), 0
    with progress_bar(0, "frame") as bar:
        for message in steps:
            if isinstance(message, CellSize):
                tell_if_watched(f"Cell size, estimated: {message.px:.1f} px")
            elif isinstance(message, Started):
                bar.update(message.done)
                _tell_note(message.note)
            elif isinstance(message, FrameDone):
                computed += 1
                bar.total = message.total
                bar.update(message.done - bar.n)
                _tell_note(message.note)
                if message.unreadable and message.final:
                    tell(f"Skipped: {message.unreadable}")
            elif isinstance(message, Solving):
                _show_solving(bar, message)
            elif isinstance(message, Finished):
                last = message
    pace = (time.perf_counter() - begin) / max(1, computed)
    facts = (
        f"{last.done} of {counted(last.total, 'frame')}",
        counted(len(project.lineage.tracks), "track"),
        counted(len(project.lineage.daughters()), "division"),
        f"{pace:.2f} s per frame",
    )
    print(f"{', '.join(facts)}: {project.folder}")


def _tell_note(note: str) -> None:
    if note:
        tell(note)


def _show_solving(bar: Any, message: Solving) -> None:
    bar.set_description("tracks", refresh=False)
    bar.total = message.total
    bar.update(message.done - bar.n)
