"""Cells of a region joined or split until there are as many as the user counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import MCP

from ...errors import BadInputError, counted
from ...labels import Labels
from ..engines.regions import connected_components
from .grow import ConstrainedWindow
from .maps import Floats, Window
from .split import halve
from .union_find import UnionFind, contacts_of, join_atoms

Mask = NDArray[np.bool_]
Claims = list[int]
# What the logarithm of two cells' area over a usual cell's adds to the log-odds that
# they are one.
GROWTH = -1.7
# A cell is dropped rather than joined over a gap when it is so small, in usual cells.
CRUMB = 0.25
# Foreground that no cell has is a cell that was missed from so much of a usual cell's
# area and, for the radius, of its diameter; and this probability.
MISSED_AREA, MISSED_RADIUS, MISSED_CHANCE = 0.25, 0.15, 0.3


@dataclass(eq=False)
class Plot:
    """The box of a region, with what is needed to count its cells.

    Parameters
    ----------
    scene
        The window it lies in.
    cells
        Cells of the box, (Y, X); changed in place.
    links
        Which claims share a cell.
    inside
        Pixels of the region that a cell may have, (Y, X).
    seeds
        Number, from 1, of the claims that share a cell, (Y, X), 0 elsewhere.
    still
        Settled cells, (Y, X).
    window
        Rows and columns of the frame.
    """

    scene: ConstrainedWindow
    cells: Labels
    links: UnionFind
    inside: Mask
    seeds: Labels
    still: Mask
    window: Window

    def __post_init__(self) -> None:
        everything = self.inside
        self.segments, self.odds = self.scene.maps.segments(self.window, everything)
        self.codes: Floats = self.scene.maps.codes(self.window)
        self.usual = np.pi / 4 * self.scene.maps.cell_size**2
        self.last = int(self.scene.cells.max(initial=0)) + 2 * len(self.scene.claims)
        self.last = max(self.last, int(self.cells.max(initial=0))) + 2

    def found(self) -> tuple[list[int], NDArray[np.int64]]:
        """Cells of the region, and the area of each, px."""
        labels, areas = np.unique(
            self.cells[self.inside & (self.cells > 0)], return_counts=True
        )
        return labels.tolist(), areas

    def is_met(self, wanted: int) -> bool:
        """Whether there are as many cells as wanted, each connected."""
        loose = np.where(self.inside & ~self.still, self.cells, 0)
        pieces = len(connected_components(loose)[1])
        return len(np.unique(loose[loose > 0])) == pieces and (
            len(self.found()[0]) == wanted
        )

    def disconnect(self) -> None:
        """Give each connected part of a cell a number of its own."""
        loose = np.where(self.inside & ~self.still, self.cells, 0)
        pieces, owners = connected_components(loose)
        self.cells[loose > 0] = pieces[loose > 0] + self.last
        self.last += len(owners)

    def fresh(self) -> int:
        """Give a number that no cell has."""
        self.last += 1
        return self.last

    def claims(self, cell: int) -> Claims:
        """Claims on pixels of a cell."""
        own = np.unique(self.seeds[(self.cells == cell) & (self.seeds > 0)])
        return [int(seed) - 1 for seed in own]

    def may_join(self, one: int, other: int) -> bool:
        """Whether nothing forbids that two cells are one."""
        both = (self.cells == one) | (self.cells == other)
        if (self.still & both).any():
            return False
        return self.links.may_link([*self.claims(one), *self.claims(other)])


def balance(
    scene: ConstrainedWindow, cells: Labels, links: UnionFind, inside: Mask, wanted: int
) -> None:
    """Join or part the cells of a region until there are as many as wanted.

    Parameters
    ----------
    scene
        The window of the frame.
    cells
        Cells of the window, (Y, X), each within the region or outside; changed.
    links
        Which claims share a cell, whatever cells were found.
    inside
        The region, (Y, X).
    wanted
        How many cells, at least 1.

    Raises
    ------
    BadInputError
        When other constraints forbid it.
    """
    plot = _plot(scene, cells, links, inside)
    if not plot.is_met(wanted):
        plot.disconnect()
    number = len(plot.found()[0])
    while number != wanted:
        if not (_one_less(plot) if number > wanted else _one_more(plot)):
            raise BadInputError(
                f"A region in which exactly {counted(wanted, 'cell')} should lie: "
                f"expected that many with all other constraints on it, found "
                f"{number} that cannot be joined or split. Give another number, or "
                f"take another correction back."
            )
        number = len(plot.found()[0])


def _plot(
    scene: ConstrainedWindow, cells: Labels, links: UnionFind, inside: Mask
) -> Plot:
    place = ndimage.find_objects(inside.astype(np.int32))[0]
    rows, columns = (
        slice(part.start + at.start, part.start + at.stop)
        for part, at in zip(scene.window, place, strict=True)
    )
    roots = np.append(links.roots + 1, 0)
    roots[len(scene.claims)] = 0
    return Plot(
        scene,
        cells[place],
        links,
        inside[place] & ~scene.closed[place],
        roots[scene.trees[place] - 1].astype(np.int32),
        scene.still[place],
        (rows, columns),
    )


def _one_less(plot: Plot) -> bool:
    """Join two cells, or drop one; False when neither may be."""
    labels, areas = plot.found()
    area = dict(zip(labels, areas.tolist(), strict=True))
    place = np.searchsorted(labels, plot.cells) + 1
    dense = np.where(plot.inside & (plot.cells > 0), place, 0)
    contacts = contacts_of(dense.astype(np.int32), plot.segments, plot.odds)
    pairs = [(labels[a - 1], labels[b - 1]) for a, b in contacts.pairs.tolist()]
    # Of two likely pairs the one that gives a cell of usual size.
    growth = [np.log((area[a] + area[b]) / plot.usual) for a, b in pairs]
    likely = contacts.odds + GROWTH * np.array(growth)
    for row in np.argsort(-likely, kind="stable").tolist():
        one, other = pairs[row]
        if plot.may_join(one, other):
            plot.cells[plot.cells == other] = one
            return True
    idle = [n for n in labels if not plot.claims(n) and not _is_still(plot, n)]
    least = min(idle, key=area.__getitem__, default=0)
    if least and area[least] < CRUMB * plot.usual:
        plot.cells[plot.cells == least] = 0
        return True
    if _bridge(plot, sorted(labels, key=area.__getitem__)):
        return True
    if least:
        plot.cells[plot.cells == least] = 0
    return bool(least)


def _is_still(plot: Plot, cell: int) -> bool:
    return bool(plot.still[plot.cells == cell].any())


def _bridge(plot: Plot, labels: list[int]) -> bool:
    """Join a cell with another one over background, the smallest one first."""
    free = plot.inside & (plot.cells == 0)
    for place, one in enumerate(labels):
        others = [n for n in labels[place + 1 :] if plot.may_join(one, n)]
        if not others:
            continue
        goal = np.isin(plot.cells, others)
        start = plot.cells == one
        search = MCP(np.where(free | goal | start, 1.0, -1.0), fully_connected=False)
        far, _ = search.find_costs(np.argwhere(start))
        far[~goal] = np.inf
        if not np.isfinite(far.min()):
            continue
        end = np.unravel_index(int(far.argmin()), far.shape)
        way = tuple(np.array(search.traceback(end)).T)
        other = plot.cells[end]
        plot.cells[way[0], way[1]] = np.where(
            plot.cells[way] == 0, one, plot.cells[way]
        )
        plot.cells[plot.cells == other] = one
        return True
    return False


def _one_more(plot: Plot) -> bool:
    """Find a missed cell, or part one; False when there is no room."""
    labels, areas = plot.found()
    if _missed(plot, surely=bool(labels)):
        return True
    choices = [split for n in labels if (split := _split(plot, n)) is not None]
    if choices:
        _, parts = min(choices, key=lambda choice: choice[0])
        _paint(plot, parts)
        return True
    for row in np.argsort(-areas, kind="stable").tolist():
        cell = labels[row]
        mask = plot.cells == cell
        if _is_still(plot, cell):
            continue
        halves = halve(mask, plot.seeds, plot.codes, plot.scene.maps.cell_size)
        if halves is not None:
            _paint(plot, halves)
            return True
    return _missed(plot, surely=False)


def _missed(plot: Plot, *, surely: bool) -> bool:
    """Make a cell of foreground that none has, if need be of any free pixels."""
    free = plot.inside & (plot.cells == 0) & (plot.seeds == 0)
    if not free.any():
        return False
    bright = plot.scene.maps.foreground(plot.window)
    size = plot.scene.maps.cell_size
    if bright is not None:
        top = float(bright[free].max())
        shown = free & (bright >= 0.6 * min(top, 0.8))
        if surely:
            shown &= bright >= MISSED_CHANCE
        free = shown
    pieces, count = ndimage.label(free)
    if not count:
        return False
    areas = np.bincount(pieces.ravel())[1:]
    best = pieces == int(areas.argmax()) + 1
    if surely:
        radius = ndimage.distance_transform_edt(np.pad(best, 1)).max()
        if bright is None or radius < MISSED_RADIUS * size:
            return False
        if areas.max() < MISSED_AREA * plot.usual:
            return False
    plot.cells[best] = plot.fresh()
    return True


def _split(plot: Plot, cell: int) -> tuple[float, Labels] | None:
    """Part a cell between the two groups of its segments that are least likely one.

    Returns
    -------
    tuple
        Log-odds that both are one cell, and the parts, (Y, X); None when it has no
        two such parts.
    """
    mask = plot.cells == cell
    if _is_still(plot, cell):
        return None
    atoms, _ = connected_components(np.where(mask, plot.segments, 0).astype(np.int32))
    count = int(atoms.max(initial=0))
    if count < 2:
        return None
    contacts = contacts_of(atoms.astype(np.int32), plot.segments, plot.odds)
    claims = _claims_of(atoms, plot.seeds)
    # Segments of one claim stay together, whatever the votes say.
    forced = [len(claims[a] & claims[b]) > 0 for a, b in contacts.pairs.tolist()]
    odds = np.where(forced, np.inf, contacts.odds)
    contacts = type(contacts)(contacts.pairs, odds)
    roots = join_atoms(count, contacts, lambda *_: True, lambda *_: None, 2)
    groups = sorted({*roots[1:]})
    lookup = np.searchsorted([0, *groups], roots)
    parts = np.where(mask, lookup[atoms], 0).astype(np.int32)
    areas = np.bincount(parts[mask])[1:]
    shared = set.intersection(
        *({*np.unique(plot.seeds[parts == n]).tolist()} - {0} for n in (1, 2))
    )
    if len(groups) != 2 or shared or areas.min() < CRUMB * areas.max():
        return None
    border = contacts_of(parts, plot.segments, plot.odds).odds
    return (float(border.mean()) if len(border) else 0.0), parts


def _claims_of(atoms: NDArray[np.int64], seeds: Labels) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in range(int(atoms.max()) + 1)]
    pairs = np.stack([atoms, seeds], -1)[seeds > 0]
    for atom, seed in np.unique(pairs, axis=0).tolist():
        found[atom].add(seed)
    return found


def _paint(plot: Plot, parts: Labels) -> None:
    """Give all parts but the first numbers of their own."""
    for part in np.unique(parts[parts > 0]).tolist()[1:]:
        plot.cells[parts == part] = plot.fresh()
