"""A cell that was missed, found around a click in what the network sees there."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import logit
from skimage.draw import line

from ...errors import BadInputError
from ...labels import Labels, largest_piece
from ..engines.regions import connected_components
from .enforce import enforce
from .grow import FAINT, HALF_WIDTH, LEAST, MISSED, SHARE
from .maps import Maps, Window
from .model import Constraints
from .split import far_from

Mask = NDArray[np.bool_]
Place = tuple[int, int]
# Cell diameters around the click that are looked at.
REACH = 2.0
# Where the network has no votes: unit embeddings of one cell differ less than this.
ALIKE = 0.9


def add_cell(
    labels: Labels, constraints: Constraints, maps: Maps, seed: Place
) -> Labels:
    """Find the cell that the user sees at a pixel and no mask is of.

    On background it is the segment of the network's votes there, with those that are
    likely the same cell, as far as no cell has the pixels. Inside of a cell, that one
    swallowed it and is split.

    Parameters
    ----------
    labels
        Cells, (Y, X), in pixels of the movie.
    constraints
        The user's constraints on the frame; that the pixel is of a cell among them.
    maps
        What the network predicts for it.
    seed
        Row and column of the pixel.

    Returns
    -------
    Labels
        Cells, (Y, X), with all constraints held.

    Raises
    ------
    BadInputError
        When the network sees no cell there, or the constraints cannot hold.
    """
    if labels[seed]:
        other = _farthest(labels == labels[seed], maps, seed)
        both = np.array([seed, other], np.int64)
        two = (*constraints.cannot_link, both)
        return enforce(labels, replace(constraints, cannot_link=two), maps)
    found = labels.copy()
    window = _around(labels.shape, seed, REACH * maps.cell_size)
    found[window][_missed(labels, constraints, maps, window, seed)] = (
        int(labels.max(initial=0)) + 1
    )
    return enforce(found, constraints, maps)


def _farthest(mask: Mask, maps: Maps, seed: Place) -> Place:
    """Pixel of a mask that is least of the cell that a pixel is of."""
    window = ndimage.find_objects(mask.astype(np.int8))[0]
    start = np.zeros(mask.shape, bool)
    start[seed] = True
    far = far_from(mask[window], start[window], maps.codes(window), maps.cell_size)
    far[~np.isfinite(far)] = -1
    y, x = np.unravel_index(int(far.argmax()), far.shape)
    return int(y) + window[0].start, int(x) + window[1].start


def _around(shape: tuple[int, ...], seed: Place, reach: float) -> Window:
    margin = int(np.ceil(reach))
    rows, columns = (
        slice(max(0, at - margin), min(side, at + margin + 1))
        for at, side in zip(seed, shape, strict=True)
    )
    return rows, columns


def _missed(
    labels: Labels, constraints: Constraints, maps: Maps, window: Window, seed: Place
) -> Mask:
    """Pixels of the window that a cell has that was missed, (height, width)."""
    size = maps.cell_size
    free = (labels[window] == 0) & ~constraints.closed[window]
    bright = maps.foreground(window)
    assert bright is not None, "a click is looked at in what the network sees"
    click = np.zeros(free.shape, bool)
    click[seed[0] - window[0].start, seed[1] - window[1].start] = True
    apart = ndimage.distance_transform_edt(~click)
    here = np.where(free & (apart <= MISSED * size), bright, 0)
    top = float(here.max(initial=0))
    if top < FAINT:
        raise BadInputError(
            f"The network sees no cell at (y {seed[0]}, x {seed[1]}): expected a "
            f"likelihood of {100 * FAINT:.0f} % or more, found {100 * top:.0f} %. Draw "
            f"the cell with the brush."
        )
    mask = free & (bright >= min(maps.settings.foreground, SHARE * top))
    # The nearest pixel that is surely of it.
    start = np.where(mask & (here >= SHARE * top), apart, np.inf).argmin()
    first = np.unravel_index(int(start), mask.shape)
    cell = _alike(maps, window, mask, (int(first[0]), int(first[1])))
    if not cell[click].all():
        # What was clicked is of it, and it is no thread that leads there.
        way = np.zeros(free.shape, bool)
        way[line(*np.argwhere(click)[0], *first)] = True
        near = ndimage.distance_transform_edt(~way) <= HALF_WIDTH * size
        cell |= near & free | click
    if cell.sum() < np.pi * (LEAST * size) ** 2:
        cell |= free & (apart <= LEAST * size)
    filled = largest_piece(cell)
    return np.asarray(ndimage.binary_fill_holes(filled) & free | filled, bool)


def _alike(maps: Maps, window: Window, mask: Mask, start: Place) -> Mask:
    """Pixels of a mask that are of the cell that one of them is of, (height, width)."""
    segments, odds = maps.segments(window, mask)
    if maps.output is None or maps.output.offset is None:
        codes = maps.codes(window)[2:]
        far = np.linalg.norm(codes - codes[:, *start][:, None, None], axis=0)
        segments = np.where(mask & (far <= ALIKE), 1, 0).astype(np.int32)
    group, grown = {int(segments[start])}, True
    while grown:
        near = {
            number
            for pair, likely in odds.items()
            if likely > logit(maps.settings.join) and group & {*pair}
            for number in pair
        }
        grown = not near <= group
        group |= near
    chosen = np.where(np.isin(segments, [*group]), 1, 0).astype(np.int32)
    pieces, _ = connected_components(chosen)
    return np.asarray((pieces == pieces[start]) & (chosen > 0), bool)
