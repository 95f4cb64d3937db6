"""How the open movie is read: taken from a layer, and mended by the user."""

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer

from ..movie import Movie
from . import recent
from .layer_movies import file_of
from .outcomes import CHECK

if TYPE_CHECKING:
    from .workbench import Workbench


class Reading:
    """Takes the movie from layers and reads it as the user says.

    Parameters
    ----------
    bench
        Whose session has the movie.
    """

    def __init__(self, bench: "Workbench") -> None:
        self._bench = bench
        self._layer: Layer | None = None

    def taken_layer(self) -> Layer | None:
        """Give, once, the user's own layer that shows the movie just taken."""
        layer, self._layer = self._layer, None
        return layer

    def use_layer(self) -> None:
        """Take the selected layer: an image is the movie, labels are its cells."""
        layer = self._bench.layers.selected()
        if isinstance(layer, Labels):
            self._bench.attempt(lambda: self._bench.importer.take_layer(layer))
        elif isinstance(layer, Image):
            self._bench.attempt(lambda: self._take_layer(layer))

    def set_axes(self, axes: str) -> None:
        """Read the axes of the movie in another way."""
        self._reread(axes=axes)

    def set_pixel_size(self, size: float) -> None:
        """Correct the height and width of a pixel, in um; 0 means unknown."""
        self._reread(pixel_size=(size, size) if size else None)

    def set_interval(self, interval: float) -> None:
        """Correct the time between frames, in s; 0 means unknown."""
        self._reread(frame_interval=interval or None)

    def set_channel(self, channel: int) -> None:
        """Look at another channel."""
        self._reread(channel=channel)

    def set_z(self, z: Any) -> None:
        """Look at another slice, or at the maximum of all."""
        self._reread(z=z)

    def _take_layer(self, layer: Image) -> None:
        movie = file_of(layer)
        # Other layers cannot be laid under labels of (T, Y, X): the movie gets its own.
        self._layer = layer if movie.axes in ("TYX", "YX") else None
        self._bench.session.take_movie(movie)
        if movie.path is not None:
            recent.remember(movie.path)
        self._bench.say(CHECK)

    def _reread(self, **changes: Any) -> None:
        old = self._bench.session.movie
        if old is not None:
            self._bench.attempt(lambda: self._change(old, old.with_choices(**changes)))

    def _change(self, old: Movie, movie: Movie) -> None:
        if len(movie) != len(old):
            self._bench.choices.frames = None
        if (movie.axes, movie.channel, movie.z) != (old.axes, old.channel, old.z):
            self._bench.choices.estimate = None
        self._bench.session.change_movie(movie)
