"""Which benchmarks there are: every file in ``suite`` is one."""

import argparse
import ast
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from .report import Report

SUITE = Path(__file__).parent / "suite"


class Benchmark(Protocol):
    """What a file in ``suite`` offers."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options of this benchmark."""

    def run(self, options: argparse.Namespace) -> Report:
        """Measure."""


def names() -> list[str]:
    """List all benchmarks by name."""
    return sorted(path.stem for path in SUITE.glob("[!_]*.py"))


def description(name: str) -> str:
    """Say in one line what a benchmark measures, without running any of its imports."""
    tree = ast.parse((SUITE / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def load(name: str) -> Benchmark:
    """Import a benchmark."""
    return cast("Benchmark", import_module(f".suite.{name}", __package__))
