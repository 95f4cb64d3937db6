"""`napari-semiconv segment`: from a movie to a project or an export of one."""

import argparse
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import BadSettingsError, SemiconvError
from ..inference.presets import PRESETS
from ..io.cells.formats import RECORD
from ..safe import named, new_draft_folder, saving, write_json_safely
from ..settings import ENGINES, SegmentSettings
from .options import (
    add_command,
    add_device,
    add_frames,
    add_movie_choice,
    chosen_movie,
)
from .progress import follow, tell, tell_if_watched
from .result_folder import publish, refuse_foreign, restore
from .run import summary_of
from .words import chosen_frames, index, positive

if TYPE_CHECKING:
    from ..movie import Movie
    from ..workflows.segmenting import Segmented

# Names of files and folders in a result folder; a file of ours tells it from others'.
FORMATS = {"ctc": "", "tiff": "labels.tif"}
SUFFIX = ".semiconv"


def add(commands: Any) -> None:
    """Add the command."""
    summary = "find the cells of a movie and follow them"
    command = add_command(commands, "segment", segment, summary)
    command.add_argument("movie", type=named, metavar="MOVIE", help="file or folder")
    command.add_argument("--output", type=named, required=True, metavar="DIR")
    command.add_argument(
        "--format",
        choices=(*FORMATS, "project"),
        default="ctc",
        help="Cell Tracking Challenge folder, one TIFF, or a project that can be "
        "corrected, exported and gone on with (default: %(default)s)",
    )
    command.add_argument(
        "--overwrite", action="store_true", help="replace an earlier result in DIR"
    )
    add_frames(command, "frames A to B - 1, counted from 0; either may be left out")
    _add_way(command)
    add_movie_choice(command)


def _add_way(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model",
        default="default",
        metavar="NAME|DIR",
        help="name of a model or its folder (default: %(default)s)",
    )
    way = command.add_mutually_exclusive_group()
    way.add_argument(
        "--engine",
        choices=tuple(ENGINES),
        help="how embeddings become cells (default: votes); a published one comes with "
        "the preset of its name",
    )
    way.add_argument(
        "--preset",
        choices=PRESETS,
        metavar="NAME",
        help=f"procedure and parameters: {', '.join(PRESETS)}; 'napari-semiconv "
        f"presets' says what each is for",
    )
    add_device(command)
    command.add_argument(
        "--cell-size",
        type=positive,
        metavar="PX",
        help="diameter of a usual cell; estimated from the movie when left out; not "
        "with presets of a data set, which resize frames to a fixed size",
    )
    command.add_argument(
        "--memory-span",
        type=index,
        metavar="N",
        help="frames after which the network's memory starts anew, 0 for never "
        "(default: 8, or that of the preset)",
    )
    command.add_argument(
        "--solver",
        choices=("global", "greedy"),
        help="decide tracks when all frames are there (the default), or each frame for "
        "good as it comes, which is faster; published procedures have their own way",
    )
    command.add_argument(
        "--skip-unreadable",
        action="store_true",
        help="treat frames that cannot be read as empty",
    )


def segment(arguments: argparse.Namespace) -> None:
    """Find and follow the cells of a movie in a project, and export it if wanted.

    Raises
    ------
    BadSettingsError
        When a project is to be replaced, or a choice cannot work.
    KeyboardInterrupt
        When the user stopped it; the finished frames are kept in the project.
    """
    # A link leads to the folder that is meant.
    wanted: Path = arguments.output.resolve()
    if arguments.format == "project":
        if arguments.overwrite:
            raise BadSettingsError(
                "--overwrite: expected the format ctc or tiff, found project; "
                "corrections are never overwritten. Leave it out, and choose a new "
                "folder."
            )
        folder = wanted
    else:
        if restore(wanted):
            tell(f"{wanted}: put back; a run was killed while it replaced it.")
        refuse_foreign(wanted, overwrite=arguments.overwrite)
        folder = _beside(wanted)
    movie = chosen_movie(arguments.movie, arguments)
    frames = chosen_frames(len(movie), arguments.frames)
    settings = chosen_settings(arguments)
    tell_if_watched(describe(movie))
    for note in movie.notes:
        tell(note)
    with keeping(folder, "To go on: napari-semiconv run {0}"):
        outcome, facts = _segmented(movie, folder, settings, frames)
    with outcome.project:
        if outcome.cancelled:
            print(f"{facts}: {folder}")
            tell(f"To go on: napari-semiconv run {folder}")
            raise KeyboardInterrupt
        if (form := arguments.format) != "project":
            way_on = f"To write it: napari-semiconv export {{0}} --to {form} OUT"
            with keeping(folder, way_on):
                _export(outcome, form, wanted, frames, arguments.overwrite)
    if arguments.format != "project":
        shutil.rmtree(folder)
    print(f"{facts}: {arguments.output}")


@contextmanager
def keeping(folder: Path, way_on: str) -> Iterator[None]:
    """Say how to go on with the project of what ended before its end, if it is kept."""
    try:
        yield
    except (SemiconvError, KeyboardInterrupt) as error:
        if folder.is_dir():
            tell(way_on.format(folder))
        elif isinstance(error, KeyboardInterrupt):
            tell("No frame was finished; nothing is kept.")
        raise


def _segmented(
    movie: "Movie", folder: Path, settings: SegmentSettings, frames: range
) -> "tuple[Segmented, str]":
    from ..workflows.segmenting import segment as steps_of

    start = time.perf_counter()
    outcome = follow(lambda stop: steps_of(movie, folder, settings, frames, stop=stop))
    return outcome, summary_of(outcome, time.perf_counter() - start)


def _export(
    outcome: "Segmented", form: str, wanted: Path, frames: range, overwrite: bool
) -> None:
    """Write what a run found as a result folder; an earlier one stays until then."""
    from ..workflows.exporting import export

    project = outcome.project
    with saving(wanted):
        # In the project, which a run that is killed leaves behind anyway.
        draft = new_draft_folder(project.folder / wanted.name)
    try:
        target = draft / FORMATS[form]
        if not FORMATS[form]:
            draft.rmdir()
        follow(lambda stop: export(project, form, target, frames=frames, stop=stop))
        write_json_safely(draft / RECORD, record_of(outcome, frames))
        publish(draft, wanted, overwrite=overwrite)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _beside(wanted: Path) -> Path:
    """Name the project of a result; a stopped run stays there and can go on."""
    count, folder = 1, named(wanted.with_name(f"{wanted.name}{SUFFIX}"))
    while folder.exists():
        count += 1
        folder = wanted.with_name(f"{wanted.name}-{count}{SUFFIX}")
    return folder


def chosen_settings(arguments: argparse.Namespace) -> SegmentSettings:
    """Put the settings together: preset or engine first, then the other options.

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


def describe(movie: "Movie") -> str:
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


def record_of(outcome: "Segmented", frames: range) -> dict[str, Any]:
    """Say what a result was made from and how, to be kept beside it."""
    from ..project.runs.run import ProjectRun

    project = outcome.project
    run, movie = ProjectRun(project, len(project.info.runs)), project.info.movie
    return {
        "program": f"napari-semiconv {__version__}",
        "movie": movie.path or movie.name,
        "axes": movie.axes,
        "channel": movie.channel,
        "z": movie.z,
        "pixel_size_um": movie.pixel_size,
        "frame_interval_s": movie.frame_interval,
        "movie_frames": project.document.shape[0],
        "first_frame": frames.start,
        "frames": len(frames),
        "model": run.model,
        "settings": run.settings.model_dump(mode="json"),
        "skipped": [
            {"frame": frame, "why": why} for frame, why in outcome.skipped.items()
        ],
    }
