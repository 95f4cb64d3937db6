"""What is damaged of all that the runs of a project wrote."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import BadInputError
from ...io.movies.zarr_store import DAMAGED
from ..project import Project
from .evidence import evidence_file, read_evidence
from .info import info_of
from .store import RunStore


def faults_of_runs(project: Project) -> Iterator[str]:
    """Go through all that is wrong with the runs of a project; reads every frame.

    Parameters
    ----------
    project
        The project.

    Yields
    ------
    str
        A sentence.
    """
    for facts in project.info.runs:
        folder = project.folder / facts.folder
        # A run may have stopped before its folder was there.
        if info_of(folder).is_file():
            yield from _faults_of_run(folder)


def _faults_of_run(folder: Path) -> Iterator[str]:
    try:
        run = RunStore.open(folder)
    except BadInputError as error:
        yield str(error)
        return
    for frame in run.done:
        try:
            np.asarray(run.labels[frame])
        except DAMAGED:
            yield f"Run {folder.name}: the masks of frame {frame} are damaged."
        there = evidence_file(folder, frame).exists()
        if there and read_evidence(folder, frame) is None:
            yield f"Run {folder.name}: the evidence on frame {frame} is damaged."
