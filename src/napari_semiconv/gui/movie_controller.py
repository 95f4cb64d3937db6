"""Opens movies and takes the user's corrections of how they are read."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import SemiconvError
from ..io.movies.opener import open_movie
from ..movie import Movie
from ..workspace import Workspace, beside
from .background import Background
from .layers import LayerBoard


class MovieController:
    """Keeps the movie of the workspace and the image layer of the viewer in step.

    Parameters
    ----------
    workspace
        What the panel shows.
    board
        The layers of the movie.
    background
        Opens movies, which may take seconds.
    """

    def __init__(
        self, workspace: Workspace, board: LayerBoard, background: Background
    ) -> None:
        self._workspace = workspace
        self._board = board
        self._background = background
        board.on_change(self.list_layers)
        self.list_layers()

    def open(self, path: Path) -> None:
        """Open a movie from a file or folder."""
        self._workspace.begin("opening", f"Opening {path.name} ...")
        self._background.run(
            partial(open_movie, path), self._opened, self._workspace.fail
        )

    def use_layer(self, name: str) -> None:
        """Take the movie from an open image layer."""
        self._try(lambda: self.take(self._board.open_layer(name), name))

    def list_layers(self) -> None:
        """Offer the image layers that are open now."""
        self._workspace.layers = self._board.image_names()

    def set_axes(self, axes: str) -> None:
        """Read the axes of the movie in another way."""
        self._change(axes=axes)

    def set_pixel_size(self, size: float) -> None:
        """Correct the height and width of a pixel, in um; 0 means unknown."""
        self._change(pixel_size=(size, size) if size else None)

    def set_interval(self, interval: float) -> None:
        """Correct the time between frames, in s; 0 means unknown."""
        self._change(frame_interval=interval or None)

    def set_channel(self, channel: int) -> None:
        """Look at another channel."""
        self._change(channel=channel)

    def set_z(self, z: Any) -> None:
        """Look at another slice, or at the maximum of all."""
        self._change(z=z)

    def close(self) -> None:
        """Open nothing more, and let the viewer go."""
        self._background.cancel()
        self._board.close()

    def _opened(self, movie: Movie) -> None:
        self._workspace.end()
        self._try(lambda: self.take(movie))

    def take(self, movie: Movie, layer: str = "") -> None:
        """Work on a movie that is open, taken from the layer of this name or none."""
        workspace = self._workspace
        self._board.show_movie(movie)
        workspace.error = workspace.message = ""
        workspace.layer = layer
        workspace.frames = workspace.estimate = workspace.result = None
        workspace.result_folder = beside(movie)
        workspace.movie = movie

    def _change(self, **changes: Any) -> None:
        old = self._workspace.movie
        if old is not None:
            self._try(lambda: self._reread(old, old.with_choices(**changes)))

    def _reread(self, old: Movie, movie: Movie) -> None:
        self._board.show_movie(movie)
        workspace = self._workspace
        workspace.error = workspace.message = ""
        if len(movie) != len(old):
            workspace.frames = None
        if (movie.axes, movie.channel, movie.z) != (old.axes, old.channel, old.z):
            workspace.estimate = None
        workspace.movie = movie

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except SemiconvError as error:
            self._workspace.fail(str(error))
