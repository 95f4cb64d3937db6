"""Plots as figures of matplotlib: pixels for the window, files for papers.

Nothing here needs a window, and a thread may draw: matplotlib takes its time.
"""

import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...io.cells.staging import new_target
from ...safe import saving
from .curves import Chart, Colour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Endings of the files that a figure can be saved as.
SUFFIXES = (".png", ".svg", ".pdf")
# Curves up to which each is named.
MOST_NAMED = 10
# Size of a saved figure, inches, and pixels of an inch in a PNG.
SAVED_SIZE = (6.0, 4.0)
SAVED_DPI = 300
# What takes long to load, in the order in which one needs the other, and s of rest.
PARTS = (
    "",
    ".rcsetup",
    ".font_manager",
    ".transforms",
    ".artist",
    ".patches",
    ".text",
    ".image",
    ".axis",
    ".axes",
    ".figure",
    ".backends.backend_agg",
)
PAUSE = 0.02


@dataclass(frozen=True)
class FigureStyle:
    """Colours, 0 to 1, and how many pixels are an inch."""

    background: Colour
    text: Colour
    dpi: float


PAPER = FigureStyle((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), SAVED_DPI)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure as pixels.

    Parameters
    ----------
    pixels
        Red, green, blue and opacity, (Y, X, 4), 0 to 255.
    box
        Left, top, right and bottom of the axes, px; empty without axes.
    limits
        Left and right end of the x axis.
    """

    pixels: NDArray[np.uint8]
    box: tuple[float, ...] = ()
    limits: tuple[float, float] = (0.0, 1.0)


def load() -> None:
    """Load matplotlib bit by bit, so that a window answers in between."""
    for name in PARTS:
        import_module(f"matplotlib{name}")
        time.sleep(PAUSE)


def draw(plot: Chart, size: tuple[int, int], look: FigureStyle) -> Drawn:
    """Draw a plot.

    Parameters
    ----------
    plot
        What to draw.
    size
        Width and height, px.
    look
        Colours and resolution.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure, axes = _figure(plot, (size[0] / look.dpi, size[1] / look.dpi), look)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba()).copy()
    if axes is None:
        return Drawn(pixels)
    box, height = axes.get_window_extent(), pixels.shape[0]
    left, right = axes.get_xlim()
    return Drawn(
        pixels,
        (box.x0, height - box.y1, box.x1, height - box.y0),
        (float(left), float(right)),
    )


def save_figure(plot: Chart, target: Path) -> None:
    """Save a plot as a new file, dark on white, fit for print.

    Parameters
    ----------
    plot
        What to draw.
    target
        The file; its ending, one of `SUFFIXES`, says as what.

    Raises
    ------
    SaveError
        When there is something already, or the disk fails.
    """
    figure, _ = _figure(plot, SAVED_SIZE, PAPER)
    with new_target(target) as draft, saving(target):
        figure.savefig(draft, format=target.suffix[1:].lower(), dpi=SAVED_DPI)


def _figure(
    plot: Chart, size: tuple[float, float], look: FigureStyle
) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=size, dpi=look.dpi, layout="constrained", facecolor=look.background
    )
    if not plot.lines and plot.bars is None:
        figure.text(0.5, 0.5, plot.note, color=look.text, ha="center", va="center")
        return figure, None
    axes = figure.add_subplot(facecolor=look.background)
    for line in plot.lines:
        colour = _readable(line.colour or look.text, look.background)
        alone = np.isfinite(line.y).sum() == 1
        axes.plot(line.x, line.y, color=colour, lw=1.5, marker="o" if alone else None)
        if len(plot.lines) <= MOST_NAMED and line.label:
            axes.lines[-1].set_label(line.label)
    if plot.bars is not None:
        axes.stairs(plot.bars[1], plot.bars[0], fill=True, color=look.text, alpha=0.7)
        axes.set_ylim(bottom=0)
    axes.set_xlabel(plot.x_title, color=look.text)
    axes.set_ylabel(plot.y_title, color=look.text)
    axes.set_title(plot.note, color=look.text, fontsize="small")
    axes.tick_params(colors=look.text, labelsize="small")
    axes.spines[:].set_color(look.text)
    axes.spines[["top", "right"]].set_visible(False)
    if any(not name.startswith("_") for name in axes.get_legend_handles_labels()[1]):
        axes.legend(
            frameon=False,
            labelcolor=look.text,
            fontsize="small",
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
        )
    return figure, axes


def _readable(colour: Colour, background: Colour) -> Colour:
    """Keep the hue of a track, but apart from the background in brightness."""
    weights = np.array([0.299, 0.587, 0.114])
    rgb, behind = np.array(colour), float(weights @ background)
    there = float(weights @ rgb)
    if abs(there - behind) >= 0.25:
        return colour
    goal = behind + 0.25 if behind < 0.5 else behind - 0.25
    # Towards white on a dark ground, towards black on a light one.
    end = 1.0 if goal > there else 0.0
    share = min(1.0, abs(goal - there) / max(abs(end - there), 1e-6))
    red, green, blue = (rgb + (end - rgb) * share).tolist()
    return red, green, blue
