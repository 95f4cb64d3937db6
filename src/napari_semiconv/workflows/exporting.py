"""Write masks and tracks of a project in a format of the field."""

from pathlib import Path

from ..errors import BadInputError
from ..io.cells.formats import format_of
from ..io.cells.tracked import TrackedMovie
from ..movie import Movie
from ..project.project import Project
from ..safe import named
from ..tracking.intervals import intersection
from ..tracking.lineage import Lineage
from .progress import Progress, Steps, Stop, never, stepwise


def export(
    project: Project,
    name: str,
    target: Path,
    *,
    frames: range | None = None,
    stop: Stop = never,
) -> Steps[Path]:
    """Write masks and tracks of a project in a format of the field.

    Parameters
    ----------
    project
        The project; it is not changed.
    name
        Name of the format.
    target
        New file or folder.
    frames
        Successive frames that are written, renumbered from 0; all when None.
    stop
        Asked after each frame; then nothing is written.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    BadInputError
        When the name of the target is too long.
    BadSettingsError
        When there is no such format.
    SaveError
        When something is there already, or the disk is full.
    StoppedError
        When ``stop`` asked for it.
    """
    form, target = format_of(name), named(target)
    movie = None
    if form.uses_movie:
        movie, note = _movie_of(project)
        if note:
            yield Progress("writing", note=note)
    tracked = project.tracked(movie)
    if frames is not None and frames != range(len(tracked)):
        tracked = part_of(tracked, frames)
    for sentence in form.lost(tracked):
        yield Progress("writing", note=sentence)
    yield from stepwise(lambda tell: form.write(tracked, target, tell), "writing", stop)
    return target


def _movie_of(project: Project) -> tuple[Movie | None, str]:
    """Find the movie; without it less is written, with a note."""
    try:
        return project.movie(), ""
    except BadInputError as error:
        return None, f"{error} What is measured of its pixels is left out."


def part_of(tracked: TrackedMovie, frames: range) -> TrackedMovie:
    """Cut successive frames out of a tracked movie, renumbered from 0.

    Parameters
    ----------
    tracked
        Masks and tracks of the whole movie; its own movie, if any, is left out.
    frames
        Which frames.
    """
    span = ((frames[0], frames[-1]),)
    tracks = {
        label: part
        for label, track in tracked.lineage.tracks.items()
        if (part := track.reshaped(intersection(track.intervals, span))) is not None
    }
    return TrackedMovie(
        tracked.name,
        (len(frames), *tracked.frame_shape),
        lambda frame: tracked.read(frame + frames[0]),
        Lineage(
            (
                track.moved(-frames[0], track.parent in tracks)
                for track in tracks.values()
            ),
            tracked.lineage.score_names,
        ),
        tracked.pixel_size,
        tracked.frame_interval,
    )
