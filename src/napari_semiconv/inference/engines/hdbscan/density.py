"""Density clustering of weighted points along given neighbours (HDBSCAN).

The hierarchy and its cut are those of Campello, Moulavi and Sander 2013 (excess of
mass): mutual reachability, minimum spanning tree, clusters of least weight, the cut of
the highest stability. Two things are added that an image allows: a point may stand for
many pixels, and only neighbours that are given are looked at, so that nothing is
searched for. With weights of 1 and all pairs given, it is the general algorithm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree

from .hierarchy import Growth, cut

Floats = NDArray[np.floating]
Numbers = NDArray[np.int32]
Integers = NDArray[np.int64]
# Groups of pixels touch where their means are so many spreads of both apart. Chosen on
# training frames: 0.8 to 1.2 differ little, without it large cells break.
TOUCH = 0.8
TINY = 1e-9  # least distance: a density is finite, and a sparse graph has no zeros


@dataclass(frozen=True)
class Points:
    """Points to cluster, each for one or several pixels, and which are neighbours.

    Parameters
    ----------
    codes
        Mean code of the pixels, (N, D).
    weights
        How many pixels, (N,), at least 1.
    spread
        Root mean square distance of the pixels' codes from their mean, (N,).
    one, other
        Ends of each pair of neighbours, (E,); each pair once.
    """

    codes: Floats
    weights: Integers
    spread: Floats
    one: Integers
    other: Integers


@dataclass(frozen=True)
class Clustering:
    """Clusters, and how sure they are.

    Parameters
    ----------
    numbers
        Cluster of each point, (N,), from 1; 0 is noise.
    persistence
        Of each cluster, (n,), 0 to 1: how much denser it is than where it parts from
        its surroundings, 1 - (density there) / (mean density of its points).
    margin
        Of each point, (N,), -1 to 1: with the distances a to the centre of its own
        cluster and b to the nearest other one, (b - a) / (b + a). 1 without another
        cluster, 0 for noise; negative where another centre is nearer.
    nearest
        Cluster with the nearest centre, (N,): what noise belongs to if it must belong
        to something; 0 when there is no cluster.
    """

    numbers: Numbers
    persistence: Floats
    margin: Floats
    nearest: Numbers

    @property
    def anyhow(self) -> Numbers:
        """Cluster of each point, (N,), noise too; all in one when there is none."""
        found: Numbers = np.where(self.numbers > 0, self.numbers, self.nearest)
        return np.maximum(found, 1).astype(np.int32)


@dataclass(frozen=True)
class Tree:
    """Minimum spanning forest of mutual reachability, shortest edge first.

    Parameters
    ----------
    one, other
        Ends of each edge, (M,).
    length
        Of each edge, (M,), rising.
    """

    one: Integers
    other: Integers
    length: Floats


def cluster_points(
    points: Points,
    least: int,
    samples: int,
    reach: float | None = None,
    finest: float = TINY,
) -> Clustering:
    """Cluster points by density.

    Parameters
    ----------
    points
        Points and neighbours.
    least
        Least cluster, pixels.
    samples
        Further pixels within the core distance of a point.
    reach
        Farther apart in mutual reachability nothing is one cluster: every connected
        group that is large enough is a cluster born there. None lets clusters be born
        at whatever distance, and all points together are never one, as in the general
        algorithm; all points must then be connected by neighbours.
    finest
        Nearer than this in mutual reachability all are equally near, so that small
        differences of density do not part a cell.

    Returns
    -------
    Clustering
    """
    gaps = gaps_of(points)
    core = core_distances(points, gaps, samples)
    tree = spanning_tree(points, gaps, core, reach)
    growth = Growth(points.weights, np.maximum(core, finest), least)
    for one, other, length in zip(
        tree.one.tolist(), tree.other.tolist(), tree.length.tolist(), strict=True
    ):
        growth.merge(one, other, 1 / max(length, finest))
    numbers, persistence = cut(growth.hierarchy(), reach)
    margin, nearest = measure_margins(points, numbers)
    return Clustering(numbers, persistence, margin, nearest)


def gaps_of(points: Points) -> Floats:
    """Distance of each pair of neighbours, (E,)."""
    apart = points.codes[points.one] - points.codes[points.other]
    gaps: Floats = np.sqrt(np.einsum("ed,ed->e", apart, apart))
    return gaps


def core_distances(points: Points, gaps: Floats, samples: int) -> Floats:
    """Distance within which each point has ``samples`` further pixels.

    Parameters
    ----------
    points
        Points and neighbours.
    gaps
        Distance of each pair of neighbours, (E,).
    samples
        Pixels, without the one that counts.

    Returns
    -------
    NDArray
        (N,); infinite where all neighbours together have fewer. Between two neighbours
        the count grows evenly. A point that stands for enough pixels itself is taken
        for an even disk of the same spread.
    """
    count, own = len(points.weights), points.weights - 1
    here, there = _both_ways(points.one, points.other)
    order = _by_point_and_distance(here, np.concatenate([gaps, gaps]), count)
    # One entry more at the end, so that points without neighbours have one to look at.
    far = np.append(np.concatenate([gaps, gaps])[order], np.inf)
    weight = np.append(points.weights[there[order]], 1)
    begin = np.concatenate([[0], np.cumsum(np.bincount(here, minlength=count))])
    first, stop = begin[:-1], begin[1:]
    sums = np.concatenate([[0], np.cumsum(weight)])
    wanted = samples - own
    # Searched for over all points at once.
    last = np.searchsorted(sums, sums[first] + np.maximum(wanted, 1)) - 1
    enough = last < stop
    last = np.where(enough, last, 0)
    inner = np.minimum(points.spread, far[last])
    inner = np.where(last > first, far[last - 1], inner)
    share = (wanted - (sums[last] - sums[first])) / weight[last]
    step = np.where(np.isfinite(far[last]), far[last] - inner, 0.0)
    core = np.where(enough, inner + share * step, np.inf)
    disk = points.spread * np.sqrt(samples / np.maximum(own, 1))
    return np.where(wanted <= 0, disk, core)


def _both_ways(one: Integers, other: Integers) -> tuple[Integers, Integers]:
    return np.concatenate([one, other]), np.concatenate([other, one])


def _by_point_and_distance(here: Integers, far: Floats, count: int) -> Integers:
    order = np.argsort(far)
    # Numbers of 16 bits are sorted in linear time.
    kind = np.uint16 if count < 2**16 else np.int64
    return order[np.argsort(here[order].astype(kind), kind="stable")]


def spanning_tree(
    points: Points, gaps: Floats, core: Floats, reach: float | None
) -> Tree:
    """Span all points that are within reach of one another with the shortest edges.

    Parameters
    ----------
    points
        Points and neighbours.
    gaps
        Distance of each pair of neighbours, (E,).
    core
        Core distance of each point, (N,).
    reach
        Longer edges are left out; None leaves out none.
    """
    one, other = points.one, points.other
    apart = gaps - TOUCH * (points.spread[one] + points.spread[other])
    length = np.maximum(np.maximum(apart, TINY), np.maximum(core[one], core[other]))
    near = length < (np.inf if reach is None else reach)
    # SciPy before 1.17 takes no wider numbers of points here.
    ends = (one[near].astype(np.int32), other[near].astype(np.int32))
    count = len(core)
    graph = coo_array((length[near], ends), (count, count))
    found = minimum_spanning_tree(graph.tocsr()).tocoo()
    order = np.argsort(found.data, kind="stable")
    one, other = (end[order].astype(np.int64) for end in (found.row, found.col))
    return Tree(one, other, found.data[order])


def measure_margins(points: Points, numbers: Numbers) -> tuple[Floats, Numbers]:
    """How much nearer each point is to its own cluster's centre than to the next.

    Parameters
    ----------
    points
        The points.
    numbers
        Cluster of each, (N,), 0 is noise.

    Returns
    -------
    tuple
        Margin, (N,), and cluster with the nearest centre, (N,); see `Clustering`.
    """
    count = int(numbers.max(initial=0))
    dense = numbers > 0
    if count < 2:
        return dense.astype(np.float64), np.full(len(numbers), count, np.int32)
    codes, weights = points.codes, np.where(dense, points.weights, 0)
    sums = [np.bincount(numbers, weights * axis)[1:] for axis in codes.T]
    centres = np.stack(sums, 1) / np.bincount(numbers, weights)[1:, None]
    near, which = cKDTree(centres).query(codes, 2)
    own = np.where(dense, numbers - 1, which[:, 0])
    mine = np.linalg.norm(codes - centres[own], axis=1)
    other = np.where(which[:, 0] == own, near[:, 1], near[:, 0])
    margin = np.where(dense, (other - mine) / np.maximum(other + mine, TINY), 0.0)
    return margin, (which[:, 0] + 1).astype(np.int32)
