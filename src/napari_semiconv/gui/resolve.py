"""Work out what the panel shows: every text and every rule, without a window."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import permutations
from pathlib import Path

from ..errors import counted
from ..inference.presets import preset_of
from ..io.cells.format import Format
from ..io.cells.formats import writable
from ..movie import Movie
from ..project.project import Project
from ..workflows.jobs import Job
from ..workflows.progress import Progress
from .choices import Choices, size_hint
from .model_folder import short_name
from .state import (
    FindState,
    MovieState,
    Offer,
    Sentence,
    ShareState,
    StatusState,
    TitleState,
)

AXIS_NAMES = {"T": "frame", "C": "channel", "Z": "slice"}
# Ways to read the axes that a note offers.
MOST_READINGS = 2
DOING = {
    "reading": "Reading",
    "copying": "Copying the movie",
    "preparing": "Preparing",
    "frames": "Finding cells",
    "tracks": "Deciding tracks",
    "writing": "Writing",
    "history": "Going through the history",
    "training": "Training",
    "checking": "Checking the model",
    "teaching": "Teaching",
}
# Stages of which it is known how long the rest will take.
PACED = {"frames", "teaching"}


# Weight of the latest frame in the running mean of seconds per frame.
FRESHNESS = 0.2


class Pace:
    """How long the frames that are left will take."""

    def __init__(self) -> None:
        self.seconds_left: float | None = None
        self._each: float | None = None
        self._begun: tuple[int, float] | None = None

    def advance(self, done: int, total: int, seconds: float | None) -> None:
        """Note that one more frame is done, and the seconds it took, if known."""
        if seconds is None:
            return
        # The first frame also pays for warming up: the second one replaces it.
        fresh = 1.0 if self._each is None or done <= 2 else FRESHNESS
        self._each = fresh * seconds + (1 - fresh) * (self._each or 0.0)
        self.seconds_left = self._each * (total - done) if total else None

    def watch(self, done: int, total: int) -> None:
        """Note, by the clock, that so many steps are done, which take equally long."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = done, now
        first, begin = self._begun
        if done > first and total:
            self.seconds_left = (now - begin) / (done - first) * (total - done)


def resolve_title(
    project: Project | None, movie: Movie | None, job: Job | None = None
) -> TitleState:
    """Work out the row at the top; a run that is going on is not undone."""
    if project is None:
        return TitleState(name=movie.name if movie else "")
    history = project.history
    free = not project.read_only
    turning = job if job is not None and job.kind == "undo" else None
    runs = project.info.runs if job is not None and job.kind == "segment" else ()
    running = bool(runs) and history.undoable_group == runs[-1].group
    saved = "All edits saved" if free else "Read only: open elsewhere"
    return TitleState(
        name=project.folder.name,
        saved=f"{turning.title} …" if turning else saved,
        undo=history.undoable or "",
        redo=history.redoable or "",
        can_undo=free and history.undoable is not None and not (running or turning),
        can_redo=free and history.redoable is not None and turning is None,
    )


def resolve_movie(
    movie: Movie | None,
    *,
    idle: bool,
    has_project: bool,
    layer: str,
    read_as: Callable[[str], None],
) -> MovieState:
    """Work out the first tab.

    Parameters
    ----------
    movie
        The open movie.
    idle
        Whether nothing is going on.
    has_project
        Whether cells were found in it already: then it is read as it was.
    layer
        Name of the selected layer that can be taken.
    read_as
        Reads the movie with other axes, for the buttons of its notes.
    """
    if movie is None:
        return MovieState(enabled=idle, layer=layer if idle else "")
    free = idle and not has_project
    choices = axes_choices(movie)
    notes = [Sentence(note, "note") for note in movie.notes]
    if notes:
        notes[-1] = replace(notes[-1], offers=other_readings(movie, read_as, free))
    return MovieState(
        enabled=idle,
        known=True,
        facts=describe(movie),
        notes=tuple(notes),
        axes_choices=choices,
        axes=movie.axes,
        pixel_size=movie.pixel_size[0] if movie.pixel_size else 0.0,
        frame_interval=movie.frame_interval or 0.0,
        channels=movie.size("C"),
        channel=movie.channel,
        slices=movie.size("Z"),
        z=movie.z,
        layer=layer if idle else "",
        can_reread=free,
    )


def resolve_find(
    movie: Movie | None,
    project: Project | None,
    choices: Choices,
    *,
    job: Job | None,
    measuring: bool,
    unfinished: bool,
    place: Path | None,
) -> FindState:
    """Work out the second tab.

    Parameters
    ----------
    movie, project
        What is open.
    choices
        What the user chose.
    job
        What is going on.
    measuring
        Whether a line is to be drawn on a cell.
    unfinished
        Whether a run stopped before its end.
    place
        Folder in which a new project will be made.
    """
    idle, has_movie = job is None, movie is not None
    free = idle and has_movie and not (project is not None and project.read_only)
    last = len(movie) - 1 if movie else 0
    folder = str(project.folder) if project else str(place or "")
    if not folder and has_movie:
        folder = "You will be asked for a folder."
    return FindState(
        enabled=idle,
        preset=preset_of(choices.settings),
        models=tuple((name, short_name(name)) for name in choices.models),
        devices=choices.devices,
        settings=choices.settings,
        size_hint=size_hint(choices, movie),
        can_measure=idle and has_movie and choices.settings.network_shape is None,
        measuring=measuring,
        frames=choices.frames or (0, last),
        last=last,
        folder=folder,
        can_choose_folder=idle and has_movie and project is None,
        can_preview=idle and has_movie,
        can_run=free,
        can_go_on=free and unfinished,
        can_stop=job is not None and job.kind != "undo" and not job.stopping,
    )


def resolve_status(
    job: Job | None, sentence: Sentence, seconds_left: float | None
) -> StatusState:
    """Work out the lines under the tabs.

    Parameters
    ----------
    job
        What is going on.
    sentence
        What there is to read when nothing is going on, or of what is.
    seconds_left
        How long it will take, in s; None while unknown.
    """
    if job is None:
        return StatusState(sentence=sentence)
    step = job.progress
    if step is not None and step.stage == "checking":
        # It tells of the steps before or after it alone: how long it takes is unknown.
        step = replace(step, done=0, total=0)
    note = Sentence(job.notes[-1], "note") if job.notes else sentence
    if step is None:
        return StatusState(True, progress=f"{job.title} …", sentence=note)
    return StatusState(
        busy=True,
        done=step.done,
        total=step.total,
        progress=_progress(job, step, seconds_left),
        sentence=note,
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


def other_readings(
    movie: Movie, read_as: Callable[[str], None], free: bool
) -> tuple[Offer, ...]:
    """Offer the likeliest other ways to read the axes: those with most frames."""
    ways = [way for way in axes_choices(movie) if way[0] != movie.axes and free]
    lengths = movie.source.shape
    ways.sort(key=lambda way: -lengths[way[0].index("T")] if "T" in way[0] else 0)
    return tuple(
        Offer(f"Read as {text}", partial(read_as, axes))
        for axes, text in ways[:MOST_READINGS]
    )


def duration(seconds: float) -> str:
    """Write a time span as people say it."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def resolve_share(form: Format, lost: list[str], *, can_export: bool) -> ShareState:
    """Work out the last tab.

    Parameters
    ----------
    form
        The chosen format.
    lost
        What the open cells lose in it, a sentence each.
    can_export
        Whether there is something to export and nothing is going on.
    """
    return ShareState(
        formats=tuple((each.name, each.title) for each in writable()),
        format=form.name,
        description=form.description,
        keeps=keeps_of(form),
        loses="\n".join(("Of these cells:", *(f"• {s}" for s in lost))) if lost else "",
        can_export=can_export,
    )


def keeps_of(form: Format) -> str:
    """Say in a line each what a format keeps."""
    keeps = form.keeps
    rows = (
        ("Masks", keeps.masks),
        ("Tracks", keeps.tracks),
        ("Gaps", keeps.gaps),
        ("Pixel size, interval", keeps.units),
        ("What is confirmed", "yes" if keeps.confirmed else "no"),
        ("Can be opened here again", "yes" if form.reader else "no"),
    )
    return "\n".join(f"{name}: {text}" for name, text in rows)


def _reading(movie: Movie, axes: str) -> str:
    lengths = zip(axes[:-2], movie.source.shape, strict=False)
    parts = [counted(n, AXIS_NAMES[a]) for a, n in lengths]
    return ", ".join(parts) or "1 frame"


def _progress(job: Job, step: Progress, seconds_left: float | None) -> str:
    if job.stopping:
        return "Stopping …" if job.kind == "teach" else "Stopping after this frame …"
    words = [DOING[step.stage]]
    if step.total:
        words.append(f"{step.done} of {step.total}")
    if seconds_left is not None and step.stage in PACED:
        words.append(f"{duration(seconds_left)} left")
    return " · ".join(words)
