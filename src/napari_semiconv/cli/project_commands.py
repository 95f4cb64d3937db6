"""The commands that work on projects: what can be asked of them."""

import argparse
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from ..io.cells.formats import names, writable
from .words import count, frame_span, index, pixel, share

# File and function that answer a command.
WHERE = {
    "export": ("projects", "export"),
    "import": ("projects", "import_"),
    "check": ("projects", "check"),
    "history": ("projects", "history"),
    "run": ("running", "run"),
    "solve": ("solving", "solve"),
    "undo": ("undoing", "undo"),
    "redo": ("undoing", "redo"),
    "correct": ("correcting", "correct"),
}
UNDOING = {
    "undo": "take the last step of a project back: an edit, a run, solved tracks",
    "redo": "make the step of a project that was undone last again",
}


def add_commands(commands: Any) -> None:
    """Add the commands that work on projects to those of the program."""
    _add_export(commands)
    _add_import(commands)
    _add_run(commands)
    _add_solve(commands)
    _add_correct(commands)
    for name, summary in UNDOING.items():
        command = _add(commands, name, summary)
        command.add_argument("project", type=Path, metavar="PROJECT")
    command = _add(commands, "check", "read all of a project and tell faults")
    command.add_argument("project", type=Path, metavar="PROJECT")
    command = _add(commands, "history", "tell who did what to a project")
    command.add_argument("project", type=Path, metavar="PROJECT")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print a table")


def _add_export(commands: Any) -> None:
    summary = "write masks and tracks of a project in a format of the field"
    command = _add(commands, "export", summary)
    command.add_argument("project", type=Path, metavar="PROJECT")
    command.add_argument(
        "--to",
        choices=names(writable()),
        required=True,
        help="what each keeps is told before",
    )
    command.add_argument("output", type=Path, metavar="OUT", help="new file or folder")
    command.add_argument(
        "--movie", type=Path, metavar="MOVIE", help="where the movie is, if it moved"
    )


def _add_import(commands: Any) -> None:
    summary = "make a project of masks and tracks that another program found"
    command = _add(commands, "import", summary)
    command.add_argument("result", type=Path, metavar="RESULT", help="file or folder")
    command.add_argument("--movie", type=Path, required=True, metavar="MOVIE")
    command.add_argument("--output", type=Path, required=True, metavar="PROJECT")


def _add_run(commands: Any) -> None:
    summary = "go on with a project's run that stopped, or compute frames again"
    command = _add(commands, "run", summary)
    command.add_argument("project", type=Path, metavar="PROJECT")
    command.add_argument(
        "--frames",
        type=frame_span,
        metavar="A:B",
        help="compute frames A to B - 1 again, counted from 0; what is confirmed stays",
    )
    command.add_argument(
        "--movie", type=Path, metavar="MOVIE", help="where the movie is, if it moved"
    )


def _add_solve(commands: Any) -> None:
    summary = "decide all tracks of a project anew; what is confirmed stays"
    command = _add(commands, "solve", summary)
    command.add_argument("project", type=Path, metavar="PROJECT")
    command.add_argument(
        "--frames",
        type=frame_span,
        metavar="A:B",
        help="decide only links of frames A to B - 1 anew, counted from 0",
    )
    command.add_argument(
        "--merges",
        action="store_true",
        help="tell where a track seems to end by going into another cell",
    )
    command.add_argument(
        "--least-sure",
        type=share,
        metavar="P",
        help="delete cells that are seen in one frame only and that the network is "
        "less sure of, 0 to 1 (default: keep every cell)",
    )


def _add_correct(commands: Any) -> None:
    summary = "say something of the cells of a frame and have them found again"
    command = _add(commands, "correct", summary)
    command.add_argument("project", type=Path, metavar="PROJECT")
    command.add_argument(
        "--frame", type=index, required=True, metavar="T", help="counted from 0"
    )
    word = command.add_mutually_exclusive_group(required=True)
    pixels: dict[str, Any] = {"type": pixel, "nargs": "+", "metavar": "Y,X"}
    word.add_argument(
        "--together",
        **pixels,
        help="one cell has all these pixels, counted from 0 (row,column)",
    )
    word.add_argument(
        "--apart", **pixels, help="each of these pixels has a cell of its own"
    )
    word.add_argument(
        "--count",
        type=count,
        metavar="N",
        help="there are exactly N cells where the cell at --at and those that touch "
        "it are",
    )
    word.add_argument("--none", **pixels, help="no cell is at these pixels")
    command.add_argument(
        "--at", type=pixel, metavar="Y,X", help="with --count: a pixel of a cell"
    )
    command.add_argument(
        "--movie", type=Path, metavar="MOVIE", help="where the movie is, if it moved"
    )


def _add(commands: Any, name: str, summary: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    command.set_defaults(run=partial(_run, *WHERE[name]))
    return command


def _run(module: str, function: str, arguments: argparse.Namespace) -> None:
    # What reads and writes projects is loaded when it is needed, not for --help.
    getattr(import_module(f".{module}", __package__), function)(arguments)
