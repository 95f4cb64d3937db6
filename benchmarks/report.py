"""What a benchmark found, on which machine and with what settings."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

Value = str | int | float | bool | None
Row = Mapping[str, Value]

LIBRARIES = ("napari-semiconv", "numpy", "scipy", "scikit-image", "torch", "napari")


@dataclass(frozen=True)
class Report:
    """What a benchmark found.

    Parameters
    ----------
    rows
        One mapping per line of the table; all values carry their unit in their name.
    settings
        All that the numbers depend on: seed, sizes, model, threads.
    notes
        Sentences without which the numbers would be misread.
    """

    rows: Sequence[Row]
    settings: Mapping[str, object]
    notes: Sequence[str] = field(default_factory=tuple)


def machine() -> dict[str, Value]:
    """Describe the computer, but not whose it is."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_GB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Name the versions of what does the work."""
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed"
    return found


def as_json(name: str, report: Report) -> str:
    """Write a report as JSON."""
    return json.dumps(
        {
            "benchmark": name,
            "machine": machine(),
            "versions": versions(),
            "settings": dict(report.settings),
            "rows": [dict(row) for row in report.rows],
            "notes": list(report.notes),
        },
        indent=2,
    )


def as_text(name: str, report: Report) -> str:
    """Write a report as a table, with machine, versions and settings below."""
    facts = (
        ("machine", machine()),
        ("versions", versions()),
        ("settings", report.settings),
    )
    lines = [name, "", *table(report.rows), *([""] if report.rows else [])]
    lines += [f"Note: {note}" for note in report.notes]
    for title, values in facts:
        told = ", ".join(f"{key} {shown(value)}" for key, value in values.items())
        lines.append(f"{title.capitalize()}: {told}")
    return "\n".join(lines)


def as_markdown(name: str, report: Report) -> str:
    """Write a report as a table of a page, with its notes, settings and machine."""
    columns = list(dict.fromkeys(key for row in report.rows for key in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[shown(row.get(key)) for key in columns] for row in report.rows]
    told = ", ".join(f"{key} {shown(value)}" for key, value in report.settings.items())
    here = machine()
    where = f"{here['cores']} cores, {here['processor']}"
    return "\n".join(
        [
            f"<!-- Made by `python -m benchmarks {name} --markdown`; do not edit. -->",
            "",
            *(f"| {' | '.join(line)} |" for line in lines),
            "",
            *(f"{note}\n" for note in report.notes),
            f"Settings: {told}. Machine: {where}.",
        ]
    )


def table(rows: Sequence[Row]) -> list[str]:
    """Lay out rows as aligned lines under their names; a dash where a value lacks."""
    if not rows:
        return []
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns, *([shown(row.get(key)) for key in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    words = [isinstance(rows[0].get(key), str) for key in columns]
    return [
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, words, strict=True)
        ).rstrip()
        for line in cells
    ]


def shown(value: object) -> str:
    """Write a value for people: three decimals, a dash for none."""
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory() -> float:
    """Most memory this process has held at once so far, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Unlike getrusage, this begins anew when a program is started by a large one.
        line = next(x for x in status.read_text().splitlines() if "VmHWM" in x)
        return int(line.split()[1]) / 1024
    if platform.system() == "Windows":
        return float(psutil.Process().memory_info().peak_wset) / 2**20
    import resource

    unit = 2**20 if platform.system() == "Darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
