"""Simulated movies as sample data."""

from typing import Any

from napari.types import LayerData

from ..movie import movie_from_array
from ..synthetic import CellKind, SyntheticSettings, simulate
from .movie_layer import movie_layer

# The same movie each time, so that what is seen can be talked about.
SEED = 1
# What a usual microscope and schedule would give.
PIXEL_SIZE, INTERVAL = 0.65, 300.0


def simulate_layers(kind: CellKind) -> list[LayerData]:
    """Simulate a movie and give it as the arguments of an image layer."""
    settings = SyntheticSettings(kind=kind, frames=20, height=256, width=256, cells=20)
    movie = movie_from_array(
        simulate(settings, SEED).images,
        "TYX",
        f"simulated {kind}",
        pixel_size=(PIXEL_SIZE, PIXEL_SIZE),
        frame_interval=INTERVAL,
    )
    arguments: dict[str, Any] = movie_layer(movie)
    return [(arguments.pop("data"), arguments, "image")]
