"""Which links of a project the user confirmed, and not only the cells at their ends."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...edits.base import Group, current_kind
from ...edits.confirming import Confirm
from ...edits.history import History
from ...tracking.lineage import Track
from .measure import Places
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
    with history.writing:
        done, _ = history.standing
        entries = [*history.journal.entries]
    found: Stretches = {}
    for entry in entries:
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
    places: Places,
    frame: NDArray[np.int64],
    tracks: Mapping[int, Track],
    daughters: Mapping[int, list[int]],
    stretches: Callable[[], Stretches],
) -> NDArray[np.float32]:
    """Take away the doubts about what the user confirmed.

    Parameters
    ----------
    places
        Cells of all frames.
    frame
        Frame of each, (n,).
    tracks
        Tracks by label, of every place.
    daughters
        Labels of the daughters of each track that has some.
    stretches
        Gives what was confirmed as one; asked only where anything was.

    Returns
    -------
    NDArray
        Why each place is suspect, (n, reasons).
    """
    sure = {n for n, t in tracks.items() if t.confirmed or t.parent_confirmed}
    sure |= {t.parent for t in tracks.values() if t.parent_confirmed}
    rows = np.flatnonzero(np.isin(places.labels, sorted(sure)))
    if not len(rows):
        return places.reasons
    known, out = stretches(), places.reasons.copy()
    for row in rows.tolist():
        track, at = tracks[int(places.labels[row])], int(frame[row])
        was = int(places.before[row])
        born = [tracks[n] for n in daughters.get(track.label, ())]
        answered = {
            "cell": track.is_confirmed(at),
            "past": was >= 0 and is_confirmed(known, track.label, was, at),
            "birth": track.parent_confirmed,
            "end": is_confirmed(known, track.label, at, at + 1),
            "division": bool(born) and all(d.parent_confirmed for d in born),
        }
        for about, columns in ABOUT.items():
            if answered.get(about, False):
                out[row, columns] = 0
    return out
