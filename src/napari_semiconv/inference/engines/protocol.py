"""What an engine offers, and how the one that settings name is loaded.

An engine is a module in this folder, named in the table of `settings.engines`, with one
function:

- ``build(settings, model)`` gives an `Engine`, which finds cells frame by frame; links
  and constraints are the pipeline's;
- ``run(movie, model, settings, frames, cell_size, constraints)`` gives the results of a
  movie, for one that the table says links by itself.

Either may raise `BadSettingsError` when the model or the settings do not do. An engine
that reads heads of its own finds their maps in `FrameOutput.further`, and the layers
that look at them in ``model.network``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from numpy import float64
from numpy.typing import NDArray

from ...errors import BadSettingsError
from ...labels import Labels
from ...movie import Movie
from ...network.weights import Model
from ...settings import EngineInfo, SegmentSettings, Settings
from ..constraints.model import Constraints
from ..result import FrameResult
from ..stream.stream import FrameOutput


@dataclass(frozen=True)
class CellScores:
    """How sure an engine is of the cells of a frame, for the list of suspects.

    Parameters
    ----------
    numbers
        Cell numbers, ascending, (n,).
    persistence
        How clearly each stands out as one cluster, (n,), 0 to 1; NaN is not known.
    margin
        How far each is from the second-best way to draw it, (n,), up to 1; below 0 it
        is nearer to that than to its own.
    """

    numbers: Labels
    persistence: NDArray[float64]
    margin: NDArray[float64]


class Engine(Protocol):
    """Finds the cells of frames in what the network predicts for them."""

    @property
    def window(self) -> int:
        """Frames clustered together; successive windows share all but one."""

    @property
    def foreground(self) -> float:
        """Foreground probability at which cells end against the background."""

    def cluster(
        self, outputs: Sequence[FrameOutput]
    ) -> Sequence[tuple[Labels, CellScores | None]]:
        """Find the cells of a window of frames.

        Parameters
        ----------
        outputs
            One to ``window`` successive frames.

        Returns
        -------
        Sequence
            For each frame the cell numbers, (Y, X), 0 background, the same number in
            two frames being the same cell; and how sure each cell is, or None.
        """


class Builder(Protocol):
    """Module of an engine whose cells the pipeline links."""

    def build(self, settings: SegmentSettings, model: Model) -> Engine:
        """Make the engine for a model."""


class LinkingEngine(Protocol):
    """Module of an engine that links cells by itself."""

    def run(
        self,
        movie: Movie,
        model: Model,
        settings: SegmentSettings,
        frames: range,
        cell_size: float,
        constraints: Mapping[int, Constraints],
    ) -> Iterator[FrameResult]:
        """Find and link the cells of some frames; as `segment_and_track` yields them.

        Parameters
        ----------
        movie, model, settings, frames, constraints
            As for `segment_and_track`.
        cell_size
            Diameter of a usual cell, px.
        """


def check_model(settings: SegmentSettings, model: Model) -> None:
    """Check that a model has what the chosen engine reads.

    Raises
    ------
    BadSettingsError
        When it has not.
    """
    misfit = settings.engine_info.misfit(model.info.network.heads)
    if misfit:
        raise BadSettingsError(misfit)


def build_engine(settings: SegmentSettings, model: Model) -> Engine:
    """Load and make the chosen engine, one that does not link by itself.

    Raises
    ------
    BadSettingsError
        When the model lacks what the engine needs.
    """
    check_model(settings, model)
    return cast("Builder", _module_of(settings.engine_info)).build(settings, model)


def linking_engine(settings: SegmentSettings, model: Model) -> LinkingEngine:
    """Load the chosen engine, one that links by itself.

    Raises
    ------
    BadSettingsError
        When the model lacks what the engine needs.
    """
    check_model(settings, model)
    return cast("LinkingEngine", _module_of(settings.engine_info))


def _module_of(engine: EngineInfo[Settings]) -> object:
    # Loaded by name, so that the table of engines is read without PyTorch.
    return import_module(f"{__package__}.{engine.module}")
