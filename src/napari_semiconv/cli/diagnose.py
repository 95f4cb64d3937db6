"""`napari-semiconv diagnose`: versions and devices."""

import argparse
import platform
from importlib.metadata import version
from typing import Any

from .options import add_command


def add(commands: Any) -> None:
    """Add the command."""
    summary = "tell versions and which computing devices were found"
    add_command(commands, "diagnose", diagnose, summary)


def diagnose(_arguments: argparse.Namespace) -> None:
    """Print versions and the devices that the network can run on."""
    from ..compute.tools import NetworkTools
    from ..network.weights import choose_device

    print(f"Python          {platform.python_version()} on {platform.platform()}")
    for package in ("napari-semiconv", "napari", "torch", "numpy", "zarr"):
        print(f"{package:15} {version(package)}")
    tools = NetworkTools()
    devices = [name for name in tools.devices() if name != "auto"]
    taken = choose_device("auto").type
    print(f"{'devices':15} {', '.join(devices)}; 'auto' takes {taken}")
    print(f"{'models':15} {', '.join(tools.models()) or 'none'}")
    if devices == ["cpu"]:
        print(
            "No graphics card that PyTorch can use was found. If there is one, install "
            "the PyTorch build for it: https://pytorch.org/get-started/locally"
        )
