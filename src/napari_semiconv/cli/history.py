"""`napari-semiconv history`: who did what to a project, and when."""

import argparse
from typing import Any

from .options import add_command, add_project, open_project
from .progress import tell


def add(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands, "history", history, "tell who did what to a project"
    )
    add_project(command)
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print a table")


def history(arguments: argparse.Namespace) -> None:
    """Print who did what to a project, and when."""
    from ..project.history_text import as_csv, as_json, as_lines

    with open_project(arguments, write=False) as project:
        if arguments.json:
            print(as_json(project.history))
        elif arguments.csv:
            print(as_csv(project.history), end="")
        else:
            for line in as_lines(project.history):
                print(line)
            if not project.history.journal.last:
                tell(f"{arguments.project.name}: nothing was edited yet.")
