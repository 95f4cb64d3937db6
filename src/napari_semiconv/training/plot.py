"""Plot of a training log."""

import csv
from pathlib import Path


def plot_log(path: Path) -> None:
    """Draw losses and held-out scores of a log table into ``log.png`` beside it."""
    # A figure of its own, so that no window system is asked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    steps = [int(row["step"]) for row in rows]
    for name in rows[0]:
        for axes, prefix in ((left, "loss: "), (right, "held out: ")):
            if name.startswith(prefix):
                values = [float(row[name]) for row in rows]
                axes.plot(steps, values, label=name.removeprefix(prefix))
    for axes, title in (
        (left, "Loss on training clips"),
        (right, "Loss on held-out clips"),
    ):
        axes.set(title=title, xlabel="step", yscale="log")
        if axes.lines:
            axes.legend(fontsize=7)
    draft = path.with_name("log.png.part")
    figure.savefig(draft, format="png", dpi=100)
    draft.replace(path.with_name("log.png"))
