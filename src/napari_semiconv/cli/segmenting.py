"""`napari-semiconv segment`: from a movie to a result folder."""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .. import __version__
from ..compute.tools import NetworkTools, Tools
from ..errors import BadSettingsError, SemiconvError, counted
from ..movie import Array, Movie
from ..safe import write_json_safely
from ..settings import SegmentSettings
from .draft import RECORD, Draft
from .progress import StopRequest, closing_early, progress_bar, tell, tell_if_watched
from .words import chosen_frames

if TYPE_CHECKING:
    from ..tracking.lineage import Lineage

# Begins a run; what it is given tells whether to stop.
Run = Callable[[Callable[[], bool]], Iterator[Any]]
FORMATS = ("ctc", "tiff", "project")
# The Cell Tracking Challenge numbers frames with three digits, more where needed.
LEAST_DIGITS = 3


class Writer(Protocol):
    """Writes a result one frame at a time."""

    def write(self, frame: int, labels: Array, lineage: "Lineage") -> None:
        """Write the labels, (Y, X), of one frame."""


@dataclass(frozen=True)
class Outcome:
    """What came out of a run.

    Parameters
    ----------
    done, total
        Frames written and asked for.
    lineage
        The tracks; None when no frame was written.
    stopped
        Whether the user stopped it.
    seconds
        How long it took, in s.
    skipped
        Frames that could not be read, and why.
    """

    done: int
    total: int
    lineage: "Lineage | None"
    stopped: bool
    seconds: float
    skipped: dict[int, str]

    def __str__(self) -> str:
        tracks = len(self.lineage.tracks) if self.lineage else 0
        divisions = len(self.lineage.daughters()) if self.lineage else 0
        pace = self.seconds / max(1, self.done)
        facts = (
            f"{self.done} of {counted(self.total, 'frame')}",
            counted(tracks, "track"),
            counted(divisions, "division"),
            f"{pace:.2f} s per frame",
        )
        return ", ".join(facts)


def segment(arguments: argparse.Namespace) -> None:
    """Segment and track a movie into a result folder.

    Raises
    ------
    BadSettingsError
        When a project is to be replaced, or a choice cannot work.
    """
    if arguments.format == "project" and arguments.overwrite:
        raise BadSettingsError(
            "--overwrite: expected the format ctc or tiff, found project; corrections "
            "are never overwritten. Leave it out, and choose a new folder."
        )
    movie = chosen_movie(arguments)
    frames = chosen_frames(len(movie), arguments.frames)
    settings = chosen_settings(arguments)
    tell_if_watched(describe(movie))
    for note in movie.notes:
        tell(note)
    if arguments.format == "project":
        from .running import segment_into_project

        segment_into_project(movie, frames, settings, arguments.output)
        return
    draft = Draft(arguments.output, overwrite=arguments.overwrite)
    segment_movie(movie, frames, settings, draft, arguments.format)


def segment_movie(
    movie: Movie, frames: range, settings: SegmentSettings, draft: Draft, form: str
) -> None:
    """Segment frames of a movie; an earlier result stays until the new one is complete.

    Parameters
    ----------
    movie
        What to segment.
    frames
        Which of its frames.
    settings
        How.
    draft
        Where the result is made; discarded when there is none.
    form
        Name of the format, out of `FORMATS`.

    Raises
    ------
    KeyboardInterrupt
        When the user stopped it; the finished frames are kept.
    """
    try:
        tools = NetworkTools()
        model = tools.load(settings)
        settings = with_cell_size(settings, tools, movie, model, frames)
        run = partial(tools.run_whole, movie, model, settings, frames)
        with writer_for(form, draft.path, movie, frames) as writer:
            outcome = write_results(run, writer, len(frames))
        facts = tools.facts(model)
        record = record_of(movie, settings, facts, frames[: outcome.done])
        skipped = [{"frame": n, "why": why} for n, why in outcome.skipped.items()]
        write_json_safely(draft.path / RECORD, record | {"skipped": skipped})
        where = finish(draft, outcome)
    except SemiconvError:
        draft.discard()
        raise
    print(f"{outcome}: {where or 'nothing is kept'}")
    if outcome.stopped:
        raise KeyboardInterrupt


def chosen_movie(arguments: argparse.Namespace) -> Movie:
    """Open the movie and apply what was said on axes, channel, z and units."""
    from ..io.images import open_movie

    movie = open_movie(arguments.movie)
    names = ("axes", "channel", "z", "frame_interval")
    choices = {name: getattr(arguments, name) for name in names}
    if arguments.pixel_size is not None:
        choices["pixel_size"] = (arguments.pixel_size, arguments.pixel_size)
    chosen = {name: value for name, value in choices.items() if value is not None}
    if "axes" in chosen:
        chosen["notes"] = ()  # the guesses they tell of are overruled
    return movie.with_choices(**chosen)


def chosen_settings(arguments: argparse.Namespace) -> SegmentSettings:
    """Put the settings together: preset or engine first, then what was said besides.

    Raises
    ------
    BadSettingsError
        When a cell size is given that the preset would not use.
    """
    from ..inference.presets import with_engine, with_preset

    settings = SegmentSettings(
        model=arguments.model,
        device=arguments.device,
        cell_size=arguments.cell_size,
        skip_unreadable=arguments.skip_unreadable,
    )
    if arguments.preset is not None:
        settings = with_preset(settings, arguments.preset)
    elif arguments.engine is not None:
        settings = with_engine(settings, arguments.engine)
    if settings.cell_size is not None and settings.network_shape is not None:
        height, width = settings.network_shape
        raise BadSettingsError(
            f"Preset '{arguments.preset}': expected no cell size, since every frame is "
            f"resized to {height} x {width} px as published, found "
            f"{settings.cell_size:g} px. Leave --cell-size out, or choose the preset "
            f"'{settings.engine}', which goes by it."
        )
    changes: dict[str, object] = {}
    if arguments.memory_span is not None:
        changes["memory_span"] = arguments.memory_span
    if arguments.solver is not None:
        if settings.engine_info.links:
            raise BadSettingsError(
                f"--solver: expected an engine of this program, found the published "
                f"procedure '{settings.engine}', which decides tracks in its own way. "
                f"Leave it out, or choose another engine or preset."
            )
        link = settings.link.model_copy(update={"solver": arguments.solver})
        changes["link"] = link
    return settings.model_copy(update=changes)


def with_cell_size(
    settings: SegmentSettings, tools: Tools, movie: Movie, model: Any, frames: range
) -> SegmentSettings:
    """Estimate the diameter of a usual cell, in px, where the user gave none."""
    if settings.cell_size is not None or settings.network_shape is not None:
        return settings
    size = tools.size(movie, model, frames)
    tell_if_watched(f"Cell size, estimated: {size:.1f} px")
    return settings.model_copy(update={"cell_size": size})


def describe(movie: Movie) -> str:
    """Say in one line how the movie is understood."""
    sizes = " ".join(
        f"{axis}={length}"
        for axis, length in zip(movie.axes, movie.source.shape, strict=True)
    )
    facts = [f"{movie.name}: {sizes}", str(movie.dtype)]
    if movie.size("C") > 1:
        facts.append(f"channel {movie.channel}")
    if movie.size("Z") > 1:
        facts.append("maximum over z" if movie.z == "max" else f"z slice {movie.z}")
    if movie.pixel_size is not None:
        facts.append("pixel {:.4g} x {:.4g} um".format(*movie.pixel_size))
    if movie.frame_interval is not None:
        facts.append(f"a frame every {movie.frame_interval:.4g} s")
    return ", ".join(facts)


def write_results(run: Run, writer: Writer, total: int) -> Outcome:
    """Write frame after frame as they stay, until the last or a stop."""
    begin = time.perf_counter()
    done, seen, lineage = 0, 0, None
    skipped: dict[int, str] = {}
    with StopRequest() as stop, progress_bar(total, "frame") as bar:
        results = run(lambda: stop.came)
        with closing_early(results):
            for result in results:
                if result.final:
                    writer.write(result.frame, result.labels, result.lineage)
                    done, lineage = result.done, result.lineage
                if result.done > seen:
                    seen = result.done
                    bar.update()
                if result.unreadable and result.frame not in skipped:
                    skipped[result.frame] = result.unreadable
                    tell(f"Skipped: {result.unreadable}")
                if result.note:
                    tell(result.note)
    seconds = time.perf_counter() - begin
    return Outcome(done, total, lineage, stop.came, seconds, skipped)


def finish(draft: Draft, outcome: Outcome) -> Path | None:
    """Make the draft the result; an unfinished one never replaces an earlier result."""
    if not outcome.done:
        draft.discard()
        return None
    if outcome.stopped and draft.replaces:
        return draft.path
    draft.publish()
    return draft.folder


def writer_for(
    form: str, folder: Path, movie: Movie, frames: range
) -> AbstractContextManager[Writer]:
    """Open the writer of a format."""
    if form == "ctc":
        from ..io.ctc import CtcWriter

        return CtcWriter(folder, max(LEAST_DIGITS, len(str(frames[-1]))))
    from ..io.labels_tiff import LabelsTiffWriter

    return LabelsTiffWriter(folder / "labels.tif", movie, len(frames))


def record_of(
    movie: Movie, settings: SegmentSettings, model: Any, frames: range
) -> dict[str, Any]:
    """Say what a result was made from and how, to be kept beside it."""
    return {
        "program": f"napari-semiconv {__version__}",
        "movie": str(movie.path.resolve()) if movie.path else movie.name,
        "axes": movie.axes,
        "channel": movie.channel,
        "z": movie.z,
        "pixel_size_um": movie.pixel_size,
        "frame_interval_s": movie.frame_interval,
        "movie_frames": len(movie),
        "first_frame": frames.start,
        "frames": len(frames),
        "model": model,
        "settings": settings.model_dump(mode="json"),
    }
