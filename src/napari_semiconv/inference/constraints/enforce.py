"""Enforce constraints on the labels of any engine, changing as little as can be.

The work is done in pixels of the movie, in a window around what does not hold yet:

1. confirmed masks are painted and places without cells cleared;
2. the pixels that one cell has are connected by ways that other cells leave free;
3. cells with pixels of two cells are split into the segments that the network's votes
   fall into, and these are joined again, the surest pair first, as far as nothing
   forbids it; a segment that two cells claim is split by votes, embedding and shape;
4. where a number of cells is given, cells are joined or split until it is met.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...errors import BadInputError
from ...labels import Labels, areas_of, numbers_in
from ..engines.regions import connected_components
from .check import Violation, cells_in_gone, violations
from .contested import split_contested
from .counts import balance
from .grow import ConstrainedWindow, grow_from_clicks
from .maps import Maps, Window
from .model import Claim, Constraints, is_among
from .union_find import UnionFind

Mask = NDArray[np.bool_]
# Cell diameters around what does not hold: tried one after the other.
REACHES = (1.0, 4.0, np.inf)
# What is left of a cell that was cut stays when it has this share of it, or this share
# of a usual cell's area and, for the radius, of its diameter.
HALF, LEAST_AREA, LEAST_RADIUS = 0.5, 0.15, 0.15


def enforce(labels: Labels, constraints: Constraints, maps: Maps) -> Labels:
    """Make the cells of a frame hold all constraints.

    Parameters
    ----------
    labels
        Cells that any engine found, (Y, X), in pixels of the movie.
    constraints
        The user's constraints on the frame.
    maps
        Output of the network for it.

    Returns
    -------
    Labels
        Cells, (Y, X). Those that did not change keep their numbers; the labels
        themselves when all holds already.

    Raises
    ------
    BadInputError
        When not all constraints can hold together.
    """
    window, found = enforce_within(labels, constraints, maps)
    if not found.size:
        return labels
    whole = labels.copy()
    whole[window] = found
    return whole


def enforce_within(
    labels: Labels, constraints: Constraints, maps: Maps
) -> tuple[Window, Labels]:
    """Make the cells of a frame hold all constraints, and tell where they change.

    Parameters
    ----------
    labels
        Cells, (Y, X), in pixels of the movie.
    constraints
        The user's constraints on the frame.
    maps
        Output of the network for it.

    Returns
    -------
    tuple
        Rows and columns outside of which nothing changes, and the cells there; both
        empty when all holds already.

    Raises
    ------
    BadInputError
        When not all constraints can hold together.
    """
    if labels.shape != constraints.shape:
        raise BadInputError(
            f"Labels of a frame: expected the shape {constraints.shape} that the "
            f"constraints are for, found {labels.shape}. Use those of this movie."
        )
    constraints.check()
    todo = violations(labels, constraints)
    if not todo:
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.int32)
    for reach in REACHES:
        window = around(labels, constraints, todo, reach * maps.cell_size)
        whole = [part.stop - part.start for part in window] == list(labels.shape)
        try:
            return window, _enforced_in(labels, constraints, maps, window)
        except BadInputError:
            if whole:
                raise
    raise AssertionError("the last window is the whole frame")


def around(
    labels: Labels, constraints: Constraints, todo: list[Violation], reach: float
) -> Window:
    """Find the window that holds what is not met, the cells there, and what is near.

    Parameters
    ----------
    labels
        Cells, (Y, X).
    constraints
        The user's constraints on the frame.
    todo
        What is not met.
    reach
        Width of the surroundings, px.
    """
    places = np.concatenate([one.pixels for one in todo])
    shape = np.array(labels.shape)
    if not np.isfinite(reach):
        return slice(0, int(shape[0])), slice(0, int(shape[1]))
    touched = np.zeros(labels.shape, bool)
    touched[tuple(places.T)] = True
    if constraints.counts:
        for number in numbers_in(constraints.regions[touched]).tolist():
            touched |= constraints.counts[number - 1].mask
    touched |= is_among(labels, numbers_in(labels[touched]))
    low, high = [], []
    for axis in (1, 0):
        there = np.flatnonzero(touched.any(axis))
        low.append(int(there[0]))
        high.append(int(there[-1]) + 1)
    margin = int(np.ceil(reach))
    rows, columns = (
        slice(max(0, a - margin), min(int(n), b + margin))
        for a, b, n in zip(low, high, shape, strict=True)
    )
    return rows, columns


def _enforced_in(
    labels: Labels, constraints: Constraints, maps: Maps, window: Window
) -> Labels:
    """Cells of a window that hold all constraints.

    Raises
    ------
    BadInputError
        When these cannot be found within the window.
    """
    scene = _scene(labels, constraints, maps, window)
    grow_from_clicks(scene)
    hard = scene.links.copy()
    cells = _owned(scene)
    for number, count in enumerate(constraints.counts, 1):
        inside = scene.regions == number
        if count.cells and inside.any():
            balance(scene, cells, hard, inside, count.cells)
    whole = labels.copy()
    whole[window] = cells
    for label in cells_in_gone(whole, constraints):
        cells[cells == label] = 0
    before = labels[window]
    cells = _renumbered(cells, before, int(labels.max(initial=0)))
    whole[window] = cells
    left = violations(whole, constraints)
    if left:
        y, x = left[0].pixels[0].tolist()
        raise BadInputError(
            f"The constraints on the cells around (y {y}, x {x}) cannot hold together: "
            f"{left[0].what}. Take one of them back."
        )
    return cells


def _scene(
    labels: Labels, constraints: Constraints, maps: Maps, window: Window
) -> ConstrainedWindow:
    """Cut out a window, paint confirmed masks and clear places without cells."""
    crop = labels[window]
    present = numbers_in(crop)
    partly = present[areas_of(crop, present) < areas_of(labels, present)]
    still = is_among(crop, partly)
    regions = constraints.regions[window]
    cut = _cut_regions(constraints, regions)
    still |= is_among(crop, numbers_in(crop[cut]))
    shut = constraints.closed[window].copy()
    absent = _absent(constraints, window)
    confirmed = np.where(still, 0, constraints.confirmed[window])
    rows = [n for n, c in enumerate(constraints.claims) if _is_free(c, window, still)]
    corner = np.array([part.start for part in window])
    claims = [constraints.claims[n].pixels - corner for n in rows]
    named = np.zeros(crop.shape, bool)
    for claim in claims:
        named[tuple(claim.T)] = True
    erased = shut & ~absent & ~still
    split = np.where(cut, 0, regions)
    cells = _cut(crop, confirmed, erased, split, named, maps.cell_size)
    nothing = len(rows)
    apart = np.zeros((nothing + 1, nothing + 1), bool)
    apart[:-1, :-1] = constraints.apart[np.ix_(rows, rows)]
    apart[-1, :-1] = apart[:-1, -1] = True
    still |= confirmed > 0
    return ConstrainedWindow(
        window,
        maps,
        cells,
        still,
        shut | cut,
        regions,
        claims,
        UnionFind(apart),
        absent,
    )


def _cut_regions(constraints: Constraints, regions: Labels) -> Mask:
    """Pixels of regions with a count that the window cuts, (Y, X)."""
    count = len(constraints.counts) + 1
    here = np.bincount(regions.ravel(), minlength=count)
    whole = [0, *(int(count.mask.sum()) for count in constraints.counts)]
    cut: Mask = (here < np.array(whole))[regions]
    return cut


def _absent(constraints: Constraints, window: Window) -> Mask:
    absent = np.zeros(constraints.shape, bool)
    absent[tuple(constraints.absent.T)] = True
    if constraints.empty is not None:
        absent &= ~constraints.empty
    return absent[window]


def _is_free(claim: Claim, window: Window, still: Mask) -> bool:
    """Whether a claim lies in the window and its cell may have other pixels."""
    if claim.fixed:
        return False
    low, high = claim.pixels.min(0), claim.pixels.max(0)
    inside = all(
        part.start <= a and b < part.stop
        for part, a, b in zip(window, low, high, strict=True)
    )
    corner = [part.start for part in window]
    return inside and not still[tuple((claim.pixels - corner).T)].any()


def _cut(
    crop: Labels,
    confirmed: Labels,
    erased: Mask,
    regions: Labels,
    named: Mask,
    size: float,
) -> Labels:
    """Paint confirmed masks, clear empty places and split cells along regions."""
    taken = (confirmed > 0) | erased
    kinds = crop.astype(np.int64) * (int(regions.max(initial=0)) + 1) + regions
    hurt = numbers_in(crop[taken])
    if regions.any():
        pairs = np.unique(kinds[(crop > 0) & ~taken]) // (int(regions.max()) + 1)
        hurt = np.union1d(hurt, pairs[:-1][pairs[1:] == pairs[:-1]])
    if not len(hurt):
        return _painted(crop, confirmed)
    first = int(crop.max(initial=0)) + 1
    rest = is_among(crop, hurt) & ~taken
    key = np.zeros(crop.shape, np.int32)
    key[rest] = np.unique(kinds[rest], return_inverse=True)[1].ravel() + 1
    pieces, _ = connected_components(key)
    kept = _worth(pieces, crop, named, size)
    cells = np.where(taken | (rest & ~kept[pieces]), 0, crop)
    cells = np.where(rest & kept[pieces], pieces + first, cells)
    return _painted(cells, confirmed)


def _painted(cells: Labels, confirmed: Labels) -> Labels:
    first = int(cells.max(initial=0))
    return np.where(confirmed > 0, confirmed + first, cells).astype(np.int32)


def _worth(
    pieces: NDArray[np.int64], crop: Labels, named: Mask, size: float
) -> NDArray[np.bool_]:
    """Which pieces of cut cells are more than crumbs, (n + 1,)."""
    count = int(pieces.max(initial=0)) + 1
    areas = np.bincount(pieces.ravel(), minlength=count)
    owner = np.zeros(count, np.int64)
    owner[pieces.ravel()] = crop.ravel()
    owner[0] = 0
    depth = ndimage.distance_transform_edt(np.pad(pieces > 0, 1, mode="edge"))
    radius = np.asarray(
        ndimage.maximum(depth[1:-1, 1:-1], pieces, np.arange(count)), float
    )
    solid = areas >= LEAST_AREA * np.pi / 4 * size**2
    solid &= radius >= LEAST_RADIUS * size
    worth: NDArray[np.bool_] = solid | (areas >= HALF * areas_of(crop, owner))
    worth[np.unique(pieces[named])] = True
    worth[0] = False
    return worth


def _owned(scene: ConstrainedWindow) -> Labels:
    """Give each pixel of the constrained cells to the claim that it belongs to.

    Returns
    -------
    Labels
        Cells, (Y, X); those without a constraint as they are.
    """
    trees, nothing = scene.trees, len(scene.claims) + 1
    trees[scene.absent & (scene.cells > 0) & ~scene.still] = nothing
    owner = trees.copy()
    constrained = (trees > 0) & (scene.cells > 0) & ~scene.still
    contested = []
    cells, areas = np.unique(scene.cells[constrained], return_counts=True)
    for cell in cells[np.argsort(-areas, kind="stable")].tolist():
        mask = scene.cells == cell
        claims = (np.unique(trees[mask & (trees > 0)]) - 1).tolist()
        if scene.links.may_link(claims):
            for claim in claims:
                scene.links.must_link(claims[0], claim)
            owner[mask & (trees == 0)] = claims[0] + 1
        else:
            contested.append(mask)
    for mask in contested:
        split_contested(scene, mask, owner)
    roots = np.append(scene.links.roots, -1)
    found = roots[owner - 1] + 1 + int(scene.cells.max(initial=0))
    found = np.where(roots[owner - 1] == scene.links.root(nothing - 1), 0, found)
    return np.where(owner > 0, found, scene.cells).astype(np.int32)


def _renumbered(cells: Labels, before: Labels, highest: int) -> Labels:
    """Give cells the number of the one before that they have most pixels of."""
    both = (cells > 0) & (before > 0)
    keys = cells[both].astype(np.int64) << 32 | before[both]
    pairs, overlap = np.unique(keys, return_counts=True)
    names: dict[int, int] = {}
    used: set[int] = set()
    for row in np.argsort(-overlap, kind="stable").tolist():
        new, old = divmod(int(pairs[row]), 1 << 32)
        if new not in names and old not in used:
            names[new] = old
            used.add(old)
    present, dense = np.unique(cells, return_inverse=True)
    lookup = np.zeros(len(present), np.int32)
    for place, cell in enumerate(present.tolist()):
        if cell and cell not in names:
            highest += 1
        lookup[place] = names.get(cell, highest) if cell else 0
    return lookup[dense].reshape(cells.shape)
