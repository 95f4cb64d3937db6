"""Condensed hierarchy of density clusters, and its cut of the highest stability.

After Campello, Moulavi and Sander 2013, for points that weigh more than one pixel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Numbers = NDArray[np.int32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Hierarchy:
    """Clusters in the order in which they come to be, from dense to sparse.

    Parameters
    ----------
    mass
        Sum over a cluster's pixels of the density at which each leaves it, (C,).
    size
        Pixels, (C,).
    birth
        Density at which it parts from the one above, (C,); nan without one above.
    above
        Cluster that it is part of, (C,); -1 for none.
    first
        Smallest cluster that each point is in, (N,); -1 for none.
    """

    mass: Floats
    size: Integers
    birth: Floats
    above: Integers
    first: Integers


class Growth:
    """Grows clusters from the densest edge of a spanning forest to the sparsest.

    A set of points that reaches the least weight is a cluster. It lives on while it
    takes in smaller sets, and where it meets another cluster a new one holds both.

    Parameters
    ----------
    weights
        Pixels of each point, (N,).
    core
        Core distance of each point, (N,), above 0; only asked of points that are heavy
        enough for a cluster of their own.
    least
        Least weight of a cluster.
    """

    def __init__(self, weights: Integers, core: Floats, least: int) -> None:
        count = len(weights)
        self._least = least
        self._weight: list[int] = weights.tolist()
        self._parent = list(range(count))  # of the sets so far
        self._cluster = [-1] * count  # of the set with this root
        # Nearest point up in its set, until that set is or joins a cluster.
        self._up = list(range(count))
        self._joined = [-1] * count
        self._mass: list[float] = []
        self._size: list[int] = []
        self._birth: list[float] = []
        self._above: list[int] = []
        for point in np.flatnonzero(weights >= least).tolist():
            cluster = self._new(self._weight[point], 1 / float(core[point]))
            self._cluster[point] = self._joined[point] = cluster

    def merge(self, one: int, other: int, density: float) -> None:
        """Put the sets of two points together at a density, at most the last one."""
        root, leaf = self._root(one), self._root(other)
        kept, lost = self._cluster[root], self._cluster[leaf]
        total = self._weight[root] + self._weight[leaf]
        cluster = -1
        if kept >= 0 and lost >= 0:
            cluster = self._new(total, density)
            for child in (kept, lost):
                self._birth[child], self._above[child] = density, cluster
        elif kept >= 0 or lost >= 0:
            cluster, small = (kept, leaf) if kept >= 0 else (lost, root)
            self._mass[cluster] += self._weight[small] * density
            self._size[cluster] = total
            self._joined[small] = cluster
        elif total >= self._least:
            cluster = self._new(total, density)
            self._joined[root] = self._joined[leaf] = cluster
        else:
            self._up[leaf] = root
        self._parent[leaf] = root
        self._weight[root], self._cluster[root] = total, cluster

    def hierarchy(self) -> Hierarchy:
        """Sum up what has grown."""
        joined = np.array(self._joined, np.int64)
        up = np.where(joined >= 0, np.arange(len(joined)), np.array(self._up, np.int64))
        while (up != (higher := up[up])).any():
            up = higher
        return Hierarchy(
            np.array(self._mass),
            np.array(self._size, np.int64),
            np.array(self._birth),
            np.array(self._above, np.int64),
            joined[up],
        )

    def _new(self, size: int, density: float) -> int:
        self._mass.append(size * density)
        self._size.append(size)
        self._birth.append(np.nan)
        self._above.append(-1)
        return len(self._mass) - 1

    def _root(self, point: int) -> int:
        parent = self._parent
        while (above := parent[point]) != point:
            parent[point] = parent[above]
            point = above
        return point


def cut(hierarchy: Hierarchy, reach: float | None) -> tuple[Numbers, Floats]:
    """Cut the hierarchy where the stability is highest (excess of mass).

    The stability of a cluster is the sum over its pixels of the density at which each
    leaves it less the density at which it is born.

    Parameters
    ----------
    hierarchy
        Condensed hierarchy.
    reach
        Distance at which the uppermost clusters are born; with None they are none.

    Returns
    -------
    tuple
        Cluster of each point, (N,), from 1, 0 noise; persistence of each, (n,): its
        stability over what it would be if it were born at density 0.
    """
    above = hierarchy.above.tolist()
    outermost = hierarchy.above < 0
    birth = np.where(outermost, 0.0 if reach is None else 1 / reach, hierarchy.birth)
    stability = hierarchy.mass - hierarchy.size * birth
    if reach is None:
        stability = np.where(outermost, -np.inf, stability)
    best: list[float] = stability.tolist()
    within, whole = [0.0] * len(best), [True] * len(best)
    for cluster, parent in enumerate(above):
        if within[cluster] > best[cluster]:
            best[cluster], whole[cluster] = within[cluster], False
        if parent >= 0:
            within[parent] += best[cluster]
    if reach is None:
        whole = (np.array(whole, bool) & ~outermost).tolist()
    number = [0] * (len(best) + 1)  # the last one is that of points in no cluster
    chosen: list[int] = []
    for cluster in reversed(range(len(best))):
        inherited = number[above[cluster]] if above[cluster] >= 0 else 0
        if not inherited and whole[cluster]:
            chosen.append(cluster)
            inherited = len(chosen)
        number[cluster] = inherited
    numbers = np.array(number, np.int32)[hierarchy.first]
    persistence = stability[chosen] / hierarchy.mass[chosen]
    return numbers, np.clip(persistence, 0.0, 1.0)
