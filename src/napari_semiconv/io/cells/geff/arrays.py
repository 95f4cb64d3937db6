"""Read the arrays of a GEFF: ids, links and one property after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from ....errors import BadInputError
from ....guard import brief, check_size
from ...movies.zarr_store import DAMAGED, open_guarded
from ..cell_graph import MOST_CELLS, Numbers

KEY = "geff"
MOST_CHUNKS = 4096


def is_geff(path: Path) -> bool:
    """Tell whether a folder is a GEFF, or holds one; never fails."""
    try:
        return bool(_geffs_in(path))
    except (BadInputError, *DAMAGED):
        return False


@dataclass(frozen=True)
class GeffGroup:
    """A GEFF that is open.

    Parameters
    ----------
    folder
        Where it is.
    group
        The zarr group.
    facts
        What it says of itself.
    """

    folder: Path
    group: zarr.Group
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.folder.name

    def fault(self, what: str) -> BadInputError:
        """Make the error of a file that breaks a rule."""
        return BadInputError(
            f"{self.folder} is no GEFF that can be read: {what}. Write it anew with "
            f"the program that made it."
        )

    def has(self, name: str) -> bool:
        """Tell whether there is a property of the cells of that name."""
        return self._holds(f"nodes/props/{name}/values")

    def ids(self) -> NDArray[Any]:
        """Read the ids of the cells, (N,), in the order of all properties."""
        ids = self._array("nodes/ids", (None,), "iu")
        ordered = np.sort(ids)
        for twice in ordered[1:][ordered[1:] == ordered[:-1]][:1]:
            count = np.count_nonzero(ids == twice)
            raise self.fault(f"node {twice} is there {count} times")
        return ids

    def links(self, ids: NDArray[Any]) -> Numbers:
        """Read the places of both cells of each link, (links, 2)."""
        links = self._array("edges/ids", (None, 2), "iu").astype(np.int64)
        order = np.argsort(ids.astype(np.int64), kind="stable")
        ordered = ids.astype(np.int64)[order]
        places = np.searchsorted(ordered, links)
        known = places < len(ordered)
        known[known] = ordered[places[known]] == links[known]
        if not known.all():
            raise self.fault(f"a link leads to node {links[~known][0]}, which is none")
        found: Numbers = order[places]
        return found

    def column(self, name: str, count: int, kinds: str) -> NDArray[Any]:
        """Read a property, (N,), that every cell has.

        Parameters
        ----------
        name
            Its name.
        count
            Number of cells.
        kinds
            Letters of the types it may have: b, i, u, f.
        """
        values = self._array(f"nodes/props/{name}/values", (count,), kinds)
        if self._holds(f"nodes/props/{name}/missing"):
            missing = self._array(f"nodes/props/{name}/missing", (count,), "biu")
            if missing.any():
                raise self.fault(f"'{brief(name)}' is missing for some of its cells")
        return values

    def _holds(self, path: str) -> bool:
        try:
            return path in self.group
        except (BadInputError, *DAMAGED):
            return False

    def _array(
        self, path: str, shape: tuple[int | None, ...], kinds: str
    ) -> NDArray[Any]:
        try:
            array = self.group.get(path)
            if not isinstance(array, zarr.Array):
                raise self.fault(f"it has no {brief(path)}")
            self._check(path, array, shape, kinds)
            return np.asarray(array[...])
        except BadInputError:
            raise
        except DAMAGED as error:
            raise self.fault(f"{brief(path)} is damaged ({brief(error)})") from error

    def _check(
        self,
        path: str,
        array: "zarr.Array[Any]",
        shape: tuple[int | None, ...],
        kinds: str,
    ) -> None:
        fits = len(shape) == array.ndim and all(
            want in (None, found)
            for want, found in zip(shape, array.shape, strict=True)
        )
        if not fits or np.dtype(array.dtype).kind not in kinds:
            wanted = " x ".join("any" if n is None else str(n) for n in shape)
            raise self.fault(
                f"expected {wanted} numbers in {brief(path)}, found "
                f"{' x '.join(map(str, array.shape))} of type {array.dtype}"
            )
        if array.shape[0] > MOST_CELLS:
            raise self.fault(
                f"expected at most {MOST_CELLS} numbers in {brief(path)}, found "
                f"{array.shape[0]}"
            )
        check_size(self.name, "chunks", array.chunks, array.dtype.itemsize)
        if ceil(array.shape[0] / max(array.chunks[0], 1)) > MOST_CHUNKS:
            raise self.fault(f"{brief(path)} lies in too many chunks")


def open_geff(source: Path) -> GeffGroup:
    """Open a GEFF.

    Parameters
    ----------
    source
        The GEFF, or a folder that holds a single one.

    Raises
    ------
    BadInputError
        When there is none, or more than one.
    """
    try:
        found = _geffs_in(source)
    except DAMAGED as error:
        raise BadInputError(
            f"{source} cannot be read as GEFF ({brief(error)}). Copy it again, or "
            f"write it anew with the program that made it."
        ) from error
    if not found:
        raise BadInputError(
            f"{source.name}: expected a GEFF ('{KEY}' in its metadata), found none. "
            f"Choose the folder that holds 'nodes' and 'edges'."
        )
    if len(found) > 1:
        names = ", ".join(sorted(each.folder.name for each in found))
        raise BadInputError(
            f"{source.name}: expected one GEFF, found {len(found)} ({brief(names)}). "
            f"Choose the folder of one of them."
        )
    return found[0]


def _geffs_in(folder: Path) -> list[GeffGroup]:
    """Open a GEFF, or all that lie in a folder."""
    here = _geff_at(folder)
    if here is not None:
        return [here]
    below = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    return [found for path in below if (found := _geff_at(path)) is not None]


def _geff_at(folder: Path) -> GeffGroup | None:
    if not any((folder / name).is_file() for name in ("zarr.json", ".zattrs")):
        return None
    group = open_guarded(folder)
    facts = group.attrs.asdict().get(KEY)
    if not isinstance(group, zarr.Group) or not isinstance(facts, Mapping):
        return None
    return GeffGroup(folder, group, facts)
