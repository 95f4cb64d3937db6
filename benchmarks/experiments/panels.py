"""Figures of still pictures: each method's cells in colours, beside the truth."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_semiconv.tracking.measures.matching import measure_overlaps

from .pictures import Picture
from .stills import METHODS
from .trials import Trial

COLOURS = {
    "cosine": "#0072b2",
    "attraction": "#56b4e9",
    "semi-conv": "#e69f00",
    "joint": "#009e73",
    "region": "#cc79a7",
}
# Of each cell of the truth, light enough to tell from the black background.
TINTS = np.array(
    [
        [0, 0, 0], [86, 180, 233], [230, 159, 0], [0, 158, 115], [240, 228, 66],
        [204, 121, 167], [213, 94, 0], [150, 150, 255], [200, 200, 200],
        [140, 220, 140], [170, 120, 80], [255, 170, 190],
    ],
    np.uint8,
)  # fmt: skip


def show_pictures(
    figure: Figure, pictures: Sequence[Picture], trials: Sequence[Trial], rows: int
) -> list[Axes]:
    """Draw input, truth and each method's cells, a row per picture, from the top.

    Parameters
    ----------
    figure
        Where to draw.
    pictures
        The test pictures; the first ones are shown.
    trials
        What was found in them; of each method the first seed is shown.
    rows
        How many pictures are shown.

    Returns
    -------
    list
        Two empty panels below the pictures.
    """
    columns = ("picture", "truth", *METHODS)
    above, below = figure.subfigures(2, 1, height_ratios=[rows, 1.8])
    grid = above.subplots(rows, len(columns))
    first = {trial.method: trial for trial in reversed(trials)}
    for row in range(rows):
        truth = pictures[row].labels
        shown = [None, truth, *(first[method].found[row] for method in METHODS)]
        for column, (name, labels) in enumerate(zip(columns, shown, strict=True)):
            panel = grid[row, column]
            panel.set_axis_off()
            if row == 0:
                panel.set_title(name, fontsize=10)
            if labels is None:
                panel.imshow(pictures[row].image, cmap="gray")
            else:
                panel.imshow(tint(labels, truth), interpolation="nearest")
    return [*below.subplots(1, 2)]


def tint(labels: NDArray[np.int32], truth: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Colour cells like the true cell they overlap best, (Y, X, RGB).

    A cell whose true cell is better found by another gets a colour of its own.
    """
    overlaps = measure_overlaps(truth, labels)
    colour = np.zeros(int(labels.max()) + 1, np.int64)
    taken: set[int] = set()
    for pair in overlaps.iou.argsort()[::-1]:
        true, found = (int(i) for i in overlaps.pairs[pair])
        wanted, label = int(overlaps.truth[true]), int(overlaps.result[found])
        if not colour[label] and wanted not in taken:
            colour[label] = wanted
            taken.add(wanted)
    spare = int(truth.max())
    for label in overlaps.result:
        if not colour[label]:
            spare += 1
            colour[label] = spare
    colour[1:] = (colour[1:] - 1) % (len(TINTS) - 1) + 1
    return TINTS[colour[labels]]
