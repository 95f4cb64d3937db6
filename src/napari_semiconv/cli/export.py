"""`napari-semiconv export`: a project in a format of the field."""

import argparse
from typing import Any

from ..io.cells.formats import names, writable
from ..safe import named
from .options import add_command, add_moved_movie, add_project, open_project
from .progress import follow


def add(commands: Any) -> None:
    """Add the command."""
    summary = "write masks and tracks of a project in a format of the field"
    command = add_command(commands, "export", export, summary)
    add_project(command)
    command.add_argument(
        "--to",
        choices=names(writable()),
        required=True,
        help="what each keeps is told before",
    )
    command.add_argument("output", type=named, metavar="OUT", help="new file or folder")
    add_moved_movie(command)


def export(arguments: argparse.Namespace) -> None:
    """Write masks and tracks of a project in a format of the field."""
    from ..workflows.exporting import export as steps_of

    with open_project(arguments, write=False) as project:
        target = follow(
            lambda stop: steps_of(project, arguments.to, arguments.output, stop=stop)
        )
    print(f"{arguments.project.name} as {arguments.to}: {target}")
