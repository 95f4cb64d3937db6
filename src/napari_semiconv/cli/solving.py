"""`napari-semiconv solve`: decide the tracks of a project anew."""

import argparse
from collections.abc import Generator
from typing import Any

from ..errors import SaveError, counted
from ..inference.solving import Solved
from ..project.project import Project
from ..project.solving import last_settings, solve_steps
from ..settings import SegmentSettings
from .progress import StopRequest, closing_early, progress_bar, tell
from .running import frames_in_span

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
            within = frames_in_span(project.document.shape[0], arguments.frames)
        before = {t.label: t for t in project.lineage.tracks.values()}
        steps = solve_steps(project, _settings(project, arguments), within)
        with (
            StopRequest() as stop,
            progress_bar(0, "frame") as bar,
            closing_early(steps),
        ):
            solved = _finished(steps, bar, stop)
        for (frame, label), why in sorted(solved.left_out.items()):
            tell(f"Left out: cell {label} of frame {frame}, {why}.")
        for (frame, label), into in sorted(solved.merged.items()):
            tell(f"Merge: cell {label} of frame {frame} seems to go into {into}.")
        lineage = project.lineage
        changed = sum(
            before.get(label) is None or before[label].runs != track.runs
            for label, track in lineage.tracks.items()
        )
        facts = (
            counted(len(lineage.tracks), "track"),
            counted(len(lineage.daughters()), "division"),
            f"{changed} changed",
        )
        print(f"{', '.join(facts)}: {project.folder}")


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
        if stop.came:
            raise KeyboardInterrupt
