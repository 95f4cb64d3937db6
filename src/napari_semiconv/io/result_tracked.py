"""Tracked movies from result folders of the plugin."""

from pathlib import Path

import numpy as np

from ..errors import BadInputError, UnreadableFrameError
from ..labels import Labels, as_labels
from ..tracking.invariants import faults_of_lineage
from ..tracking.lineage import Lineage
from .guard import brief
from .observing import lineage_of_labels
from .results import INFO, Result, ResultStore
from .run_labels import Labels as LabelArray
from .tracked import TrackedMovie
from .zarr_store import DAMAGED


def is_old_result(folder: Path) -> bool:
    """Tell whether a folder holds a result of the first releases."""
    return (folder / INFO).is_file()


def read_tracked_result(source: Path) -> TrackedMovie:
    """Read a result folder, also one of a run that was stopped; frames lazily.

    Every frame that was computed is looked at once, for which labels are in it. Of a
    run that was stopped or broke off, frames may be there that its tracks do not know
    yet: what has pixels is taken as it is.

    Parameters
    ----------
    source
        The folder ``NAME.semiconv``.

    Raises
    ------
    BadInputError
        When it is damaged, or its tracks do not agree with its labels.
    """
    found = ResultStore.open(source)
    facts = found.info.movie
    frames, height, width = found.labels.shape

    def read(frame: int) -> Labels:
        return _read(found.labels, source, frame)

    parents = {t.label: t.parent for t in found.lineage.tracks.values()}
    lineage = lineage_of_labels(read, found.done, parents)
    _check(source, found, lineage, frames)
    return TrackedMovie(
        facts.name,
        (frames, height, width),
        read,
        lineage,
        facts.pixel_size,
        facts.frame_interval,
    )


def _check(source: Path, found: Result, lineage: Lineage, frames: int) -> None:
    if found.info.state == "finished" and lineage != found.lineage:
        known = found.lineage.tracks
        labels = known.keys() ^ lineage.tracks.keys() or {
            label for label in known if known[label] != lineage.tracks[label]
        }
        raise BadInputError(
            f"{source}: expected cell {min(labels)} in the frames that the tracks "
            f"tell, found other frames in the labels. Restore the folder, or segment "
            f"the movie again."
        )
    for fault in faults_of_lineage(lineage, frames):
        raise BadInputError(f"{source}: {fault} Segment the movie again.")


def _read(labels: LabelArray, source: Path, frame: int) -> Labels:
    what = f"{source.name}, frame {frame}"
    try:
        return as_labels(np.asarray(labels[frame]), what)
    except DAMAGED as error:
        raise UnreadableFrameError(
            f"{what} cannot be read ({brief(error)}). Restore the folder, or segment "
            f"the movie again.",
            frame,
        ) from error
