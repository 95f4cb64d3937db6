"""Ways to turn the codes of pixels into clusters, to be held against one another."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_semiconv.inference.engines.hdbscan.density import Points, cluster_points
from napari_semiconv.inference.engines.hdbscan.engine import (
    FINEST,
    REACH_OF_PIXELS,
    REACH_OF_VOTES,
    Window,
    group_window,
    hdbscan_numbers,
)
from napari_semiconv.settings import HdbscanSettings

Numbers = NDArray[np.int32]
REFERENCE = "all pixels by votes"
SLOW = (REFERENCE, "the same, pieces apart", "all pixels by own place", "pixel grid")
SAMPLE = 4000
NEIGHBOURS = 16
# On the pixel grid a pixel has four neighbours in its frame and one in the other.
ON_GRID = 3


@dataclass(frozen=True)
class Found:
    """Cluster of each pixel, (P,), 0 for noise, and how many points were clustered."""

    numbers: Numbers
    points: int


@dataclass(frozen=True)
class Way:
    """A way to cluster.

    Parameters
    ----------
    name
        What it is called in tables.
    number
        Clusters the pixels of a window, given the cell diameter and the least cluster.
    apart
        Whether every connected piece of a cluster is a cell.
    place
        What the place of a pixel is.
    """

    name: str
    number: Callable[[Window, float, int], Found]
    apart: bool = True
    place: str = "vote"

    @property
    def settings(self) -> HdbscanSettings:
        """Settings of the engine."""
        return HdbscanSettings.model_validate({"position": self.place})


def all_pixels(window: Window, size: float, least: int) -> Found:
    """Run the package on every pixel."""
    return Found(hdbscan_numbers(window.codes.T, least, 0), window.codes.shape[1])


def regular_sample(window: Window, size: float, least: int) -> Found:
    """Run the package on a regular sample; the rest joins the nearest pixel of it."""
    most = HdbscanSettings().most_pixels
    return Found(hdbscan_numbers(window.codes.T, least, most), most)


def stratified_sample(window: Window, size: float, least: int) -> Found:
    """Run the package on a sample, even over places; others join the nearest mean."""
    strata = np.floor(window.place / (size / 4)).astype(np.int64)
    order = np.lexsort((strata[1], strata[0]))
    step = max(1, len(order) // SAMPLE)
    chosen = order[::step]
    codes = window.codes.T
    found = hdbscan_numbers(codes[chosen], max(5, round(least / step)), 0)
    count = int(found.max(initial=0))
    if not count:
        return Found(np.zeros(len(order), np.int32), len(chosen))
    centres = np.stack(
        [codes[chosen][found == n].mean(axis=0) for n in range(1, count + 1)]
    )
    nearest = cKDTree(centres).query(codes)[1]
    return Found((nearest + 1).astype(np.int32), len(chosen))


def pixel_grid(window: Window, size: float, least: int) -> Found:
    """Cluster pixels with their neighbours in the image and in the other frame."""
    shape = (len(window.insides), *window.insides[0].shape)
    number = np.full(shape, -1)
    number[np.stack(window.insides)] = np.arange(window.codes.shape[1])
    ends = []
    for axis in range(3):
        here = np.moveaxis(number, axis, 0)
        both = (here[1:] >= 0) & (here[:-1] >= 0)
        ends.append(np.stack([here[1:][both], here[:-1][both]]))
    one, other = np.concatenate(ends, 1)
    count = window.codes.shape[1]
    codes = window.codes.T.astype(np.float64)
    points = Points(codes, np.ones(count, np.int64), np.zeros(count), one, other)
    found = cluster_points(points, least, ON_GRID, REACH_OF_VOTES)
    return Found(found.anyhow, count)


def groups(window: Window, size: float, least: int) -> Found:
    """Cluster groups of pixels with those in bins that touch, as the engine does."""
    grouped = group_window(window, size)
    reach = REACH_OF_VOTES if window.votes else REACH_OF_PIXELS
    found = cluster_points(grouped.points, least, least, reach, FINEST * reach)
    return Found(found.anyhow[grouped.owner], len(grouped.points.weights))


def groups_without_extent(window: Window, size: float, least: int) -> Found:
    """Cluster groups as if all their pixels lay on the mean."""
    grouped = group_window(window, size)
    points = replace(grouped.points, spread=np.zeros(len(grouped.points.weights)))
    reach = REACH_OF_VOTES
    found = cluster_points(points, least, least, reach, FINEST * reach)
    return Found(found.anyhow[grouped.owner], len(points.weights))


def groups_nearest(window: Window, size: float, least: int) -> Found:
    """Cluster groups with their nearest neighbours in code, searched for by a tree."""
    grouped = group_window(window, size)
    codes = grouped.points.codes
    near = cKDTree(codes).query(codes, min(NEIGHBOURS + 1, len(codes)))[1]
    here = np.repeat(np.arange(len(codes)), near.shape[1])
    pairs = np.sort(np.stack([here, near.ravel()]), axis=0)
    one, other = np.unique(pairs[:, pairs[0] < pairs[1]], axis=1)
    points = replace(grouped.points, one=one, other=other)
    reach = REACH_OF_VOTES
    found = cluster_points(points, least, least, reach, FINEST * reach)
    return Found(found.anyhow[grouped.owner], len(codes))


def warm_start(window: Window, size: float, least: int) -> Found:
    """Cluster the first frame; of the second only what no cluster of it explains.

    A pixel is explained where it lies within twice the extent of the nearest cluster.
    """
    codes = window.codes.T
    first = np.arange(len(codes)) < np.count_nonzero(window.insides[0])
    # A cluster of one frame has half the pixels of one of two.
    numbers = np.zeros(len(codes), np.int32)
    found = groups(_part(window, first), size, least // 2)
    numbers[first] = found.numbers
    count = int(numbers.max(initial=0))
    if not count:
        return groups(window, size, least)
    sums = np.stack([np.bincount(numbers[first], c, count + 1) for c in codes[first].T])
    areas = np.maximum(np.bincount(numbers[first], minlength=count + 1), 1)
    centres = (sums / areas).T
    off = ((codes[first] - centres[numbers[first]]) ** 2).sum(1)
    extent = np.sqrt(np.bincount(numbers[first], off, count + 1) / areas)
    far, nearest = cKDTree(centres[1:]).query(codes[~first])
    known = far <= 2 * extent[nearest + 1]
    later = np.flatnonzero(~first)
    numbers[later[known]] = nearest[known] + 1
    left = np.zeros(len(codes), bool)
    left[later[~known]] = True
    points = found.points
    if left.any():
        fresh = groups(_part(window, left), size, least // 2)
        numbers[left] = np.where(fresh.numbers > 0, fresh.numbers + count, 0)
        points += fresh.points
    return Found(numbers, points)


def _part(window: Window, chosen: NDArray[np.bool_]) -> Window:
    """Take some of the pixels, as if there were no others."""
    return replace(
        window,
        embedding=window.embedding[:, chosen],
        place=window.place[:, chosen],
        codes=window.codes[:, chosen],
    )


WAYS = (
    Way(REFERENCE, all_pixels, apart=False),
    Way("the same, pieces apart", all_pixels),
    Way("all pixels by own place", all_pixels, apart=False, place="pixel"),
    Way("regular sample, own place", regular_sample, apart=False, place="pixel"),
    Way("regular sample by votes", regular_sample, apart=False),
    Way("stratified sample", stratified_sample),
    Way("pixel grid", pixel_grid),
    Way("groups without extent", groups_without_extent),
    Way("groups, nearest in code", groups_nearest),
    Way("groups, warm start", warm_start),
    Way("groups, own place", groups, place="pixel"),
    Way("groups (the engine)", groups),
)
