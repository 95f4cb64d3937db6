"""What the user chose on the plugin's page of napari's preferences."""

from typing import Any

import napari.settings

from .tails import LENGTH

NAME = "napari-semiconv"
# As in napari.yaml, for a napari before 0.9, which has no such page.
USUAL: dict[str, Any] = {"tail": LENGTH, "outlines": True}


def preference(name: str) -> Any:
    """Give a preference of the canvas as it is now: ``tail`` or ``outlines``."""
    find = getattr(napari.settings, "get_plugin_settings", None)
    known = {} if find is None else find()
    if NAME not in known:
        return USUAL[name]
    return getattr(known[NAME].canvas, name)
