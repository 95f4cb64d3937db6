"""Cell Tracking Challenge folders: masks of each frame and a table of tracks."""

import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from tifffile import imread, imwrite

from ....errors import BadInputError, SaveError
from ....labels import Labels, labels_in, relabelled
from ....safe import draft_of, saving
from ....tracking.lineage import Lineage
from ...guard import sizes
from .masks import OUTLINE, RESULT_MASK, TRUTH_MASK, MaskFiles, numbered_masks
from .pieces import Pieces, Repaint
from .table import RESULT_TABLE, TRUTH_TABLE, Table, read_table, write_table


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


class CtcWriter:
    """Writes masks frame by frame, and the table of tracks when closed.

    Frames are gathered in a hidden folder inside ``folder`` and moved to their place
    when closed, so that an earlier result stays as it is until the new one is complete.
    Left by an error, a ``with`` block keeps the frames done so far as a result, unless
    there is an earlier result to keep or the disk failed.

    Parameters
    ----------
    folder
        Where the result will lie; it may hold an earlier result, but no other TIFF.
    digits
        Least digits of a frame number; files are sorted by name, so 1000 frames need 4.

    Raises
    ------
    SaveError
        When the folder holds other images or cannot be written.
    """

    def __init__(self, folder: str | Path, digits: int = 3) -> None:
        self.folder = Path(folder)
        self._digits = max(3, digits)
        self._draft = self.folder / ".part"
        self._pieces = Pieces()
        self._lineage = Lineage()
        self._first = 0
        self._done = 0
        self._shape: tuple[int, ...] | None = None
        self._closed = False
        with saving(self.folder):
            _refuse_other_images(self.folder)
            self._is_new = not self.folder.exists()
            # What a run that was killed has left.
            shutil.rmtree(self._draft, ignore_errors=True)
            self._draft.mkdir(parents=True)

    def write(self, frame: int, labels: NDArray[Any], lineage: Lineage) -> None:
        """Write one frame.

        Parameters
        ----------
        frame
            Index in the movie; the first one written becomes frame 0 of the result, and
            each is the next after the last.
        labels
            Track labels, (Y, X), 0 is background.
        lineage
            Tracks and parents as known so far.

        Raises
        ------
        SaveError
            When the disk is full, labels run out, or the frame is not the next.
        """
        self._check(frame, labels)
        number = frame - self._first
        given = self._pieces.number(number, labels_in(labels), lineage)
        masks = relabelled(labels, given, others_stay=False)
        self._save(number, masks.astype(np.uint16))
        self._lineage = lineage
        self._done += 1

    def close(self) -> None:
        """Write the table and move the result to its place; without frames, leave none.

        Raises
        ------
        SaveError
            When that fails; an earlier result is as it was.
        """
        if self._closed:
            return
        if not self._done:
            self.discard()
            return
        self._closed = True
        table, repaints = self._pieces.close(self._lineage)
        try:
            for repaint in repaints:
                self._repaint(repaint)
            write_table(self._draft / RESULT_TABLE, table)
            with saving(self.folder):
                _swap(self._draft, self.folder)
        except SaveError:
            self._clear()
            raise

    def discard(self) -> None:
        """Take away what was written; an earlier result is as it was."""
        self._closed = True
        self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        keeps_earlier = (self.folder / RESULT_TABLE).is_file()
        if kind is not None and (keeps_earlier or issubclass(kind, SaveError)):
            self.discard()
        else:
            self.close()

    def _check(self, frame: int, labels: NDArray[Any]) -> None:
        if not self._done:
            self._first, self._shape = frame, labels.shape
        if frame != self._first + self._done or labels.shape != self._shape:
            raise SaveError(
                f"{self.folder}: expected frame {self._first + self._done} of shape "
                f"{self._shape}, found frame {frame} of shape {labels.shape}. Write "
                f"all frames of one movie in order."
            )
        whole = labels.ndim == 2 and labels.dtype.kind in "ui"
        if not whole or labels.min(initial=0) < 0:
            raise SaveError(
                f"{self.folder}: expected labels, whole numbers from 0 in 2D, found "
                f"{labels.dtype} of shape {labels.shape}. Save label images only."
            )

    def _path(self, number: int) -> Path:
        return self._draft / f"mask{number:0{self._digits}d}.tif"

    def _save(self, number: int, masks: NDArray[np.uint16]) -> None:
        path = self._path(number)
        draft = draft_of(path)
        with saving(self.folder):
            try:
                imwrite(draft, masks, compression="zlib", metadata=None)
                draft.replace(path)
            except OSError:
                draft.unlink(missing_ok=True)
                raise

    def _repaint(self, repaint: Repaint) -> None:
        for number in range(repaint.begin, repaint.end + 1):
            masks = imread(self._path(number))
            masks[masks == repaint.old] = repaint.new
            self._save(number, masks)

    def _clear(self) -> None:
        with saving(self.folder):
            shutil.rmtree(self._draft)
            if self._is_new:
                self.folder.rmdir()


def _is_result(path: Path) -> bool:
    return bool(RESULT_MASK.fullmatch(path.name)) or path.name == RESULT_TABLE


def _refuse_other_images(folder: Path) -> None:
    found = sorted(folder.iterdir()) if folder.exists() else []
    other = [p.name for p in found if p.suffix == ".tif" and not _is_result(p)]
    if other:
        raise SaveError(
            f"{folder}: expected a new folder or one with an earlier result, found "
            f"other images such as {other[0]}, which would count as frames. Choose "
            f"another folder."
        )


def _swap(draft: Path, folder: Path) -> None:
    """Put a new result in the place of an earlier one, or leave all as it was."""
    earlier = folder / ".old"
    if earlier.is_symlink():
        earlier.unlink()
    earlier.mkdir(exist_ok=True)
    moved: list[tuple[Path, Path]] = []
    # The table last: masks without it are no result that could be mistaken for one.
    old = sorted((p for p in folder.iterdir() if _is_result(p)), reverse=True)
    new = sorted(p for p in draft.iterdir())
    try:
        for path, home in [*((p, earlier) for p in old), *((p, folder) for p in new)]:
            path.rename(home / path.name)
            moved.append((path, home / path.name))
    except OSError:
        for path, place in reversed(moved):
            place.rename(path)
        earlier.rmdir()
        raise
    draft.rmdir()
    shutil.rmtree(earlier)
