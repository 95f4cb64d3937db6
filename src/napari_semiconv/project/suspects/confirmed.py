"""Which links of a project the user confirmed, and not only the cells at their ends."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...edits.base import Group, current_kind
from ...edits.confirming import Confirm
from ...edits.history import History
from ...tracking.lineage import Lineage, Track
from ..project import Project
from .reasons import ABOUT

Stretches = dict[int | None, list[tuple[int, int]]]


def confirmed_stretches(history: History, frames: int) -> Stretches:
    """List the frames that were confirmed as one, by track; None is every track.

    A link is confirmed when both its ends lie in one stretch; cells that were confirmed
    one by one, or frame by frame, leave the links between them open to doubt.

    Parameters
    ----------
    history
        The edits.
    frames
        Frames of the movie.
    """
    done, _ = history.standing
    found: Stretches = {}
    for entry in history.journal.entries:
        if entry.head["do"] != "edit" or entry.number not in done:
            continue
        for what in _confirmations(
            current_kind(entry.head["kind"]), entry.head["what"]
        ):
            first = 0 if what["first"] is None else what["first"]
            last = frames - 1 if what["last"] is None else what["last"]
            if last > first:
                found.setdefault(what["label"], []).append((first, last))
    return found


def is_confirmed(stretches: Stretches, label: int, first: int, last: int) -> bool:
    """Tell whether two frames of a track were confirmed as one."""
    spans = (*stretches.get(label, ()), *stretches.get(None, ()))
    return any(begin <= first and last <= end for begin, end in spans)


def _confirmations(kind: str, what: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if kind == Confirm.kind:
        yield what
    elif kind == Group.kind:
        for part in what["edits"]:
            yield from _confirmations(str(part["kind"]), part)


def undoubted(
    project: Project,
    frame: NDArray[np.int64],
    label: NDArray[np.int64],
    before: NDArray[np.int64],
    reasons: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Take away the doubts about what the user confirmed.

    Parameters
    ----------
    project
        The project; its document is guarded.
    frame, label, before
        Frame and label of each place, and frame of the same cell before, or -1, (n,).
    reasons
        Why each is suspect, (n, reasons).
    """
    lineage = project.lineage
    sure = [n for n in np.unique(label).tolist() if _is_sure(lineage, n)]
    if not sure:
        return reasons
    stretches = confirmed_stretches(project.history, project.document.shape[0])
    out = reasons.copy()
    for row in np.flatnonzero(np.isin(label, sure)).tolist():
        track, at = lineage.tracks[int(label[row])], int(frame[row])
        was = int(before[row])
        daughters = [lineage.tracks[d] for d in lineage.daughters_of(track.label)]
        answered = {
            "cell": track.is_confirmed(at),
            "past": was >= 0 and is_confirmed(stretches, track.label, was, at),
            "birth": track.parent_confirmed,
            "end": is_confirmed(stretches, track.label, at, at + 1),
            "division": bool(daughters) and all(d.parent_confirmed for d in daughters),
        }
        for about, columns in ABOUT.items():
            if answered.get(about, False):
                out[row, columns] = 0
    return out


def _is_sure(lineage: Lineage, label: int) -> bool:
    """Whether the user confirmed anything of a track."""
    tracks: Mapping[int, Track] = lineage.tracks
    if label not in tracks:
        return False
    track = tracks[label]
    daughters = (tracks[d] for d in lineage.daughters_of(label))
    return bool(track.confirmed or track.parent_confirmed) or any(
        d.parent_confirmed for d in daughters
    )
