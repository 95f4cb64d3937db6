"""`python -m benchmarks.experiments list | all | NAME [--full]`."""

import argparse
import ast
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import cast

from ..report import table
from .finding import Experiment, Scale, write

SUITE = Path(__file__).parent / "suite"
HOME = Path(__file__).parents[2]
PAGES = HOME / "docs" / "experiments"
KEPT = HOME / "runs" / "experiments"


def names() -> list[str]:
    """List all experiments by name."""
    return sorted(path.stem for path in SUITE.glob("[!_]*.py"))


def question(name: str) -> str:
    """Say in one line what an experiment asks, without running any of its imports."""
    tree = ast.parse((SUITE / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def load(name: str) -> Experiment:
    """Import an experiment."""
    return cast("Experiment", import_module(f".suite.{name}", __package__))


def main(words: Sequence[str]) -> int:
    """Run experiments and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.experiments",
        description="Measure the papers' claims; write tables and figures.",
    )
    parser.add_argument(
        "name", help="'list', 'all', or an experiment that 'list' names"
    )
    parser.add_argument("--full", action="store_true", help="full size, for a GPU")
    parser.add_argument("--device", choices=("cpu", "cuda", "mps"), default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="train anew, as after a change of the losses",
    )
    parser.add_argument("--output", type=Path, default=PAGES, metavar="DIR")
    options = parser.parse_args(words)
    if options.name == "list":
        for name in names():
            print(f"{name:14}  {question(name)}")
        return 0
    chosen = names() if options.name == "all" else [options.name]
    if unknown := [name for name in chosen if name not in names()]:
        known = ", ".join(names())
        print(
            f"Experiment '{unknown[0]}': expected one of {known}, found no experiment "
            f"of that name. See `python -m benchmarks.experiments list`.",
            file=sys.stderr,
        )
        return 2
    for name in chosen:
        kept = None if options.fresh else KEPT / name
        scale = Scale(options.full, options.device, options.seed, kept)
        begin = time.perf_counter()
        finding = load(name).run(scale)
        write(name, finding, scale, options.output)
        print(
            f"{name} ({time.perf_counter() - begin:.0f} s)",
            *table(finding.rows),
            sep="\n",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
