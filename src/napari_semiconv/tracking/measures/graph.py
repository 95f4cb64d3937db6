"""DET, TRA and LNK: what it costs to turn a result's graph into the true one.

P. Matula et al., "Cell tracking accuracy measurement based on comparison of acyclic
oriented graphs", PLOS ONE 10 (2015), doi 10.1371/journal.pone.0144959.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from .matching import FrameMatch, Table

Cell = tuple[int, int]  # frame, label
Edge = tuple[Cell, Cell]
EdgeKind = Literal["track", "parent"]

SPLIT, MISSED, EXTRA = 5.0, 10.0, 1.0
EXTRA_EDGE, MISSED_EDGE, WRONG_EDGE = 1.0, 1.5, 1.0


@dataclass(frozen=True)
class GraphOperations:
    """Counts of what must be mended in a result, and the size of the true graph.

    Parameters
    ----------
    splits
        Cells to split off from a found cell that covers several true ones.
    missed
        True cells to add.
    extra
        Found cells to delete.
    extra_edges
        Links to delete.
    missed_edges
        Links to add.
    wrong_edges
        Links to change from track to parent or back.
    cells
        Cells of the truth, all frames together.
    edges
        Links of the truth.
    """

    splits: int
    missed: int
    extra: int
    extra_edges: int
    missed_edges: int
    wrong_edges: int
    cells: int
    edges: int

    @property
    def cell_cost(self) -> float:
        """Weighted sum of the operations on cells."""
        return SPLIT * self.splits + MISSED * self.missed + EXTRA * self.extra

    @property
    def edge_cost(self) -> float:
        """Weighted sum of the operations on links."""
        return (
            EXTRA_EDGE * self.extra_edges
            + MISSED_EDGE * self.missed_edges
            + WRONG_EDGE * self.wrong_edges
        )

    @property
    def det(self) -> float | None:
        """Detection: 1 is perfect, 0 no better than an empty result."""
        return _saved(self.cell_cost, MISSED * self.cells)

    @property
    def lnk(self) -> float | None:
        """Linking: 1 is perfect, 0 no better than an empty result."""
        return _saved(self.edge_cost, MISSED_EDGE * self.edges)

    @property
    def tra(self) -> float | None:
        """Tracking: detection and linking together."""
        from_nothing = MISSED * self.cells + MISSED_EDGE * self.edges
        return _saved(self.cell_cost + self.edge_cost, from_nothing)


def count_operations(
    matches: Sequence[FrameMatch], result: Table, truth: Table
) -> GraphOperations:
    """Count the operations that turn a result's graph into the true one.

    Parameters
    ----------
    matches
        Cells of each frame, matched.
    result
        Tracks found, (N, 4): label, first frame, last frame, parent.
    truth
        True tracks, (M, 4).
    """
    found = [len(set(match.partner.values())) for match in matches]
    hits = [len(match.partner) for match in matches]
    cells = sum(len(match.truth) for match in matches)
    wanted = dict(_edges([match.truth for match in matches], truth))
    given = dict(_mapped_edges(matches, result))
    common = wanted.keys() & given.keys()
    return GraphOperations(
        splits=sum(hits) - sum(found),
        missed=cells - sum(hits),
        extra=sum(len(match.result) for match in matches) - sum(found),
        extra_edges=len(given) - len(common),
        missed_edges=len(wanted) - len(common),
        wrong_edges=sum(wanted[edge] != given[edge] for edge in common),
        cells=cells,
        edges=len(wanted),
    )


def _edges(
    cells: Sequence[tuple[int, ...]], table: Table
) -> Iterator[tuple[Edge, EdgeKind]]:
    """List links within tracks and from parents to daughters."""
    for frame, (now, after) in enumerate(pairwise(cells)):
        for label in set(now) & set(after):
            yield ((frame, label), (frame + 1, label)), "track"
    ends = {label: end for label, _, end, _ in table.tolist()}
    for label, begin, _, parent in table.tolist():
        if parent:
            yield ((ends[parent], parent), (begin, label)), "parent"


def _mapped_edges(
    matches: Sequence[FrameMatch], result: Table
) -> Iterator[tuple[Edge, EdgeKind]]:
    """List the result's links between cells that stand for one true cell each."""
    true_of = [{found: true for true, found in m.sole.items()} for m in matches]
    for ((t0, a), (t1, b)), kind in _edges([m.result for m in matches], result):
        if a in true_of[t0] and b in true_of[t1]:
            yield ((t0, true_of[t0][a]), (t1, true_of[t1][b])), kind


def _saved(cost: float, from_nothing: float) -> float | None:
    return 1 - min(cost, from_nothing) / from_nothing if from_nothing else None
