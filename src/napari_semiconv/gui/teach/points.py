"""Points of the curve of a teaching, gathered in the thread of its job."""

from typing import NamedTuple

from ...workflows.progress import Progress


class CurvePoint(NamedTuple):
    """One step of a teaching; what was not worked out then is None."""

    step: int
    loss: float | None
    held_out: float | None


def point_of(progress: Progress) -> CurvePoint | None:
    """Make a point of a step; None when it is no step of learning."""
    if progress.stage != "teaching" or not progress.scores:
        return None
    scores = progress.scores
    return CurvePoint(progress.done, scores.get("loss"), scores.get("held out"))
