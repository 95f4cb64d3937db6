"""What napari.yaml names. Imports are inside the functions: napari starts fast."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.types import LayerData
    from napari.viewer import Viewer

    from .panel import CellPanel

# Of the distribution, as napari knows it.
PLUGIN = "napari-semiconv"


def open_panel(viewer: "Viewer") -> "CellPanel":
    """Open the panel in a viewer, or bring the one that is open to the front."""
    panel: CellPanel
    dock, panel = viewer.window.add_plugin_dock_widget(PLUGIN, PLUGIN)
    dock.show()
    dock.raise_()
    return panel


def get_reader(path: Any = None) -> "Callable[[Any], list[LayerData]] | None":
    """Give the function that reads a path, or None when it is none of ours.

    Without a path, as the command palette asks, the panel opens with its dialog.
    """
    from .reader import choose_reader

    if path is None:
        _ask_what_to_open()
        return None
    return choose_reader(path)


def sample_nuclei() -> "list[LayerData]":
    """Simulate fluorescent nuclei that move and divide."""
    from .samples import simulate_layers

    return simulate_layers("nuclei")


def sample_phase() -> "list[LayerData]":
    """Simulate cells under phase contrast that move and divide."""
    from .samples import simulate_layers

    return simulate_layers("phase")


def open_window(movie: Path, result: Path | None = None) -> None:
    """Open napari with a movie in the panel; return when the window is closed.

    Parameters
    ----------
    movie
        File or folder of the movie, or a project.
    result
        Result folder to show over it.

    Raises
    ------
    BadInputError
        When movie or result cannot be read; no window is opened then.
    """
    import napari

    from .reader import read_shown

    found, layers = read_shown(movie, result)
    viewer = napari.Viewer(title=PLUGIN)
    open_panel(viewer).parts.movies.take(found)
    for layer in layers:
        viewer.add_layer(napari.layers.Layer.create(*layer))
    napari.run()


def _ask_what_to_open() -> None:
    import napari

    viewer = napari.current_viewer()
    if viewer is not None:
        open_panel(viewer).parts.panel.movie.ask_file()
