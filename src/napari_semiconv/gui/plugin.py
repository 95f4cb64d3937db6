"""What napari.yaml names. Imports are inside the functions: napari starts fast."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.types import LayerData


def get_reader(path: Any = None) -> "Callable[[Any], list[LayerData]] | None":
    """Give the function that reads a path, or None when it is none of ours.

    Without a path, as the command palette asks, the panel opens with its dialog.
    """
    if path is None:
        _ask_what_to_open()
        return None
    from .reader import choose_reader

    return choose_reader(path)


def sample_nuclei() -> "list[LayerData]":
    """Simulate fluorescent nuclei that move and divide."""
    from .samples import simulate_layers

    return simulate_layers("nuclei")


def sample_phase() -> "list[LayerData]":
    """Simulate cells under phase contrast that move and divide."""
    from .samples import simulate_layers

    return simulate_layers("phase")


def open_window(path: Path) -> None:
    """Open napari with the panel and what a path holds; return when it is closed.

    Parameters
    ----------
    path
        A movie, a project, or tracked cells: a file or folder.

    Raises
    ------
    BadInputError
        When it cannot be read; no window is opened then.
    """
    import napari

    from ..io.movies.opener import open_movie
    from ..workflows.opening import recognise
    from .docking import PLUGIN, open_panel

    if recognise(path).kind == "movie":
        open_movie(path)
    viewer = napari.Viewer(title=PLUGIN)
    open_panel(viewer).bench.open(path)
    napari.run()


def _ask_what_to_open() -> None:
    import napari

    from .docking import open_panel

    viewer = napari.current_viewer()
    if viewer is not None:
        open_panel(viewer).movie_tab.ask()
