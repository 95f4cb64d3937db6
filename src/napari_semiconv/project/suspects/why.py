"""Why a place is suspect, in plain words."""

from collections.abc import Callable

import numpy as np

from ...errors import counted, listed
from ..project import Project
from .suspect import Suspect


def why(project: Project, suspect: Suspect) -> str:
    """Say in one sentence why a suspect is worth a look.

    Parameters
    ----------
    project
        The project.
    suspect
        One of its suspects, as they are now.
    """
    with project.document.guard:
        known = all(label in project.lineage.tracks for label in suspect.labels)
        return _SAYS[suspect.kind](project, suspect) if known else GONE


GONE = "It was edited meanwhile."


def _area(project: Project, frame: int, label: int) -> float:
    cells = project.centroids(frame)
    areas = cells.areas[cells.labels == label]
    return float(areas[0]) if len(areas) else float("nan")


def _appears(project: Project, suspect: Suspect) -> str:
    return (
        f"Cell {suspect.labels[0]} appears inside the field, without a mother and with "
        f"no cell before."
    )


def _vanishes(project: Project, suspect: Suspect) -> str:
    return (
        f"Cell {suspect.labels[0]} is not seen after frame {suspect.frame}, and did "
        f"not leave the field."
    )


def _merged(project: Project, suspect: Suspect) -> str:
    label, frame = suspect.labels[0], suspect.frame
    usual = float(np.median(project.centroids(frame).areas))
    times = _area(project, frame, label) / usual
    if times > 1.3:
        return (
            f"Cell {label} is {times:.1f} times as large as a usual cell of its frame: "
            f"it may be two."
        )
    return f"Cell {label} lies so close to another that they may be parted wrongly."


def _gap(project: Project, suspect: Suspect) -> str:
    before = suspect.before
    if before is None:
        return GONE
    missing = counted(suspect.frame - before - 1, "frame")
    return (
        f"Cell {suspect.labels[0]} is missing in {missing} before, since frame "
        f"{before}."
    )


def _jump(project: Project, suspect: Suspect) -> str:
    label, before = suspect.labels[0], suspect.before
    if before is None:
        return GONE
    was = project.centroids(before)
    rows = was.labels == label
    away = np.hypot(was.y[rows] - suspect.y, was.x[rows] - suspect.x)
    return (
        f"Cell {label} moves {away.sum():.0f} px from frame {before}, unlike those "
        f"around it."
    )


def _unsure_link(project: Project, suspect: Suspect) -> str:
    label, before = suspect.labels[0], suspect.before
    if before is None:
        return f"It is not clear that cell {label} is the daughter of its mother."
    return (
        f"It is not clear that cell {label} is the same as in frame {before}: another "
        f"link was nearly as good."
    )


def _division(project: Project, suspect: Suspect) -> str:
    mother, *daughters = suspect.labels
    names = listed(daughters)
    if len(daughters) != 2:
        return f"Cell {mother} divides into {counted(len(daughters), 'cell')}: {names}."
    return f"Cell {mother} divides into {names}, which may not be its daughters."


def _area_jump(project: Project, suspect: Suspect) -> str:
    label, before = suspect.labels[0], suspect.before
    if before is None:
        return GONE
    times = _area(project, suspect.frame, label) / _area(project, before, label)
    if times >= 1:
        return f"Cell {label} is {times:.1f} times as large as in frame {before}."
    return f"Cell {label} is {1 / times:.1f} times smaller than in frame {before}."


def _tiny(project: Project, suspect: Suspect) -> str:
    label, frame = suspect.labels[0], suspect.frame
    usual = float(np.median(project.centroids(frame).areas))
    times = usual / _area(project, frame, label)
    return f"Cell {label} is {times:.1f} times smaller than a usual cell of its frame."


def _short(project: Project, suspect: Suspect) -> str:
    label = suspect.labels[0]
    intervals = project.lineage.tracks[label].intervals
    frames = sum(last - first + 1 for first, last in intervals)
    return f"Cell {label} is seen in {counted(frames, 'frame')} only."


def _unsure_cell(project: Project, suspect: Suspect) -> str:
    label = suspect.labels[0]
    names = project.lineage.score_names
    table = project.lineage.scores(label)
    row = suspect.frame - project.lineage.tracks[label].begin
    if len(table) and "sure" in names:
        sure = float(table[row, names.index("sure")])
        if np.isfinite(sure):
            return (
                f"The network is {100 * sure:.0f} % sure of cell {label}, less than of "
                f"others in its frame."
            )
    return f"The network is less sure of cell {label} than of others in its frame."


def _left_out(project: Project, suspect: Suspect) -> str:
    return "What was found here was left out of all tracks when they were decided."


_SAYS: dict[str, Callable[[Project, Suspect], str]] = {
    "appears": _appears,
    "vanishes": _vanishes,
    "merged": _merged,
    "gap": _gap,
    "jump": _jump,
    "unsure link": _unsure_link,
    "division": _division,
    "area jump": _area_jump,
    "tiny": _tiny,
    "short": _short,
    "unsure cell": _unsure_cell,
    "left out": _left_out,
}
