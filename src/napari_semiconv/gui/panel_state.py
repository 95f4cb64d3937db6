"""Work out what the panel shows: every text and every rule, without a window."""

from dataclasses import dataclass
from itertools import permutations

from ..errors import counted
from ..inference.presets import PRESETS, describe_preset, preset_of
from ..movie import Movie, ZChoice
from ..settings import SegmentSettings
from ..workspace import Workspace
from .model_folder import short_name

DEFAULTS = SegmentSettings()
EXPLAINED = tuple((name, describe_preset(name)) for name in PRESETS)
AXIS_NAMES = {"T": "frame", "C": "channel", "Z": "slice"}


@dataclass(frozen=True)
class MovieState:
    """What the movie part shows.

    ``axes_choices`` are pairs of axis letters and their text; ``pixel_size`` is in um,
    ``frame_interval`` in s, 0 means unknown.
    """

    layers: tuple[str, ...] = ()
    layer: str = ""
    enabled: bool = True
    known: bool = False
    facts: str = "Open a movie to start."
    notes: str = ""
    axes_choices: tuple[tuple[str, str], ...] = ()
    axes: str = ""
    pixel_size: float = 0.0
    frame_interval: float = 0.0
    channels: int = 1
    channel: int = 0
    slices: int = 1
    z: ZChoice = "max"


@dataclass(frozen=True)
class ChoiceState:
    """What the settings part shows.

    ``presets`` are names with what each is for, ``models`` names or folders with their
    short names; ``last`` is the index of the movie's last frame.
    """

    enabled: bool = False
    presets: tuple[tuple[str, str], ...] = EXPLAINED
    preset: str = "usual"
    models: tuple[tuple[str, str], ...] = ()
    devices: tuple[str, ...] = ()
    settings: SegmentSettings = DEFAULTS
    estimate: str = ""
    frames: tuple[int, int] = (0, 0)
    last: int = 0


@dataclass(frozen=True)
class RunState:
    """What the part with the buttons shows; ``total`` 0 is a bar of unknown length."""

    can_preview: bool = False
    can_run: bool = False
    can_cancel: bool = False
    can_save: bool = False
    busy: bool = False
    done: int = 0
    total: int = 0
    progress: str = ""
    message: str = ""
    error: str = ""
    folder: str = ""
    can_choose_folder: bool = False


@dataclass(frozen=True)
class PanelState:
    """All that the dock widget shows."""

    movie: MovieState
    choices: ChoiceState
    run: RunState


def resolve_panel(workspace: Workspace) -> PanelState:
    """Work out what the panel shows. Touches no widget."""
    return PanelState(
        resolve_movie(workspace), resolve_choices(workspace), resolve_run(workspace)
    )


def resolve_movie(workspace: Workspace) -> MovieState:
    """Work out what the movie part shows."""
    movie, idle = workspace.movie, workspace.activity == "idle"
    if movie is None:
        return MovieState(workspace.layers, workspace.layer, enabled=idle)
    return MovieState(
        layers=workspace.layers,
        layer=workspace.layer,
        enabled=idle,
        known=True,
        facts=describe(movie),
        notes="\n".join(movie.notes),
        axes_choices=axes_choices(movie),
        axes=movie.axes,
        pixel_size=movie.pixel_size[0] if movie.pixel_size else 0.0,
        frame_interval=movie.frame_interval or 0.0,
        channels=movie.size("C"),
        channel=movie.channel,
        slices=movie.size("Z"),
        z=movie.z,
    )


def resolve_choices(workspace: Workspace) -> ChoiceState:
    """Work out what the settings part shows."""
    last = len(workspace.movie) - 1 if workspace.movie else 0
    return ChoiceState(
        enabled=workspace.activity == "idle",
        preset=preset_of(workspace.settings),
        models=tuple((name, short_name(name)) for name in workspace.models),
        devices=workspace.devices,
        settings=workspace.settings,
        estimate=_estimate(workspace),
        frames=workspace.frames or (0, last),
        last=last,
    )


def resolve_run(workspace: Workspace) -> RunState:
    """Work out what the part with the buttons shows."""
    idle = workspace.activity == "idle"
    has_movie = workspace.movie is not None
    return RunState(
        can_preview=idle and has_movie,
        can_run=idle and has_movie,
        can_cancel=workspace.activity in ("copying", "previewing", "running"),
        can_save=idle and workspace.result is not None,
        busy=not idle,
        done=workspace.done,
        total=workspace.total,
        progress=_progress(workspace),
        message=_message(workspace),
        error=workspace.error,
        folder=_folder(workspace),
        can_choose_folder=idle and has_movie,
    )


def describe(movie: Movie) -> str:
    """Say what a movie is: its name, then the sizes of its axes and type of pixels."""
    return f"{movie.name}\n{sizes(movie, movie.axes)} · {movie.dtype}"


def sizes(movie: Movie, axes: str) -> str:
    """Write axis letters with their lengths, as in ``T 92 · Y 1024 · X 1024``."""
    lengths = movie.source.shape
    return " · ".join(f"{a} {n}" for a, n in zip(axes, lengths, strict=True))


def axes_choices(movie: Movie) -> tuple[tuple[str, str], ...]:
    """List the ways to read the axes: pairs of letters and the text for the user."""
    orders = permutations("TZC", len(movie.axes) - 2)
    readings = ["".join(order) + "YX" for order in orders]
    return tuple((axes, _reading(movie, axes)) for axes in readings)


def duration(seconds: float) -> str:
    """Write a time span as people say it."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _reading(movie: Movie, axes: str) -> str:
    lengths = zip(axes[:-2], movie.source.shape, strict=False)
    parts = [counted(n, AXIS_NAMES[a]) for a, n in lengths]
    return ", ".join(parts) or "1 frame"


def _estimate(workspace: Workspace) -> str:
    if workspace.settings.network_shape is not None:
        return f"Not used: resized to {workspace.settings.resize} px."
    if workspace.settings.cell_size is not None:
        return ""
    if workspace.estimate is None:
        return "Estimated from the movie."
    return f"Estimated: {workspace.estimate:.1f} px."


def _progress(workspace: Workspace) -> str:
    if not workspace.total or workspace.activity == "idle":
        return ""
    done = f"{workspace.done} of {counted(workspace.total, 'frame')}"
    left = workspace.seconds_left
    if left is None or workspace.activity != "running":
        return done
    return f"{done} · {duration(left)} left"


def _message(workspace: Workspace) -> str:
    if workspace.message or workspace.error:
        return workspace.message
    if workspace.movie is None:
        return ""
    return "Check the axes above, then preview a frame."


def _folder(workspace: Workspace) -> str:
    if workspace.result is not None:
        return str(workspace.result)
    if workspace.result_folder is not None:
        return str(workspace.result_folder)
    return "You will be asked for a folder." if workspace.movie else ""
