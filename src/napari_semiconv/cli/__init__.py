"""The same core without a window: the command `napari-semiconv`."""

from .entry import main

__all__ = ["main"]
