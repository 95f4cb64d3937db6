"""A cell in words, for the status line and the panel."""

import numpy as np

from ...errors import listed
from ...project.project import Project


def describe_cell(project: Project, frame: int, label: int) -> str:
    """Tell what is known of a cell, as "cell 12, frame 41, daughter of 5, …".

    Parameters
    ----------
    project
        Its project.
    frame
        Index of the frame.
    label
        The cell.
    """
    with project.document.guard:
        lineage = project.lineage
        track = lineage.tracks.get(label)
        if track is None:
            return f"Cell {label}, frame {frame}"
        daughters = lineage.daughters_of(label)
        scores = lineage.scores(label)
    words = [f"Cell {label}", f"frame {frame}"]
    if track.parent:
        words.append(f"daughter of {track.parent}")
    if daughters:
        words.append(f"divides after frame {track.end} into {listed(daughters)}")
    if not track.has(frame):
        words.append("not in this frame")
    elif len(scores) and np.isfinite(sure := scores[frame - track.begin]).any():
        words.append(f"{round(100 * float(np.nanmin(sure)))} % sure")
    if track.has(frame):
        words.append("confirmed" if track.is_confirmed(frame) else "not confirmed")
    return ", ".join(words)
