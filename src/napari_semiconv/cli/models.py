"""`napari-semiconv models` and `presets`: what can be chosen."""

import argparse
from typing import Any

from ..errors import BadModelError
from .options import add_command


def add(commands: Any) -> None:
    """Add the commands."""
    add_command(commands, "models", models, "list the models that can be chosen")
    summary = "list the presets of segment and what each is for"
    add_command(commands, "presets", presets, summary)


def models(_arguments: argparse.Namespace) -> None:
    """Print name, size of usual cells and description of each model.

    Raises
    ------
    BadModelError
        When none is installed.
    """
    from ..network.model_folder import list_models

    found = list_models()
    if not found:
        raise BadModelError(
            "Expected at least one model in the installation, found none. Install the "
            "package again, or train one with 'napari-semiconv train'."
        )
    width = max(len(info.name) for info in found)
    for info in found:
        print(f"{info.name:{width}}  {info.description}")


def presets(_arguments: argparse.Namespace) -> None:
    """Print name and purpose of each preset of `segment`."""
    from ..inference.presets import PRESETS, describe_preset

    width = max(map(len, PRESETS))
    for name in PRESETS:
        print(f"{name:{width}}  {describe_preset(name)}")
