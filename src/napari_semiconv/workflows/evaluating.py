"""Say how good cells and tracks are, whatever they lie in."""

from pathlib import Path
from typing import NamedTuple

from ..errors import BadInputError, BadSettingsError, counted
from ..io.evaluation import Compared, compare, compared, result_in, truth_in
from ..project.project import Project, is_project
from ..project.runs.run import adopted_frames
from ..tracking.measures.evaluate import Scores


class Evaluation(NamedTuple):
    """What a comparison gave.

    Parameters
    ----------
    scores
        The measures.
    note
        What the user should know of the frames compared; empty when all were.
    """

    scores: Scores
    note: str


def evaluate(
    result: str | Path, truth: str | Path, span: slice | None = None
) -> Evaluation:
    """Compare a result with the truth, one frame at a time.

    Parameters
    ----------
    result, truth
        A project, or a file or folder of any format with masks and tracks. Of a part
        of a movie, or a project that is computed in part, only that is compared.
    span
        Frames of the movie to compare, counted from 0; all that are there when None.

    Raises
    ------
    BadInputError
        When one of them cannot be read, or the result lacks frames.
    BadSettingsError
        When the truth has none of the frames asked for.
    """
    result, truth = Path(result), Path(truth)
    found = _project(result) if is_project(result) else result_in(result)
    known = _project(truth) if is_project(truth) else truth_in(truth)
    if span is not None:
        frames = known.frames[span]
        if not frames:
            begin, end = span.start or 0, span.stop
            raise BadSettingsError(
                f"Frames {begin}:{'' if end is None else end}: expected at least one "
                f"of the {counted(len(known.frames), 'frame')} of the truth, found "
                f"none. Frames are counted from 0."
            )
        return Evaluation(compare(found, known, frames), "")
    if not found.is_part:
        return Evaluation(compare(found, known), "")
    note = f"{result} covers {_named(found.frames)}."
    return Evaluation(compare(found, known, found.frames), note)


def _project(path: Path) -> Compared:
    # The masks can be read when the journal is closed.
    with Project.open(path, write=False) as project:
        done = _computed(project)
        if not done:
            raise BadInputError(
                f"{path}: expected a project with cells, found one in which no frame "
                f"was computed. Run it first: napari-semiconv run {path}"
            )
        tracked = project.tracked()
        # Of masks that were imported, frames without cells are as good as others.
        whole = project.info.origin is not None
        return compared(tracked, None if whole else range(min(done), max(done) + 1))


def _computed(project: Project) -> set[int]:
    """Frames in which there is a cell, or of which a run says that there is none."""
    tracks = project.lineage.tracks.values()
    found = {frame for track in tracks for frame in track.frames}
    for number in range(1, len(project.info.runs) + 1):
        found |= adopted_frames(project, number)
    return found


def _named(part: range) -> str:
    if len(part) == 1:
        return f"frame {part.start} of the movie; only this one is compared"
    last = part.stop - 1
    return f"frames {part.start} to {last} of the movie; only these are compared"
