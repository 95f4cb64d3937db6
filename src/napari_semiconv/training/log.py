"""The table of losses and scores that a training writes, and its plot."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from ..safe import replacing, saving, write_text_safely

LOG = "log.csv"


def add_to_log(folder: Path, row: Mapping[str, float]) -> None:
    """Add a row to the table, and draw the plot anew; all of it or nothing.

    Parameters
    ----------
    folder
        Folder of the training.
    row
        Step, rate, losses and scores by name; new names become new columns.

    Raises
    ------
    SaveError
        When the disk is full; table and plot are as they were.
    """
    path = folder / LOG
    rows = [*read_log(path), {name: f"{value:.6g}" for name, value in row.items()}]
    text = io.StringIO(newline="")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text_safely(path, text.getvalue())
    with saving(folder / "log.png"):
        plot_log(path)


def read_log(path: Path) -> list[dict[str, str]]:
    """Read the rows of a table, oldest first; none when it does not exist."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def plot_log(path: Path) -> None:
    """Draw losses and held-out scores of a table into ``log.png`` beside it."""
    # A figure of its own, so that no window system is asked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = read_log(path)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for name in rows[0]:
        known = [row for row in rows if row[name]]
        steps = [int(row["step"]) for row in known]
        for axes, prefix in ((left, "loss: "), (right, "held out: ")):
            if name.startswith(prefix):
                values = [float(row[name]) for row in known]
                axes.plot(steps, values, label=name.removeprefix(prefix))
    for axes, title in (
        (left, "Loss on training clips"),
        (right, "Loss on held-out clips"),
    ):
        axes.set(title=title, xlabel="step", yscale="log")
        if axes.lines:
            axes.legend(fontsize=7)
    with replacing(path.with_name("log.png"), sync=False) as stream:
        figure.savefig(stream, format="png", dpi=100)
