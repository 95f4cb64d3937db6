"""Tracked movies to and from Cell Tracking Challenge folders."""

from collections.abc import Callable
from pathlib import Path

from ....tracking.lineage import Lineage, Track
from ..staging import new_target
from ..tracked import TrackedMovie
from .folder import CtcWriter, check_masks, read_ctc
from .masks import RESULT_MASK, TRUTH_MASK, numbered_masks
from .table import RESULT_TABLE, TRUTH_TABLE, Table


def is_ctc(path: Path) -> bool:
    """Tell whether a folder holds a result or tracking truth of the challenge."""
    return any(
        (folder / table).is_file() or numbered_masks(folder, mask)
        for folder in (path, path / "TRA")
        for mask, table in ((RESULT_MASK, RESULT_TABLE), (TRUTH_MASK, TRUTH_TABLE))
    )


def write_ctc(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write masks of all frames and the table of tracks into a new folder.

    Tracks are cut at their gaps and where a mother outlives the birth of a daughter,
    and numbered anew from 1; see `CtcWriter`.

    Parameters
    ----------
    tracked
        What to write.
    target
        The folder, such as ``01_RES``; it may not exist.
    progress
        Told the number of frames done and of all.

    Raises
    ------
    SaveError
        When the folder exists, more than 65,535 labels are needed or the disk fails.
    """
    count = tracked.shape[0]
    with new_target(target) as draft:
        writer = CtcWriter(draft, digits=len(str(count)))
        for frame in range(count):
            writer.write(frame, tracked.read(frame), tracked.lineage)
            if progress is not None:
                progress(frame + 1, count)
        writer.close()


def read_tracked_ctc(source: Path) -> TrackedMovie:
    """Read a result or tracking truth of the Cell Tracking Challenge; frames lazily.

    Every mask is looked at once: each label must be in exactly the frames that the
    table says.

    Parameters
    ----------
    source
        A folder such as ``01_RES``, ``01_GT/TRA`` or ``01_GT``.

    Returns
    -------
    TrackedMovie
        Pixel size and frame interval are unknown: the format does not hold them.

    Raises
    ------
    BadInputError
        When files are missing, damaged or differ in size, the table breaks a rule of
        the format, or masks and table do not agree.
    """
    folder = source / "TRA" if (source / "TRA").is_dir() else source
    found = read_ctc(folder)
    check_masks(found, str(folder))
    height, width = found.labels(0).shape
    # Truth lies in 01_GT/TRA: the folder above tells more.
    name = folder.resolve().parent.name if folder.name == "TRA" else folder.name
    shape = (len(found.masks), height, width)
    return TrackedMovie(name, shape, found.labels, lineage_of_table(found.table))


def lineage_of_table(table: Table) -> Lineage:
    """Make a lineage of rows of label, first frame, last frame, parent, (N, 4)."""
    return Lineage(
        Track(label, ((begin, end),), parent)
        for label, begin, end, parent in table.tolist()
    )
