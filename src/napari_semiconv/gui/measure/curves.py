"""What is plotted of measured cells: curves of tracks, of all cells, histograms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import counted
from ...io.cells.columns import Column, Table
from ...workflows.measuring import Measured

Values = NDArray[np.float64]
# Red, green and blue, 0 to 1, of a label.
Colours = Callable[[Sequence[int]], NDArray[np.floating]]
Colour = tuple[float, float, float]

# Tracks that are drawn at once: more cannot be told apart.
MOST_TRACKS = 50
SELECTED, OVER_TIME, HISTOGRAM = "Selected cells", "All cells", "Histogram"
KINDS = (SELECTED, OVER_TIME, HISTOGRAM)
NOTHING_SELECTED = "Select cells, on the canvas or in a table, to see their curves."
# Columns that say which cell it is, and not how it is.
_IDENTITY = frozenset(
    {"frame", "time_s", "label", "parent", "lineage", "generation", "confirmed"}
)


@dataclass(frozen=True, eq=False)
class Line:
    """A curve, in a colour of its own or, when None, in that of the text."""

    x: Values
    y: Values
    label: str = ""
    colour: Colour | None = None


@dataclass(frozen=True, eq=False)
class Chart:
    """What is to be drawn.

    Parameters
    ----------
    x_title, y_title
        Of the axes, with units.
    lines
        Curves.
    bars
        Edges, (N + 1,), and heights, (N,), of a histogram; None for curves.
    frame_step
        What a frame takes on the x axis; None when that is no time.
    note
        A sentence; instead of a plot when there is nothing to draw.
    """

    x_title: str = ""
    y_title: str = ""
    lines: tuple[Line, ...] = ()
    bars: tuple[Values, Values] | None = None
    frame_step: float | None = None
    note: str = ""


def choices(measured: Measured, kind: str) -> list[Column]:
    """List the columns that a kind of plot can be of."""
    table = measured.frames if kind == OVER_TIME else measured.cells
    return [column for column in table.columns if column.name not in _IDENTITY]


def plot_of(
    measured: Measured,
    kind: str,
    name: str,
    selection: frozenset[int],
    colours: Colours,
) -> Chart:
    """Make a plot.

    Parameters
    ----------
    measured
        What was measured.
    kind
        One of `KINDS`.
    name
        Name of one of the columns among the `choices`.
    selection
        Labels of the selected cells.
    colours
        Gives the colours of tracks.
    """
    known = {column.name: column for column in choices(measured, kind)}
    if name not in known:
        return Chart()
    if kind == HISTOGRAM:
        return _histogram(measured.cells, known[name], selection)
    if kind == OVER_TIME:
        step, title = _time(measured.frames)
        table = measured.frames
        x = table["frame"] * step
        line = Line(x, known[name].values.astype(float))
        return Chart(title, known[name].header, (line,), frame_step=step)
    return _of_tracks(measured.cells, known[name], selection, colours)


def _of_tracks(
    cells: Table, column: Column, selection: frozenset[int], colours: Colours
) -> Chart:
    labels = sorted(selection)
    rows = np.flatnonzero(np.isin(cells["label"], labels[:MOST_TRACKS]))
    if not len(rows):
        return Chart(note=NOTHING_SELECTED)
    step, title = _time(cells)
    owner, frame = cells["label"][rows], cells["frame"][rows]
    values = column.values[rows].astype(float)
    shown = np.unique(owner).tolist()
    lines = []
    for label, colour in zip(shown, colours(shown), strict=True):
        mine = owner == label
        # A gap in the track is a gap in its curve.
        x, y = _with_gaps(frame[mine], values[mine])
        red, green, blue = (float(part) for part in colour[:3])
        lines.append(Line(x * step, y, f"cell {label}", (red, green, blue)))
    many = len(labels) > MOST_TRACKS
    note = f"The first {MOST_TRACKS} of {len(labels)} selected cells" if many else ""
    return Chart(title, column.header, tuple(lines), frame_step=step, note=note)


def _histogram(cells: Table, column: Column, selection: frozenset[int]) -> Chart:
    there = ~np.isnan(column.values)
    chosen = there & np.isin(cells["label"], sorted(selection))
    rows = chosen if chosen.any() else there
    values = column.values[rows].astype(float)
    if not len(values):
        return Chart(note=f"{column.title}: there are no values.")
    # At most 60 bars: numpy's own rule makes thousands where one value is far away.
    edges = np.histogram_bin_edges(values, "fd")
    if not 2 <= len(edges) <= 61:
        edges = np.histogram_bin_edges(values, 60 if len(edges) > 61 else 10)
    heights, edges = np.histogram(values, edges)
    of = "selected cells" if chosen.any() else "all cells"
    return Chart(
        column.header,
        "Cells",
        bars=(edges, heights.astype(float)),
        note=f"{counted(len(values), 'value')} of {of}",
    )


def _time(table: Table) -> tuple[float, str]:
    """Find what a frame takes on the axis of time, and the title of that."""
    if "time_s" not in table or len(table) == 0:
        return 1.0, "Frame"
    last = int(np.argmax(table["frame"]))
    frame, seconds = int(table["frame"][last]), float(table["time_s"][last])
    if frame == 0:
        return 1.0, "Frame"
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return seconds / frame / length, f"Time ({unit})"
    return seconds / frame, "Time (s)"


def _with_gaps(frame: NDArray[np.int64], values: Values) -> tuple[Values, Values]:
    cuts = np.flatnonzero(np.diff(frame) > 1) + 1
    x = np.insert(frame.astype(float), cuts, np.nan)
    return x, np.insert(values, cuts, np.nan)
