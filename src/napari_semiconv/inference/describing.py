"""Cells of a frame measured for linking, and brought to the resolution of the movie."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..labels import Labels
from ..tracking.evidence import Evidence
from .engines.protocol import CellScores
from .linking.features import Floats as Floats64
from .linking.features import FrameCells, Integers
from .stream.stream import Floats, FrameOutput, resize


def describe(
    labels: Labels, output: FrameOutput
) -> tuple[FrameCells, NDArray[np.int64]]:
    """Measure the cells of a frame for linking.

    Parameters
    ----------
    labels
        Cell numbers, (Y, X), any positive numbers.
    output
        What the network predicts for the frame.

    Returns
    -------
    tuple
        The cells, renumbered 1 to n, and the number each had in ``labels``, (n,).
    """
    # Most of a frame is background, and sorting all of it would take longest.
    inside = np.flatnonzero(labels)
    owner = labels.ravel()[inside]
    numbers = np.flatnonzero(np.bincount(owner))
    count = len(numbers)
    lookup = np.zeros(int(owner.max(initial=0)) + 1, np.int32)
    lookup[numbers] = np.arange(1, count + 1)
    dense: Labels = lookup[labels]
    owner = lookup[owner] - 1
    area = np.bincount(owner, minlength=count).astype(np.float64)

    def mean(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        average: NDArray[np.float64] = np.bincount(owner, values, count) / area
        return average

    grid = np.stack(np.divmod(inside, labels.shape[1])).astype(np.float32)

    def means(moved: Floats) -> NDArray[np.float64]:
        planes = moved.reshape(2, -1)[:, inside]
        return np.stack([mean(g + m) for g, m in zip(grid, planes, strict=True)], 1)

    centres = np.stack([mean(axis) for axis in grid], 1)
    origins = np.full((count, 2), np.nan)
    if output.motion is not None:
        origins = means(output.motion)
        if output.offset is not None:
            # The origin is a mean vote one frame before; cells are known by centroid.
            origins = origins + centres - means(output.offset)
    sure = output.foreground if output.seed is None else output.seed
    embeddings = mean_embeddings(dense, output.embedding, count).astype(np.float64)
    certain = mean(sure.ravel()[inside])
    cells = FrameCells(dense, centres, area, embeddings, origins, certain)
    return cells, numbers.astype(np.int64)


def evidence_of(
    cells: FrameCells,
    labels: NDArray[np.int64],
    shape: tuple[int, ...],
    joint: tuple[Integers, Floats64],
    scored: tuple[NDArray[np.int64], CellScores] | None = None,
) -> Evidence:
    """Keep what the network predicts for the cells of a frame, for the solver.

    Parameters
    ----------
    cells
        The cells, at the resolution of the network.
    labels
        Their labels in the masks, (n,).
    shape
        Height and width of the movie's frames, px.
    joint
        Label of the cell found together with each in the frame before, and their IoU.
    scored
        The number that the engine gave each, (n,), and how sure it is of its cells;
        None where it does not tell.
    """
    scale = np.divide(shape, cells.labels.shape)
    motion = (cells.origins - cells.centres) * scale
    persistence, margin = np.full((2, len(labels)), np.nan, np.float32)
    if scored is not None:
        numbers, sure = scored
        _, here, there = np.intersect1d(numbers, sure.numbers, return_indices=True)
        persistence[here] = sure.persistence[there]
        # Nearer to another cell than to their own is as unsure as can be.
        margin[here] = np.maximum(sure.margin[there], 0)
    evidence = Evidence(
        np.arange(len(labels)),
        cells.embeddings.astype(np.float32),
        motion.astype(np.float32),
        cells.scores.astype(np.float32),
        persistence=persistence,
        margin=margin,
        joint_match=joint[0],
        joint_overlap=joint[1].astype(np.float32),
    )
    return evidence.named(np.asarray(labels, np.int64))


def enlarge(labels: Labels, level: Floats, shape: tuple[int, ...]) -> Labels:
    """Bring labels to the resolution of the movie with smooth outer borders.

    Parameters
    ----------
    labels
        Cell numbers at the resolution of the network, (Y, X).
    level
        Foreground above its threshold where positive, (Y, X).
    shape
        Height and width of the movie's frames, px.

    Returns
    -------
    Labels
        Cell numbers, of ``shape``.
    """
    if labels.shape == shape or not labels.any():
        return labels if labels.shape == shape else np.zeros(shape, np.int32)
    # Grown by a pixel, so that the border is set by the smooth level alone.
    near = ndimage.distance_transform_edt(
        labels == 0, return_distances=False, return_indices=True
    )
    close = ndimage.binary_dilation(labels > 0, np.ones((3, 3)), iterations=2)
    grown = np.where(close, labels[tuple(near)], 0)
    # Gaps that the engine left inside the foreground stay gaps.
    kept = np.where((labels == 0) & (level > 0), -1e-3, level).astype(np.float32)
    kept = np.where((labels > 0) & (kept <= 0), 1e-3, kept).astype(np.float32)
    height, width = shape
    above = resize(kept, (height, width)) > 0
    rows, columns = (
        np.minimum(((np.arange(n) + 0.5) * m / n).astype(int), m - 1)
        for n, m in zip(shape, labels.shape, strict=True)
    )
    return np.where(above, grown[np.ix_(rows, columns)], 0).astype(np.int32)


def mean_embeddings(
    labels: Labels, embedding: NDArray[np.float32], count: int | None = None
) -> NDArray[np.float32]:
    """Average the unit embeddings of each cell.

    Parameters
    ----------
    labels
        Cell numbers, (Y, X), 1 to n.
    embedding
        Unit embeddings, (D, Y, X).
    count
        Number of cells n; the largest label when None.

    Returns
    -------
    NDArray
        (n, D); zero for a number without pixels.
    """
    inside = np.flatnonzero(labels)
    flat = labels.ravel()[inside]
    bins = (int(flat.max(initial=0)) if count is None else count) + 1
    total = np.stack(
        [np.bincount(flat, plane.ravel()[inside], bins) for plane in embedding], 1
    )[1:]
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (total / np.maximum(length, 1e-6)).astype(np.float32)
    return unit


def shrink(labels: Labels, shape: tuple[int, int]) -> Labels:
    """Sample labels at another resolution; each cell keeps a pixel at least.

    Parameters
    ----------
    labels
        Cells, (Y, X).
    shape
        Height and width to bring them to, px.

    Returns
    -------
    Labels
        Cells, of ``shape``.
    """
    if labels.shape == shape:
        return labels
    rows, columns = (
        np.minimum(((np.arange(n) + 0.5) * m / n).astype(np.int64), m - 1)
        for n, m in zip(shape, labels.shape, strict=True)
    )
    small: Labels = labels[np.ix_(rows, columns)].copy()
    areas = dict(zip(*np.unique(small, return_counts=True), strict=True))
    factor = np.divide(shape, labels.shape)
    for label in np.setdiff1d(labels, small).tolist():
        centre = np.argwhere(labels == label).mean(0)
        _place(small, label, (centre + 0.5) * factor - 0.5, areas)
    return small


def _place(
    small: Labels, label: int, centre: NDArray[np.float64], areas: dict[int, int]
) -> None:
    """Give a cell the nearest pixel that no other cell needs."""
    spare = np.array([n for n, area in areas.items() if n == 0 or area > 1])
    places = np.argwhere(np.isin(small, spare))
    if not len(places):
        return
    best = tuple(places[((places - centre) ** 2).sum(1).argmin()])
    areas[int(small[best])] -= 1
    areas[label] = 1
    small[best] = label
