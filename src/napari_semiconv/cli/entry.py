"""The command and its subcommands: what can be asked, and how the answer ends."""

import argparse
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import SemiconvError
from . import (
    check,
    correct,
    demo,
    diagnose,
    evaluate,
    export,
    history,
    import_,
    models,
    open_,
    run,
    segment,
    solve,
    teach,
    train,
    undo,
)

OK, FAILED, INTERRUPTED = 0, 1, 130
# In the order of the help: a command is a file with `add`.
COMMANDS = (
    demo, segment, run, solve, correct, undo, export, import_, evaluate, check, history,
    open_, teach, train, models, diagnose,
)  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    """Run one command of `napari-semiconv`.

    Parameters
    ----------
    words
        Words after the program's name; those of the terminal when None.

    Returns
    -------
    int
        0 when done, 1 after an error that is told in one sentence, 130 when
        interrupted. Wrong usage leaves with 2, as is usual.
    """
    try:
        arguments = build_parser().parse_args(words)
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python would flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except SemiconvError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    return OK


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all subcommands."""
    parser = argparse.ArgumentParser(
        prog="napari-semiconv",
        description="Find, follow and correct cells in time-lapse videos.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
