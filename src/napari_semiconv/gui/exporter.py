"""Save a finished result in the formats of other programs."""

from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import numpy as np

from ..io.cells.ctc.folder import CtcWriter
from ..io.cells.labels_tiff import LabelsTiffWriter
from ..movie import Movie
from ..project.runs.store import RunStore
from ..workspace import Workspace, free_folder
from .background import Background

Steps = Generator[tuple[int, int], None, Path]


class Exporter:
    """Writes the result that the workspace shows to another format, in a thread.

    Parameters
    ----------
    workspace
        What the panel shows.
    background
        Runs the writing.
    """

    def __init__(self, workspace: Workspace, background: Background) -> None:
        self._workspace = workspace
        self._background = background
        self._writers: dict[str, Callable[[Path, Movie, Path], Steps]] = {
            "ctc": save_ctc,
            "tiff": save_tiff,
        }

    def save(self, kind: str, target: Path) -> None:
        """Save the result as ``ctc`` or ``tiff``."""
        workspace = self._workspace
        if workspace.result is None or workspace.movie is None:
            return
        workspace.begin("saving", f"Saving to {target.name} ...")
        save = self._writers[kind]
        self._background.run_steps(
            partial(save, workspace.result, workspace.movie, target),
            self._on_step,
            self._on_done,
            workspace.fail,
        )

    def close(self) -> None:
        """Stop saving; nothing half-written is left."""
        self._background.cancel()

    def _on_step(self, step: tuple[int, int]) -> None:
        self._workspace.done, self._workspace.total = step

    def _on_done(self, target: Path) -> None:
        self._workspace.end(f"Saved to {target}.")


def save_ctc(result: Path, movie: Movie, parent: Path) -> Steps:
    """Write masks and table into a new folder ``NAME_RES``, frame by frame.

    Parameters
    ----------
    result
        The result folder.
    movie
        What it belongs to.
    parent
        Folder in which the new one is made.
    """
    target = free_folder(parent, movie.name, "_RES")
    source = RunStore.open(result)
    digits = max(3, len(str(len(source.done) - 1)))
    with CtcWriter(target, digits) as writer:
        for count, frame in enumerate(source.done, 1):
            writer.write(frame, np.asarray(source.labels[frame]), source.lineage)
            yield count, len(source.done)
    return target


def save_tiff(result: Path, movie: Movie, target: Path) -> Steps:
    """Write the labels as one TIFF, with the tracks beside it, frame by frame.

    Parameters
    ----------
    result
        The result folder.
    movie
        What it belongs to; pixel size and frame interval are written too.
    target
        The file.
    """
    source = RunStore.open(result)
    with LabelsTiffWriter(target, movie, len(source.done)) as writer:
        for count, frame in enumerate(source.done, 1):
            writer.write(frame, np.asarray(source.labels[frame]), source.lineage)
            yield count, len(source.done)
    return target
