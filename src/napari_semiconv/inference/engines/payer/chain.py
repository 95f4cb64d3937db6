"""Published linking: stacks of frames that share one frame become tracks."""

import zlib

import numpy as np
from numpy.typing import NDArray

from ....labels import Labels

# Least IoU on the shared frame (Payer et al. 2018, 2019).
LEAST_IOU = 0.25


class Chain:
    """Gives cells of overlapping frame stacks one label each, stack after stack."""

    def __init__(self) -> None:
        self._shared: Labels | None = None
        self._count = 0

    def push(self, stack: NDArray[np.int32]) -> list[Labels]:
        """Link the next stack to the one before.

        Parameters
        ----------
        stack
            Cell numbers, (T, Y, X); its first frame is the last of the stack before.

        Returns
        -------
        list
            Track labels, (Y, X), of the frames that were not in an earlier stack.
        """
        lookup = np.zeros(int(stack.max(initial=0)) + 1, np.int32)
        fresh = stack
        if self._shared is not None:
            old, new = best_pairs(self._shared, stack[0])
            lookup[new] = old
            fresh = stack[1:]
        seen = np.unique(fresh)
        unknown = seen[(seen > 0) & (lookup[seen] == 0)]
        lookup[unknown] = self._count + 1 + np.arange(len(unknown))
        self._count += len(unknown)
        named = lookup[fresh]
        if len(named):
            self._shared = named[-1]
        return list(named)


def best_pairs(
    one: Labels, other: Labels
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair labels of two images of one frame, from the largest IoU down to the least.

    Parameters
    ----------
    one, other
        Labels, (Y, X), 0 background.

    Returns
    -------
    tuple
        Labels of ``one`` and of ``other``, each (N,); none twice.
    """
    both = (one > 0) & (other > 0)
    # One count of the pairs that occur; a table of all would grow with their square.
    pairs, overlap = np.unique(
        np.stack([one[both], other[both]]), axis=1, return_counts=True
    )
    left, right = pairs.astype(np.int64)
    union = np.bincount(one.ravel())[left] + np.bincount(other.ravel())[right] - overlap
    iou = overlap / union
    used: tuple[set[int], set[int]] = set(), set()
    chosen = []
    for row in np.argsort(-iou, kind="stable").tolist():
        if iou[row] < LEAST_IOU:
            break
        if left[row] not in used[0] and right[row] not in used[1]:
            used[0].add(int(left[row]))
            used[1].add(int(right[row]))
            chosen.append(row)
    return left[chosen], right[chosen]


class Shelf:
    """Label images of a whole movie, packed: some kB each at the network's size."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._shape: tuple[int, ...] = (0, 0)

    def __len__(self) -> int:
        return len(self._packed)

    def add(self, labels: Labels) -> None:
        """Put the labels, (Y, X), of the next frame on the shelf."""
        self._shape = labels.shape
        self._packed.append(zlib.compress(labels.astype(np.int32).tobytes(), 1))

    def __getitem__(self, place: int) -> Labels:
        flat = np.frombuffer(zlib.decompress(self._packed[place]), np.int32)
        return flat.reshape(self._shape)
