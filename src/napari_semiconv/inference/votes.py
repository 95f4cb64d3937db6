"""Votes engine: cells are where semi-convolutional votes gather."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from ..errors import BadSettingsError
from ..settings import VotesSettings
from .borders import Borders, Hills, join_pieces, measure_borders
from .cluster import Labels, connected_pieces, tidy
from .splitting import split_pieces
from .stream import FrameOutput

Floats = NDArray[np.float32]
APART = 0.08  # least distance of two peaks, cell diameters
FOOT = 0.1  # a hill ends at this share of the least peak
MARGIN = 1.5  # cell diameters around the frame in which votes are told apart


class VotesEngine:
    """Finds cells where the votes of foreground pixels gather (Novotny et al. 2018).

    Each pixel points at its cell's centre. Hills of the blurred vote map are seeds;
    each pixel joins the hill its vote falls on. Touching cells may share a hill: pieces
    with two kinds of cosine embedding are parted. Long cells gather votes in several
    places: touching pieces are one cell when votes, seeds and embeddings on both sides
    of their border say so.

    Parameters
    ----------
    settings
        Thresholds.
    """

    window = 1

    def __init__(self, settings: VotesSettings) -> None:
        self.settings = settings

    def cluster(self, outputs: Sequence[FrameOutput]) -> list[Labels]:
        """Find the cells of one frame; see `Engine`."""
        return [self._cells(output) for output in outputs]

    def _cells(self, output: FrameOutput) -> Labels:
        if output.offset is None or output.seed is None:
            raise BadSettingsError(
                "The votes engine needs a model with semi-convolutional heads, found "
                "one without. Choose the engine 'hdbscan' or another model."
            )
        inside = output.foreground > self.settings.foreground
        if not inside.any():
            return np.zeros(output.shape, np.int32)
        labels, borders = pieces_of(output, inside, self.settings)
        labels = join_pieces(labels, borders, self.settings.join)
        return tidy(labels, self.settings.smallest * np.pi / 4 * output.cell_size**2)


def pieces_of(
    output: FrameOutput, inside: NDArray[np.bool_], settings: VotesSettings
) -> tuple[Labels, Borders]:
    """Part the foreground by the hills that its votes fall on, and by embedding.

    Parameters
    ----------
    output
        What the network says of the frame, with the semi-convolutional heads.
    inside
        Foreground, (Y, X), with at least one pixel.
    settings
        Thresholds.

    Returns
    -------
    tuple
        Pieces, (Y, X), numbered from 1, and what is observed on those that touch.
    """
    assert output.offset is not None
    assert output.seed is not None
    size = output.cell_size
    votes, shape = canvas(inside, output.offset, MARGIN * size)
    density = vote_map(votes, output.seed[inside], shape, settings.smoothing * size)
    hills = hills_of(density, APART * size, settings.least_votes)
    labels = np.zeros(output.shape, np.int32)
    # Every vote belongs somewhere: beyond the hills the nearest one takes it.
    labels[inside] = nearest_seed(votes, hills)
    labels, hill = split_pieces(labels, output.embedding, size)
    # A cell without a hill of its own must not vanish as a far part of another.
    pieces, owners = connected_pieces(labels)
    labels, hill = pieces.astype(np.int32), hill[owners - 1]
    return labels, measure_borders(labels, Hills(hills, density, hill), output)


def canvas(
    inside: NDArray[np.bool_], offset: Floats, margin: float
) -> tuple[Floats, tuple[int, int]]:
    """Place the votes of a frame on a map that is wider than the frame.

    The loss leaves the centres free (Novotny et al. 2018, section 3.1), so a network
    may learn to let all votes fall far beside their cells, and those of cells at the
    border fall outside the frame. Only where votes fall relative to one another counts:
    the usual offset is taken off all of them, and a margin holds the rest.

    Parameters
    ----------
    inside
        Foreground, (Y, X), with at least one pixel.
    offset
        From each pixel to where its vote falls, (2, Y, X), px.
    margin
        Width of the map on each side of the frame, px.

    Returns
    -------
    tuple
        Where each vote falls on the map, (2, P), px; height and width of the map.
    """
    chosen = offset[:, inside]
    usual = np.median(chosen, axis=1, keepdims=True)
    wide = int(np.ceil(margin))
    votes: Floats = np.argwhere(inside).T + (chosen - usual + wide)
    height, width = inside.shape
    return votes.astype(np.float32), (height + 2 * wide, width + 2 * wide)


def hills_of(density: Floats, apart: float, least: float) -> Labels:
    """Give each hill of a vote map a number.

    Parameters
    ----------
    density
        Votes per px, (Y, X).
    apart
        Least distance of two peaks, px.
    least
        Least height of a peak, votes per px.

    Returns
    -------
    Labels
        (Y, X), hills numbered from 1; 0 where hardly a vote falls.
    """
    highest = ndimage.maximum_filter(density, 2 * max(1, round(apart)) + 1)
    peaks, _ = ndimage.label((density == highest) & (density > least), np.ones((3, 3)))
    hills: Labels = watershed(-density, peaks, mask=density > FOOT * least)
    return hills.astype(np.int32)


def vote_map(
    votes: Floats, weight: Floats, shape: tuple[int, int], blur: float
) -> Floats:
    """Add up the votes that fall on each pixel and blur the sum.

    Parameters
    ----------
    votes
        Where each vote falls, y and x, (2, P), px.
    weight
        Weight of each vote, (P,).
    shape
        Height and width of the map, px.
    blur
        Standard deviation of the blur, px.

    Returns
    -------
    Floats
        (Y, X), votes per px.
    """
    spot = _spots(votes, shape)
    total = np.bincount(spot, weight, shape[0] * shape[1]).reshape(shape)
    smooth: Floats = ndimage.gaussian_filter(total.astype(np.float32), blur, truncate=3)
    return smooth


def nearest_seed(votes: Floats, seeds: Labels) -> Labels:
    """Give each vote the number of the seed nearest to where it falls.

    Parameters
    ----------
    votes
        Where each vote falls, (2, P), px.
    seeds
        Numbered seeds, (Y, X), 0 elsewhere.

    Returns
    -------
    Labels
        (P,); all 0 when there is no seed.
    """
    if not seeds.any():
        return np.zeros(votes.shape[1], np.int32)
    nearest = ndimage.distance_transform_edt(
        seeds == 0, return_distances=False, return_indices=True
    )
    basins = seeds[tuple(nearest)]
    found: Labels = basins.ravel()[_spots(votes, seeds.shape)]
    return found


def _spots(votes: Floats, shape: tuple[int, ...]) -> NDArray[np.int64]:
    row, column = (
        np.clip(np.rint(axis).astype(np.int64), 0, n - 1)
        for axis, n in zip(votes, shape, strict=True)
    )
    spot: NDArray[np.int64] = row * shape[1] + column
    return spot
