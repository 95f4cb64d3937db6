"""The files of a new project."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..edits.document import Document
from ..edits.journal import Journal
from ..errors import BadInputError, SaveError
from ..guard import sizes
from ..io.cells.tracked import TrackedMovie
from ..movie import Movie
from ..safe import new_draft_folder, saving
from ..tracking.evidence import scored
from ..tracking.invariants import faults_of_frame, faults_of_lineage
from ..tracking.lineage import Lineage
from .facts import ProjectInfo, write_info
from .mask_array import LABELS, MOST_FRAMES, MOST_PIXELS
from .movies import MovieFacts, fingerprint
from .recovery import JOURNAL
from .snapshot import CENTROIDS, LINEAGE, write_centroids, write_snapshot
from .store import ZarrMasks
from .written import Written

Progress = Callable[[int, int], None]


def make(
    folder: Path,
    movie: Movie,
    found: TrackedMovie | None,
    progress: Progress | None,
) -> None:
    """Make the folder of a new project, whole or not at all; see `Project.create`."""
    check_shape(movie, found)
    with saving(folder):
        if folder.exists() and any(folder.iterdir()):
            raise SaveError(
                f"{folder}: expected a new or empty folder, found files in it. "
                f"Choose another name for the project."
            )
        draft = new_draft_folder(folder)
    try:
        fill(draft, movie, (len(movie), *movie.frame_shape), found, progress)
        with saving(folder):
            if folder.exists():
                folder.rmdir()
            draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def fill(
    folder: Path,
    movie: Movie,
    shape: tuple[int, int, int],
    found: TrackedMovie | None,
    progress: Progress | None,
) -> None:
    """Write all files of a new project.

    Parameters
    ----------
    folder
        An empty folder.
    movie
        The movie.
    shape
        Its frames, height and width, (T, Y, X).
    found
        Masks and tracks to begin with; none when None.
    progress
        Told the frames done and those to do.

    Raises
    ------
    BadInputError
        When masks and tracks do not agree.
    SaveError
        When the files cannot be written.
    """
    with saving(folder):
        ZarrMasks.create(folder / LABELS, shape)
        masks = ZarrMasks(folder / LABELS)
    lineage = scored(Lineage() if found is None else found.lineage)
    document = Document(masks, lineage)
    _refuse(faults_of_lineage(lineage, shape[0]), folder)
    for frame in range(shape[0] if found is not None else 0):
        assert found is not None
        labels = np.asarray(found.read(frame), np.int32)
        _refuse(faults_of_frame(lineage, frame, labels), folder)
        if labels.any():
            masks.write(frame, 0, 0, labels)
        document.centroids(frame)
        if progress is not None:
            progress(frame + 1, shape[0])
    masks.flush()
    write_snapshot(folder / LINEAGE, document, 0)
    write_centroids(folder / CENTROIDS, document, 0)
    with Journal(folder / JOURNAL) as journal:
        Written(folder).note(journal)
    origin = found.name if found is not None else None
    write_info(
        folder, ProjectInfo.new(MovieFacts.of(movie), fingerprint(movie), origin)
    )


def check_shape(movie: Movie, found: TrackedMovie | None) -> None:
    """Refuse masks of another size than the movie, and movies too large for masks.

    Raises
    ------
    BadInputError
        When they are.
    """
    shape = (len(movie), *movie.frame_shape)
    if shape[0] > MOST_FRAMES or shape[1] * shape[2] > MOST_PIXELS:
        raise BadInputError(
            f"{movie.name}: expected at most {MOST_FRAMES} frames of {MOST_PIXELS} px, "
            f"found {sizes(shape)}. Crop the movie, or check which axis is which."
        )
    if found is not None and found.shape != shape:
        raise BadInputError(
            f"{found.name}: expected masks of shape {shape}, as the movie "
            f"{movie.name}, found {found.shape}. Choose the movie they belong to."
        )


def _refuse(faults: Iterable[str], folder: Path) -> None:
    first = next(iter(faults), None)
    if first is not None:
        raise BadInputError(
            f"The masks and the tracks do not agree: {first} Mend the tracks, or leave "
            f"them out."
        )
