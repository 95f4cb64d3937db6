"""The user's constraints on the cells of a project's frames, as a run takes them.

Whoever computes gets them as a file, since that is done in a process of its own.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edits.document import Document
from ..errors import BadInputError
from ..guard import read_arrays
from ..inference.constraints.model import Constraints, Count
from ..labels import labels_in
from ..safe import replacing, saving

Rows = NDArray[np.int64]
# Bytes of all constraints of a run: where each confirmed pixel lies, and whose it is.
MOST_BYTES = 2**34
# Tables that a file holds. The first column of each is the frame; then follow:
COLUMNS = {
    "fixed": 3,  # place in the frame, label
    "gone": 2,  # place
    "absent": 3,  # row, column
    "empty": 2,  # place
    "must_link": 4,  # number of the group, row, column
    "cannot_link": 4,  # number of the group, row, column
    "counts": 4,  # number of the region, cells, place
}


def constraints_of(document: Document, frame: int) -> Constraints:
    """Gather the constraints on a frame.

    Confirmed cells are fixed. Cells that were taken away are gone, and marked places
    have none, as far as no confirmed cell lies there.

    Parameters
    ----------
    document
        Masks and tracks as they are now.
    frame
        Index of the frame.
    """
    height, width = document.shape[1:]
    # Masks and tracks of the same moment: the user may be correcting them.
    with document.guard:
        numbers, named = document.masks.read(frame), document.names(frame)
        shown, hidden = named.show(numbers), named.hidden()
        tracks = document.lineage.tracks
        confirmed = [n for n in labels_in(shown) if tracks[n].is_confirmed(frame)]
        absent = [(y, x) for t, y, x in sorted(document.absences) if t == frame]
    fixed = np.where(np.isin(shown, confirmed), shown, 0).astype(np.int32)
    gone = np.isin(numbers, hidden) & (fixed == 0) if hidden else None
    free = [place for place in absent if not fixed[place]]
    return Constraints(
        (height, width),
        fixed=fixed if confirmed else None,
        absent=np.array(free, np.int64).reshape(-1, 2),
        gone=gone,
    )


class StoredConstraints(Mapping[int, Constraints]):
    """Constraints on some frames, each made when it is asked for.

    Parameters
    ----------
    shape
        Height and width of the frames, px.
    tables
        Rows of each table of a file, by its name, ordered by frame.
    """

    def __init__(self, shape: tuple[int, int], tables: Mapping[str, Rows]) -> None:
        self._shape, self._tables = shape, tables
        frames = np.concatenate([rows[:, 0] for rows in tables.values()])
        self._frames: list[int] = np.unique(frames).tolist()

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[int]:
        return iter(self._frames)

    def __getitem__(self, frame: int) -> Constraints:
        if frame not in self._frames:
            raise KeyError(frame)
        rows = {name: self._of(name, frame) for name in COLUMNS}
        labels = np.zeros(self._shape, np.int32)
        labels.ravel()[rows["fixed"][:, 0]] = rows["fixed"][:, 1]
        return Constraints(
            self._shape,
            must_link=[group[:, 1:] for group in _groups(rows["must_link"])],
            cannot_link=[group[:, 1:] for group in _groups(rows["cannot_link"])],
            fixed=labels,
            empty=self._mask(rows["empty"][:, 0]),
            absent=rows["absent"],
            gone=self._mask(rows["gone"][:, 0]),
            counts=[
                Count(self._mask(region[:, 2]), int(region[0, 1]))
                for region in _groups(rows["counts"])
            ],
        )

    def _of(self, name: str, frame: int) -> Rows:
        rows = self._tables[name]
        first, last = np.searchsorted(rows[:, 0], [frame, frame + 1])
        return rows[first:last, 1:]

    def _mask(self, places: Rows) -> NDArray[np.bool_]:
        mask = np.zeros(self._shape, bool)
        mask.ravel()[places] = True
        return mask


def _groups(rows: Rows) -> list[Rows]:
    """Part rows by their first column, which ascends."""
    return np.split(rows, np.flatnonzero(np.diff(rows[:, 0])) + 1) if len(rows) else []


def write_constraints_of(path: Path, document: Document, frames: Iterable[int]) -> bool:
    """Write the constraints on some frames; return whether there are any.

    Parameters
    ----------
    path
        File to write or replace, whole or not at all.
    document
        Masks and tracks as they are now.
    frames
        Which, ascending.

    Raises
    ------
    SaveError
        When it could not be written.
    """
    chosen = constrained(document, frames)
    found = ((frame, constraints_of(document, frame)) for frame in chosen)
    return write_constraints(path, found)


def write_constraints(
    path: Path, found: Iterable[tuple[int, Constraints]], *, packed: bool = True
) -> bool:
    """Write constraints on some frames; return whether there are any.

    Parameters
    ----------
    path
        File to write or replace, whole or not at all.
    found
        Frame and the constraints on it, ascending.
    packed
        Whether the file is to be small, which takes most of the time.

    Raises
    ------
    SaveError
        When it could not be written.
    """
    parts: dict[str, list[Rows]] = {name: [] for name in COLUMNS}
    shape = None
    for frame, constraints in found:
        shape = constraints.shape
        for name, rows in _tables_of(constraints).items():
            parts[name].append(np.insert(rows, 0, frame, axis=1))
    if shape is None:
        return False
    tables: dict[str, Any] = {n: np.concatenate(rows) for n, rows in parts.items()}
    stream = io.BytesIO()
    save = np.savez_compressed if packed else np.savez
    save(stream, shape=np.array(shape), **tables)
    with saving(path):
        path.parent.mkdir(exist_ok=True)
    with replacing(path, sync=False) as file:
        file.write(stream.getbuffer())
    return True


def _tables_of(constraints: Constraints) -> dict[str, Rows]:
    """Rows of all tables, without the frame."""
    fixed = np.flatnonzero(constraints.confirmed)
    regions = [np.flatnonzero(count.mask) for count in constraints.counts]
    numbers = np.array([(n, count.cells) for n, count in enumerate(constraints.counts)])
    sizes = np.array([len(region) for region in regions], np.int64)
    heads = np.repeat(numbers.reshape(-1, 2), sizes, axis=0)
    rows = {
        "fixed": np.stack([fixed, constraints.confirmed.ravel()[fixed]], 1),
        "gone": np.flatnonzero(constraints.gone)
        if constraints.gone is not None
        else (),
        "absent": constraints.absent,
        "empty": np.flatnonzero(constraints.empty)
        if constraints.empty is not None
        else (),
        "must_link": [
            (n, y, x) for n, g in enumerate(constraints.must_link) for y, x in g
        ],
        "cannot_link": [
            (n, y, x) for n, g in enumerate(constraints.cannot_link) for y, x in g
        ],
        "counts": np.column_stack([heads, np.concatenate([*regions, fixed[:0]])]),
    }
    return {
        name: np.asarray(some, np.int64).reshape(-1, COLUMNS[name] - 1)
        for name, some in rows.items()
    }


def constrained(document: Document, frames: Iterable[int]) -> Iterator[int]:
    """Give those of some frames that have constraints, in the same order."""
    with document.guard:
        marked = {frame for frame, _, _ in document.absences}
        for track in document.lineage.tracks.values():
            for first, last in track.confirmed:
                marked |= {*range(first, last + 1)}
        for frame in document.named_frames():
            if document.names(frame).hidden():
                marked.add(frame)
    return (frame for frame in frames if frame in marked)


class LiveConstraints(Mapping[int, Constraints]):
    """Constraints in a file that may be written anew while they are asked for.

    Parameters
    ----------
    path
        What `write_constraints_of` writes; without it there are none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._known: Mapping[int, Constraints] = {}

    def __len__(self) -> int:
        return len(self._now())

    def __iter__(self) -> Iterator[int]:
        return iter(self._now())

    def __getitem__(self, frame: int) -> Constraints:
        return self._now()[frame]

    def _now(self) -> Mapping[int, Constraints]:
        try:
            facts = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._known = None, {}
            return self._known
        stamp = facts.st_mtime_ns, facts.st_ino
        if stamp != self._stamp:
            self._known, self._stamp = read_constraints(self._path), stamp
        return self._known


def read_constraints(path: Path) -> StoredConstraints:
    """Read what `write_constraints_of` or `write_constraints` wrote.

    Raises
    ------
    BadInputError
        When the file is missing or damaged.
    """
    try:
        file = read_arrays(path, MOST_BYTES)
        height, width = file["shape"].tolist()
        tables = {name: file[name] for name in COLUMNS}
        return StoredConstraints((height, width), tables)
    except (BadInputError, ValueError, LookupError, TypeError) as error:
        raise BadInputError(
            f"{path}: expected the constraints on cells of a project, found nothing "
            f"that can be read ({type(error).__name__}). Start again."
        ) from error
