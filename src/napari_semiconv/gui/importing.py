"""Cells that other programs found: ask for their movie, then make a project of them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Labels

from ..errors import BadInputError, SemiconvError
from ..io.movies.opener import open_movie
from ..movie import Movie
from ..workflows.opening import (
    Found,
    free_folder,
    movie_beside,
    name_of_cells,
    place_for,
)
from .layer_movies import tracked_of_layer
from .open_dialog import ask_what_to_open
from .state import Offer

if TYPE_CHECKING:
    from .workbench import Workbench

# What the folder of a result of the Cell Tracking Challenge is called after its movie.
RESULTS = ("_RES", "_GT", "_ST")


class Importer:
    """Makes projects of cells that are not one yet.

    Parameters
    ----------
    bench
        Whose session makes them.
    """

    def __init__(self, bench: "Workbench") -> None:
        self._bench = bench

    def ask_movie(self, found: Found) -> None:
        """Ask which movie the cells belong to, offering those that it may be."""
        bench, open_now = self._bench, self._bench.session.movie
        offers = []
        if open_now is not None:
            offers.append(
                Offer(
                    f"To {open_now.name}, open now",
                    partial(self.make, found.path, open_now),
                )
            )
        near = self._near(found)
        if near is not None and (open_now is None or near.path != open_now.path):
            # Its file name: the movie that is open may be called the same.
            near_name = near.path.name if near.path is not None else near.name
            offers.append(
                Offer(f"To {near_name}", partial(self.make, found.path, near))
            )
        offers.append(Offer("Choose the movie…", partial(self._choose, found.path)))
        what = (
            "a result of an earlier release"
            if found.kind == "old result"
            else "cells that were found and followed"
        )
        bench.say(
            f"{found.path.name}: {what}. A project is made of them. Which movie do "
            f"they belong to?",
            "note",
            *offers,
        )

    def make(self, source: Path, movie: Movie) -> None:
        """Make a project of the cells in a file or folder, and open it."""
        self._begin(source, movie, name_of_cells(source))

    def take_layer(self, layer: Labels) -> None:
        """Make a project of a labels layer, whose movie is open.

        Raises
        ------
        BadInputError
            When no movie is open, or it does not fit.
        """
        movie = self._bench.session.movie
        if movie is None:
            raise BadInputError(
                f"{layer.name}: expected its movie to be open, found none. Open the "
                f"movie, or use its image layer, then use the labels."
            )
        source = partial(tracked_of_layer, layer.data, layer.name, movie)
        self._begin(source, movie, movie.name)

    def find_movie(self) -> None:
        """Ask where the movie of the open project is now."""
        path = ask_what_to_open(None)
        if path is not None:
            self._bench.attempt(lambda: self._bench.session.find_movie(path))

    def _choose(self, source: Path) -> None:
        path = ask_what_to_open(None, source.parent)
        if path is not None:
            self._bench.attempt(lambda: self.make(source, open_movie(path)))

    def _near(self, found: Found) -> Movie | None:
        """Open the movie that lies where results of its kind have it."""
        path = found.path
        try:
            if found.kind == "old result":
                return movie_beside(path)
            name = name_of_cells(path)
            above = path.parent.parent if path.name == "TRA" else path.parent
            for ending in RESULTS:
                movie = above / name.removesuffix(ending)
                if name.endswith(ending) and movie.is_dir():
                    return open_movie(movie)
            return open_movie(path) if path.name.endswith(".ome.zarr") else None
        except SemiconvError:
            # It was only a guess; the user can choose.
            return None

    def _begin(self, source: object, movie: Movie, name: str) -> None:
        bench = self._bench
        place = bench.choices.folder or place_for(movie)
        if place is None:
            bench.ask_folder()
            place = bench.choices.folder
        if place is None:
            return
        folder = free_folder(place, name)
        bench.attempt(lambda: bench.session.import_tracked(source, folder, movie))
