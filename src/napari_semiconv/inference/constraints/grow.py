"""Pixels that one cell has, connected by ways that other cells leave free."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import MCP

from ...errors import BadInputError
from ...labels import Labels
from .maps import Floats, Maps, Window
from .union_find import UnionFind

Mask = NDArray[np.bool_]
Pixels = NDArray[np.int64]
# Cost of a step through the cell itself, background without and with foreground, and
# another cell.
INSIDE, DARK, BRIGHT, OTHER = 1.0, 5.0, 1.5, 8.0
TANGLED = 50.0  # and a pixel that another cell may have
# In cell diameters: how far a click may miss its cell, the radius a new cell has at
# least and at most, and half of the width of a way over background.
MISSED, LEAST, MOST, HALF_WIDTH = 0.2, 0.2, 0.6, 0.06
# A new cell takes pixels of this share of the foreground where it was clicked.
SHARE = 0.6
FAINT = 0.15  # less than this probability of being in a cell is not counted
NEAR = 1.5  # cell diameters around some pixels in which their way is looked for first


@dataclass(eq=False)
class ConstrainedWindow:
    """The window of a frame in which cells are made to hold the constraints.

    Parameters
    ----------
    window
        Rows and columns of the frame.
    maps
        What the network predicts.
    cells
        Numbers, (Y, X), of the window; changed as the work goes on.
    still
        Pixels, (Y, X), of cells that stay as they are.
    closed
        Other pixels that no cell may take, (Y, X).
    regions
        Number of the region with a count, (Y, X), 0 elsewhere.
    claims
        Pixels that one cell has, each (N, 2), rows and columns of the window.
    links
        Which claims share a cell; one more than claims: the last is no cell.
    absent
        Points, (Y, X), of which what is found there is to go as a whole.
    """

    window: Window
    maps: Maps
    cells: Labels
    still: Mask
    closed: Mask
    regions: Labels
    claims: list[Pixels]
    links: UnionFind
    absent: Mask
    trees: Labels = field(init=False)

    def __post_init__(self) -> None:
        self.trees = np.zeros(self.cells.shape, np.int32)

    @property
    def blocked(self) -> Mask:
        """Pixels that no way may take, (Y, X)."""
        return self.still | self.closed

    def fresh(self) -> int:
        """Give a number that no cell of the window has."""
        return int(self.cells.max(initial=0)) + 1

    def foreground(self) -> Floats | None:
        """Probability of being in a cell, (Y, X)."""
        return self.maps.foreground(self.window)


def grow_from_clicks(scene: ConstrainedWindow) -> None:
    """Connect the pixels of each claim; ``scene.trees`` then has its number, from 1.

    Raises
    ------
    BadInputError
        When other cells leave no way between pixels that are one cell.
    """
    order = sorted(range(len(scene.claims)), key=lambda n: -len(scene.claims[n]))
    before, failed = scene.links, set[int]()
    while True:
        scene.links = before.copy()
        scene.trees[:] = 0
        bad = next((n for n in order if not _connect(scene, n)), None)
        if bad is None:
            break
        if bad in failed:
            y, x = scene.claims[bad][0] + [part.start for part in scene.window]
            raise BadInputError(
                f"The pixels of the cell at (y {y}, x {x}) should be one cell: "
                f"expected a way between them, found other cells all around. Take a "
                f"pixel or another cell's confirmation back."
            )
        # Who found no way chooses first.
        failed.add(bad)
        order = [bad, *(n for n in order if n != bad)]
    for number in range(len(scene.claims)):
        tree = _tree(scene, number)
        if not (scene.cells[tree] > 0).any() and not _reach(scene, number, tree):
            grow(scene, tree)
    _widen(scene)


def _tree(scene: ConstrainedWindow, number: int) -> Mask:
    """Pixels of a claim and of those tied to it, (Y, X)."""
    roots = np.append(scene.links.roots, -1)
    tree: Mask = roots[scene.trees - 1] == scene.links.root(number)
    return tree


def _connect(scene: ConstrainedWindow, number: int) -> bool:
    """Lay ways between the pixels of a claim; False when there are none."""
    pixels = scene.claims[number]
    others = scene.trees[tuple(pixels.T)]
    claimed = (n - 1 for n in np.unique(others).tolist() if n)
    if any(scene.links.cannot_link(number, other) for other in claimed):
        return False
    whole = [slice(0, n) for n in scene.cells.shape]
    places = [pixels]
    if len(pixels) > 1:
        reach = round(NEAR * scene.maps.cell_size)
        low, high = pixels.min(0) - reach, pixels.max(0) + reach + 1
        near = [slice(max(0, a), b) for a, b in zip(low, high, strict=True)]
        ways = _ways(scene, number, near) or _ways(scene, number, whole)
        if ways is None:
            return False
        places = ways
    tree = tuple(np.concatenate(places).T)
    for n in np.unique(scene.trees[tree]).tolist():
        if n and scene.links.cannot_link(number, n - 1):
            return False
        if n:
            scene.links.must_link(n - 1, number)
    free = scene.trees[tree] == 0
    scene.trees[tree[0][free], tree[1][free]] = number + 1
    return True


def _ways(
    scene: ConstrainedWindow, number: int, part: list[slice]
) -> list[Pixels] | None:
    """Ways from the first pixel of a claim to each other one."""
    rows, columns = part
    costs = _costs(scene, number)[rows, columns]
    corner = np.array([rows.start, columns.start])
    first, *rest = (scene.claims[number] - corner).tolist()
    search = MCP(costs, fully_connected=False)
    far, _ = search.find_costs([first], rest)
    if not all(np.isfinite(far[tuple(end)]) for end in rest):
        return None
    return [np.array(search.traceback(end), np.int64) + corner for end in rest]


def _costs(scene: ConstrainedWindow, number: int) -> NDArray[np.float64]:
    """Cost of a step onto each pixel, (Y, X); negative where none leads."""
    pixels = tuple(scene.claims[number].T)
    bright = scene.foreground()
    dark = 1.0 if bright is None else 1 - bright
    costs = np.where(scene.cells > 0, OTHER, BRIGHT + (DARK - BRIGHT) * dark)
    own = scene.cells[pixels]
    costs[np.isin(scene.cells, own[own > 0])] = INSIDE
    # To be linked to others only where there is no other way keeps ways open.
    for other in scene.claims:
        costs[tuple(other.T)] += TANGLED
    costs[scene.blocked | (scene.regions != scene.regions[pixels][0])] = -1
    apart = scene.links.cannot_links(number)
    costs[np.isin(scene.trees, np.array(apart, np.int64) + 1)] = -1
    for claim in apart:
        if claim < len(scene.claims):
            costs[tuple(scene.claims[claim].T)] = -1
    return costs


def _reach(scene: ConstrainedWindow, number: int, tree: Mask) -> bool:
    """Lead a claim on background to a cell close by that it may share."""
    reach = MISSED * scene.maps.cell_size
    forbidden = np.array(scene.links.cannot_links(number), np.int64) + 1
    taken = np.unique(scene.cells[np.isin(scene.trees, forbidden)])
    free = (scene.cells > 0) & ~scene.blocked & ~np.isin(scene.cells, taken)
    free &= (scene.regions == scene.regions[tree][0]) & (scene.trees == 0)
    apart = ndimage.distance_transform_edt(~tree)
    apart[~free] = np.inf
    if apart.min() > reach:
        return False
    end = np.unravel_index(int(apart.argmin()), apart.shape)
    search = MCP(_costs(scene, number), fully_connected=False)
    far, _ = search.find_costs(np.argwhere(tree), [end])
    # A way around something is not close by.
    if not far[end] <= 2 * DARK * reach + OTHER:
        return False
    way = tuple(np.array(search.traceback(end)).T)
    if ((scene.trees[way] > 0) & ~tree[way]).any():
        return False
    fresh = scene.trees[way] == 0
    scene.trees[way[0][fresh], way[1][fresh]] = number + 1
    return True


def grow(scene: ConstrainedWindow, seed: Mask) -> int:
    """Make a new cell on background around connected pixels; give its number.

    Parameters
    ----------
    scene
        Its ``cells`` are added to.
    seed
        Where the cell is to be, (Y, X), in one region.
    """
    size = scene.maps.cell_size
    region = scene.regions[seed][0]
    free = (scene.cells == 0) & ~scene.blocked & (scene.regions == region)
    free &= (scene.trees == 0) | seed
    apart = ndimage.distance_transform_edt(~seed)
    near = apart <= MOST * size
    bright = scene.foreground()
    if bright is None:
        near &= apart <= MOST * size / 2
    else:
        top = min(0.5, float(bright[seed].max()))
        near &= bright >= SHARE * max(FAINT, top)
    blob = (near | (apart <= LEAST * size)) & free | seed
    pieces, _ = ndimage.label(blob)
    number = scene.fresh()
    scene.cells[pieces == pieces[seed][0]] = number
    return number


def _widen(scene: ConstrainedWindow) -> None:
    """Give ways over background some width, for a cell is no thread."""
    steps = round(HALF_WIDTH * scene.maps.cell_size)
    numbers = np.unique(scene.trees[(scene.trees > 0) & (scene.cells == 0)])
    for number in numbers.tolist() if steps else []:
        tree = scene.trees == number
        free = (scene.cells == 0) & (scene.trees == 0) & ~scene.blocked
        free &= scene.regions == scene.regions[tree][0]
        wide = ndimage.binary_dilation(
            tree & (scene.cells == 0), iterations=steps, mask=free | tree
        )
        scene.trees[wide & free] = number
