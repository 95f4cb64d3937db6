"""Labels of the movie's resolution brought to the network's, with no cell lost."""

import numpy as np
from numpy.typing import NDArray

from ...labels import Labels


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
