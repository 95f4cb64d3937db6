"""Make a project of masks and tracks that were found before, by any program."""

from collections.abc import Callable
from pathlib import Path

from ..io.cells import formats
from ..io.cells.tracked import TrackedMovie
from ..movie import Movie
from ..project.project import Project
from .copying import keep
from .progress import Progress, Steps, Stop, never, stepwise


def import_tracked(
    source: Path | TrackedMovie | Callable[[], TrackedMovie],
    movie: Movie,
    folder: str | Path,
    *,
    stop: Stop = never,
) -> Steps[Project]:
    """Make a project of a movie and of cells that were found in it.

    A result of the first releases of this program is converted so.

    Parameters
    ----------
    source
        File or folder with masks; masks and tracks that are open; or what gives them,
        for that may look at every frame.
    movie
        The movie they belong to; one that is only in memory is kept beside the project.
    folder
        The project folder: new or empty.
    stop
        Asked after each frame; then nothing is kept.

    Returns
    -------
    Project
        The project, open; closing it is up to the caller.

    Raises
    ------
    BadInputError
        When the masks cannot be read, or do not fit the movie.
    SaveError
        When the project cannot be written.
    StoppedError
        When ``stop`` asked for it.
    """
    folder = Path(folder)
    yield Progress("reading")
    if isinstance(source, Path):
        found = formats.read(source)
    else:
        found = source if isinstance(source, TrackedMovie) else source()
    movie = yield from keep(movie, folder, stop)
    return (
        yield from stepwise(
            lambda tell: Project.create(folder, movie, found, tell), "reading", stop
        )
    )
