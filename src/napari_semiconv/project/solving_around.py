"""Solve tracks anew around a correction, by the frames near it alone.

The best lineage of a whole movie asks for every frame; after a correction all links but
a few are fixed. So only the frames of these, and some around them, are looked at. What
goes on beyond has the label of what it follows.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..edits.base import Group
from ..edits.removing import DeleteCell
from ..edits.results import AdoptScores, AdoptTracks
from ..errors import BadInputError, EditError
from ..inference.linking.solve import Fixed, Solved, Solver
from ..settings import SegmentSettings
from ..tracking.evidence import SCORES
from ..tracking.intervals import intersection
from ..tracking.lineage import Lineage, Track
from .project import Project
from .runs.run import last_settings
from .solving import (
    ATTEMPTS,
    TITLE,
    RunEvidence,
    StoppedSolving,
    fixed_links,
    heed,
    opened,
    usual_size,
)

# Frames beyond the longest gap that are looked at on either side, all links fixed.
CONTEXT = 2
Place = tuple[int, int]  # frame and label of a cell


@dataclass(frozen=True, eq=False)
class _Part:
    """The frames that are looked at.

    Parameters
    ----------
    frames
        Which.
    lineage
        Tracks cut to these frames; a track that began before has no parent.
    earlier, later
        Labels of tracks that are there before, and after, these frames.
    """

    frames: range
    lineage: Lineage
    earlier: frozenset[int]
    later: frozenset[int]

    @classmethod
    def of(cls, lineage: Lineage, frames: range) -> "_Part":
        """Cut a lineage."""
        here = ((frames.start, frames.stop - 1),)
        labels = lineage.living(frames.start, frames.stop - 1)
        tracks = [lineage.tracks[label] for label in sorted(labels)]
        cut = []
        for track in tracks:
            part = track.reshaped(intersection(track.intervals, here))
            if part is None:
                continue
            known = lineage.tracks.get(part.parent)
            away = part.begin != track.begin or known is None
            # Of a mother that is not looked at nothing can be decided.
            away |= known is not None and known.end < frames.start
            cut.append(replace(part, parent=0) if away else part)
        return cls(
            frames,
            Lineage(cut, lineage.score_names),
            frozenset(t.label for t in tracks if t.begin < frames.start),
            frozenset(t.label for t in tracks if t.end >= frames.stop),
        )

    def fixed(self, whole: Lineage, within: range) -> Fixed:
        """List what is fixed: links elsewhere, and what leads out of the frames."""
        found = fixed_links(self.lineage, within)
        tracks = self.lineage.tracks
        first = {(t.begin, n) for n, t in tracks.items() if n in self.earlier}
        # Daughters whose mother is not looked at stay hers.
        first |= {
            (t.begin, n)
            for n, t in tracks.items()
            if whole.tracks[n].parent and not t.parent and n not in self.earlier
        }
        last = {(t.end, n) for n, t in tracks.items() if n in self.later}
        return Fixed(
            found.links,
            found.born | first,
            found.ended | last,
            found.cells | first | last,
        )


def solve_around_steps(
    project: Project,
    within: range,
    settings: SegmentSettings | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[tuple[int, int], None, Solved | None]:
    """Decide anew the links that lie within some frames, and look at few others.

    As `solve_steps` with ``within``, in a time that does not depend on the length of
    the movie.

    Parameters
    ----------
    project
        The project, open for writing.
    within
        Frames whose links are decided anew.
    settings
        How to link; as in the last run when None.
    stop
        Asked again and again whether to stop; then the project stays as it was.

    Yields
    ------
    tuple
        Frames looked at and frames in all.

    Returns
    -------
    Solved
        What was found in the frames looked at; None when it was stopped.

    Raises
    ------
    BadInputError
        When no cell is there, a frame is damaged, or what was confirmed contradicts
        itself.
    EditError
        When cells were edited again and again meanwhile.
    SaveError
        When it cannot be written; the project is as it was.
    """
    settings = settings or last_settings(project)
    margin = settings.link.most_gap + CONTEXT
    count = project.document.shape[0]
    frames = range(max(0, within.start - margin), min(count, within.stop + margin))
    for _ in range(ATTEMPTS):
        mark = project.history.journal.last
        with project.document.guard:
            part = _Part.of(project.lineage, frames)
        solved = yield from _solved(project, part, settings, within, stop)
        if solved is None:
            return None
        with project.editing():
            if project.history.journal.last == mark:
                _adopt(project, part, solved, within)
                return solved
    raise EditError(
        f"{project.folder.name}: its cells were edited again and again while tracks "
        f"were decided: expected a moment without. Decide them once more."
    )


def _solved(
    project: Project,
    part: _Part,
    settings: SegmentSettings,
    within: range,
    stop: Callable[[], bool],
) -> Generator[tuple[int, int], None, Solved | None]:
    frames = [t for t in part.frames if part.lineage.cells(t)]
    if not frames:
        raise BadInputError(
            f"Frames {within.start} to {within.stop - 1}: expected cells to be linked, "
            f"found none. Choose frames with cells."
        )
    evidence = RunEvidence(project)
    size = settings.cell_size or usual_size(project, frames)
    solver = Solver(settings.link, size, evidence.channels(frames))
    for done, frame in enumerate(frames, 1):
        labels = project.document.labels(frame)
        solver.push(frame, labels, evidence.of(frame, labels))
        if stop():
            return None
        yield done, len(frames)
    beyond = project.document.next_number - 1
    fixed = part.fixed(project.lineage, within)
    try:
        solved = solver.solve(fixed, beyond, tell=lambda *_: heed(stop))
        heed(stop)
    except StoppedSolving:
        return None
    return replace(solved, unread=tuple(evidence.unread))


def _adopt(project: Project, part: _Part, solved: Solved, within: range) -> None:
    """Take labels, parents and scores over: one step to undo."""
    group = project.history.new_group()
    beyond = project.document.next_number
    final = _final_names(part, solved, beyond)
    names = _names_by_frame(project.lineage, part, solved, final)
    fore = {final[n] for n in _tracks_of(solved, part.earlier, first=True)}
    parents = {
        final[track]: final.get(solved.parents.get(track, 0), 0)
        for track in final
        if final[track] not in fore
    }
    cut = part.lineage
    kept = [
        track
        for label, track in cut.tracks.items()
        if project.lineage.tracks[label].parent and not track.parent
    ]
    out = [DeleteCell(frame, label) for frame, label in solved.left_out]
    open_ = _without(opened(cut, names, parents, within), kept, names)
    project.do(Group((*out, AdoptTracks(names, open_)), TITLE), group)
    scores = _scores(project.lineage, solved, final, within)
    project.do(Group((AdoptScores(scores),), TITLE), group)


def _without(
    parents: dict[int, int],
    tracks: Iterable[Track],
    names: dict[int, dict[int, int]],
) -> dict[int, int]:
    """Leave out tracks, as they are now, by the labels that they get."""
    out = {names.get(t.begin, {}).get(t.label, t.label) for t in tracks}
    return {label: parent for label, parent in parents.items() if label not in out}


def _tracks_of(
    solved: Solved, labels: frozenset[int], *, first: bool
) -> dict[int, int]:
    """Label by track, of tracks that have the first or last cell of labels."""
    found: dict[int, int] = {}
    for label in labels:
        rows = np.flatnonzero(solved.label == label)
        if len(rows):
            found[int(solved.track[rows[0 if first else -1]])] = label
    return found


def _final_names(part: _Part, solved: Solved, beyond: int) -> dict[int, int]:
    """Label of each track that was found: what began before keeps its own."""
    final = _tracks_of(solved, part.earlier, first=True)
    used = {*final.values(), *part.earlier}
    for track in np.unique(solved.track[solved.track > 0]).tolist():
        if track in final:
            continue
        if track in used or track >= beyond:
            final[track], beyond = beyond, beyond + 1
        else:
            final[track] = track
        used.add(final[track])
    return final


def _names_by_frame(
    lineage: Lineage, part: _Part, solved: Solved, final: dict[int, int]
) -> dict[int, dict[int, int]]:
    """By frame: new label of each old one, also of what goes on beyond the frames."""
    names: dict[int, dict[int, int]] = {}
    rows = zip(
        solved.frame.tolist(), solved.label.tolist(), solved.track.tolist(), strict=True
    )
    for frame, old, track in rows:
        if track and final[track] != old:
            names.setdefault(frame, {})[old] = final[track]
    for track, old in _tracks_of(solved, part.later, first=False).items():
        onward = lineage.tracks[old].onward(part.frames.stop)
        if final[track] != old and onward is not None:
            for frame in onward.frames:
                names.setdefault(frame, {})[old] = final[track]
    return names


def _scores(
    lineage: Lineage, solved: Solved, final: dict[int, int], within: range
) -> dict[int, bytes]:
    """Scores of the tracks, as before but where links were decided."""
    tables: dict[int, np.ndarray] = {}
    for row, (frame, track) in enumerate(
        zip(solved.frame.tolist(), solved.track.tolist(), strict=True)
    ):
        if not track or (frame not in within and frame - 1 not in within):
            continue
        label = final[track]
        begin, end = lineage.tracks[label].begin, lineage.tracks[label].end
        if label not in tables:
            known = lineage.scores(label)
            empty = np.full((end - begin + 1, len(SCORES)), np.nan, np.float32)
            tables[label] = known.copy() if len(known) else empty
        tables[label][frame - begin] = solved.scores[row]
    return {label: table.tobytes() for label, table in tables.items()}
