"""`napari-semiconv open`: the window."""

import argparse
from typing import Any

from ..safe import named
from .options import add_command
from .window import show


def add(commands: Any) -> None:
    """Add the command."""
    summary = "open a movie, a project or a result in napari"
    command = add_command(commands, "open", open_, summary)
    command.add_argument("movie", type=named, metavar="PATH", help="file or folder")


def open_(arguments: argparse.Namespace) -> None:
    """Open napari with the panel and what a path holds in it."""
    show(arguments.movie)
