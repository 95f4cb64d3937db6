"""Cell Tracking Challenge folders: masks of each frame, read late, and their table."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....errors import BadInputError, UnreadableFrameError
from ....guard import brief, read_text, sizes
from ....labels import Labels, as_labels, labels_in
from ....safe import write_text_safely
from ...movies.tiff import read_tiff

RESULT_MASK = re.compile(r"mask(\d+)\.tif", re.IGNORECASE)
TRUTH_MASK = re.compile(r"man_track(\d+)\.tif", re.IGNORECASE)
OUTLINE = re.compile(r"man_seg_?(\d+)\.tif", re.IGNORECASE)
RESULT_TABLE = "res_track.txt"
TRUTH_TABLE = "man_track.txt"
Table = NDArray[np.int64]


@dataclass(frozen=True)
class MaskFiles(Mapping[int, Labels]):
    """Label images of frames, each read when asked for.

    Parameters
    ----------
    paths
        File of each frame that has one, ascending by frame.
    """

    paths: Mapping[int, Path]

    def __getitem__(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame.

        Raises
        ------
        UnreadableFrameError
            When the file is damaged or holds no labels.
        """
        path = self.paths[frame]
        try:
            source = read_tiff(path, taken="T").source
            if source.axes != "YX" or source.dtype.kind not in "bui":
                raise OSError(
                    f"expected whole numbers in 2D, found {source.dtype} with axes "
                    f"{source.axes}"
                )
            return as_labels(source.plane({}), path.name)
        except (OSError, BadInputError) as error:
            raise UnreadableFrameError(
                f"The masks of frame {frame} in {path.name} cannot be read: "
                f"{str(error).rstrip('.')}. Restore the file.",
                frame,
            ) from error

    def __iter__(self) -> Iterator[int]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


class CtcFolder(NamedTuple):
    """Tracked masks: a result, or the tracking truth of a movie.

    Parameters
    ----------
    masks
        Labels, (Y, X), of every frame from 0.
    table
        Rows of label, first frame, last frame, parent or 0, (N, 4).
    """

    masks: MaskFiles
    table: Table

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.masks)

    def labels(self, frame: int) -> Labels:
        """Read the labels, (Y, X), of a frame."""
        return self.masks[frame]


class Truth(NamedTuple):
    """What is known of a movie.

    Parameters
    ----------
    tracks
        Markers or masks of every frame and their table; None when not tracked.
    outlines
        Outlined cells of the frames that have them, with labels of their own.
    """

    tracks: CtcFolder | None
    outlines: MaskFiles


def read_ctc(folder: str | Path) -> CtcFolder:
    """Read a result (``mask*.tif``) or tracking truth (``man_track*.tif``) lazily.

    Parameters
    ----------
    folder
        ``01_RES`` or ``01_GT/TRA``, whatever their names.

    Raises
    ------
    BadInputError
        When masks or table are missing or break a rule of the format.
    """
    folder = Path(folder)
    for pattern, table in ((RESULT_MASK, RESULT_TABLE), (TRUTH_MASK, TRUTH_TABLE)):
        paths = numbered_masks(folder, pattern)
        if paths or (folder / table).is_file():
            return _read(folder, paths, folder / table)
    raise BadInputError(
        f"{folder}: expected mask000.tif ... and {RESULT_TABLE}, or man_track000.tif "
        f"... and {TRUTH_TABLE}, found neither. Choose a folder that holds one of them."
    )


def find_truth(path: str | Path, silver: bool = False) -> Truth:
    """Find the truth of a movie.

    Parameters
    ----------
    path
        ``01_GT``, ``01_GT/TRA``, ``01_GT/SEG``, ``01_ST`` or the movie folder ``01``.
    silver
        Take the outlines of ``01_ST``, made by computers, for all frames they cover.

    Raises
    ------
    BadInputError
        When there is neither tracking truth nor outlines, or they break a rule.
    """
    folder = Path(path).resolve()
    if folder.name in ("TRA", "SEG"):
        folder = folder.parent
    movie = re.sub(r"_(GT|ST)$", "", folder.name)
    gold = folder if (folder / "TRA").is_dir() else folder.with_name(f"{movie}_GT")
    outlined = folder.with_name(f"{movie}_ST") if silver else gold
    if silver and not (outlined / "SEG").is_dir():
        raise BadInputError(
            f"{outlined}: expected silver truth in SEG, found none. Compare with the "
            f"gold truth instead."
        )
    tracks = read_ctc(gold / "TRA") if (gold / "TRA").is_dir() else None
    outlines = MaskFiles(numbered_masks(outlined / "SEG", OUTLINE))
    if tracks is None and not outlines:
        raise BadInputError(
            f"{path}: expected the truth of a movie in {gold.name}/TRA or "
            f"{gold.name}/SEG, found neither. Choose a folder such as 01_GT."
        )
    return Truth(tracks, outlines)


def check_masks(folder: CtcFolder, name: str = "the result") -> None:
    """Read every frame and compare its labels with the table.

    Parameters
    ----------
    folder
        What was read.
    name
        What the user calls it.

    Raises
    ------
    BadInputError
        At the first label that is in the masks or in the table alone, or the first
        mask that differs in size.
    """
    shape = None
    for frame in folder.masks:
        masks = folder.masks[frame]
        shape = shape or masks.shape
        if masks.shape != shape:
            raise BadInputError(
                f"{name}: expected masks of one size, found {sizes(shape)} in frame 0 "
                f"and {sizes(masks.shape)} in frame {frame}. Save them alike."
            )
        found = set(labels_in(masks))
        begin, end = folder.table[:, 1], folder.table[:, 2]
        alive = (begin <= frame) & (frame <= end)
        expected = set(folder.table[alive, 0].tolist())
        if found != expected:
            label = min(found ^ expected)
            where, other = ("masks", "table") if label in found else ("table", "masks")
            raise BadInputError(
                f"{name}: cell {label} of frame {frame} is in the {where} but not in "
                f"the {other}. Write the result anew."
            )


def _read(folder: Path, paths: dict[int, Path], table: Path) -> CtcFolder:
    if not table.is_file():
        raise BadInputError(
            f"{folder}: expected the table of tracks {table.name}, found none. Restore "
            f"it, or choose the folder that holds it."
        )
    if not paths:
        raise BadInputError(
            f"{folder}: expected the masks of each frame beside {table.name}, found "
            f"none. Restore them, or choose the folder that holds them."
        )
    missing = next((n for n in range(max(paths)) if n not in paths), None)
    if missing is not None:
        raise BadInputError(
            f"{folder}: expected masks of all frames from 0 to {max(paths)}, found "
            f"none of frame {missing}. Restore the file."
        )
    rows = read_table(table)
    late = rows[rows[:, 2] >= len(paths)]
    if len(late):
        raise BadInputError(
            f"{table}: expected frames up to {len(paths) - 1}, as many as there are "
            f"masks, found track {late[0, 0]} ending in frame {late[0, 2]}. "
            f"Restore the masks."
        )
    return CtcFolder(MaskFiles(paths), rows)


def numbered_masks(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    """Find the file of each frame, ascending, by the number in its name."""
    if not folder.is_dir():
        return {}
    found = [(pattern.fullmatch(path.name), path) for path in folder.iterdir()]
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def read_table(path: Path) -> Table:
    """Read a table of tracks and check it against the rules of the format.

    Parameters
    ----------
    path
        ``res_track.txt`` or ``man_track.txt``.

    Returns
    -------
    Table
        Rows of label, first frame, last frame, parent or 0, (N, 4).

    Raises
    ------
    BadInputError
        When a row is malformed or breaks a rule.
    """
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 4 or not all(re.fullmatch(r"-?\d{1,9}", f) for f in fields):
            raise BadInputError(
                f"{path}: expected four whole numbers in line {number} (label, first "
                f"frame, last frame, parent), found '{brief(line)}'. Correct the line."
            )
        rows.append([int(field) for field in fields])
    table = np.array(rows, np.int64).reshape(-1, 4)
    for rule in _broken_rules(table):
        raise BadInputError(f"{path}: {rule}. Correct the table.")
    return table


def write_table(path: Path, table: Table) -> None:
    """Write rows of label, first frame, last frame, parent, (N, 4)."""
    rows = [" ".join(str(number) for number in row) for row in table.tolist()]
    write_text_safely(path, "".join(f"{row}\n" for row in rows))


def _broken_rules(table: Table) -> Iterator[str]:
    ends: dict[int, int] = {}
    for label, begin, end, _ in table.tolist():
        if label < 1:
            yield f"expected labels from 1, found {label}"
        if label in ends:
            yield f"expected each track once, found {label} twice"
        if not 0 <= begin <= end:
            yield (
                f"expected track {label} to begin at frame 0 or later and not after it "
                f"ends, found frames {begin} to {end}"
            )
        ends[label] = end
    for label, begin, _, parent in table.tolist():
        if parent and parent not in ends:
            yield f"expected {parent}, parent of track {label}, found no such track"
        elif parent and ends[parent] >= begin:
            yield (
                f"expected track {parent} to end before its daughter {label} begins in "
                f"frame {begin}, found that it ends in frame {ends[parent]}"
            )
