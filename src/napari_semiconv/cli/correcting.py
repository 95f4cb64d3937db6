"""`napari-semiconv correct`: a word on the cells of a frame, worked into a project."""

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..compute.messages import Resolved
from ..compute.resolving import resolve_in_project, run_of
from ..compute.supervisor import Supervisor
from ..errors import BadSettingsError
from ..inference.constraints.model import Constraints, Count
from ..io.images import open_movie
from ..labels import areas_in
from ..project.correcting import region_around
from ..project.project import Project
from .progress import StopRequest, tell, tell_if_watched

Labels = NDArray[np.int32]
Pixels = Sequence[tuple[int, int]]


def correct(arguments: argparse.Namespace) -> None:
    """Say something of the cells of a frame, and tell which cells come of it.

    Raises
    ------
    KeyboardInterrupt
        When the user stopped it; the project is as it was.
    SemiconvError
        When it cannot be done; the project is as it was.
    """
    _check(arguments)
    named = None if arguments.movie is None else open_movie(arguments.movie)
    frame = arguments.frame
    with Project.open(arguments.project, movie=named) as project:
        for note in project.notes:
            tell(note)
        run_of(project, frame)
        before = project.document.labels(frame)
        word = _word(arguments, before)
        with Supervisor() as supervisor, StopRequest() as stop:
            steps = resolve_in_project(
                project, frame, word, supervisor=supervisor, stop=lambda: stop.came
            )
            done = [step for step in steps if isinstance(step, Resolved)]
        if not done or done[-1].cancelled:
            raise KeyboardInterrupt
        tell_if_watched(f"Solved again in {done[-1].seconds:.2f} s")
        _tell_cells(before, project.document.labels(frame), _pixels(arguments))


def _check(arguments: argparse.Namespace) -> None:
    for option in ("together", "apart"):
        pixels = getattr(arguments, option)
        if pixels is not None and len({*pixels}) < 2:
            raise BadSettingsError(
                f"--{option}: expected two pixels or more, found one. Name another."
            )
    if (arguments.count is None) != (arguments.at is None):
        raise BadSettingsError(
            "--count and --at: expected both or neither, found one. Say how many "
            "cells there are, and a pixel of one of them."
        )


def _word(arguments: argparse.Namespace, labels: Labels) -> Constraints:
    shape = (labels.shape[0], labels.shape[1])
    if arguments.count is not None:
        region = region_around(labels, *arguments.at)
        return Constraints(shape, counts=[Count(region, arguments.count)])
    if arguments.none is not None:
        return Constraints(shape, absent=np.array(arguments.none, np.int64))
    if arguments.together is not None:
        return Constraints(shape, joined=[np.array(arguments.together, np.int64)])
    return Constraints(shape, parted=[np.array(arguments.apart, np.int64)])


def _pixels(arguments: argparse.Namespace) -> Pixels:
    """Pixels that the user named."""
    pixels: Pixels = arguments.together or arguments.apart or arguments.none
    return pixels or [arguments.at]


def _tell_cells(before: Labels, after: Labels, pixels: Pixels) -> None:
    """Tell the cells that changed or were spoken of, one a line."""
    old, new = (
        dict(zip(*(part.tolist() for part in areas_in(labels)), strict=True))
        for labels in (before, after)
    )
    changed = before != after
    told = {*np.unique(before[changed]).tolist(), *np.unique(after[changed]).tolist()}
    touched = told - {0}
    told |= {int(after[place]) for place in pixels}
    for label in sorted(told - {0}):
        if label not in new:
            print(f"cell {label}: gone")
        elif label not in touched:
            print(f"cell {label}: {new[label]} px, as it was")
        elif label not in old:
            print(f"cell {label}: {new[label]} px, new")
        else:
            print(f"cell {label}: {new[label]} px, was {old[label]} px")
    if not told - {0}:
        print("No cell is there, and none was; none will be found there.")
    if set(new) - set(old):
        tell("New cells are linked to others by: napari-semiconv solve")
