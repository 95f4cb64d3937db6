"""Cells as nodes and links as edges: how most programs write tracks, and back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...errors import BadInputError
from ...labels import LARGEST_LABEL
from ...tracking.lineage import Lineage, Track

Numbers = NDArray[np.int64]
NO_CELL = -1
# So many are read at most: with all that is made of them they fit into a gigabyte.
MOST_CELLS = 2**22


@dataclass(frozen=True)
class CellGraph:
    """Every cell of every frame, and the cell that each came from.

    Parameters
    ----------
    frames
        Frame of each cell, (N,), ascending.
    labels
        Its label, (N,), ascending within a frame.
    origins
        Place of the cell it came from, (N,); `NO_CELL` when there is none.
    """

    frames: Numbers
    labels: Numbers
    origins: Numbers
    _ends: Numbers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        last = int(self.frames[-1]) if len(self.frames) else -1
        ends = np.searchsorted(self.frames, np.arange(last + 2))
        object.__setattr__(self, "_ends", ends)

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.frames)

    def places(self, frame: int) -> slice:
        """Places of the cells of a frame."""
        if frame + 1 >= len(self._ends):
            return slice(len(self), len(self))
        return slice(int(self._ends[frame]), int(self._ends[frame + 1]))

    def links(self) -> Numbers:
        """Places of earlier and later cell of each link, (links, 2)."""
        later = np.flatnonzero(self.origins != NO_CELL)
        return np.stack([self.origins[later], later], 1)

    def branches(self) -> Numbers:
        """Give the number, from 1, of the unbranched path of each cell, (N,).

        Such a path is as long as can be: it ends where there is no daughter or more
        than one, so it may hold several tracks.
        """
        links = self.links()
        daughters = np.bincount(links[:, 0], minlength=len(self))
        return self._components(links[daughters[links[:, 0]] == 1])

    def families(self) -> Numbers:
        """Give the number, from 1, of the tree of descent of each cell, (N,)."""
        return self._components(self.links())

    def _components(self, links: Numbers) -> Numbers:
        size = len(self)
        joined = np.ones(len(links), np.int8)
        graph = coo_array((joined, (links[:, 0], links[:, 1])), shape=(size, size))
        if not size:
            return np.zeros(0, np.int64)
        found: Numbers = connected_components(graph, directed=False)[1] + np.int64(1)
        return found


def graph_of_lineage(lineage: Lineage) -> CellGraph:
    """Take tracks apart into cells and links; a link may skip frames.

    Parameters
    ----------
    lineage
        The tracks. The first cell of a daughter came from the last of its parent.
    """
    tracks = [track for _, track in sorted(lineage.tracks.items())]
    spans = [np.arange(a, b + 1) for track in tracks for a, b in track.intervals]
    frames = np.concatenate([np.zeros(0, np.int64), *spans])
    ends = np.cumsum([0, *(sum(b - a + 1 for a, b in t.intervals) for t in tracks)])
    labels = np.repeat(np.array([t.label for t in tracks], np.int64), np.diff(ends))
    origins = np.arange(-1, len(frames) - 1)
    last = {track.label: end - 1 for track, end in zip(tracks, ends[1:], strict=True)}
    origins[ends[:-1]] = [last.get(track.parent, NO_CELL) for track in tracks]
    return _ordered(frames, labels, origins)


def _ordered(frames: Numbers, labels: Numbers, origins: Numbers) -> CellGraph:
    order = np.lexsort((labels, frames))
    # One more place, the last, for the cell that is none.
    places = np.full(len(order) + 1, NO_CELL)
    places[order] = np.arange(len(order))
    return CellGraph(frames[order], labels[order], places[origins[order]])


def origins_of_links(
    frames: Numbers,
    links: Numbers,
    name: str,
    called: Callable[[int], str],
) -> Numbers:
    """Find where each cell came from; links are taken as they lie in time.

    Parameters
    ----------
    frames
        Frame of each cell, (N,).
    links
        Places of the two cells of each link, (links, 2).
    name
        What the user calls the file.
    called
        Says how the file calls the cell at a place.

    Returns
    -------
    array
        Place of the cell that each came from, (N,); `NO_CELL` when there is none.

    Raises
    ------
    BadInputError
        When a link joins cells of one frame, or a cell came from more than one.
    """
    backwards = frames[links[:, 0]] > frames[links[:, 1]]
    earlier = np.where(backwards, links[:, 1], links[:, 0])
    later = np.where(backwards, links[:, 0], links[:, 1])
    for place in np.flatnonzero(frames[earlier] == frames[later])[:1]:
        raise BadInputError(
            f"{name}: expected links from a frame to a later one, found one from "
            f"{called(earlier[place])} to {called(later[place])}, both of frame "
            f"{frames[earlier[place]]}. Remove that link in the program that wrote it."
        )
    _check_merges(earlier, later, name, called)
    origins = np.full(len(frames), NO_CELL, np.int64)
    origins[later] = earlier
    return origins


def _check_merges(
    earlier: Numbers, later: Numbers, name: str, called: Callable[[int], str]
) -> None:
    for merged in np.flatnonzero(np.bincount(later) > 1)[:1]:
        one, other, *_ = sorted(earlier[later == merged].tolist())
        if one == other:
            raise BadInputError(
                f"{name}: expected each link once, found the one from {called(one)} to "
                f"{called(merged)} again. Write the file anew."
            )
        raise BadInputError(
            f"{name}: expected at most one parent a cell, found two of "
            f"{called(merged)}: {called(one)} and {called(other)}. Merging cells are "
            f"not supported: remove one of the two links in the program that wrote it."
        )


def tracks_of_graph(
    frames: Numbers, origins: Numbers, *names: NDArray[Any]
) -> tuple[Numbers, Lineage]:
    """Gather cells into tracks.

    A track is all cells of one name, where these follow one another by links and only
    the last has daughters. Where no names do, a track is an unbranched path, and tracks
    are numbered from 1 in the order in which they begin.

    Parameters
    ----------
    frames
        Frame of each cell, (N,).
    origins
        Place of the cell that each came from, (N,).
    *names
        Whole numbers that may tell the tracks, (N,) each; the first that do are taken.

    Returns
    -------
    tuple
        Label of each cell, (N,), and the tracks.
    """
    for each in names:
        order = np.lexsort((frames, each))
        if _tell_tracks(each[order], order, origins):
            labels = each.astype(np.int64)
            return labels, _lineage(frames[order], labels[order], order, origins)
    by_frame = np.argsort(frames, kind="stable")
    places = np.full(len(frames) + 1, NO_CELL)
    places[by_frame] = np.arange(len(frames))
    inner = CellGraph(frames[by_frame], by_frame, places[origins[by_frame]])
    labels = np.empty(len(frames), np.int64)
    labels[by_frame] = _numbered_as_they_come(inner.branches())
    order = np.lexsort((frames, labels))
    return labels, _lineage(frames[order], labels[order], order, origins)


def _tell_tracks(labels: NDArray[Any], order: Numbers, origins: Numbers) -> bool:
    """Tell whether labels, sorted with time, hold paths that only their end leaves."""
    if not len(labels):
        return True
    if labels[0] < 1 or labels[-1] > LARGEST_LABEL:
        return False
    same = labels[1:] == labels[:-1]
    if np.any(origins[order[1:]][same] != order[:-1][same]):
        return False
    ends = np.zeros(len(labels) + 1, bool)
    ends[order[np.append(~same, True)]] = True
    begins = order[np.insert(~same, 0, True)]
    came_from = origins[begins]
    return bool(np.all(ends[came_from] | (came_from == NO_CELL)))


def _numbered_as_they_come(numbers: Numbers) -> Numbers:
    """Replace numbers by others, from 1, in the order of first appearance."""
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), np.int64)
    ranks[np.argsort(first)] = np.arange(1, len(first) + 1)
    renumbered: Numbers = ranks[inverse]
    return renumbered


def _lineage(
    frames: Numbers, labels: Numbers, order: Numbers, origins: Numbers
) -> Lineage:
    """Make tracks of cells sorted by label and frame; ``order`` holds their places."""
    if not len(labels):
        return Lineage()
    by_place = np.empty(len(order) + 1, np.int64)
    by_place[order] = labels
    by_place[NO_CELL] = 0
    starts = np.flatnonzero(np.diff(labels, prepend=0))
    breaks = np.flatnonzero(np.diff(frames, prepend=-2) != 1)
    edges = np.union1d(starts, breaks)
    firsts, lasts = frames[edges], frames[np.append(edges[1:], len(frames)) - 1]
    intervals = list(zip(firsts.tolist(), lasts.tolist(), strict=True))
    of_intervals = [*np.searchsorted(edges, starts).tolist(), len(intervals)]
    parents = by_place[origins[order[starts]]].tolist()
    return Lineage(
        Track(label, tuple(intervals[begin:end]), parent)
        for label, parent, (begin, end) in zip(
            labels[starts].tolist(), parents, pairwise(of_intervals), strict=True
        )
    )
