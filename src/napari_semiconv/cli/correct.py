"""`napari-semiconv correct`: constraints on the cells of a frame."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadSettingsError
from ..labels import areas_in
from .options import add_command, add_moved_movie, add_project, open_project
from .progress import follow, tell, tell_if_watched
from .words import count, index, pixel

if TYPE_CHECKING:
    from ..compute.messages import Resegmented
    from ..inference.constraints.model import Constraints
    from ..project.project import Project
    from ..workflows.progress import Steps, Stop

Labels = NDArray[np.int32]
Pixels = Sequence[tuple[int, int]]


def add(commands: Any) -> None:
    """Add the command."""
    summary = "put a constraint on the cells of a frame and have them found again"
    command = add_command(commands, "correct", correct, summary)
    add_project(command)
    command.add_argument(
        "--frame", type=index, required=True, metavar="T", help="counted from 0"
    )
    kind = command.add_mutually_exclusive_group(required=True)
    pixels: dict[str, Any] = {"type": pixel, "nargs": "+", "metavar": "Y,X"}
    kind.add_argument(
        "--together",
        **pixels,
        help="one cell has all these pixels, counted from 0 (row,column)",
    )
    kind.add_argument(
        "--apart", **pixels, help="each of these pixels has a cell of its own"
    )
    kind.add_argument(
        "--count",
        type=count,
        metavar="N",
        help="there are exactly N cells where the cell at --at and those that touch "
        "it are",
    )
    kind.add_argument("--none", **pixels, help="no cell is at these pixels")
    kind.add_argument(
        "--add", type=pixel, metavar="Y,X", help="a cell was missed at this pixel"
    )
    kind.add_argument(
        "--follow",
        type=count,
        metavar="CELL",
        help="follow this cell, which was corrected, into the next frames until the "
        "network doubts it",
    )
    command.add_argument(
        "--at", type=pixel, metavar="Y,X", help="with --count: a pixel of a cell"
    )
    command.add_argument(
        "--until", type=index, metavar="T", help="with --follow: the last frame"
    )
    add_moved_movie(command)


def correct(arguments: argparse.Namespace) -> None:
    """Put a constraint on the cells of a frame, and tell which cells come of it.

    Raises
    ------
    KeyboardInterrupt
        When the user stopped it; the project is as it was.
    SemiconvError
        When it cannot be done; the project is as it was.
    """
    from ..workflows import correcting

    _check(arguments)
    frame = arguments.frame

    def begin(project: "Project", stop: "Stop") -> "Steps[Resegmented]":
        if arguments.add is not None:
            return correcting.add_cell(project, frame, arguments.add, stop=stop)
        added = _constraints(arguments, before)
        return correcting.correct(project, frame, added, stop=stop)

    with open_project(arguments) as project:
        correcting.run_of(project, frame)
        if arguments.follow is not None:
            _follow(project, arguments)
            return
        before = project.document.labels(frame)
        done = follow(lambda stop: begin(project, stop))
        tell_if_watched(f"Segmented again in {done.seconds:.2f} s")
        _tell_cells(before, project.document.labels(frame), _pixels(arguments))


def _follow(project: "Project", arguments: argparse.Namespace) -> None:
    """Follow a cell, and keep what is found."""
    from ..workflows import following

    frame, label, until = arguments.frame, arguments.follow, arguments.until
    last = project.document.shape[0] - 1 if until is None else until
    found = follow(
        lambda stop: following.follow(project, frame, label, last, stop=stop)
    )
    following.accept(project, found)
    for mask in found.masks:
        sure = f"agrees to {100 * mask.agreement:.0f} %"
        print(f"frame {mask.frame}: cell {label}, {mask.region.area} px, {sure}")
    if found.note:
        tell(found.note)


def _check(arguments: argparse.Namespace) -> None:
    for option in ("together", "apart"):
        pixels = getattr(arguments, option)
        if pixels is not None and len({*pixels}) < 2:
            raise BadSettingsError(
                f"--{option}: expected two pixels or more, found one. Name another."
            )
    if arguments.until is not None and arguments.follow is None:
        raise BadSettingsError(
            "--until: expected it with --follow, found it alone. Name a cell to follow."
        )
    if (arguments.count is None) != (arguments.at is None):
        raise BadSettingsError(
            "--count and --at: expected both or neither, found one. Tell how many "
            "cells there are, and a pixel of one of them."
        )


def _constraints(arguments: argparse.Namespace, labels: Labels) -> "Constraints":
    from ..inference.constraints.model import Constraints, Count
    from ..project.correcting import region_around

    shape = (labels.shape[0], labels.shape[1])
    if arguments.count is not None:
        region = region_around(labels, *arguments.at)
        return Constraints(shape, counts=[Count(region, arguments.count)])
    if arguments.none is not None:
        return Constraints(shape, absent=np.array(arguments.none, np.int64))
    if arguments.together is not None:
        return Constraints(shape, must_link=[np.array(arguments.together, np.int64)])
    return Constraints(shape, cannot_link=[np.array(arguments.apart, np.int64)])


def _pixels(arguments: argparse.Namespace) -> Pixels:
    """Pixels that the user named."""
    pixels: Pixels = arguments.together or arguments.apart or arguments.none
    return pixels or [arguments.at or arguments.add]


def _tell_cells(before: Labels, after: Labels, pixels: Pixels) -> None:
    """List the cells that changed or were named, one a line."""
    old, new = (
        dict(zip(*(part.tolist() for part in areas_in(labels)), strict=True))
        for labels in (before, after)
    )
    changed = before != after
    listed = {*np.unique(before[changed]).tolist(), *np.unique(after[changed]).tolist()}
    touched = listed - {0}
    listed |= {int(after[place]) for place in pixels}
    for label in sorted(listed - {0}):
        if label not in new:
            print(f"cell {label}: gone")
        elif label not in touched:
            print(f"cell {label}: {new[label]} px, as it was")
        elif label not in old:
            print(f"cell {label}: {new[label]} px, new")
        else:
            print(f"cell {label}: {new[label]} px, was {old[label]} px")
    if not listed - {0}:
        print("No cell is there, and none was; none will be found there.")
    if set(new) - set(old):
        tell("New cells are linked to others by: napari-semiconv solve")
