"""What the child computes with: the network, or a stand-in in tests."""

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Protocol, get_args

from numpy.typing import NDArray

from ..errors import DeviceError
from ..inference.constraints.model import Constraints
from ..labels import Labels
from ..movie import Movie
from ..network.model_folder import list_models
from ..settings import VOTES, DeviceName, SegmentSettings
from .messages import TeachEnded, TeachRequest, TeachStep

# One `FrameResult` after the other; closing it stops the network.
Results = Generator[Any, None, None]
Window = tuple[slice, slice]


class Tools(Protocol):
    """What the child computes with."""

    def models(self) -> tuple[str, ...]:
        """Names of the models that can be chosen."""

    def devices(self) -> tuple[str, ...]:
        """Names of the devices that can be chosen."""

    def load(self, settings: SegmentSettings) -> Any:
        """Load the model, on the device, that the settings name."""

    def facts(self, model: Any) -> dict[str, Any]:
        """Say which model it is, for the record kept with a result."""

    def size(self, movie: Movie, model: Any, frames: range) -> float:
        """Estimate the cell diameter, in px, on some frames of a movie."""

    def outlook(
        self, movie: Movie, model: Any, size: float, frames: range
    ) -> float | None:
        """Foretell how well masks will overlap the true ones, 0 to 1; None: unknown."""

    def run(
        self,
        movie: Movie,
        model: Any,
        settings: SegmentSettings,
        frames: range,
        resume_from: Any = None,
        constraints: Mapping[int, Constraints] | None = None,
    ) -> Results:
        """Segment and track frames of a movie, one `FrameResult` at a time.

        With a state, the frames after it alone. The ``constraints`` on
        frames are met.
        """

    def save_state(self, path: Path, state: Any) -> None:
        """Write the state of a run to a file, whole or not at all."""

    def load_state(self, path: Path) -> Any:
        """Read the state of a run: it has ``frame`` and ``lineage``."""

    def cache(self) -> Any:
        """Make an `OutputCache` for what `replay` gives."""

    def replay(
        self,
        movie: Movie,
        model: Any,
        settings: SegmentSettings,
        frames: range,
        state: Any = None,
    ) -> Results:
        """Run the network again until the last frame; yield what it says of each.

        As a run over these frames did. With a state, only for frames after it.
        """

    def resegment(
        self,
        output: Any,
        labels: Labels,
        constraints: Constraints,
        settings: SegmentSettings,
        seed: tuple[int, int] | None = None,
    ) -> tuple[Window, Labels]:
        """Segment the cells, (Y, X), anew that do not meet the constraints.

        At the pixel ``seed`` a cell was missed. Returns the rows and columns that
        change, and the cells there.
        """

    def pictures(
        self, output: Any, shape: tuple[int, int], settings: SegmentSettings
    ) -> dict[str, NDArray[Any]]:
        """Turn the network's maps into images of a height and width, by name."""

    def teach(
        self, request: TeachRequest, model: Any, stops: Callable[[], bool]
    ) -> Generator[TeachStep | TeachEnded, None, None]:
        """Teach a model what a request says; see `compute.teaching`."""

    def follower(
        self, labels: Labels, label: int, output: Any, settings: SegmentSettings
    ) -> Any:
        """Make a `Follower` of a cell among ``labels``, (Y, X)."""


class NetworkTools:
    """Computes with the network. Importing it takes seconds, so it is made late."""

    def __init__(self) -> None:
        from ..inference import (
            following,
            looking,
            outlook,
            pipeline,
            run_state,
            sizing,
        )
        from ..inference.constraints import resegment
        from ..network import weights

        self._following = following
        self._looking = looking
        self._outlook = outlook
        self._pipeline = pipeline
        self._resegment = resegment
        self._run_state = run_state
        self._sizing = sizing
        self._weights = weights

    def models(self) -> tuple[str, ...]:
        """Names of the models that can be chosen."""
        return tuple(info.name for info in list_models())

    def devices(self) -> tuple[str, ...]:
        """Names of the devices that can be chosen."""
        return ("auto", *filter(self._is_there, get_args(DeviceName)[1:]))

    def load(self, settings: SegmentSettings) -> Any:
        """Load the model, on the device, that the settings name."""
        return self._weights.load_model(settings.model, settings.device)

    def facts(self, model: Any) -> dict[str, Any]:
        """Say which model it is, for the record kept with a result."""
        return {"name": model.name, "sha256": model.info.digest}

    def size(self, movie: Movie, model: Any, frames: range) -> float:
        """Estimate the cell diameter, in px, on some frames of a movie."""
        return float(self._sizing.estimate_cell_size(movie, model, frames=frames))

    def outlook(
        self, movie: Movie, model: Any, size: float, frames: range
    ) -> float | None:
        """Foretell how well masks will overlap the true ones, 0 to 1; None: unknown."""
        return self._outlook.outlook(movie, model, size, frames)

    def run(
        self,
        movie: Movie,
        model: Any,
        settings: SegmentSettings,
        frames: range,
        resume_from: Any = None,
        constraints: Mapping[int, Constraints] | None = None,
    ) -> Results:
        """Segment and track frames of a movie, one `FrameResult` at a time.

        With a state, the frames after it alone. The ``constraints`` on
        frames are met.
        """
        yield from self._pipeline.segment_and_track(
            movie, model, settings, frames, resume_from, constraints
        )

    def save_state(self, path: Path, state: Any) -> None:
        """Write the state of a run to a file, whole or not at all."""
        self._run_state.save_run_state(path, state)

    def load_state(self, path: Path) -> Any:
        """Read the state of a run: it has ``frame`` and ``lineage``."""
        return self._run_state.load_run_state(path)

    def cache(self) -> Any:
        """Make an `OutputCache` for what `replay` gives."""
        return self._resegment.OutputCache()

    def replay(
        self,
        movie: Movie,
        model: Any,
        settings: SegmentSettings,
        frames: range,
        state: Any = None,
    ) -> Results:
        """Run the network again until the last frame; yield what it says of each."""
        size = self._pipeline.cell_size_for(movie, model, settings, frames)
        yield from self._resegment.replay(movie, model, settings, frames, size, state)

    def resegment(
        self,
        output: Any,
        labels: Labels,
        constraints: Constraints,
        settings: SegmentSettings,
        seed: tuple[int, int] | None = None,
    ) -> tuple[Window, Labels]:
        """Segment the cells, (Y, X), anew that do not meet the constraints."""
        found = self._resegment.resegment(
            output, labels, constraints, VOTES.own(settings), seed
        )
        return found.window, found.labels

    def pictures(
        self, output: Any, shape: tuple[int, int], settings: SegmentSettings
    ) -> dict[str, NDArray[Any]]:
        """Turn the network's maps into images of a height and width, by name."""
        return dict(self._looking.pictures_of(output, shape, VOTES.own(settings)))

    def teach(
        self, request: TeachRequest, model: Any, stops: Callable[[], bool]
    ) -> Generator[TeachStep | TeachEnded, None, None]:
        """Teach a model what a request says; see `compute.teaching`."""
        # Training is loaded when somebody teaches.
        from .teaching import teach_and_write

        yield from teach_and_write(request, model, stops)

    def follower(
        self, labels: Labels, label: int, output: Any, settings: SegmentSettings
    ) -> Any:
        """Make a `Follower` of a cell among ``labels``, (Y, X)."""
        own = VOTES.own(settings)
        return self._following.Follower(labels, label, output, own)

    def _is_there(self, device: DeviceName) -> bool:
        try:
            self._weights.choose_device(device)
        except DeviceError:
            return False
        return True
