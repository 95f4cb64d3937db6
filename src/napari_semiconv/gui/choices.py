"""What the user chose of how cells are found, and how one choice changes another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import BadSettingsError
from ..inference.presets import with_engine
from ..movie import Movie
from ..settings import SegmentSettings

DEFAULTS = SegmentSettings()


@dataclass
class Choices:
    """What the user chose and has not been computed yet.

    Parameters
    ----------
    settings
        How to find and follow cells.
    frames
        First and last frame to compute, both included; all when None.
    estimate
        Cell diameter found in the movie, px.
    models, devices
        What there is to choose from.
    folder
        Where a new project is made; beside the movie when None.
    format
        Name of the format to export to.
    """

    settings: SegmentSettings = DEFAULTS
    frames: tuple[int, int] | None = None
    estimate: float | None = None
    models: tuple[str, ...] = ("default",)
    devices: tuple[str, ...] = ("auto", "cpu")
    folder: Path | None = None
    format: str = ""


def with_setting(
    settings: SegmentSettings, name: str, value: Any
) -> tuple[SegmentSettings, str]:
    """Change one setting, and what goes with it.

    Parameters
    ----------
    settings
        What to change.
    name
        Its name, with dots, as in ``votes.foreground``.
    value
        What it becomes.

    Returns
    -------
    tuple
        The new settings, and a sentence on what else became another; may be empty.

    Raises
    ------
    BadSettingsError
        When it cannot have that value.
    """
    if name == "engine":
        new = with_engine(settings, value)
        return new, carried_along(settings, new)
    data = settings.model_dump()
    *way, last = name.split(".")
    inner = data
    for step in way:
        inner = inner[step]
    inner[last] = value
    try:
        return SegmentSettings.model_validate(data), ""
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise BadSettingsError(f"Setting {name}: {reason}; found {value}.") from error


def carried_along(old: SegmentSettings, new: SegmentSettings) -> str:
    """Say which settings in view changed with the engine; empty when none did."""
    names = [n for n in ("resize", "memory_span") if getattr(old, n) != getattr(new, n)]
    titles = {name: SegmentSettings.model_fields[name].title for name in names}
    changed = [f"{titles[name]} is now {getattr(new, name)}" for name in names]
    return f"With this engine: {', '.join(changed)}." if changed else ""


def size_hint(choices: Choices, movie: Movie | None) -> str:
    """Say the cell size in um too, or where it comes from when none was given."""
    settings = choices.settings
    if settings.network_shape is not None:
        return f"not used: resized to {settings.resize} px"
    pixel = movie.pixel_size[0] if movie and movie.pixel_size else None
    size = settings.cell_size or choices.estimate
    if size is None:
        return "estimated from the movie"
    micrometres = f"{size * pixel:.3g} µm" if pixel else ""
    if settings.cell_size is not None:
        return f"= {micrometres}" if micrometres else ""
    return ", ".join(filter(None, (f"estimated {size:.1f} px", micrometres)))
