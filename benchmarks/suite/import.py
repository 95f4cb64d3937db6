"""How long `import napari_semiconv` takes, and what it loads that it should not."""

import argparse
import json
import statistics
import subprocess
import sys

from ..report import Report, Row

MODULES = (
    "napari_semiconv",
    "napari_semiconv.workflows.session",
    "napari_semiconv.cli",
)
HEAVY = (
    "torch", "napari", "qtpy", "superqt", "magicgui", "numba", "scipy", "skimage",
    "zarr", "tifffile", "hdbscan", "sklearn", "matplotlib",
)  # fmt: skip
CODE = """
import json, sys, time
begin = time.perf_counter()
import {module}
seconds = time.perf_counter() - begin
print(json.dumps([seconds, [name for name in {heavy} if name in sys.modules]]))
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--runs", type=int, default=7, help="fresh processes each")


def run(options: argparse.Namespace) -> Report:
    """Measure each module in fresh processes."""
    return Report(
        rows=[_measure(module, options.runs) for module in MODULES],
        settings={"runs": options.runs, "first_run_left_out": True},
    )


def _measure(module: str, runs: int) -> Row:
    times: list[float] = []
    heavy: list[str] = []
    for _ in range(runs + 1):
        code = CODE.format(module=module, heavy=HEAVY)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        seconds, heavy = json.loads(done.stdout)
        times.append(seconds)
    # The first one may have had to compile the sources and fetch them from the disk.
    kept = times[1:]
    return {
        "module": module,
        "median_s": statistics.median(kept),
        "best_s": min(kept),
        "worst_s": max(kept),
        "heavy_libraries_loaded": " ".join(heavy) or "none",
    }
