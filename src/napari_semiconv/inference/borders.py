"""Whether two neighbouring pieces are one cell: what network and votes say of both.

A logistic regression on five observations decides. It was fitted on frames that the
default model was trained on; `python -m benchmarks borders` counts its mistakes and
those of two plain thresholds, and fits it anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .cluster import Labels, mean_embeddings
from .stream import FrameOutput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# What one unit of each observation adds to the log-odds, in the order of
# `Borders.observed`, and the log-odds when all are zero.
WEIGHTS = np.array([4.0, 5.7, 4.8, -72.8, -1.7])
START = -7.8
AREA = 4  # the observation that changes while pieces are joined


@dataclass(frozen=True)
class Borders:
    """Observations on each pair of pieces that touch.

    Parameters
    ----------
    pairs
        Numbers of the pieces, smaller first, (N, 2).
    flat
        Height of the pass between their hills of votes over that of the lower hill,
        (N,); 0 where the hills do not meet, 1 where both share one.
    alike
        Cosine of their mean embeddings, (N,).
    seed
        Mean of the seed map along the border, the lower side counting, (N,).
    jump
        Mean distance between votes of pixels that face each other across the border,
        (N,), cells.
    area
        Logarithm of their common area over that of a usual cell, (N,).
    """

    pairs: Integers
    flat: Floats
    alike: Floats
    seed: Floats
    jump: Floats
    area: Floats

    @property
    def observed(self) -> Floats:
        """All observations, (N, 5)."""
        return np.stack([self.flat, self.alike, self.seed, self.jump, self.area], 1)

    @property
    def odds(self) -> Floats:
        """Log-odds that both pieces are one cell, (N,)."""
        odds: Floats = START + self.observed @ WEIGHTS
        return odds

    @property
    def chance(self) -> Floats:
        """Chance that both pieces are one cell, (N,)."""
        chance: Floats = 1 / (1 + np.exp(-self.odds))
        return chance


@dataclass(frozen=True)
class Hills:
    """The hills of votes that pieces belong to.

    Parameters
    ----------
    labels
        Numbered hills on the map of votes, (Y, X).
    density
        Votes per px, (Y, X).
    of_piece
        Hill of each piece, (n,).
    """

    labels: Labels
    density: NDArray[np.float32]
    of_piece: Integers


def measure_borders(labels: Labels, hills: Hills, output: FrameOutput) -> Borders:
    """Observe all pieces that touch.

    Parameters
    ----------
    labels
        Pieces, (Y, X), numbered 1 to n.
    hills
        Where their votes fall.
    output
        What the network says of the frame; with the semi-convolutional heads.
    """
    assert output.offset is not None
    assert output.seed is not None
    mean = mean_embeddings(labels, output.embedding, len(hills.of_piece))
    faces = _faces(labels)
    pairs, border = np.unique(faces.pieces, axis=0, return_inverse=True)
    border = border.ravel()
    length = np.bincount(border, minlength=len(pairs))

    def along(values: NDArray[np.float32]) -> Floats:
        average: Floats = np.bincount(border, values, len(pairs)) / length
        return average

    votes = output.offset.reshape(2, -1)
    here, there = faces.here, faces.there
    apart = votes[:, there] - votes[:, here] + faces.step
    seed = output.seed.ravel()
    areas = np.bincount(labels.ravel(), minlength=len(mean) + 1)
    usual = np.pi / 4 * output.cell_size**2
    first, second = pairs.T - 1
    return Borders(
        pairs=pairs,
        flat=_flatness(pairs, hills),
        alike=(mean[first] * mean[second]).sum(1).astype(np.float64),
        seed=along(np.minimum(seed[here], seed[there])),
        jump=along(np.hypot(*apart)) / output.cell_size,
        area=np.log((areas[pairs[:, 0]] + areas[pairs[:, 1]]) / usual),
    )


def join_pieces(labels: Labels, borders: Borders, chance: float) -> Labels:
    """Join pieces, the surest pair first, while the cells that arise stay likely.

    Each pair is weighed with the areas of what both have become a part of, so that no
    chain of likely pairs ends in a cell of unlikely size.

    Parameters
    ----------
    labels
        Pieces, (Y, X), numbered 1 to n.
    borders
        What was observed on those that touch.
    chance
        Least chance of a pair that is joined.

    Returns
    -------
    Labels
        (Y, X), numbered by the smallest piece of each cell.
    """
    areas = np.bincount(labels.ravel())
    groups = list(range(len(areas)))  # where to look on; a group points at itself
    total = areas.astype(float).tolist()
    with np.errstate(divide="ignore"):
        least = float(np.log(chance) - np.log1p(-chance))

    def group_of(piece: int) -> int:
        while groups[piece] != piece:
            groups[piece] = groups[groups[piece]]
            piece = groups[piece]
        return piece

    odds = borders.odds
    for row in np.argsort(-odds, kind="stable").tolist():
        if odds[row] <= least:
            break
        pair = borders.pairs[row].tolist()
        one, other = sorted(group_of(piece) for piece in pair)
        if one == other:
            continue
        growth = np.log((total[one] + total[other]) / areas[pair].sum())
        if odds[row] + WEIGHTS[AREA] * growth > least:
            groups[other] = one
            total[one] += total[other]
    lookup = np.array([group_of(piece) for piece in range(len(groups))])
    return lookup[labels].astype(np.int32)


@dataclass(frozen=True)
class Faces:
    """Neighbouring pixels of two pieces.

    Parameters
    ----------
    pieces
        Numbers of the two pieces, smaller first, (F, 2).
    here, there
        Flat indices of the pixel and of its right or lower neighbour, (F,).
    step
        From the one to the other, y and x, (2, F), px.
    """

    pieces: Integers
    here: Integers
    there: Integers
    step: Floats


def _faces(labels: Labels) -> Faces:
    place = np.arange(labels.size).reshape(labels.shape)
    parts = []
    for step in ((0, 1), (1, 0)):
        near = np.s_[: labels.shape[0] - step[0], : labels.shape[1] - step[1]]
        far = np.s_[step[0] :, step[1] :]
        one, other = labels[near], labels[far]
        face = (one != other) & (one > 0) & (other > 0)
        here, there = place[near][face], place[far][face]
        parts.append((here, there, np.repeat(np.array([step]).T, len(here), 1)))
    here, there, step_of = (
        np.concatenate(each, -1) for each in zip(*parts, strict=True)
    )
    flat = labels.ravel()
    pieces = np.sort(np.stack([flat[here], flat[there]], 1), axis=1).astype(np.int64)
    return Faces(pieces, here, there, step_of.astype(np.float64))


def _flatness(pairs: Integers, hills: Hills) -> Floats:
    """Height of the pass between two hills over that of the lower one, (N,)."""
    numbered, density = hills.labels, hills.density
    count = int(numbered.max(initial=0))
    height = np.asarray(ndimage.maximum(density, numbered, np.arange(1, count + 1)))
    faces = _faces(numbered)
    values = density.ravel()
    passes = np.minimum(values[faces.here], values[faces.there])
    # One number for each pair of hills, so that pairs of pieces can be looked up.
    key = faces.pieces @ np.array([count + 1, 1])
    known, where = np.unique(key, return_inverse=True)
    top = np.zeros(len(known) + 1)
    np.maximum.at(top, where.ravel(), passes)
    both = np.sort(hills.of_piece[pairs - 1], axis=1)
    wanted = both @ np.array([count + 1, 1])
    row = np.searchsorted(known, wanted)
    saddle = np.where(np.append(known, -1)[row] == wanted, top[row], 0)
    lower = np.minimum(height[both[:, 0] - 1], height[both[:, 1] - 1])
    flat: Floats = saddle / np.maximum(lower, 1e-6)
    # Two kinds of embedding on one hill have no pass between them at all.
    return np.where(both[:, 0] == both[:, 1], 1.0, flat)
