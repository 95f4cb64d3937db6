"""`napari-semiconv solve`: decide the tracks of a project anew."""

import argparse
from collections.abc import Generator
from typing import Any

from ..errors import SaveError, counted
from ..inference.linking.solving import Solved, notes_of
from ..project.project import Project
from ..project.runs import last_settings
from ..project.solving import solve_steps
from ..settings import SegmentSettings
from ..tracking.lineage import Lineage
from .progress import StopRequest, closing_early, progress_bar, tell
from .words import chosen_frames

Steps = Generator[tuple[int, int], None, Solved]


def solve(arguments: argparse.Namespace) -> None:
    """Decide the tracks of a project anew, and say what came of it.

    Raises
    ------
    KeyboardInterrupt
        When the user stopped it; the project is as it was.
    SaveError
        When another program has the project open.
    """
    with Project.open(arguments.project) as project:
        for note in project.notes:
            tell(note)
        if project.read_only:
            raise SaveError(
                f"{project.folder.name}: opened to be read only, so no track can be "
                f"changed. Close it where it is open, and try again."
            )
        within = None
        if arguments.frames is not None:
            within = chosen_frames(project.document.shape[0], arguments.frames)
        parents = {n: track.parent for n, track in project.lineage.tracks.items()}
        stop = StopRequest()
        settings = _settings(project, arguments)
        steps = solve_steps(project, settings, within, ask=lambda: _heed(stop))
        with (
            stop,
            progress_bar(0, "frame") as bar,
            closing_early(steps),
        ):
            solved = _finished(steps, bar, stop)
        for notes in notes_of(solved).values():
            for note in notes:
                tell(note)
        lineage = project.lineage
        facts = (
            counted(len(lineage.tracks), "track"),
            counted(len(lineage.daughters()), "division"),
            f"{_changed(solved, lineage, parents)} changed",
        )
        print(f"{', '.join(facts)}: {project.folder}")


def _changed(solved: Solved, lineage: Lineage, parents: dict[int, int]) -> int:
    """Count the tracks that have other cells, or another parent, than before."""
    moved = solved.label != solved.track
    touched = {*solved.label[moved].tolist(), *solved.track[moved].tolist()}
    return sum(
        label in touched or parents.get(label) != track.parent
        for label, track in lineage.tracks.items()
    )


def _settings(project: Project, arguments: argparse.Namespace) -> SegmentSettings:
    """Those of the last run, with what was asked for."""
    settings = last_settings(project)
    changes: dict[str, object] = {"merges": arguments.merges}
    if arguments.least_sure is not None:
        changes["least_sure"] = arguments.least_sure
    link = settings.link.model_copy(update=changes)
    return settings.model_copy(update={"link": link})


def _finished(steps: Steps, bar: Any, stop: StopRequest) -> Solved:
    while True:
        try:
            done, total = next(steps)
        except StopIteration as end:
            solved: Solved = end.value
            return solved
        bar.total = total
        bar.update(done - bar.n)
        _heed(stop)


def _heed(stop: StopRequest) -> None:
    if stop.came:
        raise KeyboardInterrupt
