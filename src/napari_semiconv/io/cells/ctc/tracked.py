"""Tracked movies to and from Cell Tracking Challenge folders."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tifffile import imwrite

from ....errors import BadInputError, SaveError
from ....labels import Labels, labels_in, relabelled
from ....tracking.lineage import Lineage, Track
from ..staging import new_target
from ..tracked import TrackedMovie
from .folder import (
    RESULT_MASK,
    RESULT_TABLE,
    TRUTH_MASK,
    TRUTH_TABLE,
    Table,
    check_masks,
    numbered_masks,
    read_ctc,
    write_table,
)

# Masks are stored with 16 bits.
MOST_LABELS = 65_535


def is_ctc(path: Path) -> bool:
    """Tell whether a folder holds a result or tracking truth of the challenge."""
    return any(
        (folder / table).is_file() or numbered_masks(folder, mask)
        for folder in (path, path / "TRA")
        for mask, table in ((RESULT_MASK, RESULT_TABLE), (TRUTH_MASK, TRUTH_TABLE))
    )


class PiecewiseTracks:
    """Tracks cut into pieces that the table of the Cell Tracking Challenge can hold.

    The table knows no gaps, and no parent that lives on when its daughters begin: at
    both a track goes on under a new label, with its earlier piece as parent. Labels
    count from 1 in the order in which pieces begin.

    Parameters
    ----------
    tracked
        Masks and tracks.

    Attributes
    ----------
    frames
        Number of frames.
    table
        Rows of label, first frame, last frame, parent or 0, (N, 4), by label.
    """

    def __init__(self, tracked: TrackedMovie) -> None:
        self._tracked = tracked
        self.frames = len(tracked)
        tracks = tracked.lineage.tracks
        pieces = _pieces(tracked.lineage)
        self._labels = np.array([label for _, label, _ in pieces], np.int64)
        rows = []
        # Number and last frame of the pieces of each track, in time.
        known: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, (begin, label, end) in enumerate(pieces, 1):
            before = known[label] or known[tracks[label].parent]
            parent = next((n for n, last in reversed(before) if last < begin), 0)
            rows.append((number, begin, end, parent))
            known[label].append((number, end))
        self.table: Table = np.array(rows, np.int64).reshape(-1, 4)

    def labels(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame, renumbered by piece.

        Raises
        ------
        BadInputError
            When its masks and the tracks do not agree.
        """
        alive = (self.table[:, 1] <= frame) & (frame <= self.table[:, 2])
        numbers, labels = self.table[alive, 0].tolist(), self._labels[alive].tolist()
        names = dict(zip(labels, numbers, strict=True))
        pixels = self._tracked.read(frame)
        if other := sorted({*labels_in(pixels)} ^ names.keys()):
            raise BadInputError(
                f"{self._tracked.name}: cell {other[0]} of frame {frame} is in the "
                f"masks or in the tracks alone. Restore it from a copy, or write it "
                f"anew."
            )
        return relabelled(pixels, names, others_stay=False)


def _pieces(lineage: Lineage) -> list[tuple[int, int, int]]:
    """Cut tracks at gaps and births of daughters: first frame, label, last frame."""
    births: dict[int, set[int]] = defaultdict(set)
    for track in lineage.tracks.values():
        births[track.parent].add(track.begin)
    pieces = []
    for label, track in lineage.tracks.items():
        for begin, end in track.intervals:
            cuts = sorted(birth for birth in births[label] if begin < birth <= end)
            firsts, nexts = [begin, *cuts], [*cuts, end + 1]
            pieces += [(a, label, b - 1) for a, b in zip(firsts, nexts, strict=True)]
    return sorted(pieces)


def write_ctc(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write masks of all frames and the table of tracks into a new folder.

    Tracks are cut at their gaps and where a mother outlives the birth of a daughter,
    and numbered anew from 1; see `PiecewiseTracks`.

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
    BadInputError
        When a frame cannot be read, or masks and tracks do not agree.
    """
    pieces = PiecewiseTracks(tracked)
    if len(pieces.table) > MOST_LABELS:
        raise SaveError(
            f"The Cell Tracking Challenge format holds at most {MOST_LABELS} tracks, "
            f"found {len(pieces.table)}. Save the labels as TIFF, or fewer frames."
        )
    # Files are sorted by name.
    digits = max(3, len(str(pieces.frames)))
    with new_target(target) as draft:
        draft.mkdir()
        for frame in range(pieces.frames):
            masks = pieces.labels(frame).astype(np.uint16)
            path = draft / f"mask{frame:0{digits}d}.tif"
            imwrite(path, masks, compression="zlib", metadata=None)
            if progress is not None:
                progress(frame + 1, pieces.frames)
        write_table(draft / RESULT_TABLE, pieces.table)


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
