"""What napari.yaml names. Imports are inside the functions: napari starts fast."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.types import LayerData

    from .segment_panel import SegmentPanel

TITLE = "Segment and track cells"


def make_panel(viewer: "napari.Viewer") -> "SegmentPanel":
    """Make the dock widget "Segment and track cells" for a viewer."""
    from .assembly import assemble

    return assemble(viewer).panel


def get_reader(path: Any) -> "Callable[[Any], list[LayerData]] | None":
    """Give the function that reads a folder, or None when it is none of ours."""
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

    from .assembly import assemble
    from .reader import read_shown

    found, layers = read_shown(movie, result)
    viewer = napari.Viewer(title="napari-semiconv")
    parts = assemble(viewer)
    viewer.window.add_dock_widget(parts.panel, name=TITLE, area="right")
    parts.movies.take(found)
    for layer in layers:
        viewer.add_layer(napari.layers.Layer.create(*layer))
    napari.run()
