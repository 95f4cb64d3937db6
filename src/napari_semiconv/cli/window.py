"""Opening napari, where that is possible."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from ..errors import SemiconvError

QT = ("PyQt6", "PySide6", "PyQt5", "PySide2")


def has_display() -> bool:
    """Whether there is a screen to open a window on."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def show(path: Path) -> None:
    """Open napari with the panel and what a path holds.

    Parameters
    ----------
    path
        A movie, a project or tracked cells.

    Raises
    ------
    SemiconvError
        When there is no screen or no Qt library.
    """
    if not has_display():
        raise SemiconvError(
            "No window can be opened: expected a display, found none. Run this on a "
            "computer with a screen; 'napari-semiconv segment' needs none."
        )
    if not any(find_spec(name) for name in QT):
        raise SemiconvError(
            "No window can be opened: expected a Qt library, found none. Install one "
            "with: pip install 'napari-semiconv[all]'"
        )
    from ..gui.plugin import open_window

    open_window(path)
