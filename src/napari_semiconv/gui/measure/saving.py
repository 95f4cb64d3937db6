"""Ask where to, and write what is shown: rows of a table, or a figure."""

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QWidget

from ...io.cells.tables import write_table
from ...workflows.measuring import write_rows
from .curves import Chart
from .figures import SUFFIXES, save_figure
from .table_view import TableModel

if TYPE_CHECKING:
    from ..workbench import Workbench

FIGURES = "PNG image (*.png);;SVG drawing (*.svg);;PDF (*.pdf)"


def save_rows(parent: QWidget, bench: "Workbench", rows: TableModel, of: str) -> None:
    """Save the rows that are shown, in their order, as CSV.

    Parameters
    ----------
    parent
        Asks where to.
    bench
        Whose cells.
    rows
        The table.
    of
        What they are called, for the name that is proposed.
    """
    target, _ = _ask(parent, bench, "Save table", f"{of}.csv", "Table (*.csv)")
    if target is None:
        return
    if target.suffix.lower() != ".csv":
        target = target.with_name(f"{target.name}.csv")
    place, table = target, rows.table.rows(rows.shown)
    bench.attempt(
        lambda: write_rows(bench.session, place, lambda: write_table(table, place))
    )


def save_plot(parent: QWidget, bench: "Workbench", plot: Chart) -> None:
    """Save a plot as PNG, SVG or PDF.

    Parameters
    ----------
    parent, bench
        As in `save_rows`.
    plot
        The plot.
    """
    target, chosen = _ask(parent, bench, "Save figure", "plot.png", FIGURES)
    if target is None:
        return
    if target.suffix.lower() not in SUFFIXES:
        endings = (suffix for suffix in SUFFIXES if f"*{suffix}" in chosen)
        target = target.with_name(target.name + next(endings, SUFFIXES[0]))
    place = target
    bench.attempt(
        lambda: write_rows(bench.session, place, lambda: save_figure(plot, place))
    )


def _ask(
    parent: QWidget, bench: "Workbench", title: str, name: str, kinds: str
) -> tuple[Path | None, str]:
    project = bench.session.project
    if project is None:
        return None, ""
    path, chosen = QFileDialog.getSaveFileName(
        parent,
        title,
        str(project.folder.with_name(f"{project.folder.stem}_{name}")),
        kinds,
        # Nothing is ever replaced, so nobody is asked whether to.
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    return (Path(path) if path else None), chosen
