"""`napari-semiconv models`, `presets`, `diagnose` and `open`: what is there."""

import argparse
import platform
from importlib.metadata import version

from ..compute.tools import NetworkTools
from ..errors import BadModelError
from .window import show


def models(_arguments: argparse.Namespace) -> None:
    """Print name, size of usual cells and description of each model."""
    from ..network.weights import list_models

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


def diagnose(_arguments: argparse.Namespace) -> None:
    """Print versions and the devices that the network can run on."""
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


def open_(arguments: argparse.Namespace) -> None:
    """Open napari with a movie and the panel."""
    show(arguments.movie)
