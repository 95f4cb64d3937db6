"""What an experiment found, written as a table and a figure of the documentation."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from matplotlib.figure import Figure

from ..report import Row, machine, shown, versions


@dataclass(frozen=True)
class Scale:
    """How large an experiment is run.

    Parameters
    ----------
    full
        The full version, for a graphics card; else the small one, minutes on a CPU.
    device
        Where networks run: cpu, cuda or mps.
    seed
        First seed of every random choice.
    kept
        Folder of trained networks, from which an interrupted run goes on; None to train
        all of them anew.
    """

    full: bool = False
    device: str = "cpu"
    seed: int = 0
    kept: Path | None = None


@dataclass(frozen=True)
class Finding:
    """What an experiment found.

    Parameters
    ----------
    rows
        One mapping per line of the table; names of the columns carry their unit.
    settings
        All that the numbers depend on beside scale and seed: steps, sizes, data.
    draw
        Draws the figure from the rows and whatever pictures were kept.
    """

    rows: Sequence[Row]
    settings: Mapping[str, object]
    draw: Callable[[], Figure]


class Experiment(Protocol):
    """What a file in ``suite`` offers; its docstring's first line says what it asks."""

    def run(self, scale: Scale) -> Finding:
        """Measure."""


def write(name: str, finding: Finding, scale: Scale, folder: Path) -> None:
    """Write ``NAME.csv``, ``NAME.table.md``, ``NAME.json`` and ``NAME.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(key for row in finding.rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(finding.rows)
    (folder / f"{name}.csv").write_text(text.getvalue(), encoding="utf-8")
    (folder / f"{name}.table.md").write_text(
        _markdown(name, finding, scale, columns), encoding="utf-8"
    )
    facts = {
        "experiment": name,
        "scale": "full" if scale.full else "small",
        "device": scale.device,
        "seed": scale.seed,
        "settings": dict(finding.settings),
        "machine": machine(),
        "versions": versions(),
    }
    (folder / f"{name}.json").write_text(
        json.dumps(facts, indent=2) + "\n", encoding="utf-8"
    )
    figure = finding.draw()
    figure.savefig(folder / f"{name}.png", dpi=110, bbox_inches="tight")


def _markdown(name: str, finding: Finding, scale: Scale, columns: Sequence[str]) -> str:
    cells = [
        columns,
        *([shown(row.get(key)) for key in columns] for row in finding.rows),
    ]
    lines = [f"| {' | '.join(_cell(text) for text in line)} |" for line in cells]
    lines.insert(1, f"|{'---|' * len(columns)}")
    option = " --full" if scale.full else ""
    told = ", ".join(f"{key} {shown(value)}" for key, value in finding.settings.items())
    lines += [
        "",
        f"`python -m benchmarks.experiments {name}{option}`: seed {scale.seed}, "
        f"{scale.device}, {told}.",
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    # A bare bar, as in |DiC|, would begin a new column.
    return text.replace("|", r"\|")
