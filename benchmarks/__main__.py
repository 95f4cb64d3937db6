"""`python -m benchmarks list` and `python -m benchmarks NAME [--json]`."""

import argparse
import sys
from collections.abc import Sequence

from napari_semiconv.errors import SemiconvError

from . import registry
from .report import as_json, as_markdown, as_text

LIST = "list"


def main(arguments: Sequence[str]) -> int:
    """Run a benchmark and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure speed and quality."
    )
    parser.add_argument("name", help=f"'{LIST}', or a benchmark that it names")
    name = parser.parse_args(arguments[:1]).name
    if name == LIST:
        return list_all()
    if name not in registry.names():
        known = ", ".join(registry.names())
        print(
            f"Benchmark '{name}': expected one of {known}, found no benchmark of "
            "that name. See `python -m benchmarks list`.",
            file=sys.stderr,
        )
        return 2
    return run(name, arguments[1:])


def list_all() -> int:
    """Name all benchmarks with what they measure."""
    width = max(map(len, registry.names()))
    for name in registry.names():
        print(f"{name:{width}}  {registry.description(name)}")
    return 0


def run(name: str, arguments: Sequence[str]) -> int:
    """Run one benchmark and print what it found."""
    benchmark = registry.load(name)
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks {name}", description=registry.description(name)
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, not a table")
    form.add_argument("--markdown", action="store_true", help="print a page's table")
    benchmark.add_options(parser)
    options = parser.parse_args(arguments)
    try:
        report = benchmark.run(options)
    except SemiconvError as error:
        print(error, file=sys.stderr)
        return 1
    write = as_json if options.json else as_text
    print((as_markdown if options.markdown else write)(name, report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
