"""`napari-semiconv solve`: decide the tracks of a project anew."""

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import counted
from .options import add_command, add_frames, add_project, open_project
from .progress import follow
from .words import chosen_frames, share

if TYPE_CHECKING:
    from ..inference.linking.solve import Solved
    from ..project.project import Project
    from ..settings import SegmentSettings
    from ..tracking.lineage import Lineage


def add(commands: Any) -> None:
    """Add the command."""
    summary = "decide all tracks of a project anew; what is confirmed stays"
    command = add_command(commands, "solve", solve, summary)
    add_project(command)
    add_frames(command, "decide only links of frames A to B - 1 anew, counted from 0")
    command.add_argument(
        "--merges",
        action="store_true",
        help="tell where a track seems to end by going into another cell",
    )
    command.add_argument(
        "--least-sure",
        type=share,
        metavar="P",
        help="delete cells that are seen in one frame only and that the network is "
        "less sure of, 0 to 1 (default: keep every cell)",
    )


def solve(arguments: argparse.Namespace) -> None:
    """Decide the tracks of a project anew, and say what came of it.

    Raises
    ------
    KeyboardInterrupt
        When the user stopped it; the project is as it was.
    """
    from ..workflows.solving import solve as steps_of

    with open_project(arguments) as project:
        within = None
        if arguments.frames is not None:
            within = chosen_frames(project.document.shape[0], arguments.frames)
        parents = {n: track.parent for n, track in project.lineage.tracks.items()}
        settings = _settings(project, arguments)
        solved = follow(lambda stop: steps_of(project, settings, within, stop=stop))
        lineage = project.lineage
        facts = (
            counted(len(lineage.tracks), "track"),
            counted(len(lineage.daughters()), "division"),
            f"{_changed(solved, lineage, parents)} changed",
        )
        print(f"{', '.join(facts)}: {project.folder}")


def _changed(solved: "Solved", lineage: "Lineage", parents: dict[int, int]) -> int:
    """Count the tracks that have other cells, or another parent, than before."""
    moved = solved.label != solved.track
    touched = {*solved.label[moved].tolist(), *solved.track[moved].tolist()}
    return sum(
        label in touched or parents.get(label) != track.parent
        for label, track in lineage.tracks.items()
    )


def _settings(project: "Project", arguments: argparse.Namespace) -> "SegmentSettings":
    """Those of the last run, with what was asked for."""
    from ..project.runs.run import last_settings

    settings = last_settings(project)
    changes: dict[str, object] = {"merges": arguments.merges}
    if arguments.least_sure is not None:
        changes["least_sure"] = arguments.least_sure
    link = settings.link.model_copy(update=changes)
    return settings.model_copy(update={"link": link})
